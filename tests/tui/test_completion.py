"""The filter: completed as it is typed, and narrowed by the call under the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mcpwall.engine import port, port_calls
from mcpwall.model import Cause
from mcpwall.query import parse
from mcpwall.tui.completion import completed, term
from mcpwall.tui.mirror import Mirror
from mcpwall.tui.widgets.filter import FilterEntry
from mcpwall.tui.widgets.rule_form import RuleForm
from tests.tui import hostile
from tests.tui.fake_port import FakePort
from tests.tui.scenes import NOW_MS, busy, row
from tests.tui.screens import scenario, showing


def mirror(snapshot: port.Snapshot) -> Mirror:
    found = Mirror()
    found.take(snapshot, 0)
    return found


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("to", "tool:"),
        ("verdict:d", "verdict:deny"),
        ("risk>=w", "risk>=write"),
        ("server:post", "server:postgres"),
        ("agent:co", "agent:codex#1"),
        ("rule:r0", "rule:r07"),
        ("tool:x or !ser", "tool:x or !server:"),
        ("verdict:deny", None),
        ("", None),
        ("server:nosuch", None),
    ],
)
def test_the_last_word_is_completed(typed: str, whole: str | None) -> None:
    assert completed(typed, mirror(busy())) == whole


def test_p10_a_name_that_is_no_plain_text_is_never_suggested() -> None:
    snapshot = hostile.snapshot()
    assert completed("server:", mirror(snapshot)) is None
    assert completed("tool:", mirror(snapshot)) is None
    assert completed("agent:", mirror(snapshot)) is None


@pytest.mark.parametrize("screen", ["1", "6"])
@scenario
async def test_tab_takes_what_is_suggested(screen: str) -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press(screen, "/", *"server:post")
        entry = shown.app.screen.query_one(FilterEntry)
        await shown.press("tab")
        assert entry.value == "server:postgres"
        await shown.press("home", "tab")
        assert (entry.value, entry.cursor_position, entry.has_focus) == ("server:postgres", 0, True)


@scenario
async def test_a_filter_is_typed_right_behind_its_key() -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press("/", *"tool:x")
        assert " / tool:x" in shown.text().splitlines()


@given(st.text(min_size=1))
def test_a_term_for_a_value_matches_that_value(name: str) -> None:
    call = row(1, "", {}, server=name)
    call = replace(call, server=name)
    assert parse(term("server", name)).matches(call, NOW_MS)


def test_a_term_does_not_match_more() -> None:
    for name, other in (("a*", "ab"), ("a?", "ab"), ("[ab]", "a"), ('a"b', "ab"), ("a\\b", "ab")):
        call = replace(row(1, "x.y", {}), server=other)
        assert not parse(term("server", name)).matches(call, NOW_MS)


@scenario
async def test_the_filter_is_narrowed_to_a_tool_and_away_from_one() -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press("G", "up", "up", "up", "+")
        assert "orders" in shown.text()
        assert "3 of" in shown.text()
        await shown.press("-")
        assert "orders" not in shown.text()
        assert "13 of 16" in shown.text()


@scenario
async def test_one_key_leads_from_a_refused_call_to_the_rule() -> None:
    async with showing(FakePort(busy())) as shown:
        shown.app.filter_calls("verdict:deny")
        await shown.settle()
        await shown.press("R")
        assert "[3 Rules]" in shown.text()
        assert any(line.startswith("▌") and "r12" in line for line in shown.text().splitlines())


@scenario
async def test_where_no_rule_decided_an_exception_is_written() -> None:
    async with showing(FakePort(busy())) as shown:
        shown.app.filter_calls("tool:post_message verdict:allow")
        await shown.settle()
        await shown.press("R")
        form = shown.app.screen
        assert isinstance(form, RuleForm)
        assert (form.draft().do, form.draft().tool) == ("approve", "post_message")


@pytest.mark.parametrize(
    ("cause", "key"),
    [
        (Cause.LOCKDOWN, "L lockdown"),
        (Cause.PAUSED, "5 sessions"),
        (Cause.UNLISTED, "4 servers"),
    ],
)
@scenario
async def test_what_no_rule_can_let_through_says_what_can(cause: Cause, key: str) -> None:
    refused = row(1301, "notes.look", {}, state=port_calls.State.REFUSED)
    refused = replace(refused, verdict=replace(refused.verdict, cause=cause, rules=()))
    async with showing(FakePort(replace(busy(), rows=(refused,)))) as shown:
        await shown.press("R")
        assert not isinstance(shown.app.screen, RuleForm)
        told = [notification.message for notification in shown.app._notifications]
        assert any(text.endswith(f"whatever the rules say: {key}") for text in told)
