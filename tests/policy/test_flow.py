"""Rules on earlier calls of the same agent: after, repeat, more_than, and what answers them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mcpwall.model import Action, After, Call, Cause, Reach, Reads, Risk, Rule
from mcpwall.policy.answers import Answers
from mcpwall.policy.compile import compile_policy
from mcpwall.policy.compiled import RuleError
from mcpwall.policy.flow import KINDS_MAX, RUNS_MAX, Flows, kind_of
from mcpwall.policy.judge import charged
from mcpwall.policy.loosening import loosened
from mcpwall.policy.preview import matched, preview
from mcpwall.policy.seen import Seen
from tests.policy.build import Desk, call, limit, policy, resolve, rule, verdict

SECRET = call("read_secret", id=7, server="notes", reads=(Reads.SECRETS,), digest="s")
SEND = call("send", id=9, server="mail", reach=Reach.NET, digest="m")
LEAK = rule("leak", after=After(reads=(Reads.SECRETS,)), reach=(Reach.NET,), action="ask")


def actions(desk: Desk, *calls: Call, **fields: Any) -> list[str]:
    return [desk.ask(one, at, **fields).action.value for at, one in enumerate(calls)]


def test_a_way_out_is_asked_after_a_secret_was_read_on_another_server() -> None:
    desk = Desk(policy(LEAK))
    assert actions(desk, SEND, SECRET, SEND, call("look")) == ["allow", "allow", "ask", "allow"]


@pytest.mark.parametrize(
    ("at_s", "ago"),
    [(0, "just before"), (40, "40 s before"), (150, "2 minutes before"), (3_600, "1 hour before")],
)
def test_the_reason_names_the_earlier_call_and_how_long_ago_it_was(at_s: int, ago: str) -> None:
    asks = rule("leak", tool="send", after=After(tool=("read_*",)), action="ask", reason="mind it")
    desk = Desk(policy(asks))
    desk.ask(SECRET, 0)
    said = f"because notes.read_secret was called {ago}, in call 7: mind it."
    assert desk.ask(SEND, at_s).reason == f"A person is asked by rule leak, {said}"


def test_a_call_that_was_not_forwarded_does_not_count() -> None:
    desk = Desk(policy(LEAK, rule("no", tool="read_secret", action="deny")))
    assert actions(desk, SECRET, SEND) == ["deny", "allow"]


def test_another_agent_is_not_held_to_account_and_a_new_session_is() -> None:
    desk = Desk(policy(LEAK))
    other = msgspec.structs.replace(SEND, run="other")
    again = msgspec.structs.replace(SEND, session="two", agent="renamed#1", client="renamed")
    assert actions(desk, SECRET, other, again) == ["allow", "allow", "ask"]


def test_within_ends() -> None:
    after = After(tool=("read_*",), within_s=2)
    desk = Desk(policy(rule("r", tool="send", after=after, action="deny")))
    assert actions(desk, SECRET, SEND, SEND) == ["allow", "deny", "allow"]


@pytest.mark.parametrize(
    ("after", "matches"),
    [
        (After(server=("notes",)), True),
        (After(server=("!notes",)), False),
        (After(tool=("!read_*",)), False),
        (After(risk=(Risk.READ,)), True),
        (After(risk=(Risk.WRITE,)), False),
        (After(reach=(Reach.SERVICE,)), True),
        (After(reach=(Reach.NET,)), False),
        (After(reads=(Reads.UNTRUSTED, Reads.SECRETS)), True),
        (After(reads=(Reads.UNTRUSTED,)), False),
        (After(method=("resources/*",)), False),
        (After(server=("notes",), tool=("x",)), False),
    ],
)
def test_all_that_after_says_must_hold_of_one_call(after: After, matches: bool) -> None:
    desk = Desk(policy(rule("r", tool="send", after=after, action="deny")))
    assert actions(desk, SECRET, SEND) == ["allow", "deny" if matches else "allow"]


def test_other_requests_count_where_after_names_their_method() -> None:
    after = After(method=("resources/read",), tool=("file:///etc/**",))
    desk = Desk(policy(rule("r", tool="send", after=after, action="deny")))
    read = call("file:///etc/passwd", method="resources/read")
    assert actions(desk, read, SEND) == ["allow", "deny"]


def test_a_limit_counts_only_after() -> None:
    after = After(reads=(Reads.SECRETS,))
    desk = Desk(policy(rule("r", tool="send", after=after, rate_limit=limit(1, 60))))
    assert actions(desk, SEND, SEND, SECRET, SEND, SEND) == [*["allow"] * 4, "deny"]


def test_the_same_call_more_than_so_many_times_in_a_row() -> None:
    desk = Desk(policy(rule("loop", repeat=2, action="deny")))
    look = call("look", digest="a")
    assert actions(desk, look, look, look) == ["allow", "allow", "deny"]
    assert desk.ask(look, 3).reason == (
        "Denied by rule loop, because the same call was just made 2 times in a row."
    )
    assert actions(desk, call("look", digest="b"), look, look) == ["allow"] * 3
    assert desk.ask(msgspec.structs.replace(look, run="other"), 4).action is Action.ALLOW


def test_more_than_so_many_are_asked_and_those_that_pass_count() -> None:
    desk = Desk(policy(rule("busy", more_than=limit(2, 10), action="ask")))
    assert actions(desk, *[call("look")] * 3) == ["allow", "allow", "ask"]
    given = desk.ask(call("look"), 3, approved=True)
    assert (given.action, given.cause) == (Action.ALLOW, Cause.PERSON)
    assert desk.ask(call("look"), 10.5).action is Action.ASK
    assert desk.ask(call("other"), 10.5).action is Action.ALLOW
    assert desk.ask(call("look"), 13).action is Action.ALLOW
    assert "because more than 2 calls in 10 s" in desk.ask(call("look"), 10.5).reason


def test_a_standing_approval_answers_no_ask_that_came_of_too_many_calls() -> None:
    busy = rule("busy", more_than=limit(1, 10), action="ask")
    desk = Desk(policy(busy, rule("ok", action="approve")))
    assert actions(desk, *[call("look")] * 2) == ["allow", "ask"]


def test_what_more_than_counts_is_no_limit_that_a_store_must_reserve() -> None:
    rules = policy(rule("busy", more_than=limit(2), action="ask"), rule("cap", rate_limit=limit(9)))
    look = call("look")
    given = Desk(rules).ask(look)
    assert [charge.rule for charge in given.charges] == ["cap", "busy"]
    assert [one.rule.rule.id for _, one in charged(given, look, rules)] == ["cap"]


def test_a_quota_for_each_value_of_an_argument() -> None:
    per = limit(1, 60, per_argument="to.id")
    desk = Desk(policy(rule("r", tool="pay", rate_limit=per)))

    def pay(**arguments: Any) -> str:
        return desk.ask(call("pay", arguments=arguments)).action.value

    assert [pay(to={"id": 5}), pay(to={"id": 6}), pay(to={"id": 5.0})] == ["allow", "allow", "deny"]
    assert [pay(to={"id": "5"}), pay(to=1), pay()] == ["allow", "allow", "deny"]


def test_p14_the_value_of_an_argument_is_not_in_the_key() -> None:
    secret = rule("r", rate_limit=limit(1, 60, per_argument="key"))
    given = verdict(call(arguments={"key": "hunter2-hunter2"}), secret)
    assert "hunter2" not in repr(given)


def test_a_standing_approval_answers_no_ask_that_came_of_earlier_calls() -> None:
    approve = rule("yes", action="approve")
    desk = Desk(policy(LEAK, rule("ask", tool="send", action="ask"), approve))
    assert actions(desk, SEND, SECRET, SEND) == ["allow", "allow", "ask"]


def test_an_answer_answers_it_only_if_it_was_given_when_that_rule_asked() -> None:
    fields: dict[str, Any] = {"allow": True, "match": "tool", "scope": "15m", "now_ns": 0}
    before, _ = Answers().remember(SEND, made_ms=0, **fields)
    then, _ = Answers().remember(SEND, made_ms=0, asked=("leak",), **fields)
    no, _ = Answers().remember(SEND, made_ms=0, **{**fields, "allow": False})
    desk = Desk(policy(LEAK))
    desk.ask(SECRET, 0)
    assert desk.ask(SEND, 1, answers=before).action is Action.ASK
    assert desk.ask(SEND, 1, answers=no).action is Action.DENY
    assert desk.ask(SEND, 1, answers=then).cause is Cause.ANSWER


@pytest.mark.parametrize("action", ["allow", "approve"])
@pytest.mark.parametrize(
    "fields", [{"after": After(tool=("x",))}, {"repeat": 2}, {"more_than": limit(2)}]
)
def test_p04_a_rule_that_permits_cannot_look_back(action: str, fields: dict[str, Any]) -> None:
    with pytest.raises(RuleError, match=r"only rules that deny, ask or limit|only a rule with"):
        policy(rule("r", action=action, **fields))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"repeat": 0, "action": "ask"}, "repeat: must be between 1"),
        ({"after": After(tool=("[",)), "action": "ask"}, "after: "),
        ({"after": After(tool=("x",), within_s=86_401), "action": "ask"}, "at most a day"),
        ({"more_than": limit(2), "action": "deny"}, "write rate_limit"),
        ({"more_than": limit(2), "action": "ask", "rate_limit": limit(3)}, "a rule of its own"),
        ({"rate_limit": limit(2, per_argument="a[]")}, "must name one argument"),
        ({"rate_limit": limit(2, per_argument="a..b")}, "rate_limit.per_argument: "),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(RuleError, match=says):
        policy(rule("r", **fields))


def test_p06_a_project_may_look_back() -> None:
    desk = Desk(compile_policy([], policy().defaults, project_rules=[LEAK]))
    assert actions(desk, SECRET, SEND) == ["allow", "ask"]


def test_p13_many_kinds_are_bounded_and_then_count_as_everything() -> None:
    desk = Desk(policy(rule("r", tool="send", after=After(tool=("never",)), action="ask")))
    for number in range(KINDS_MAX):
        desk.ask(call(f"tool{number}"))
    assert desk.ask(SEND).action is Action.ALLOW
    desk.ask(call("one_more", id=5))
    given = desk.ask(SEND, 1)
    assert given.action is Action.ASK
    assert "one of very many tools was called 1 s before" in given.reason


def test_p13_many_agents_are_bounded_and_the_idle_ones_go_first() -> None:
    flows = Flows()
    for number in range(RUNS_MAX + 1):
        flows.forwarded(call(run=f"r{number}"), 5 if number == 0 else number)
    assert flows.past("r0") is not None
    assert flows.past("r1") is None
    assert flows.past(f"r{RUNS_MAX}") is not None


def past(*calls: Call) -> list[Any]:
    made = [msgspec.structs.replace(one, id=i, at_ms=i * 1_000) for i, one in enumerate(calls, 1)]
    return [(one, verdict(one)) for one in made]


def test_previews_look_back_too() -> None:
    calls = past(SEND, SECRET, SEND, SEND)
    assert preview(calls, policy(), policy(LEAK), resolve).asked == (3, 4)
    with_rule = compile_policy([LEAK], policy().defaults)
    (compiled,) = (one for one in with_rule.candidates(SEND).ask)
    assert matched(calls, [compiled], resolve) == (3, 4)


def loosens(old: Rule, new: Rule | None) -> bool:
    return bool(loosened(policy(old), policy(*([new] if new else []))))


@pytest.mark.parametrize(
    ("fields", "says_so"),
    [
        ({}, False),
        ({"after": None}, False),
        ({"after": After(reads=(Reads.SECRETS,), within_s=60)}, True),
        ({"after": After(reads=(Reads.UNTRUSTED,))}, True),
        ({"reach": ()}, False),
        ({"reach": (Reach.LOCAL,)}, True),
        ({"repeat": 3}, True),
        ({"more_than": limit(3)}, True),
        ({"reads": (Reads.SECRETS,)}, True),
    ],
)
def test_a_rule_that_asks_less_often_loosens(fields: dict[str, Any], says_so: bool) -> None:
    assert loosens(LEAK, msgspec.structs.replace(LEAK, **fields)) is says_so


def test_a_higher_count_loosens_and_a_lower_one_does_not() -> None:
    loop, busy = (rule("r", action="ask", **f) for f in ({"repeat": 3}, {"more_than": limit(3)}))
    for one, key, less, more in (
        (loop, "repeat", 2, 4),
        (busy, "more_than", limit(2), limit(4)),
    ):
        assert not loosens(one, msgspec.structs.replace(one, **{key: less}))
        assert loosens(one, msgspec.structs.replace(one, **{key: more}))
    apart = msgspec.structs.replace(busy, more_than=limit(3, per_argument="x"))
    assert loosens(busy, apart)
    assert loosens(busy, None)


def test_what_is_taken_back_leaves_all_as_it_was() -> None:
    flows, first, other = Flows(), call("look", id=1), call("read", id=2)
    flows.forwarded(first, 0)
    noted = [(what, flows.forwarded(what, 5)) for what in (call("look", id=3), other, other)]
    for what, before in reversed(noted):
        flows.take_back(what, before)
    past = flows.past(first.run)
    assert past is not None
    assert past.kinds == {kind_of(first): Seen(1, 0)}
    assert (past.digest, past.times) == (first.digest, 1)
    assert past.more is None


def test_what_is_taken_back_beyond_the_kinds_that_are_told_apart_leaves_all_as_it_was() -> None:
    flows = Flows()
    for number in range(KINDS_MAX + 1):
        flows.forwarded(call(f"t{number}", id=number), number)
    late = call("one more", id=9_999)
    flows.take_back(late, flows.forwarded(late, 9_999))
    past = flows.past(late.run)
    assert past is not None
    assert past.more == Seen(KINDS_MAX, KINDS_MAX)
    assert len(past.kinds) == KINDS_MAX


def test_a_restart_finds_how_often_in_a_row_the_last_call_was_made() -> None:
    rules = policy(rule("loop", repeat=2, action="ask"))
    look, other = call("look", digest="a", run="7"), call("other", digest="b", run="7")
    for newest_first, expected in (
        ([look, look, other], Action.ASK),
        ([look, other, look, look], Action.ALLOW),
        ([other, look, look], Action.ALLOW),
    ):
        desk = Desk(rules)
        for number, one in enumerate(newest_first):
            desk.flows.restore(one.run, kind_of(one), one.digest, Seen(99 - number, 0))
        assert desk.ask(look, 1).action is expected


@pytest.mark.parametrize(("run", "after_a_day"), [("7", Action.ASK), ("/claude", Action.ALLOW)])
def test_where_no_process_is_known_a_day_is_looked_back_on(run: str, after_a_day: Action) -> None:
    desk = Desk(policy(LEAK))
    secret, send = (msgspec.structs.replace(one, run=run) for one in (SECRET, SEND))
    desk.ask(secret, 0)
    assert desk.ask(send, 86_399).action is Action.ASK
    assert desk.ask(send, 86_400).action is after_a_day
