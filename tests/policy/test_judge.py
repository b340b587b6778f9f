"""The order of judgement, the words of verdicts, and transcripts of ordinary use."""

from __future__ import annotations

from typing import Any

import pytest

from mcpwall.model import Action, Call, Cause, Charge, Risk, Rule, Verdict
from mcpwall.policy.answers import Answers
from mcpwall.policy.judge import NAMED_MAX, PATHS_MAX, judge, spoken
from mcpwall.policy.limits import Limits
from mcpwall.policy.state import ToolState
from tests.policy.build import SECOND, Desk, budget, call, limit, policy, rule, state, verdict

WRITE = call("write", risk=Risk.WRITE)
DENY = rule("deny", tool="write", action="deny")
ASK = rule("ask", tool="write", action="ask")
ALLOW = rule("allow", tool="write", action="allow")
APPROVE = rule("approve", tool="write", action="approve")
HIDE = rule("hide", tool="write", hide=True)
CAP = rule("cap", tool="write", rate_limit=limit(1))


def full() -> Limits:
    limits = Limits()
    charges = judge(WRITE, policy(CAP, ALLOW), state(limits=limits)).charges
    limits.book(charges, 0)
    return limits


@pytest.mark.parametrize(
    ("rules", "fields", "action", "cause", "named"),
    [
        ([DENY, ALLOW], {"lockdown": True}, "deny", Cause.LOCKDOWN, ()),
        ([ALLOW], {"lockdown": True, "approved": True}, "deny", Cause.LOCKDOWN, ()),
        ([DENY], {"tool": ToolState.UNLISTED}, "deny", Cause.UNLISTED, ()),
        ([ALLOW], {"tool": ToolState.CHANGED, "approved": True}, "deny", Cause.UNLISTED, ()),
        ([ALLOW], {"tool": ToolState.NEW, "approved": True}, "deny", Cause.UNLISTED, ()),
        ([ALLOW], {"tool": ToolState.SERVER_CHANGED}, "deny", Cause.UNLISTED, ()),
        ([HIDE], {"tool": ToolState.CHANGED}, "deny", Cause.UNLISTED, ()),
        ([HIDE, DENY, ALLOW, APPROVE], {"approved": True}, "deny", Cause.HIDDEN, ("hide",)),
        ([DENY, CAP, ASK, ALLOW, APPROVE], {"approved": True}, "deny", Cause.RULE, ("deny",)),
        ([CAP, ASK, ALLOW, APPROVE], {"limits": full()}, "deny", Cause.LIMIT, ("cap",)),
        ([CAP, ASK], {"limits": full(), "approved": True}, "deny", Cause.LIMIT, ("cap",)),
        ([ASK, ALLOW], {}, "ask", Cause.RULE, ("ask",)),
        ([ASK, ALLOW, APPROVE], {}, "allow", Cause.ANSWER, ("approve", "ask")),
        ([ASK], {"approved": True}, "allow", Cause.PERSON, ("ask",)),
        ([ASK, APPROVE], {"approved": True}, "allow", Cause.PERSON, ("ask",)),
        ([ALLOW], {}, "allow", Cause.RULE, ("allow",)),
        ([ALLOW, APPROVE], {}, "allow", Cause.RULE, ("allow",)),
        ([APPROVE], {}, "allow", Cause.ANSWER, ("approve",)),
        ([CAP], {}, "ask", Cause.DEFAULT, ()),
        ([], {"approved": True}, "allow", Cause.PERSON, ()),
    ],
)
def test_the_order_of_judgement(
    rules: list[Rule], fields: dict[str, Any], action: str, cause: Cause, named: tuple[str, ...]
) -> None:
    for ordered in (rules, rules[::-1]):
        given = judge(WRITE, policy(*ordered), state(**fields))
        assert (given.action, given.cause, given.rules) == (Action(action), cause, named)
        assert given.policy == policy(*ordered).hash


