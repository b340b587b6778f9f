"""Arguments in pieces: the same rows, characters and counts as without, made when wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.tui import detail
from mcpwall.tui.review import compare, pieces
from mcpwall.tui.review.layout import Row
from mcpwall.tui.review.pieces import count, counting, field_pieces, raw_pieces
from mcpwall.tui.review.rows import Rows
from tests.tui.scenes import row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mcpwall.tui.review.rows import Piece

SMALL = 120  # characters in a piece
NAMES = st.text(st.sampled_from("ab.-"), max_size=9)
PLAIN = st.text(st.sampled_from("ab c\n\t-"), max_size=400)
ANY = st.text(st.sampled_from("ab \n\x1b\u0301\u0323漢é‹\u202e"), max_size=400)


def arguments(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    values = st.recursive(
        texts | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner),
        max_leaves=9,
    )
    return st.dictionaries(NAMES, values, max_size=4)


def rows_of(found: Iterable[Piece]) -> list[Row]:
    return [row for piece in found for row in piece()]


def cut_small() -> Any:
    return mock.patch.multiple(pieces, PIECE=SMALL), mock.patch.object(compare, "PIECE", SMALL)


@settings(max_examples=300)
@given(arguments(PLAIN), arguments(PLAIN), st.integers(30, 90))
def test_pieces_show_the_rows_that_there_would_be_without(
    before: dict[str, Any], after: dict[str, Any], cells: int
) -> None:
    def shown() -> list[list[Row]]:
        both = compare.compare_pieces(before, after, cells, whole=True)
        return [
            rows_of(field_pieces(after, cells)),
            rows_of(raw_pieces(after, cells)),
            rows_of(both),
        ]

    whole = shown()
    one, two = cut_small()
    with one, two:
        assert shown() == whole


@settings(max_examples=300)
@given(arguments(ANY), st.integers(30, 90))
def test_whatever_the_text_pieces_keep_every_character_and_every_count(
    given_arguments: dict[str, Any], cells: int
) -> None:
    def shown() -> list[Any]:
        ways = field_pieces(given_arguments, cells), raw_pieces(given_arguments, cells)
        texts = ["".join(row.name + row.value for row in rows_of(way)) for way in ways]
        return [*texts, count(given_arguments)]

    whole = shown()
    one, two = cut_small()
    with one, two:
        assert shown() == whole


def test_many_fields_leave_a_column_for_their_names() -> None:
    rows = rows_of(field_pieces({"n": list(range(5_000))}, 80))
    assert len(rows) == 5_000
    assert {row.indent for row in rows} == {26}


def test_a_text_of_megabytes_is_counted_and_laid_out_a_piece_at_a_time() -> None:
    text = "\n".join(f"line {n}" for n in range(200_000))
    steps = list(counting({"path": "a", "text": text}))
    assert len(steps) > 100
    assert (steps[-1].fields, steps[-1].lines, steps[-1].hidden) == (2, 200_001, 0)
    rows = Rows(field_pieces({"path": "a", "text": text}, 80))
    assert len(rows) == 0
    rows.lay_out(2)
    assert 100 < len(rows) < 10_000
    assert not rows.whole
    assert rows[0] == Row("path", '"a"', 6)
    assert rows[1] == Row("text", '"line·0␊', 6)


@pytest.mark.parametrize("raw", [True, False])
def test_beside_the_list_a_large_call_is_shown_by_its_start_and_says_so(raw: bool) -> None:
    text = "\n".join(f"line {n}" for n in range(200_000))
    call = row(7, "fs.write", {"text": text})
    lines = detail.arguments(detail.Known(call, {"text": text}), 80, raw=raw)
    assert 100 < len(lines) < 20_000
    assert "".join(part for part, _ in lines[0]).split() == ["ARGUMENTS", f"{call.size:,}", "bytes"]
    assert lines[-1][0][0] == " … and more, all of it in Review"


# --- rows ---------------------------------------------------------------------------------------


class Making:
    """Pieces of so many rows, and how often each was made."""

    def __init__(self, *sizes: int) -> None:
        self.sizes = sizes
        self.made = [0] * len(sizes)

    def __iter__(self) -> Iterator[Any]:
        for number, size in enumerate(self.sizes):
            yield lambda number=number, size=size: self._make(number, size)

    def _make(self, number: int, size: int) -> list[Row]:
        self.made[number] += 1
        return [Row(str(number), str(at)) for at in range(size)]


def test_rows_are_found_in_their_pieces_and_empty_pieces_are_none() -> None:
    rows = Rows(Making(2, 0, 3, 1, 0))
    rows.lay_out(9)
    assert rows.whole
    told = [(row.name, row.value) for row in (rows[at] for at in range(len(rows)))]
    assert told == [("0", "0"), ("0", "1"), ("2", "0"), ("2", "1"), ("2", "2"), ("3", "0")]
    for outside in (-1, 6):
        with pytest.raises(IndexError):
            rows[outside]


def test_no_more_is_laid_out_than_is_wanted_and_whole_is_told_with_the_last() -> None:
    making = Making(1, 1, 1)
    rows = Rows(making)
    assert (len(rows), rows.whole, making.made) == (0, False, [0, 0, 0])
    rows.lay_out(2)
    assert (len(rows), rows.whole, making.made) == (2, False, [1, 1, 0])
    rows.lay_out(1)
    assert (len(rows), rows.whole) == (3, True)
    assert Rows(()).whole


def test_the_rows_of_a_few_pieces_are_kept_and_those_of_others_made_again() -> None:
    making = Making(*[10] * 100)
    rows = Rows(making)
    rows.lay_out(100)
    for at in range(25):
        assert rows[at].value == str(at % 10)
    assert making.made[:3] == [2, 2, 2]
    assert rows[999].name == "99"
