"""Answers that come after the agent's time was up: kept for the same call, once.

A call that nobody answered is refused, and its agent told so. For a while a person can still look
at it; an allow then lets no call run by itself, but answers the ask when the very same call is made
again: same client, same server, same arguments and what is sent beside them, under the same rules
and the same definition of the tool. It is used up by the first such call, whatever becomes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine.port import Done, Refused, ReleasedEvent
from mcpwall.engine.port_answers import Decide
from mcpwall.engine.port_calls import Held
from mcpwall.model import Action, Call, JsonObject, Tool, Verdict
from mcpwall.protocol.asked import beside

if TYPE_CHECKING:
    from mcpwall.engine.clock import Timer
    from mcpwall.engine.core import Engine
    from mcpwall.engine.holds import Hold
    from mcpwall.engine.live import Live
    from mcpwall.protocol.requests import Request

LATE_S: Final = 300.0  # to look at a call after its time, and from an allow to the call itself
OFFERS_MAX: Final = 50
BYTES_MAX: Final = 4 * 1024 * 1024  # of arguments in all offers
SAID: Final = (
    "Its time is up: the agent was told that nobody answered. If you allow it now, the same call "
    "runs once, should the agent make it again."
)
BETWEEN: Final = (
    "Its agent was told to make it again, since it would not have waited longer, and comes back in "
    "a moment. What you decide now holds for that."
)


class Offer(msgspec.Struct, eq=False):
    """A call whose time was up, which a person may still look at."""

    hold: Hold
    call: Call
    shown: Held
    timer: Timer


class Pass(msgspec.Struct, eq=False):
    """One call that may run once."""

    call: Call
    beside: JsonObject
    tool: Tool | None
    policy: str
    until_ns: int
    asked: tuple[str, ...]  # the rules that asked

    def fits(self, call: Call, beside: JsonObject, tool: Tool | None, now: Verdict) -> bool:
        """Whether this is the call that the person allowed, under what they saw.

        `now` is the verdict that would hold it; a rule that did not ask then was not answered.
        """
        known = self.call
        if not set(now.rules) <= set(self.asked):
            return False
        return (known.digest, known.client, known.server, known.directory) == (
            call.digest,
            call.client,
            call.server,
            call.directory,
        ) and (self.beside, self.tool, self.policy) == (beside, tool, now.policy)


class Late:
    """What can still be answered, and what was."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._offers: dict[int, Offer] = {}
        self._passes: list[Pass] = []

    def shown(self) -> list[Held]:
        """The calls that can still be looked at."""
        return [offer.shown for offer in self._offers.values()]

    def offer(self, hold: Hold, shown: Held, call: Call, said: str) -> None:
        """The time of a waiting call is up, and its agent was told: keep it to be looked at.

        `said` tells the person what that means.
        """
        size = sum(offer.shown.row.size for offer in self._offers.values()) + shown.row.size
        if len(self._offers) >= OFFERS_MAX or size > BYTES_MAX:
            return
        clock = self._engine.clock
        late = msgspec.structs.replace(
            shown,
            row=hold.record.row(),
            deadline_ms=clock.wall_ms() + int(LATE_S * 1000),
            why=(said, *(each for each in shown.why if each not in (SAID, BETWEEN))),
        )
        timer = clock.call_later(LATE_S, lambda: self._drop(call.id, "nobody answered"))
        self._offers[call.id] = Offer(hold, call, late, timer)
        hold.shown = late
        self._engine.feed.publish(hold)

    def decide(self, decision: Decide) -> Done | Refused | None:
        """A person's answer; None when it is not about a call whose time was up."""
        offer = self._offers.get(decision.call)
        if offer is None:
            return None
        if (decision.digest, decision.revision) != (offer.shown.digest, offer.shown.revision):
            return Refused("this call, or the rules for it, changed since it was shown; look again")
        if decision.edited or decision.remember is not None:
            return Refused("its time is up: it can be allowed once, as the agent sent it")
        if not decision.allow:
            self._drop(decision.call, "denied by you, after its time")
            if self._engine.rounds.denied(decision.call, decision.reason):
                return Done("denied; its agent is told when it comes back")
            return Done("denied; its agent was told already that nobody answered")
        return self._allow(offer)

    def _allow(self, offer: Offer) -> Done | Refused:
        live, call = offer.hold.live, offer.call
        tool = live.tool_of(call)
        if not live.knows(call) or tool != offer.shown.tool:
            self._drop(call.id, "its tool changed")
            return Refused("the definition of its tool changed; the call is asked about anew")
        verdict = self._engine.verdict(live, call, approved=True)
        if verdict.action is not Action.ALLOW:
            self._drop(call.id, "refused by a rule")
            return Refused(f"it would not run: {verdict.reason}")
        until = self._engine.clock.steady_ns() + int(LATE_S * 1e9)
        asked = offer.shown.row.verdict.rules
        self._passes.append(Pass(call, offer.hold.beside, tool, verdict.policy, until, asked))
        self._drop(call.id, "approved meanwhile: runs once when it is called again")
        return Done(f"kept: the same call runs once if it comes within {LATE_S / 60:.0f} minutes")

    def take(self, live: Live, call: Call, request: Request, asked: Verdict) -> int:
        """The number of the call that a person allowed late, if this is the same one; else 0.

        `asked` is the verdict that would hold it. The answer is used up by this.
        """
        if not self._passes:
            return 0
        now = self._engine.clock.steady_ns()
        self._passes = [kept for kept in self._passes if now < kept.until_ns]
        sent, tool = beside(request), live.tool_of(call)
        for kept in self._passes:
            if kept.fits(call, sent, tool, asked):
                self._passes.remove(kept)
                return kept.call.id
        return 0

    def came_back(self, call: int, as_call: int) -> None:
        """A call was made again: from now on that one is looked at."""
        if call in self._offers:
            self._drop(call, f"came back as call {as_call}")

    def forget(self, why: str, live: Live | None = None) -> None:
        """What was shown is true no more (of one session, or of all): nothing can be answered."""
        for call, offer in list(self._offers.items()):
            if live is None or offer.hold.live is live:
                self._drop(call, why)

    def tool_changed(self, server: str, tool: str) -> None:
        """A tool of a server (tool "": any of it) is another now: what was seen of it is void."""

        def concerns(call: Call) -> bool:
            return call.server == server and tool in ("", call.tool)

        self._passes = [each for each in self._passes if not concerns(each.call)]
        for number, offer in list(self._offers.items()):
            if concerns(offer.call):
                self._drop(number, "its tool changed")

    def _drop(self, call: int, how: str) -> None:
        offer = self._offers.pop(call)
        offer.timer.cancel()
        offer.hold.shown = None
        offer.hold.record.note = how
        self._engine.feed.publish(offer.hold.record)
        self._engine.feed.publish(ReleasedEvent(call, how))