def test_a_remembered_answer_answers_an_ask_and_nothing_else() -> None:
    yes, _ = Answers().remember(
        WRITE, allow=True, match="tool", scope="session", now_ns=0, made_ms=0
    )
    no, _ = Answers().remember(
        WRITE, allow=False, match="tool", scope="session", now_ns=0, made_ms=0, reason="not now"
    )
    allowed = judge(WRITE, policy(ASK), state(answers=yes))
    assert (allowed.action, allowed.cause) == (Action.ALLOW, Cause.ANSWER)
    assert allowed.rules == ("s01", "ask")
    denied = judge(WRITE, policy(ASK, APPROVE), state(answers=no))
    assert (denied.action, denied.cause) == (Action.DENY, Cause.ANSWER)
    assert denied.reason == "A person denied calls like this one: not now."
    assert denied.charges == ()
    assert judge(WRITE, policy(DENY), state(answers=yes)).action is Action.DENY
    assert judge(WRITE, policy(ALLOW), state(answers=no)).action is Action.ALLOW
    assert judge(WRITE, policy(ASK), state(answers=no, approved=True)).action is Action.ALLOW
    strict = policy(write="deny")
    assert judge(WRITE, strict, state(answers=yes)).action is Action.DENY


def test_lockdown_and_permission_concern_tools_alone() -> None:
    prompt = call("greet", method="prompts/get")
    for fields in ({"lockdown": True}, {"tool": ToolState.UNLISTED}):
        assert judge(prompt, policy(), state(**fields)).action is Action.ALLOW


def test_other_methods_are_judged_by_rules_that_name_them() -> None:
    read = call("file:///etc/passwd", method="resources/read", risk=Risk.UNKNOWN)
    assert verdict(read, rule("all", action="deny")).action is Action.ALLOW
    named = rule("res", method="resources/*", tool="file:///etc/*", action="deny")
    assert verdict(read, named).rules == ("res",)
    assert verdict(read, rule("every", method="*", action="deny")).rules == ("every",)
    assert verdict(call(), rule("every", method="*", action="deny")).rules == ("every",)
    assert verdict(read, other_methods="deny").cause is Cause.DEFAULT
    assert verdict(read, other_methods="deny").action is Action.DENY


def test_a_verdict_that_may_pass_carries_every_charge() -> None:
    rules = [
        rule("a", rate_limit=limit(3), budget=budget("amount", "100")),
        rule("b", tool="write", rate_limit=limit(5), action="ask"),
        rule("c", tool="other", rate_limit=limit(5)),
    ]
    given = verdict(call("write", arguments={"amount": 2.5}), *rules)
    assert given.action is Action.ASK
    assert given.charges == (
        Charge("a", "a|rate|tool|files|write"),
        Charge("a", "a|sum|amount|tool|files|write", "2.5"),
        Charge("b", "b|rate|tool|files|write"),
    )


def test_two_limits_are_both_checked_before_either_is_counted() -> None:
    desk = Desk(
        policy(rule("tool", rate_limit=limit(2)), rule("two", tool="b", rate_limit=limit(1)))
    )
    assert desk.ask(call("b")).action is Action.ALLOW
    refused = desk.ask(call("b"), 10)
    assert (refused.rules, refused.charges) == (("two",), ())
    assert desk.ask(call("b"), 60).action is Action.ALLOW


def test_a_limit_says_when_to_retry_rounded_up() -> None:
    desk = Desk(policy(rule("cap", rate_limit=limit(1), reason="keep below the quota")))
    desk.ask(call(), 0)
    refused = desk.ask(call(), 48.5)
    assert refused.retry_s == 12
    assert refused.reason == (
        "At most 1 call in any 60 s by rule cap: keep below the quota. Retry after 12 s."
    )
    assert desk.ask(call(), 59.999999).retry_s == 1
    assert desk.ask(call(), 60).action is Action.ALLOW


def test_the_limit_that_holds_longest_is_the_cause_and_all_are_named() -> None:
    desk = Desk(
        policy(
            rule("fast", rate_limit=limit(1, 10)),
            rule("slow", budget=budget("amount", "5", 3600)),
        )
    )
    desk.ask(call(arguments={"amount": 5}), 0)
    refused = desk.ask(call(arguments={"amount": 1}), 4)
    assert (refused.cause, refused.rules) == (Cause.BUDGET, ("fast", "slow"))
    assert refused.retry_s == 3596


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, 'the call has no argument "amount"'),
        ({"amount": "5"}, '"amount" must be a number from 0'),
        ({"amount": None}, '"amount" must be a number from 0'),
        ({"amount": True}, '"amount" must be a number from 0'),
        ({"amount": -5}, '"amount" must be a number from 0'),
        ({"amount": float("inf")}, '"amount" must be a number from 0'),
        ({"amount": 10**40}, '"amount" must be a number from 0'),
    ],
)
def test_a_budget_that_cannot_be_counted_denies(arguments: dict[str, Any], says: str) -> None:
    given = verdict(call(arguments=arguments), rule("b", budget=budget("amount", "10")))
    assert (given.action, given.cause, given.rules) == (Action.DENY, Cause.BUDGET, ("b",))
    assert says in given.reason
    assert given.retry_s is None
    assert given.charges == ()


