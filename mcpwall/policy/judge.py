"""A call and the rules in, a verdict out: the order of judgement, and nothing else.

    lockdown > not permitted > deny > limits and budgets > ask > allow > default

The strictest matching rule wins wherever it stands in the file. An ask may be answered by the
person, by a remembered answer or by a standing approval, and none of them answers anything else.
Lockdown and permission concern tools/call alone: a server that is only asked what it has, or told
that a request is cancelled, does nothing for an agent that a rule on that method would not stop.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mcpwall.model import (
    ALLOW,
    ASK,
    DEFAULT,
    DENY,
    RULE,
    TOOLS_CALL,
    Action,
    Budget,
    Call,
    Cause,
    Charge,
    Rest,
    Verdict,
)
from mcpwall.policy import uris
from mcpwall.policy.arguments import Gap
from mcpwall.policy.compile import STRICTNESS, Candidates, Counted, Policy
from mcpwall.policy.compiled import Compiled, Limit
from mcpwall.policy.flow import SECOND_NS
from mcpwall.policy.limits import Amount, add, countable, limit_key
from mcpwall.policy.operators import Resolve
from mcpwall.policy.state import LISTED, State, ToolState

NAMED_MAX = 20  # rules that a verdict names; the first by id
PATHS_MAX = 1_000  # paths that one verdict looks up


_NOT_PERMITTED = {
    ToolState.UNLISTED: 'The server lists no tool "{}".',
    ToolState.DOUBLED: 'The server lists the tool "{}" twice, with two meanings.',
    ToolState.NEW: 'The tool "{}" is new on this server and waits for the user to accept it.',
    ToolState.CHANGED: 'The tool "{}" changed its definition and waits for the user to accept it.',
    ToolState.SERVER_CHANGED: (
        'The tool "{}" cannot be called: the instructions of its server changed and wait for the '
        "user to accept them."
    ),
}


def judge(call: Call, policy: Policy, state: State) -> Verdict:
    """The verdict on a call. Pure: the same values give the same verdict.

    Where a project gives the tool more classes than its own, the call is judged as one of each, and
    the strictest verdict counts; so no class of a project's can permit anything. The same where
    servers may read a resource's URI as another one.

    An ALLOW or ASK carries the charges of every limit that matched; they are to be booked if the
    call is forwarded. An ASK that a person approves is judged again with `approved`.
    """
    if not policy.also and call.method not in uris.METHODS:
        return _judge(call, policy, state)
    verdicts = [_judge(reading, policy, state) for reading in policy.readings(call)]
    strictest = max(verdicts, key=lambda verdict: STRICTNESS[verdict.action])
    if strictest.action is DENY:
        return strictest
    charges = dict.fromkeys(charge for verdict in verdicts for charge in verdict.charges)
    return msgspec.structs.replace(strictest, charges=tuple(charges))


def _judge(call: Call, policy: Policy, state: State) -> Verdict:
    """The verdict on a call by its one class."""
    if call.method == TOOLS_CALL:
        if state.lockdown:
            reason = "The wall is locked down: no tool can be called until a person lifts it."
            return _denied(policy, Cause.LOCKDOWN, reason)
        if state.tool is not LISTED:
            reason = _NOT_PERMITTED[state.tool].format(call.tool)
            return _denied(policy, Cause.UNLISTED, reason)

    found = policy.candidates(call)
    if found.hide:
        return _denied(policy, Cause.HIDDEN, _sentence("Hidden by", list(found.hide)), found.hide)
    if found.rest is not None:
        cause = Cause.HIDDEN if found.rest is Rest.HIDE else DEFAULT
        reason = f'Of the server "{call.server}" only tools that a rule names can be called.'
        return _denied(policy, cause, reason)
    resolve = _once(state.resolve) if found.looks_up_paths else state.resolve

    if found.deny and (denying := _restraining(found.deny, call, state, resolve)):
        reason = _sentence("Denied by", denying, _because(denying, call, state))
        return _denied(policy, RULE, reason, denying)

    charges: tuple[Charge, ...] = ()
    if found.counted:
        counted = [one for one in found.counted if _concerns(one.rule, call, state, resolve)]
        if counted:
            charged = _charge(counted, call, policy, state)
            if isinstance(charged, Verdict):
                return charged
            charges = charged
    if found.watched:
        charges += watched(found.watched, call, state, resolve)

    action, cause, reason, rules = _decide(found, call, state, resolve)
    if action is DENY:
        return _denied(policy, cause, reason, rules)
    if action is ASK:
        answered = _answer(found, rules, call, state, resolve)
        if answered is not None:
            action, cause, reason, ids = answered
            named = (*ids, *_ids(rules))[:NAMED_MAX]
            kept = charges if action is ALLOW else ()
            return Verdict(action, cause, named, reason, None, kept, policy.hash)
    return Verdict(action, cause, _ids(rules), reason, None, charges, policy.hash)


def _decide(
    found: Candidates, call: Call, state: State, resolve: Resolve
) -> tuple[Action, Cause, str, list[Compiled]]:
    """What asking rules, allowing rules and the default say, answers left aside."""
    rules = _asking(found.ask, call, state, resolve) if found.ask else []
    allowing = _permitting(found.allow, call, resolve) if found.allow else []
    # Over a default of deny an ask is the milder word: there it must surely be about the call.
    milder = found.default is DENY and not allowing
    if rules and (not milder or any(one.surely_matches(call, resolve) for one in rules)):
        action, cause, reason = ASK, RULE, _asked(rules, call, state)
    elif rules := allowing:
        action, cause, reason = ALLOW, RULE, _sentence("Allowed by", rules)
    else:
        action, cause, reason = found.default, DEFAULT, found.default_reason
    # A project's ask never turns a deny into something milder.
    if found.project_ask and action is not DENY:
        asking = _asking(found.project_ask, call, state, resolve)
        if asking:
            rules = [*rules, *asking] if action is ASK else asking
            reason = _asked(rules, call, state)
            action, cause = ASK, RULE
    return action, cause, reason, rules


def _once(resolve: Resolve) -> Resolve:
    """`resolve` that looks up each path once: one verdict sees one state of the file system.

    It raises ValueError for more paths than one verdict may take the time to look up.
    """
    known: dict[tuple[str, str], str] = {}

    def look(text: str, directory: str) -> str:
        path = known.get((text, directory))
        if path is None:
            if len(known) >= PATHS_MAX:
                raise ValueError(f"more than {PATHS_MAX} paths")
            path = known[text, directory] = resolve(text, directory)
        return path

    return look


def _answer(
    found: Candidates, rules: Sequence[Compiled], call: Call, state: State, resolve: Resolve
) -> tuple[Action, Cause, str, tuple[str, ...]] | None:
    """Who answers an ask on this call: the person, a remembered answer, a standing approval.

    What `rules` on earlier calls ask, only the person answers, or an answer that was remembered
    when these very rules asked: a standing approval knows nothing of what came before.
    """
    if state.approved:
        return ALLOW, Cause.PERSON, "Approved by a person.", ()
    looking_back = frozenset(one.rule.id for one in rules if one.looks_back)
    answer = state.answers.find(call, state.now_ns, looking_back)
    if answer is not None:
        action = ALLOW if answer.allow else DENY
        said = "approved" if answer.allow else "denied"
        reason = _with_reason(f"A person {said} calls like this one", answer.reason)
        return action, Cause.ANSWER, reason, (answer.id,)
    approving = _permitting(found.approve, call, resolve) if not looking_back else []
    if approving:
        ids = tuple(one.rule.id for one in approving)
        return ALLOW, Cause.ANSWER, _sentence("Approved by", approving), ids
    return None


def _charge(
    counted: list[Counted], call: Call, policy: Policy, state: State
) -> tuple[Charge, ...] | Verdict:
    """What the call costs each limit, or the refusal of those that have no room for it."""
    charges: list[Charge] = []
    full: list[tuple[int | None, Counted]] = []
    for one in counted:
        amount = _amount(one, call)
        if isinstance(amount, str):
            reason = f"{_sentence('Denied by', [one.rule])} Its budget cannot be counted: {amount}."
            return _denied(policy, Cause.BUDGET, reason, [one.rule])
        key, limit = one.key_for(call), one.limit
        if amount > limit.maximum:
            full.append((None, one))
            continue
        wait = state.limits.wait_ns(key, limit.maximum, limit.window_ns, state.now_ns, amount)
        if wait:
            full.append((wait, one))
        charges.append(Charge(one.rule.rule.id, key, str(amount)))
    return limited(full, policy) if full else tuple(charges)


def limited(full: Sequence[tuple[int | None, Counted]], policy: Policy) -> Verdict:
    """The refusal of a call for which these limits have no room.

    With each goes how long until there is room, in nanoseconds; None for never.
    """
    waits = [wait for wait, _ in full if wait is not None]
    retry_s = -(-max(waits) // SECOND_NS) if len(waits) == len(full) else None
    # The limit that holds the call back longest is the cause.
    _, worst = max(full, key=lambda pair: (pair[0] is None, pair[0] or 0))
    when = f"Retry after {retry_s} s." if retry_s is not None else "It never fits: do not retry."
    reason = f"{_sentence(_limit_text(worst), [worst.rule])} {when}"
    return Verdict(
        DENY,
        Cause.BUDGET if isinstance(worst.limit.source, Budget) else Cause.LIMIT,
        _ids([one.rule for _, one in full]),
        reason,
        retry_s,
        (),
        policy.hash,
    )


def charged(verdict: Verdict, call: Call, policy: Policy) -> list[tuple[Charge, Counted]]:
    """The charges of a verdict on a call, each with the limit that it is booked on.

    `policy` must be the one that gave the verdict. What `more_than` counts is no limit.
    """
    if not verdict.charges:
        return []
    readings = list(policy.readings(call))
    counted = (one for reading in readings for one in policy.candidates(reading).counted)
    limits = {one.key_for(call): one for one in counted}
    return [(one, limits[one.key]) for one in verdict.charges if one.key in limits]


def _amount(one: Counted, call: Call) -> Amount | str:
    """What a call costs a limit, or why that cannot be said."""
    source = one.limit.source
    if one.limit.amounts is None or not isinstance(source, Budget):
        return 1
    total: Amount = 0
    for value in one.limit.amounts(call.arguments):
        if isinstance(value, Gap):
            return f'the call has no argument "{source.sum}"'
        amount = countable(value)
        if amount is None:
            return f'"{source.sum}" must be a number from 0 with at most 30 digits'
        total = add(total, amount)
    return total


def _restraining(
    rules: Sequence[Compiled], call: Call, state: State, resolve: Resolve
) -> list[Compiled]:
    return [one for one in rules if _concerns(one, call, state, resolve)]


def _asking(
    rules: Sequence[Compiled], call: Call, state: State, resolve: Resolve
) -> list[Compiled]:
    return [one for one in rules if is_about(one, call, state, resolve)]


def is_about(one: Compiled, call: Call, state: State, resolve: Resolve) -> bool:
    """Whether a rule that restrains does so with this call, limits left aside."""
    return _concerns(one, call, state, resolve) and (
        one.more_than is None or _is_more(one, one.more_than, call, state)
    )


def watched(
    rules: Sequence[Compiled], call: Call, state: State, resolve: Resolve
) -> tuple[Charge, ...]:
    """What a call counts for rules that ask when there are more than so many."""
    return tuple(
        Charge(one.rule.id, limit_key(one.rule, one.more_than.source, call))
        for one in rules
        if one.more_than is not None and _concerns(one, call, state, resolve)
    )


def _concerns(one: Compiled, call: Call, state: State, resolve: Resolve) -> bool:
    """Whether a restraining rule is about a call, by its arguments and by the calls before it."""
    return one.may_match(call, resolve) and (
        one.flow is None or one.flow.why(call, state.flows, state.now_ns) is not None
    )


def _is_more(one: Compiled, limit: Limit, call: Call, state: State) -> bool:
    """Whether a call is one more than a rule lets pass without asking."""
    key = limit_key(one.rule, limit.source, call)
    return state.limits.wait_ns(key, limit.maximum, limit.window_ns, state.now_ns) > 0


def _asked(rules: list[Compiled], call: Call, state: State) -> str:
    return _sentence("A person is asked by", rules, _because(rules, call, state))


def _because(rules: Sequence[Compiled], call: Call, state: State) -> str:
    """What the first rule that looks at earlier calls found, in words; "" for none."""
    first = next((one for one in rules if one.looks_back), None)
    if first is None:
        return ""
    why = first.flow.why(call, state.flows, state.now_ns) if first.flow is not None else None
    if (more := first.rule.more_than) is not None:
        many = f"more than {more.max} call{'s' if more.max > 1 else ''} in {spoken(more.window_s)}"
        why = f"{why}, and {many}" if why else many
    return f", because {why}" if why else ""


def _permitting(rules: Sequence[Compiled], call: Call, resolve: Resolve) -> list[Compiled]:
    return [one for one in rules if one.surely_matches(call, resolve)]


def _limit_text(one: Counted) -> str:
    source = one.limit.source
    every = spoken(source.window_s)
    if isinstance(source, Budget):
        return f"The sum of {source.sum} is at most {source.max} in any {every} by"
    return f"At most {source.max} call{'s' if source.max > 1 else ''} in any {every} by"


def spoken(seconds: float) -> str:
    """A length of time in plain words: "60 s", "2 hours", "1 day"."""
    for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count, rest = divmod(seconds, length)
        if count and not rest and (count > 1 or name != "minute"):
            return f"{count:.0f} {name}{'s' if count > 1 else ''}"
    return f"{seconds:g} s"


def _sentence(start: str, rules: list[Compiled], because: str = "") -> str:
    """A sentence that names the rules and gives the first reason that one of them has."""
    ids = _ids(rules)
    if len(ids) == 1:
        return _with_reason(f"{start} rule {ids[0]}{because}", rules[0].rule.reason)
    names = ", ".join(ids[:2]) + (f" and {len(ids) - 2} more" if ids[2:] else "")
    reason = next((one.rule.reason for one in rules if one.rule.reason), "")
    return _with_reason(f"{start} rules {names}{because}", reason)


def _with_reason(text: str, reason: str) -> str:
    if not reason:
        return f"{text}."
    return f"{text}: {reason}" if reason.endswith((".", "!", "?")) else f"{text}: {reason}."


def _ids(rules: Sequence[Compiled]) -> tuple[str, ...]:
    """The ids of rules, each once, in order."""
    if len(rules) == 1:
        return (rules[0].rule.id,)
    return tuple(sorted({one.rule.id for one in rules}))[:NAMED_MAX]


def _denied(policy: Policy, cause: Cause, reason: str, rules: Sequence[Compiled] = ()) -> Verdict:
    return Verdict(DENY, cause, _ids(rules), reason, policy=policy.hash)
