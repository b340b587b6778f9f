"""The record judged again: each verdict made once more from what it was made from.

With the rules of then, no verdict may differ; with other rules, it shows what they would have
changed. A call counts for limits and for rules on earlier calls as it did: when it was forwarded.
Under other rules, one that they ask about counts if it was forwarded then. Answers that a person
gave, for one call or remembered, are taken from the record. Of another boot's bookings only the
wall clock is known, to a millisecond.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from mcpwall.model import TOOLS_CALL, Action, Call, Cause, Charge, Verdict
from mcpwall.policy.answers import Answer, Answers, is_answer_id
from mcpwall.policy.compile import Candidates, Policy
from mcpwall.policy.flow import Flows
from mcpwall.policy.judge import judge
from mcpwall.policy.limits import Limits
from mcpwall.policy.operators import Resolve
from mcpwall.policy.set_risk import Risks
from mcpwall.policy.state import State, ToolState
from mcpwall.store.history import Happening
from mcpwall.store.records import AuditRow, By, Grounds, Kind, Step

MS_NS: Final = 1_000_000


class Why(enum.StrEnum):
    """Why a verdict cannot be made again."""

    OLDER = "recorded by an older version"
    CUT = "arguments too long to be kept whole"
    MASKED = "secrets masked"
    FAULT = "a fault of the wall itself"
    POLICY = "its rules are not in the record"


_HIDDEN: Final = (Why.CUT, Why.MASKED)


class Again(NamedTuple):
    """One verdict of the record and what it is now: `now` is None where `why` says why not."""

    row: AuditRow
    then: Verdict
    now: Verdict | None
    why: Why | None = None

    @property
    def differs(self) -> bool:
        """Whether another thing would happen to the call, or for another reason."""
        return self.now is not None and _said(self.now) != _said(self.then)


def _said(verdict: Verdict) -> tuple[object, ...]:
    return verdict.action, verdict.cause, verdict.rules, verdict.retry_s


class _Open(NamedTuple):
    """A call that was held: what it is, and whether it has been counted already."""

    row: AuditRow
    call: Call
    counted: bool


class Replay:
    """The state of the judge, carried through the record.

    `policies` gives the policy of a hash, None for one that is not known. `instead` are other rules
    to judge by, and `risks` the classes that are set beside them; then only verdicts on arrival are
    made again.
    """

    def __init__(
        self,
        policies: Callable[[str], Policy | None],
        resolve: Resolve,
        *,
        instead: Policy | None = None,
        risks: Risks | None = None,
    ) -> None:
        self._policies = policies
        self._resolve = resolve
        self._instead = instead
        self._risks = risks or {}
        self._limits = Limits(forgets=False)
        self._flows = Flows()
        self._open: dict[int, _Open] = {}
        self._boot = ""
        self._shift_ns = 0  # from this boot's steady clock to one that goes on over boots
        self._last_ns = 0

    def run(self, history: Iterable[Happening]) -> Iterator[Again]:
        """Make every verdict again, in the order of the record."""
        for one in history:
            at_ns = self._time(one)
            if one.row is not None:
                yield self._arrived(one, one.row, at_ns)
            elif one.step is not None and (known := self._open.get(one.step.call_id)):
                again = self._stepped(one, one.step, known, at_ns)
                if again is not None:
                    yield again

    def _time(self, one: Happening) -> int:
        if one.boot != self._boot:
            self._boot = one.boot
            self._shift_ns = max(one.at_ms * MS_NS, self._last_ns) - one.steady_ns
        self._last_ns = one.steady_ns + self._shift_ns
        return self._last_ns

    def _arrived(self, one: Happening, row: AuditRow, at_ns: int) -> Again:
        call, passes, charges = _call(row, row.arguments), row.state == "running", one.charges
        if self._instead is not None:
            call = _reclassed(call, row.grounds, self._risks)
        if row.grounds is not None:
            at_ns = row.grounds.now_ns + self._shift_ns
        again = self._again(row, call, row.judged, at_ns, approved=False)
        if again.now is not None:
            charges = again.now.charges
            if self._instead is not None:
                asked = again.now.action is Action.ASK
                passes = again.now.action is Action.ALLOW or (asked and passes)
        if passes:
            self._count(call, charges, at_ns)
        if row.state == "held":
            self._open[row.id] = _Open(row, call, passes)
        return again

    def _stepped(self, one: Happening, step: Step, known: _Open, at_ns: int) -> Again | None:
        """What happened to a call that was held; an Again where the judge was asked once more."""
        del self._open[step.call_id]  # whatever happened, it waits no more
        row, call, charges, again = known.row, known.call, one.charges, None
        if step.arguments_json is not None:
            edited = step.arguments_json.decode()
            call = _call(msgspec.structs.replace(row, digest=step.digest), edited)
        if step.risk is not None:
            call = msgspec.structs.replace(call, risk=step.risk)
        if step.verdict is not None and self._instead is None and _was_judged(step, step.verdict):
            refused = step.by == By.PERSON and step.verdict.cause is not Cause.ANSWER
            again = self._again(row, call, step.verdict, at_ns, approved=refused)
            charges = again.now.charges if again.now is not None else charges
        if step.kind == Kind.RELEASED and not known.counted:
            self._count(call, charges, at_ns)
        return again

    def _again(
        self, row: AuditRow, call: Call, then: Verdict, at_ns: int, *, approved: bool
    ) -> Again:
        """A verdict made again; `approved`: a person allowed the call, whatever came of it."""
        why, policy = _missing(row, then), self._instead or self._policies(then.policy)
        if why in _HIDDEN and policy is not None and not _looks_at_arguments(policy, call):
            why = None  # nothing of what is hidden was looked at
        if why is not None or row.grounds is None or policy is None:
            return Again(row, then, None, why or Why.POLICY)
        state = State(
            at_ns,
            self._limits,
            self._flows,
            _answers(call, then),
            then.cause is Cause.LOCKDOWN,
            ToolState(row.grounds.tool),
            approved or then.cause is Cause.PERSON,
            self._paths(row.grounds),
        )
        now = judge(call, policy, state)
        if then.cause in (Cause.UNATTENDED, Cause.FULL) and now.action is Action.ASK:
            now = then  # a question that could not wait, or one too many
        if then.cause is Cause.PAUSED:
            now = then  # a person's order for this session, not the judge's word
        return Again(row, then, now)

    def _count(self, call: Call, charges: Sequence[Charge], at_ns: int) -> None:
        self._limits.book(charges, at_ns)
        self._flows.forwarded(call, at_ns)

    def _paths(self, grounds: Grounds) -> Resolve:
        """Where paths led then; what was not looked up then is looked up now."""
        led = {(text, directory): path for text, directory, path in grounds.paths}

        def resolve(text: str, directory: str) -> str:
            if (text, directory) not in led:
                return self._resolve(text, directory)
            path = led[text, directory]
            if path is None:
                raise ValueError(f"{text} led nowhere")
            return path

        return resolve


def _reclassed(call: Call, grounds: Grounds | None, risks: Risks) -> Call:
    """The call with the class that these settings give its tool, else the one that was found."""
    if call.method != TOOLS_CALL:
        return call
    said = risks.get(call.server, {}).get(call.tool)
    risk = said.risk if said else (grounds and grounds.found) or call.risk
    return msgspec.structs.replace(call, risk=risk)


def _missing(row: AuditRow, then: Verdict) -> Why | None:
    """Why a verdict on this call cannot be made again, as far as the row says."""
    if row.grounds is None:
        return Why.OLDER
    if then.cause is Cause.FAULT:
        return Why.FAULT
    if row.grounds.masked:
        return Why.MASKED
    return Why.CUT if row.arguments is None else None


def _looks_at_arguments(policy: Policy, call: Call) -> bool:
    """Whether a verdict on this call rests on its arguments: on a condition, a sum, a value."""
    return any(_asks_for_arguments(policy.candidates(one)) for one in policy.readings(call))


def _asks_for_arguments(found: Candidates) -> bool:
    limits = [one.limit for one in found.counted]
    limits += [one.more_than for one in found.watched if one.more_than is not None]
    rules = [*found.deny, *found.ask, *found.project_ask, *found.allow, *found.approve]
    rules += [one.rule for one in found.counted]
    return any(one.clauses for one in rules) or any(
        limit.amounts is not None or limit.source.per_argument for limit in limits
    )


def _was_judged(step: Step, verdict: Verdict) -> bool:
    """Whether the verdict of a step is the judge's word: no person's, timer's or store's."""
    if verdict.action is Action.DENY and (verdict.cause is Cause.PERSON or step.by == By.STORE):
        return False
    return verdict.cause not in (Cause.FAULT, Cause.UNATTENDED)


def _answers(call: Call, then: Verdict) -> Answers:
    """The remembered answer that answered a call then, as one for this call alone."""
    if then.cause is not Cause.ANSWER or not (ids := [i for i in then.rules if is_answer_id(i)]):
        return Answers()
    allow = then.action is Action.ALLOW
    answer = Answer(
        ids[0],
        allow,
        "exact",
        call.server,
        call.method,
        made_ms=0,
        tool=call.tool,
        client=call.client if allow else "",
        digest=call.digest,
        asked=then.rules,
    )
    return Answers.of(answer)


def _call(row: AuditRow, arguments: str | None) -> Call:
    return row.call({} if arguments is None else msgspec.json.decode(arguments))