def test_an_amount_that_never_fits_is_not_to_be_retried() -> None:
    given = verdict(call(arguments={"amount": 10.01}), rule("b", budget=budget("amount", "10")))
    assert (given.cause, given.retry_s) == (Cause.BUDGET, None)
    assert given.reason.endswith("It never fits: do not retry.")


def test_what_waits_for_one_limit_and_never_fits_another_is_not_to_be_retried() -> None:
    desk = Desk(policy(rule("b", budget=budget("amount", "10")), rule("r", rate_limit=limit(1))))
    assert desk.ask(call(arguments={"amount": 1})).action is Action.ALLOW
    given = desk.ask(call(arguments={"amount": 11}), 1)
    assert (given.cause, given.rules, given.retry_s) == (Cause.BUDGET, ("b", "r"), None)


def test_a_budget_over_a_list_sums_its_elements() -> None:
    one = rule("b", budget=budget("items[].price", "10"))
    items = [{"price": 4.5}, {"price": 5}]
    assert verdict(call(arguments={"items": items}), one).charges[0].amount == "9.5"
    assert verdict(call(arguments={"items": [*items, {}]}), one).action is Action.DENY
    assert verdict(call(arguments={"items": []}), one).charges[0].amount == "0"


def test_a_conditional_limit_counts_what_it_cannot_evaluate() -> None:
    one = rule("cap", when={"path": {"under": "/etc"}}, rate_limit=limit(1))
    assert verdict(call(arguments={"path": "/tmp/x"}), one).charges == ()
    assert len(verdict(call(arguments={"path": 5}), one).charges) == 1


def test_all_matching_rules_are_named_up_to_a_bound() -> None:
    many = [rule(f"r{i:03}", action="deny") for i in range(100)]
    given = verdict(call(), *many)
    assert given.rules == tuple(one.id for one in many[:NAMED_MAX])
    assert given.reason == f"Denied by rules r000, r001 and {NAMED_MAX - 2} more."
    asking = [rule(f"r{i:03}", action="ask") for i in range(100)]
    given = verdict(call(), *asking, rule("ok", action="approve"))
    assert given.rules == ("ok", *(one.id for one in many[: NAMED_MAX - 1]))


