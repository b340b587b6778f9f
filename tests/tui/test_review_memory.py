"""What an answer would be remembered for, one step at a time."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mcpwall.engine.port_answers import Match, Remember, Scope
from mcpwall.model import Risk
from mcpwall.tui.review.memory import Memory, Step
from mcpwall.tui.review.panels import step_words
from tests.tui.scenes import held, row


def memory(arguments: dict[str, Any], risk: Risk = Risk.WRITE) -> Memory:
    return Memory.of(held(row(1, "fs.write", arguments, risk=risk), arguments, 50))


def test_nothing_is_remembered_at_first_and_the_match_is_the_narrowest() -> None:
    fresh = memory({"path": "a", "mode": "w"})
    assert fresh.remember() is None
    assert fresh.next_scope().remember() == Remember(Scope.SESSION, Match.EXACT)


def test_each_step_widens_by_one_and_ends_at_the_server() -> None:
    wide = memory({"path": "a", "mode": "w"})
    seen = [wide.chosen.match]
    for _ in range(6):
        wide = wide.widen()
        seen.append(wide.chosen.match)
    assert seen[:5] == [Match.EXACT, Match.ARGUMENT, Match.ARGUMENT, Match.TOOL, Match.SERVER]
    assert seen[-1] is Match.SERVER
    for _ in range(9):
        wide = wide.narrow()
    assert wide.chosen.match is Match.EXACT


def test_the_scopes_go_round() -> None:
    now = memory({})
    seen = []
    for _ in range(4):
        now = now.next_scope()
        remember = now.remember()
        seen.append(remember.scope if remember else None)
    assert seen == [Scope.SESSION, Scope.QUARTER, Scope.ALWAYS, None]


def test_an_argument_is_never_given_a_pattern_wider_than_itself() -> None:
    steps = memory({"command": "make *", "path": "src/a[1].py"}, Risk.EXECUTE).steps
    patterns = [step.pattern for step in steps if step.match is Match.ARGUMENT]
    assert patterns == ["make [*]", "src/a[[]1].py"]


def test_long_texts_odd_names_and_other_types_are_no_steps() -> None:
    steps = memory({"content": "x" * 300, "a.b": "x", "any": "x", "n": 5, "empty": ""}).steps
    assert [step.match for step in steps] == [Match.EXACT, Match.TOOL, Match.SERVER]


def test_one_argument_alone_is_the_exact_match_already() -> None:
    steps = memory({"path": "a"}).steps
    assert [step.match for step in steps] == [Match.EXACT, Match.TOOL, Match.SERVER]


def test_an_answer_for_a_server_is_for_requests_of_one_method() -> None:
    call = held(row(1, "notes.look", {}), {}, 50)
    prompt = replace(call, row=replace(call.row, method="prompts/get"))
    assert step_words(Step(Match.SERVER), call) == "any tool of notes"
    assert step_words(Step(Match.SERVER), prompt) == "any prompts/get of notes"
