from __future__ import annotations

import gc
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mcpwall.engine.port import Batch, RowEvent, Totals
from mcpwall.engine.port_calls import Row, State
from mcpwall.tui import mirror as mirror_module
from mcpwall.tui.call_list import CallList, alike
from mcpwall.tui.mirror import Mirror
from tests.tui.scenes import DENIED, row


def call(id_: int, path: str = "a", state: State = State.DONE) -> Row:
    return row(id_, "files.read", {"path": path}, state=state)


@dataclass
class Table:
    mirror: Mirror
    calls: CallList

    def tell(self, *rows: Row) -> None:
        events = tuple(RowEvent(row) for row in rows)
        self.mirror.apply(Batch(self.mirror.seq + len(rows), Totals(), events), 0)
        self.calls.update(self.mirror.drain().rows)

    def shape(self) -> list[list[int]]:
        return [line.calls for line in self.calls.lines]


def table(*rows: Row, keep: State | None = None) -> Table:
    mirror = Mirror()
    made = Table(mirror, CallList(mirror))
    made.calls.filter(keep and (lambda row: row.state is keep))
    made.tell(*rows)
    return made


def test_identical_neighbours_fold_and_others_do_not() -> None:
    shown = table(call(1), call(2), call(3, "b"), call(4))
    assert shown.shape() == [[1, 2], [3], [4]]


def test_a_call_folds_only_when_it_is_finished() -> None:
    shown = table(call(1), call(2, state=State.RUNNING), call(3))
    assert shown.shape() == [[1], [2], [3]]
    shown.tell(call(2))
    assert shown.shape() == [[1, 2, 3]]


def test_one_that_went_another_way_is_never_hidden_in_a_fold() -> None:
    refused = replace(call(2), state=State.REFUSED, verdict=DENIED)
    shown = table(call(1), refused, call(3))
    assert shown.shape() == [[1], [2], [3]]


def test_a_filter_drops_and_brings_back_as_calls_change() -> None:
    shown = table(call(1), call(2, state=State.HELD), call(3), keep=State.HELD)
    assert shown.shape() == [[2]]
    shown.tell(call(2), call(3, state=State.HELD))
    assert shown.shape() == [[3]]
    assert shown.calls.matching == 1


def test_following_selects_the_newest() -> None:
    shown = table(call(1, "a"), call(2, "b"))
    assert shown.calls.selected == 2
    shown.tell(call(3, "c"))
    assert shown.calls.selected == 3


def test_the_selection_stays_on_its_call_and_its_row_of_the_screen() -> None:
    shown = table(*(call(n, str(n)) for n in range(1, 21)))
    shown.calls.window(5)
    shown.calls.move(-2)
    before = shown.calls.window(5)
    place = shown.calls.index() - before.start
    shown.tell(*(call(n, str(n)) for n in range(21, 40)))
    after = shown.calls.window(5)
    assert shown.calls.selected == 18
    assert shown.calls.index() - after.start == place
    assert shown.calls.fresh == 19
    shown.calls.follow()
    assert (shown.calls.selected, shown.calls.fresh) == (39, 0)


def test_the_selected_call_is_found_within_its_fold() -> None:
    shown = table(call(1, "x"), call(2, state=State.RUNNING), call(3, state=State.RUNNING))
    shown.calls.move(-1)
    assert shown.calls.selected == 2
    shown.tell(call(2), call(3))
    assert shown.shape() == [[1], [2, 3]]
    assert shown.calls.index() == 1


def test_starting_over_keeps_the_selection_and_counts_what_is_new() -> None:
    shown = table(*(call(n, str(n)) for n in range(1, 11)))
    shown.calls.window(5)
    shown.calls.move(-4)
    shown.mirror.rows.update({n: call(n, str(n)) for n in range(11, 14)})
    shown.calls.start_over()
    assert (shown.calls.selected, shown.calls.fresh) == (6, 3)
    shown.calls.filter(lambda row: row.id > 8)
    assert shown.calls.index() == 0
    shown.calls.filter(None)
    assert shown.calls.current().id == 6


def test_what_is_new_is_counted_of_what_the_filter_lets_pass() -> None:
    shown = table(*(call(n, str(n)) for n in range(1, 11)))
    shown.calls.move(-4)
    shown.tell(*(call(n, str(n)) for n in range(11, 21)))
    assert shown.calls.fresh == 10
    shown.calls.filter(lambda row: row.id % 2 == 0)
    assert shown.calls.fresh == 5
    shown.tell(*(call(n, str(n)) for n in range(21, 31)))
    assert shown.calls.fresh == 10
    shown.calls.filter(None)
    assert shown.calls.fresh == 20


def test_moving_ends_at_the_ends() -> None:
    shown = table(call(1, "a"), call(2, "b"))
    shown.calls.move(-10)
    assert shown.calls.selected == 1
    shown.calls.move(10)
    assert shown.calls.selected == 2
    assert not shown.calls.following


def test_an_empty_list_has_no_selection_and_an_empty_window() -> None:
    shown = table()
    shown.calls.move(1)
    assert shown.calls.current() is None
    assert list(shown.calls.window(5)) == []


@pytest.mark.parametrize("paths", [("a",), ("a", "b"), ("a", "a", "a", "b")])
def test_calls_that_the_mirror_let_go_are_counted_no_more(
    monkeypatch: pytest.MonkeyPatch, paths: tuple[str, ...]
) -> None:
    monkeypatch.setattr(mirror_module, "ROWS_MAX", 100)
    monkeypatch.setattr(mirror_module, "_ROWS_SLACK", 10)
    shown = table()
    for n in range(1, 1001):
        shown.tell(call(n, paths[n % len(paths)]))
        assert shown.calls.matching == len(shown.mirror.rows)
    listed = [id_ for line in shown.shape() for id_ in line]
    assert listed == sorted(shown.mirror.rows)


def test_a_line_of_one_call_is_no_work_for_the_garbage_collector() -> None:
    shown = table(call(1), call(2, "b"))
    assert not any(map(gc.is_tracked, [*shown.calls.lines, *shown.mirror.rows.values()]))


_STATES = st.sampled_from([State.RUNNING, State.DONE, State.ERROR])
_STEP = st.tuples(st.integers(1, 8), st.sampled_from("ab"), _STATES)


@given(steps=st.lists(_STEP, max_size=40), keep=st.sampled_from([None, State.DONE, State.RUNNING]))
def test_the_lines_are_those_of_the_newest_word_on_each_call(
    steps: list[tuple[int, str, State]], keep: State | None
) -> None:
    shown = table(keep=keep)
    for id_, path, state in steps:
        shown.tell(call(id_, path, state))
    kept = [row for _, row in sorted(shown.mirror.rows.items()) if keep in (None, row.state)]
    expected: list[list[Row]] = []
    for row_ in kept:
        if expected and alike(expected[-1][-1], row_):
            expected[-1].append(row_)
        else:
            expected.append([row_])
    assert shown.shape() == [[row.id for row in line] for line in expected]
    assert [line.row for line in shown.calls.lines] == [line[-1] for line in expected]
    assert shown.calls.matching == len(kept)