def test_reasons_are_plain_sentences() -> None:
    assert verdict(WRITE, DENY).reason == "Denied by rule deny."
    told = rule("d", action="deny", reason="deletions go through a person.")
    assert verdict(WRITE, told).reason == "Denied by rule d: deletions go through a person."
    assert verdict(WRITE).reason == "No rule decides; the default for write tools is ask."
    assert verdict(WRITE, HIDE).reason == "Hidden by rule hide."
    assert "write" in judge(WRITE, policy(), state(tool=ToolState.UNLISTED)).reason


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 s"),
        (60, "60 s"),
        (90, "90 s"),
        (120, "2 minutes"),
        (3600, "1 hour"),
        (86400, "1 day"),
    ],
)
def test_lengths_of_time_are_said_in_words(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


def test_a_session_with_a_developers_rules() -> None:
    desk = Desk(
        policy(
            rule("cap-invoke", server="aws*", tool="sam_local_invoke", rate_limit=limit(2)),
            rule("no-delete", tool=["delete_*", "!delete_draft"], action="deny", reason="ask me"),
            rule("home", tool="write_file", when={"path": {"not_under": "~/src"}}, action="deny"),
            rule("big", tool="create_refund", when={"amount": {"gt": 500}}, action="ask"),
            rule("sum", tool="create_refund", budget=budget("amount", "2000", 86400)),
            rule("small", tool="create_refund", action="allow"),
            rule("make", tool="run", when={"command": {"glob": "make *"}}, action="approve"),
        )
    )

    def said(tool: str, risk: Risk, at_s: float = 0, **arguments: Any) -> str:
        given = desk.ask(call(tool, server="aws-1", risk=risk, arguments=arguments), at_s)
        by = f" {' '.join(given.rules)}" if given.rules else ""
        again = f" +{given.retry_s}" if given.retry_s else ""
        return f"{given.action}{by}{again}"

    assert said("sam_local_invoke", Risk.READ, 0) == "allow"
    assert said("sam_local_invoke", Risk.READ, 20) == "allow"
    assert said("sam_local_invoke", Risk.READ, 30) == "deny cap-invoke +30"
    assert said("sam_local_invoke", Risk.READ, 60) == "allow"
    assert said("delete_all", Risk.READ) == "deny no-delete"
    assert said("delete_draft", Risk.READ) == "allow"
    assert said("write_file", Risk.WRITE, path="~/src/a.py") == "ask"
    assert said("write_file", Risk.WRITE, path="~/src/../.ssh/id") == "deny home"
    assert said("write_file", Risk.WRITE, path="escape/passwd") == "deny home"
    assert said("write_file", Risk.WRITE) == "deny home"
    assert said("create_refund", Risk.FINANCIAL, amount=400) == "allow small"
    assert said("create_refund", Risk.FINANCIAL, amount=501) == "ask big"
    assert said("create_refund", Risk.FINANCIAL, amount="9") == "deny sum"
    assert said("create_refund", Risk.FINANCIAL, 100, amount=1700) == "deny sum +86300"
    assert said("create_refund", Risk.FINANCIAL, 100, amount=2001) == "deny sum"
    assert said("run", Risk.EXECUTE, command="make -j8") == "allow make"
    assert said("run", Risk.EXECUTE, command="rm -rf /") == "ask"
    assert said("run", Risk.EXECUTE) == "ask"


def test_rules_pick_agents_by_client_or_by_instance() -> None:
    one, two = call(agent="claude-code#1"), call(agent="claude-code#2")
    by_client = rule("c", agent="claude-code", action="deny")
    by_instance = rule("i", agent="claude-code#2", action="deny")

    def actions(*rules: Rule) -> list[Action]:
        verdicts: list[Verdict] = [verdict(what, *rules) for what in (one, two)]
        return [given.action for given in verdicts]

    assert actions(by_client) == [Action.DENY, Action.DENY]
    assert actions(by_instance) == [Action.ALLOW, Action.DENY]


def test_paths_that_do_not_resolve_restrain_and_do_not_permit() -> None:
    odd = call("write", risk=Risk.WRITE, arguments={"path": "loop/x"})
    inside = {"path": {"under": "~/src"}}
    outside = {"path": {"not_under": "~/src"}}
    assert verdict(odd, rule("a", when=inside, action="allow")).action is Action.ASK
    assert verdict(odd, rule("a", when=outside, action="allow")).action is Action.ASK
    assert verdict(odd, rule("d", when=inside, action="deny")).action is Action.DENY
    assert verdict(odd, rule("d", when=outside, action="deny")).action is Action.DENY


def test_a_path_is_looked_up_once_for_one_verdict() -> None:
    looked: list[str] = []

    def resolve(text: str, directory: str) -> str:
        looked.append(text)
        return f"{directory}/{text}"

    rules = [rule(f"r{i}", when={"path": {"under": "base"}}, action="deny") for i in range(50)]
    what: Call = call(arguments={"path": "x"})
    judge(what, policy(*rules), state(resolve=resolve))
    assert sorted(looked) == ["base", "x"]


def test_time_is_the_callers_and_may_start_anywhere() -> None:
    limits = Limits()
    capped = policy(CAP, ALLOW)
    early = state(now_ns=-(10**6) * SECOND, limits=limits)
    limits.book(judge(WRITE, capped, early).charges, early.now_ns)
    assert judge(WRITE, capped, early).retry_s == 60


def test_p13_a_call_with_countless_paths_is_soon_judged() -> None:
    looked: list[str] = []

    def slow(text: str, _directory: str) -> str:
        looked.append(text)
        return f"/tmp/{text}"

    rules = policy(rule(tool="read", when={"paths[]": {"under": "/etc"}}, action="deny"))
    what = call("read", arguments={"paths": [f"{i}" for i in range(5_000)]})
    assert judge(what, rules, state(resolve=slow)).action is Action.DENY
    assert len(looked) <= PATHS_MAX


def test_p04_a_default_of_deny_gives_way_only_to_a_rule_that_surely_asks() -> None:
    ask = rule("ask", when={"path": "b"}, action="ask")
    for arguments, expected in (({"path": "b"}, "ask"), ({"path": "a"}, "deny"), ({}, "deny")):
        what = call(arguments=arguments)
        assert verdict(what, ask, read="deny").action == expected
        allowed = verdict(what, ask, rule("yes", action="allow"), read="deny")
        assert allowed.action == ("allow" if arguments == {"path": "a"} else "ask")
