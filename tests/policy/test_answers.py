from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.model import Action, Call, Condition, Risk, Rule
from mcpwall.policy.answers import QUARTER_NS, Answer, Answers, covers, is_answer_id, rule_fields
from tests.policy.build import call, conditions, verdict

RUN = call("run", arguments={"command": "make -j8", "cwd": "/src"}, digest="d-run")


def remember(what: Call = RUN, **fields: Any) -> tuple[Answers, Answer]:
    values: dict[str, Any] = {
        "allow": True,
        "match": "exact",
        "scope": "session",
        "now_ns": 0,
        "made_ms": 5,
    }
    return Answers().remember(what, **{**values, **fields})


@pytest.mark.parametrize(
    ("match", "changes", "found"),
    [
        ("exact", {}, True),
        ("exact", {"digest": "other"}, False),
        ("argument", {"arguments": {"command": "make test", "cwd": "/"}, "digest": "x"}, True),
        ("argument", {"arguments": {"command": "rm -rf /"}, "digest": "x"}, False),
        ("argument", {"arguments": {"command": ["make"]}, "digest": "x"}, False),
        ("argument", {"arguments": {}, "digest": "x"}, False),
        ("tool", {"arguments": {}, "digest": "x"}, True),
        ("tool", {"tool": "other"}, False),
        ("server", {"tool": "other", "digest": "x"}, True),
        ("server", {"server": "web"}, False),
        ("server", {"method": "prompts/get"}, False),
        ("tool", {"session": "two"}, False),
        ("tool", {"client": "codex", "agent": "codex#1"}, False),
    ],
)
def test_an_answer_covers_what_the_person_saw(
    match: str, changes: dict[str, Any], found: bool
) -> None:
    answers, answer = remember(match=match, argument="command", pattern="make *")
    fields = dict(changes)
    what = msgspec.structs.replace(RUN, **fields)
    assert (answers.find(what, 0) is answer) is found
    assert covers(answer, what) is found


def test_a_denial_covers_what_an_allow_would_and_whatever_it_cannot_judge() -> None:
    answers, answer = remember(allow=False, match="argument", argument="command", pattern="make *")
    odd = msgspec.structs.replace(RUN, arguments={"command": ["make"]}, client="codex")
    assert answers.find(odd, 0) is answer


def test_an_answer_for_a_quarter_ends_and_spans_sessions() -> None:
    answers, answer = remember(scope="15m")
    other = msgspec.structs.replace(RUN, session="two")
    assert answers.find(other, QUARTER_NS - 1) is answer
    assert answers.find(other, QUARTER_NS) is None
    assert len(answers.without_expired(QUARTER_NS - 1)) == 1
    assert len(answers.without_expired(QUARTER_NS)) == 0


def test_a_denial_is_found_before_any_allow() -> None:
    for first in (True, False):
        answers, one = remember(allow=first, match="tool")
        answers, two = answers.remember(
            RUN, allow=not first, match="exact", scope="session", now_ns=0, made_ms=0
        )
        found = answers.find(RUN, 0)
        assert found is (two if first else one)


def test_ids_are_not_used_twice() -> None:
    answers, one = remember()
    answers = answers.without(one.id)
    assert answers.list() == ()
    _, two = answers.remember(RUN, allow=True, match="tool", scope="15m", now_ns=0, made_ms=0)
    assert (one.id, two.id) == ("s01", "s02")
    assert is_answer_id("s01")
    assert is_answer_id("s1234")
    assert not any(map(is_answer_id, ("s", "s1", "sx1", "r01", "s01x")))


def test_answers_end_with_their_session() -> None:
    answers, _ = remember(match="tool")
    answers, quarter = answers.remember(
        RUN, allow=True, match="server", scope="15m", now_ns=0, made_ms=0
    )
    assert answers.without_session("one").list() == (quarter,)
    assert answers.without_session("two") is not None
    assert len(answers.without_session("two")) == 2


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"scope": "always"}, "for"),
        ({"match": "most"}, "one of exact, argument"),
        ({"match": "argument", "argument": "a..b", "pattern": "x"}, "a name is missing"),
        ({"match": "argument", "argument": "a", "pattern": "["}, 'no "]"'),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        remember(**fields)


