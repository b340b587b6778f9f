from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from mcpwall.engine.port_calls import State
from mcpwall.model import Action, Cause, Verdict
from mcpwall.protocol.methods import QUESTIONS
from mcpwall.tui.call_list import CallLine
from mcpwall.tui.columns import call_line, columns, heading
from mcpwall.tui.widgets.lines import cells
from mcpwall.tui.words import ASKED_OF_AGENTS, called, risk, short_agent, standing, wants
from tests.tui.hostile import CONTROL
from tests.tui.scenes import row


def stands(state: State, action: Action, cause: Cause, *rules: str) -> str:
    return str(standing(row(1, "a.b", {}, state=state, verdict=Verdict(action, cause, rules))))


@pytest.mark.parametrize(
    ("state", "action", "cause", "said"),
    [
        (State.HELD, Action.ASK, Cause.RULE, "? waiting"),
        (State.RUNNING, Action.ALLOW, Cause.RULE, "> running"),
        (State.DONE, Action.ALLOW, Cause.RULE, "✓ allow"),
        (State.DONE, Action.ALLOW, Cause.DEFAULT, "✓ allow"),
        (State.DONE, Action.ALLOW, Cause.PERSON, "✓ by you"),
        (State.DONE, Action.ALLOW, Cause.ANSWER, "✓ allow r1"),
        (State.ERROR, Action.ALLOW, Cause.RULE, "! error"),
        (State.LOST, Action.ALLOW, Cause.RULE, "! lost"),
        (State.WITHDRAWN, Action.ASK, Cause.RULE, "- withdrawn"),
        (State.REFUSED, Action.DENY, Cause.RULE, "✗ deny r1"),
        (State.REFUSED, Action.DENY, Cause.DEFAULT, "✗ deny"),
        (State.REFUSED, Action.DENY, Cause.LIMIT, "~ limit r1"),
        (State.REFUSED, Action.DENY, Cause.BUDGET, "~ budget r1"),
        (State.REFUSED, Action.DENY, Cause.LOCKDOWN, "✗ lockdown"),
        (State.REFUSED, Action.DENY, Cause.PAUSED, "✗ paused"),
        (State.REFUSED, Action.DENY, Cause.UNLISTED, "✗ not listed"),
        (State.REFUSED, Action.DENY, Cause.PERSON, "✗ by you"),
        (State.REFUSED, Action.DENY, Cause.UNATTENDED, "✗ no answer"),
        (State.REFUSED, Action.DENY, Cause.FULL, "✗ queue full"),
        (State.REFUSED, Action.DENY, Cause.FAULT, "✗ fault"),
    ],
)
def test_how_a_call_stands_is_a_sign_and_a_word(
    state: State, action: Action, cause: Cause, said: str
) -> None:
    assert stands(state, action, cause, "r1") == said


def test_every_state_and_cause_has_words() -> None:
    for state in State:
        for cause in Cause:
            assert " " in stands(state, Action.DENY, cause)


def test_other_requests_are_named_by_their_method() -> None:
    assert called(row(1, "git.log", {})) == "git.log"
    prompt = replace(row(1, "review", {}, server="git"), method="prompts/get")
    assert called(prompt) == "git prompts/get review"


def test_who_asks_whom_is_told_by_the_method() -> None:
    run = row(1, "git.log", {}, agent="codex#1")
    assert wants(run) == "codex#1 wants to run"
    assert wants(replace(run, method="prompts/get")) == "codex#1 asks"
    assert wants(replace(run, method="sampling/createMessage")) == "git asks codex#1"
    assert risk(replace(run, method="sampling/createMessage"))[0] == "ASKS"
    assert risk(replace(run, method="resources/read"))[0] == risk(run)[0]
    assert ASKED_OF_AGENTS == QUESTIONS


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("codex#1", "codex#1"),
        ("claude-code#1", "claude…#1"),
        ("claude-code#12", "claud…#12"),
        ("nonumber-at-all", "nonumber…"),
        ("a#123456789", "a#123456…"),
    ],
)
def test_a_short_agent_keeps_its_number(agent: str, shown: str) -> None:
    assert short_agent(agent, 9) == shown


@given(st.integers(40, 300), st.sampled_from(["a", "漢" * 50, CONTROL, "x" * 500]), st.booleans())
def test_a_line_of_the_table_fills_its_width_exactly(room: int, text: str, cursor: bool) -> None:
    call = row(1, text, {text: text}, agent=f"{text}#1", server=text)
    widths = columns(room)
    line = call_line(CallLine(call, [0]), widths, None, cursor=cursor)
    assert cells(line) == cells(heading(widths)) <= room
    assert all(cell_len(part) == len(part) or "漢" in part for part, _ in line)
