"""Answers that are remembered: they answer the next ask like it, and nothing else."""

from __future__ import annotations

import pytest

from mcpwall.engine.port import Done, Refused
from mcpwall.engine.port_answers import Match, Remember, Scope
from mcpwall.engine.port_rules import DropRule, Preview
from tests.engine.wall import RULES, call, result, verdict

BOB = {"amount": 5, "to": "bob"}
WAYS = [
    (Match.EXACT, [BOB, {"to": "bob", "amount": 5}], [{"amount": 6, "to": "bob"}]),
    (Match.TOOL, [BOB, {"amount": 6}, {}], []),
    (Match.ARGUMENT, [{"to": "bob", "amount": 9}], [{"to": "alice"}, {"amount": 1}]),
]


def held(wall, talk, arguments, number=1):
    talk.asks(call(number, "pay", arguments))
    return wall.held[-1]


def remember(scope: Scope, match: Match) -> Remember:
    if match is Match.ARGUMENT:
        return Remember(scope, match, "to", "bo*")
    return Remember(scope, match)


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize(("match", "alike", "others"), WAYS)
def test_the_next_call_like_it_needs_no_person(wall, scope, match, alike, others):
    talk = wall.session()
    shown = held(wall, talk, BOB)
    assert isinstance(wall.decide(shown, remember=remember(scope, match)), Done)
    talk.forwarded()
    for number, arguments in enumerate(alike, 10):
        talk.asks(call(number, "pay", arguments))
        assert [message["id"] for message in talk.forwarded()] == [number]
        row = wall.rows()[-1]
        assert (row.verdict.cause, row.verdict.rules[-1]) == ("answer", "asks")
    assert wall.held == []
    for number, arguments in enumerate(others, 20):
        held(wall, talk, arguments, number)
        assert talk.forwarded() == []
    assert len(wall.held) == len(others)


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("arguments", [{"amount": 5}, {**BOB, "note": "x"}, {}])
def test_an_exact_answer_covers_no_argument_more_or_less(wall, scope, arguments):
    talk = wall.session()
    wall.decide(held(wall, talk, BOB), remember=Remember(scope, Match.EXACT))
    talk.forwarded()
    held(wall, talk, arguments, 2)
    assert talk.forwarded() == []


def test_always_is_a_rule_in_the_file_that_outlives_the_engine(wall):
    talk = wall.session()
    answer = wall.decide(held(wall, talk, BOB), remember=Remember(Scope.ALWAYS, Match.EXACT))
    assert answer == Done("allowed, and saved as a rule")
    assert 'action = "approve"' in wall.config.read_text()
    assert wall.config.read_text().startswith(RULES)
    after = wall.killed()
    other = after.session()
    other.asks(call(1, "pay", BOB))
    assert [message["id"] for message in other.forwarded()] == [1]
    after.drop()


def test_always_no_is_a_rule_too(wall):
    talk = wall.session()
    remembered = Remember(Scope.ALWAYS, Match.TOOL)
    wall.decide(held(wall, talk, BOB), allow=False, reason="never bob", remember=remembered)
    talk.got()
    talk.asks(call(2, "pay", {}))
    refusal = talk.refusal()
    assert verdict(refusal)["cause"] == "rule"
    assert "never bob" in verdict(refusal)["reason"]


def test_a_quarter_of_an_hour_has_an_end(wall):
    talk = wall.session()
    wall.decide(held(wall, talk, BOB), remember=Remember(Scope.QUARTER, Match.TOOL))
    other = wall.session()
    wall.clock.advance(899)
    other.asks(call(2, "pay", {}))
    assert [message["id"] for message in other.forwarded()] == [2]
    wall.clock.advance(1)
    other.asks(call(3, "pay", {}))
    assert other.forwarded() == []
    assert len(wall.held) == 1


def test_an_answer_for_a_session_is_for_that_one_and_ends_with_it(wall):
    talk, other = wall.session(), wall.session()
    wall.decide(held(wall, talk, BOB), remember=Remember(Scope.SESSION, Match.TOOL))
    held(wall, other, BOB)
    assert other.forwarded() == []
    talk.live.end("over")
    assert not [row for row in wall.rule_rows() if row.remembered]


def test_it_releases_what_waits_already(wall):
    talk = wall.session()
    first = held(wall, talk, {"amount": 1}, 1)
    held(wall, talk, {"amount": 2}, 2)
    wall.decide(first, remember=Remember(Scope.SESSION, Match.TOOL))
    assert [message["id"] for message in talk.forwarded()] == [1, 2]
    assert wall.held == []


