"""Rules as they are typed: every value reads back as itself, and what was not touched stays."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mcpwall.model import Risk
from mcpwall.policy.operators import OPERATORS as KNOWN
from mcpwall.store.config import load_text
from mcpwall.store.rule_tables import render
from mcpwall.tui.rules.draft import (
    HOLD,
    WAIT,
    DraftError,
    draft_of,
    fields_from_call,
    table_of,
)
from mcpwall.tui.rules.draft import ArgumentTest as Typed
from mcpwall.tui.rules.values import (
    OPERATORS,
    TypedError,
    read_names,
    read_rate,
    read_value,
    write_names,
    write_value,
)
from tests.tui.scenes import row

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda name: name == name.strip()
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = (
    TEXTS
    | st.booleans()
    | st.integers(-(1 << 62), 1 << 62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(TEXTS, max_size=3)
)


def test_the_operators_are_those_of_the_engine() -> None:
    assert {op for op in OPERATORS if not op.startswith("not_")} == set(KNOWN)


@settings(max_examples=300)
@given(st.sampled_from(OPERATORS), PLAIN)
def test_a_value_reads_back_as_itself(op: str, value: Any) -> None:
    text_only = op.endswith(("contains", "glob", "regex", "under", "host", "json"))
    if text_only and not isinstance(value, str | list):
        value = str(value)
    back = read_value(op, write_value(op, value))
    assert (type(back), back) == (type(value), value)


@settings(max_examples=300)
@given(NAMES | st.lists(NAMES, min_size=1, max_size=3))
def test_names_read_back_as_themselves(value: Any) -> None:
    back = read_names(write_names(value))
    assert back == value or (isinstance(value, str) and back == [value])


@settings(max_examples=200)
@given(TEXTS, NAMES, TEXTS)
def test_p10_a_draft_is_safe_to_show_and_untouched_says_the_same(
    text: str, name: str, reason: str
) -> None:
    table = {
        "tool": [name],
        "when": {text: {"glob": text}},
        "budget": {"sum": text, "max": 1, "window": 1},
        "reason": reason,
    }
    draft = draft_of(table)
    shown = [draft.tool, draft.sum, draft.reason, draft.tests[0].argument, draft.tests[0].value]
    assert all(piece.isprintable() for piece in shown)
    assert table_of(draft, table) == table


def test_names_are_separated_by_commas() -> None:
    assert read_names("delete_*, !delete_draft") == ["delete_*", "!delete_draft"]
    assert read_names(" git* ") == "git*"
    assert read_names("[abc]*") == "[abc]*"
    assert read_names("  ") is None


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10 per 60s", (10, "60s")),
        ("10 per 60", (10, 60)),
        ("10/minute", (10, "1m")),
        ("2.5 per 1d", (2.5, "1d")),
    ],
)
def test_a_rate_is_a_number_and_a_window(text: str, rate: tuple[Any, Any]) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize("text", ["10", "ten per 60s", "-1 per 60s", "per 60s"])
def test_what_is_no_rate_says_what_to_write(text: str) -> None:
    with pytest.raises(TypedError, match="10 per 60s"):
        read_rate(text)


# --- whole rules --------------------------------------------------------------------------------

WRITTEN: dict[str, Any] = {
    "id": "r1",
    "server": ["git*", "!github"],
    "tool": "push",
    "agent": "codex",
    "risk": ["write"],
    "when": {"branch": "main", "force": {"exists": True}, "size": {"gt": 5, "lt": 9}},
    "action": "ask",
    "rate_limit": "10/minute",
    "budget": {"sum": "amount", "max": 2000, "window": "1d", "per": "agent"},
    "reason": "why not",
    "enabled": False,
}


def test_a_rule_that_nobody_touched_stays_as_it_was_written() -> None:
    assert table_of(draft_of(WRITTEN), WRITTEN) == WRITTEN


def test_what_was_touched_changes_and_nothing_else() -> None:
    draft = draft_of(WRITTEN)
    changed = table_of(
        type(draft)(**{**draft.__dict__, "tool": "push, pull", "per": "agent"}), WRITTEN
    )
    limit = {"max": 10, "window": "1m", "per": "agent"}
    assert changed == WRITTEN | {"tool": ["push", "pull"], "rate_limit": limit}


def test_tests_become_conditions() -> None:
    draft = draft_of({})
    tests = (Typed("amount", "gt", "500"), Typed("amount", "lte", "900"), Typed("to", "glob", "a*"))
    table = table_of(type(draft)(**{**draft.__dict__, "tests": (*tests, Typed())}), {})
    assert table == {
        "when": {"amount": {"gt": 500, "lte": 900}, "to": {"glob": "a*"}},
        "action": "deny",
    }


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"tests": (Typed("x", "glop", "a"),)}, "test0", "did you mean glob"),
        ({"tests": (Typed("x", "gt", "1"), Typed("x", "gt", "2"))}, "test1", "twice"),
        ({"limit": "often"}, "limit", "10 per 60s"),
        ({"budget": "5 per 1d"}, "sum", "argument"),
        ({"do": "limit"}, "limit", "write a limit"),
        ({"reason": "no‹ESC›"}, "reason", "changed in the file"),
    ],
)
def test_what_cannot_be_read_says_where_and_what_to_write(
    change: dict[str, Any], field: str, words: str
) -> None:
    draft = draft_of({})
    with pytest.raises(DraftError, match=words) as caught:
        table_of(type(draft)(**{**draft.__dict__, **change}), {})
    assert caught.value.field == field


def test_a_rule_from_a_call_is_a_limit_on_exactly_its_tool() -> None:
    call = row(1, "run", {}, server="sh*ell", risk=Risk.EXECUTE)
    assert fields_from_call(call) == {
        "server": "sh[*]ell",
        "tool": "run",
        "rate_limit": {"max": 10, "window": 60},
    }
    other = replace(call, method="resources/read", tool="file:///a?b")
    assert fields_from_call(other)["method"] == "resources/read"
    assert fields_from_call(other)["tool"] == "file:///a[?]b"


def test_what_the_form_makes_is_a_rule_that_loads() -> None:
    for table in (WRITTEN, fields_from_call(row(1, "fs.read", {}))):
        made = table_of(draft_of(table), table)
        assert len(load_text(render(made), "config.toml").rules) == 1


# --- nothing is lost ----------------------------------------------------------------------------

FLOWS: tuple[dict[str, Any], ...] = (
    {"tool": "debug_*", "hide": True},
    {
        "tool": "send",
        "after": {"tool": "read_*", "reads": ["secrets"], "within": "30m"},
        "action": "deny",
    },
    {"after": {"server": ["notes", "!x"], "within": 90}, "action": "ask"},
    {"tool": "run", "repeat": 5, "action": "deny"},
    {"tool": "run", "more_than": "20/minute", "action": "ask"},
    {
        "more_than": {"max": 9, "window": "1h", "per": "agent", "per_argument": "to"},
        "action": "ask",
    },
)


def edited(table: dict[str, Any], **changes: Any) -> dict[str, Any]:
    draft = draft_of(table)
    return table_of(type(draft)(**{**draft.__dict__, **changes}), table)


@pytest.mark.parametrize("table", FLOWS, ids=str)
def test_a_rule_on_earlier_calls_or_one_that_hides_is_not_lost(table: dict[str, Any]) -> None:
    assert edited(table) == table
    assert edited(table, reason="why") == table | {"reason": "why"}


def test_every_rule_of_the_documentation_stays_what_it_is() -> None:
    text = Path("docs/rules.md").read_text(encoding="utf-8")
    tables = [
        rule
        for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
        for rule in tomllib.loads(block).get("rules", [])
    ]
    assert len(tables) > 20
    for table in tables:
        assert edited(table) == table, table


@pytest.mark.parametrize(
    ("table", "changes", "made"),
    [
        (FLOWS[0], {"do": "deny"}, {"tool": "debug_*", "action": "deny"}),
        ({"tool": "x", "action": "deny"}, {"do": "hide"}, {"tool": "x", "hide": True}),
        (
            FLOWS[1],
            {"after_tool": "get_*, read_*", "after_within": "2h"},
            FLOWS[1]
            | {"after": {"tool": ["get_*", "read_*"], "reads": ["secrets"], "within": "2h"}},
        ),
        (FLOWS[2], {"after_server": "", "after_within": ""}, {"action": "ask"}),
        (
            {"action": "ask"},
            {"after_tool": "read_*"},
            {"action": "ask", "after": {"tool": "read_*"}},
        ),
        (FLOWS[3], {"repeat": "3"}, FLOWS[3] | {"repeat": 3}),
        (FLOWS[3], {"repeat": " "}, {"tool": "run", "action": "deny"}),
        (FLOWS[4], {"limit": "5 per 60s"}, FLOWS[4] | {"more_than": {"max": 5, "window": "60s"}}),
        (
            FLOWS[5],
            {"per": "server"},
            FLOWS[5]
            | {"more_than": {"max": 9, "window": "1h", "per": "server", "per_argument": "to"}},
        ),
    ],
)
def test_what_a_rule_asks_of_earlier_calls_can_be_edited(
    table: dict[str, Any], changes: dict[str, Any], made: dict[str, Any]
) -> None:
    assert edited(table, **changes) == made


@pytest.mark.parametrize(
    ("change", "field"),
    [({"repeat": "often"}, "repeat"), ({"repeat": "0"}, "repeat")],
)
def test_what_cannot_be_read_of_it_says_where(change: dict[str, Any], field: str) -> None:
    with pytest.raises(DraftError) as caught:
        edited({}, **change)
    assert caught.value.field == field


# --- what becomes of a call over a limit --------------------------------------------------------

WAITS: dict[str, Any] = {"tool": "run", "rate_limit": "10/minute"}
HOLDS: dict[str, Any] = {"tool": "run", "action": "ask", "more_than": "10/minute"}
APART: dict[str, Any] = {"max": 10, "window": "1m", "per": "agent", "per_argument": "to"}


@pytest.mark.parametrize(
    ("table", "hit"),
    [
        (WAITS, WAIT),
        (HOLDS, HOLD),
        (HOLDS | {"more_than": APART, "after": {"tool": "read"}, "repeat": 3}, HOLD),
        (WAITS | {"rate_limit": APART, "budget": {"sum": "n", "max": 5, "window": "1d"}}, WAIT),
    ],
)
def test_both_kinds_of_limit_are_limits_in_the_form_and_stay_what_they_are(
    table: dict[str, Any], hit: str
) -> None:
    draft = draft_of(table)
    assert (draft.do, draft.hit) == ("limit", hit)
    assert read_rate(draft.limit) == (10, "1m")
    assert edited(table) == table


@pytest.mark.parametrize(
    ("table", "hit", "made"),
    [
        (WAITS, HOLD, HOLDS),
        (HOLDS, WAIT, WAITS),
        (WAITS | {"rate_limit": APART}, HOLD, HOLDS | {"more_than": APART}),
        (HOLDS | {"more_than": APART}, WAIT, WAITS | {"rate_limit": APART}),
    ],
)
def test_a_limit_is_turned_from_one_kind_into_the_other_with_all_its_numbers(
    table: dict[str, Any], hit: str, made: dict[str, Any]
) -> None:
    assert edited(table, hit=hit) == made
    assert len(load_text(render(made), "config.toml").rules) == 1


def test_a_limit_that_holds_becomes_a_plain_ask_and_the_other_way() -> None:
    assert edited(HOLDS, do="ask", limit="") == {"tool": "run", "action": "ask"}
    plain = {"tool": "run", "action": "ask"}
    held = {"more_than": {"max": 3, "window": "1h"}}
    assert edited(plain, do="limit", limit="3 per 1h", hit=HOLD) == plain | held


def test_a_limit_of_another_kind_and_number_keeps_what_the_form_does_not_show() -> None:
    made = edited(WAITS | {"rate_limit": APART}, hit=HOLD, limit="5 per 1h")
    assert made["more_than"] == APART | {"max": 5, "window": "1h"}


def test_an_ask_within_a_limit_is_no_limit_that_holds() -> None:
    table = WAITS | {"action": "ask"}
    assert (draft_of(table).do, draft_of(table).hit) == ("ask", WAIT)
    assert edited(table, hit=HOLD) == table  # that choice is for limits alone


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"limit": ""}, "limit", "write a limit"),
        ({"sum": "n", "budget": "5 per 1d"}, "budget", "has no budget"),
    ],
)
def test_a_limit_that_holds_is_a_number_of_calls(
    changes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(DraftError, match=words) as caught:
        edited(HOLDS, **changes)
    assert caught.value.field == field
