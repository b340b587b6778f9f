"""The engine before the pure judge: which rules, what is counted and remembered, which tool."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from mcpwall.engine.sessions import paused
from mcpwall.model import DENY, TOOLS_CALL, Call, Cause, Verdict
from mcpwall.policy.judge import judge
from mcpwall.policy.state import LISTED, State, ToolState
from mcpwall.policy.written import write_policy
from mcpwall.store.faults import AuditError

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.live import Live
    from mcpwall.policy.compile import Policy
    from mcpwall.policy.operators import Resolve


class Bench:
    """Judges calls as things stand in the engine. Books nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: set[str] = set()  # hashes of the policies that the record has

    def judge(
        self,
        live: Live,
        call: Call,
        tool: ToolState,
        now_ns: int,
        resolve: Resolve,
        *,
        approved: bool = False,
    ) -> Verdict:
        """The verdict on a call of a session, its tool standing like this.

        `approved`: a person has just approved it.
        """
        engine = self._engine
        policy, fault = engine.rulebook.policy(call.directory)
        if policy.hash not in self._kept:
            self._keep(policy)
        if fault := fault or engine.lookback.fault:
            return Verdict(DENY, Cause.FAULT, reason=fault, policy=policy.hash)
        if stopped := paused(live, call, policy.hash):
            return stopped
        state = State(
            now_ns,
            engine.limits,
            engine.flows,
            engine.answers,
            engine.lockdown.on,
            tool,
            approved,
            resolve,
        )
        return judge(call, policy, state)

    def _keep(self, policy: Policy) -> None:
        """Have the record keep what a verdict goes by, so that it can be made again from it."""
        with contextlib.suppress(AuditError):  # it is tried again with the next call
            self._engine.recorder.intake.audit.keep_policy(policy.hash, write_policy(policy))
            self._kept.add(policy.hash)


def tool_state(live: Live, call: Call) -> ToolState:
    """Whether the tool of a call may be called at all; other requests have none."""
    return live.catalog.state(call.tool) if call.method == TOOLS_CALL else LISTED