def test_it_is_shown_and_can_be_forgotten(wall):
    talk = wall.session()
    wall.decide(held(wall, talk, BOB), remember=Remember(Scope.QUARTER, Match.TOOL))
    talk.forwarded()
    (row,) = [row for row in wall.rule_rows() if row.remembered]
    assert row.expires_ms - wall.clock.wall_ms() == 900_000
    assert wall.do(DropRule(row.rule.id)) == Done("forgotten")
    held(wall, talk, BOB, 2)
    assert talk.forwarded() == []


def test_it_never_answers_a_deny(wall):
    talk = wall.session()
    wall.decide(held(wall, talk, BOB), remember=Remember(Scope.QUARTER, Match.SERVER))
    talk.forwarded()
    talk.asks(call(2, "wipe"))
    assert verdict(talk.refusal())["rules"] == ["never"]


@pytest.mark.parametrize(
    "bad",
    [
        Remember(Scope.SESSION, Match.ARGUMENT, "nothing", "*"),
        Remember(Scope.ALWAYS, Match.ARGUMENT, "to", "[b"),
        Remember(Scope.QUARTER, Match.ARGUMENT, "to", "[b"),
    ],
)
def test_what_cannot_be_remembered_decides_nothing(wall, bad):
    talk = wall.session()
    shown = held(wall, talk, BOB)
    assert isinstance(wall.decide(shown, remember=bad), Refused)
    assert talk.forwarded() == []
    assert wall.held == [shown]


def test_an_answer_that_cannot_be_saved_counts_for_this_once_and_says_so(wall):
    talk = wall.session()
    shown = held(wall, talk, BOB)
    wall.config.write_text("[[rules]\n")  # somebody is editing the file
    answer = wall.decide(shown, remember=Remember(Scope.ALWAYS, Match.TOOL))
    assert isinstance(answer, Refused)
    assert "allowed this once" in answer.text
    assert "no rule was saved" in answer.text
    assert [message["id"] for message in talk.forwarded()] == [1]
    talk.answers(result(1))


def test_an_answer_leaves_other_waiting_calls_as_they_were_shown(wall):
    talk = wall.session()
    one = held(wall, talk, BOB)
    other = held(wall, talk, {"to": "alice"}, 2)
    alike = held(wall, talk, {**BOB}, 3)
    wall.decide(one, remember=Remember(Scope.SESSION, Match.EXACT))
    assert [message["id"] for message in talk.forwarded()] == [1, 3]
    assert alike.row.id not in [shown.row.id for shown in wall.held]
    assert isinstance(wall.decide(other), Done)  # what was on screen still holds


def test_what_an_answer_would_have_matched_leaves_out_the_call_itself(wall):
    talk = wall.session()
    wall.decide(held(wall, talk, BOB))
    shown = held(wall, talk, BOB, 2)
    question = Preview(remember=Remember(Scope.SESSION, Match.EXACT), call=shown.row.id)
    told = wall.do(question)
    assert (told.checked, len(told.matched)) == (1, 1)


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("name", ["a.b", "items[]", "any", "a\\b"])
def test_p08_an_argument_of_an_odd_name_is_remembered_as_that_argument(wall, scope, name):
    talk = wall.session()
    shown = held(wall, talk, {name: "safe", "amount": 1})
    wall.decide(shown, remember=Remember(scope, Match.ARGUMENT, name, "safe"))
    talk.forwarded()
    talk.asks(call(2, "pay", {name: "safe", "amount": 2}))
    assert [message["id"] for message in talk.forwarded()] == [2]
    held(wall, talk, {name: "evil", "a": {"b": "safe"}, "items": ["safe"], "ab": "safe"}, 3)
    assert talk.forwarded() == []


def test_an_argument_without_a_name_is_not_remembered_as_all_of_them(wall):
    talk = wall.session()
    shown = held(wall, talk, {"": "safe", "amount": 1})
    said = wall.decide(shown, remember=Remember(Scope.SESSION, Match.ARGUMENT, "", "safe"))
    assert isinstance(said, Refused)
    assert talk.forwarded() == []


def test_an_answer_whose_time_is_up_is_forgotten_with_the_next(wall):
    talk = wall.session()
    wall.decide(held(wall, talk, BOB), remember=Remember(Scope.QUARTER, Match.EXACT))
    wall.clock.advance(15 * 60)
    wall.decide(held(wall, talk, BOB, 2), remember=Remember(Scope.QUARTER, Match.EXACT))
    assert [row.rule.id for row in wall.rule_rows() if row.remembered] == ["s02"]