def as_rule(fields: dict[str, Any]) -> Rule:
    """The rule that a config loader makes of a table."""
    values = dict(fields)
    for key in ("server", "tool", "agent", "method"):
        if key in values:
            values[key] = (values[key],)
    values["when"] = conditions(values.get("when", {}))
    values["action"] = Action(values["action"])
    return Rule("r", **values)


def answered(fields: dict[str, Any], what: Call) -> Action:
    return verdict(msgspec.structs.replace(what, risk=Risk.WRITE), as_rule(fields)).action


def test_an_answer_for_always_becomes_a_rule() -> None:
    assert rule_fields(RUN, match="exact", allow=True, reason="builds") == {
        "server": "files",
        "tool": "run",
        "agent": "claude-code",
        "when": {"": {"equals": {"command": "make -j8", "cwd": "/src"}}},
        "action": "approve",
        "reason": "builds",
    }
    assert rule_fields(RUN, match="argument", allow=False, argument="command", pattern="rm *") == {
        "server": "files",
        "tool": "run",
        "when": {"command": {"glob": "rm *"}},
        "action": "deny",
    }
    assert rule_fields(call("a*b?[c", server="!x"), match="tool", allow=False) == {
        "server": "[!]x",
        "tool": "a[*]b[?][[]c",
        "action": "deny",
    }
    other = call("file:///a", method="resources/read")
    assert rule_fields(other, match="server", allow=False) == {
        "server": "files",
        "method": "resources/read",
        "action": "deny",
    }
    with pytest.raises(ValueError, match="one of exact"):
        rule_fields(RUN, match="some", allow=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"command": "make -j8"},
        {"command": "make -j8", "cwd": "/src", "env": {"X": "1"}},
        {"command": "make -j8", "cwd": "/srcs"},
        {"command": ["make -j8"], "cwd": "/src"},
        {},
    ],
)
def test_an_exact_rule_lets_no_argument_be_left_out_or_slip_in(arguments: dict[str, Any]) -> None:
    fields = rule_fields(RUN, match="exact", allow=True)
    assert answered(fields, RUN) is Action.ALLOW
    assert answered(fields, msgspec.structs.replace(RUN, arguments=arguments)) is Action.ASK


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=2), inner),
    max_leaves=6,
)
objects = st.dictionaries(st.text("ab.", max_size=2), values, max_size=3)


@given(objects, objects)
def test_an_exact_rule_answers_these_arguments_and_no_others(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    what = msgspec.structs.replace(RUN, arguments=one)
    fields = rule_fields(what, match="exact", allow=True)
    assert answered(fields, what) is Action.ALLOW
    same = msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")
    if not same and one != other:
        changed = msgspec.structs.replace(RUN, arguments=other)
        assert answered(fields, changed) is Action.ASK


def test_arguments_that_toml_cannot_carry_are_compared_as_json() -> None:
    what = msgspec.structs.replace(RUN, arguments={"parent": None, "n": 2**70})
    fields = rule_fields(what, match="exact", allow=True)
    assert fields["when"] == {"": {"equals_json": '{"parent":null,"n":1180591620717411303424}'}}
    assert answered(fields, what) is Action.ALLOW
    near = msgspec.structs.replace(what, arguments={"parent": None, "n": 2**70 + 1})
    assert answered(fields, near) is Action.ASK


def test_the_clause_of_an_answer_is_a_plain_condition() -> None:
    rule = as_rule(rule_fields(RUN, match="argument", allow=True, argument="cwd", pattern="/src"))
    assert rule.when == (Condition("cwd", "glob", "/src"),)
