"""The one mutable heart: rules in force, limits, waiting calls, sessions. Runs on the loop alone.

Whatever decides about a call stands here and in `engine.holds`: `judge` asks the pure judge,
`record` writes before anything moves, and a held call is judged again when it is released. No
method waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from mcpwall.engine import hiding, holds, naming, restore, showing, tool_risks, tool_views, views
from mcpwall.engine.calls import call_of
from mcpwall.engine.clock import Clock
from mcpwall.engine.counts import Counts
from mcpwall.engine.feed import Feed
from mcpwall.engine.inventory import Inventory
from mcpwall.engine.judging import Bench, tool_state
from mcpwall.engine.late import Late
from mcpwall.engine.live import Live
from mcpwall.engine.lookback import Lookback
from mcpwall.engine.lookups import Lookups
from mcpwall.engine.newcomers import Newcomers
from mcpwall.engine.port import Http, NoticeEvent, RulesEvent, ServerEvent, StatusEvent
from mcpwall.engine.port_calls import ERROR, HELD, REFUSED, RESERVING, RUNNING, State
from mcpwall.engine.recorder import Recorder
from mcpwall.engine.records import Record, Records
from mcpwall.engine.reservations import Reservations
from mcpwall.engine.rounds import Rounds
from mcpwall.engine.rulebook import Rulebook
from mcpwall.engine.wire import Hello, Kept, Wire
from mcpwall.model import ALLOW, ASK, DENY, TOOLS_CALL, Call, Cause, Verdict
from mcpwall.policy.answers import Answers
from mcpwall.policy.limits import Limits
from mcpwall.policy.operators import Resolve
from mcpwall.protocol.commands import Memory
from mcpwall.protocol.requests import Request
from mcpwall.store.intake import Intake
from mcpwall.store.mark import Mark
from mcpwall.store.records import ANSWERED, RELEASED, AuditRow, Grounds, Kind, Step
from mcpwall.store.shared.ledger import Ledger
from mcpwall.store.tools import ToolStore


class Engine:
    """All sessions of one user behind one set of rules.

    `intake` is open and this engine's alone; `resolve(text, directory)` turns a text that names a
    path into an absolute one (see engine.resolve). `lockdown` stands for no tool at all, over
    restarts too: nobody but the person at the app lifts it. `tools` is open and this engine's alone
    to write. `ledger` is the store that counts for several walls, None where this one is alone.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        rulebook: Rulebook,
        clock: Clock,
        resolve: Resolve,
        lockdown: Mark,
        tools: ToolStore,
        ledger: Ledger | None = None,
        mask_key: str = "",
    ) -> None:
        self.recorder = Recorder(intake, clock, self.notice)
        self.rulebook = rulebook
        self.clock = clock
        self.resolve = resolve
        self._mask_key = mask_key
        self.mask = hiding.mask_of(rulebook.config, mask_key)
        self.started_ms = clock.wall_ms()
        self.limits = Limits()
        self.flows = restore.flows(intake.audit, clock)
        self.answers = Answers()
        self.inventory = Inventory(tools, clock, self.notice)
        self.records = Records()
        self.feed = Feed(self.records.totals, self.started_ms)
        self.counts = Counts(self)
        self.sessions: dict[str, Live] = {}
        self.holds = holds.Holds(self)
        self.late = Late(self)
        self.newcomers = Newcomers(clock, self.notice)
        self.rounds = Rounds(self)
        self.reservations = None if ledger is None else Reservations(self, ledger)
        self.lockdown = lockdown
        self.last_call = intake.audit.last_id()  # the number of the last call that came
        self._last_session = 0
        self._store = rulebook.config.store
        self._risks = rulebook.config.risks
        self._bench = Bench(self)
        self.lookback = Lookback(self)
        self.http = Http()
        self.on_stop: Callable[[], None] = lambda: None
        left = restore.records(self)
        clock.call_later(restore.LOST_S, lambda: restore.abandon(self, left))
        self.lookback.widen()
        rulebook.on_change = self.rules_changed

    # --- judging --------------------------------------------------------------------------------

    def judge(self, live: Live, request: Request) -> Record:
        """Judge a request on its arrival; what it costs is booked if it is to be forwarded now."""
        self.last_call += 1
        back = self.rounds.take(request) if live.protocol.parties.stateless else None
        call, arguments = call_of(live, request, self.last_call, self.clock.wall_ms())
        call, shown = hiding.hidden(self.mask, call, arguments)
        now_ns, lookups = self.clock.steady_ns(), Lookups(self.resolve)
        tool = tool_state(live, call)
        verdict = self._bench.judge(live, call, tool, now_ns, lookups)
        if back is not None:
            verdict = self.rounds.judged(back, call, request, verdict)
        before = self.late.take(live, call, request, verdict) if verdict.action is ASK else 0
        if before:
            verdict = self._bench.judge(live, call, tool, now_ns, lookups, approved=True)
        if verdict.action is ASK and (full := self.holds.full(live, request, arguments)):
            verdict = msgspec.structs.replace(
                verdict, action=DENY, cause=Cause.FULL, reason=full, charges=()
            )
        if verdict.action is ALLOW:
            state = RUNNING if self.reservations is None else RESERVING
        else:
            state = HELD if verdict.action is ASK else REFUSED
        record = Record(call, verdict, arguments, state, request)
        record.note = f"approved by you after the time of call {before}" if before else ""
        record.shown, record.subject = shown, hiding.subject(self.mask, call)
        listed = live.tool_of(call)
        found = None if listed is None else listed.found
        traits = call.reach, call.reads
        record.grounds = Grounds(now_ns, call.run, *traits, tool, lookups.noted(), found=found)
        if state is RUNNING:
            self.book(record, now_ns)
        return record

    def verdict(self, live: Live, call: Call, *, approved: bool = False) -> Verdict:
        """The judge's word on a call as things stand now. Books nothing."""
        now_ns = self.clock.steady_ns()
        tool = tool_state(live, call)
        return self._bench.judge(live, call, tool, now_ns, self.resolve, approved=approved)

    def book(self, record: Record, now_ns: int) -> None:
        """Count what a call costs that is about to be forwarded, and that its agent made it."""
        if record.verdict.charges:
            self.limits.book(record.verdict.charges, now_ns)
        record.before = self.flows.forwarded(record.call, now_ns)

    def unbook(self, record: Record) -> None:
        """A call that was counted is not forwarded after all. The newest comes first."""
        self.limits.unbook(record.verdict.charges)
        if record.before is not None:
            self.flows.take_back(record.call, record.before)

    # --- recording ------------------------------------------------------------------------------

    def record(self, records: Sequence[Record]) -> None:
        """Write verdicts down before they are carried out; what cannot be written is denied."""
        steady = self.clock.steady_ns()
        if fault := self.recorder.write([record.intent(steady) for record in records]):
            for record in reversed(records):
                if record.state is RUNNING:
                    self.unbook(record)
                record.verdict = self.fault(fault)
                record.state = REFUSED

    def noted(self, live: Live, records: Sequence[Record]) -> None:
        """Do what can wait until calls have gone on: remember, count and show them."""
        for record in records:
            self.records.add(record)
            self.counts.hit(record)
            if record.state is RUNNING:
                self.forwarded(live, record)
        self.counts.used(live)
        self.recorder.file_soon()

    def release(self, record: Record, by: str) -> str:
        """Write down that a call that waited is let go; returns '' or why that cannot be done."""
        fault = self.recorder.write([], [record.step(RELEASED, self.clock, by=by)])
        self.recorder.file_soon()
        return fault

    def settle(self, record: Record, kind: Kind, *, by: str = "", note: str = "") -> None:
        """Write down what became of a call, now or as soon as that can be done."""
        self.recorder.outcomes([record.step(kind, self.clock, by=by, note=note)])

    def fault(self, why: str) -> Verdict:
        """The refusal of a call because the wall itself could not do its work."""
        return Verdict(DENY, Cause.FAULT, reason=why, policy=self.rulebook.hash)

    # --- what a session reports -----------------------------------------------------------------

    def let_go(self, live: Live, record: Record) -> None:
        """Forward a call that has waited and whose release is on record."""
        self.book(record, self.clock.steady_ns())
        live.forward(record, record.request)
        live.flush()
        self.forwarded(live, record)

    def forwarded(self, live: Live, record: Record) -> None:
        """A call has gone to its server."""
        call = record.call
        self.inventory.called(
            live.server, call.tool if call.method == TOOLS_CALL else "", call.at_ms
        )
        record.trim()
        self.records.allowed()
        self.feed.publish(record)

    def refused(self, record: Record) -> None:
        """A call was answered by the wall."""
        self.records.refused(record.verdict)
        record.over(REFUSED)
        self.feed.publish(record)

    def answered(self, records: list[Record]) -> None:
        """Answers have gone to the agent."""
        wall, steady = self.clock.wall_ms(), self.clock.steady_ns()
        steps = []
        for record in records:
            is_error = record.state is ERROR
            if is_error:
                self.records.failed()
            steps.append(
                Step(
                    record.call.id,
                    ANSWERED,
                    wall,
                    steady,
                    took_us=record.took_us,
                    is_error=is_error,
                    result_bytes=record.answer_size,
                )
            )
            self.feed.publish(record)
        self.recorder.outcomes(steps)

    def withdraw(self, record: Record, why: str) -> None:
        """A held call is wanted no more."""
        self.holds.remove(record.call.id, why)
        record.note = why
        record.over(State.WITHDRAWN)
        self.settle(record, Kind.WITHDRAWN, note=why)
        self.feed.publish(record)

    def lost(self, record: Record, why: str) -> None:
        """A forwarded call can get no answer any more."""
        record.note = why
        record.over(State.LOST)
        self.settle(record, Kind.LOST, note=why)
        self.feed.publish(record)

    # --- sessions -------------------------------------------------------------------------------

    def open(
        self,
        hello: Hello,
        wire: Wire,
        memory: bytes = b"",
    ) -> Live:
        """A session begins, or goes on after another engine left it (`memory`: its note)."""
        server = self.inventory.server(hello.server, hello.transport)
        kept = _read_kept(memory)
        fresh = kept is None
        if kept is None:
            now = self.clock.wall_ms()
            self._last_session = max(self._last_session + 1, now - naming.EPOCH_MS)
            kept = Kept(naming.session(self._last_session), "", now, Memory())
        self.rulebook.policy(hello.directory)  # reads the project's rules, if it has any
        if self.rulebook.mistakes:
            self.feed.publish(StatusEvent(views.status(self)))
        self.lookback.widen()
        live = Live(self, hello, wire, server, kept)
        server.catalogs.add(live.catalog)
        server.life.began(live.id, hello.agent_pid, live.since_ms, fresh=fresh)
        self.sessions[live.id] = live
        if fresh:
            self.introduced(live)
            live.remember()
        else:
            restore.take_over(live, restore.left_behind(self, live.id))
            live.publish()
        self.feed.publish(ServerEvent(tool_views.server_row(self, server)))
        return live

    def introduced(self, live: Live) -> None:
        """A session's client or server has said who it is: name the agent, #1 or later."""
        name = live.protocol.parties.client or "agent"
        if live.agent.rpartition("#")[0] != name:
            others = [s for s in self.sessions.values() if s is not live]
            live.agent = naming.agent(name, live.hello.agent_pid, others)
        said = live.protocol.parties.server_version
        if said and said != live.server.stored.version:
            live.server.stored.version = said
            self.feed.publish(ServerEvent(tool_views.server_row(self, live.server)))
        live.protocol.changed = True
        live.publish()

    def closed(self, live: Live) -> None:
        """A session is over."""
        del self.sessions[live.id]
        self.late.forget("its session ended", live)
        self.remember(self.answers.without_session(live.id))
        live.server.catalogs.discard(live.catalog)
        live.server.life.ended(live.id, live.agent, live.ended, self.clock.wall_ms())
        live.publish()
        self.feed.publish(ServerEvent(tool_views.server_row(self, live.server)))

    def recorded(self, live: Live, after: int) -> list[AuditRow]:
        """The calls of a session that the record has above number `after`, oldest first."""
        self.recorder.file()
        return self.recorder.intake.audit.since(after, live.id)

    def rules_changed(self, text: str) -> None:
        """Other rules are in force: count for their limits, judge what waits, tell the apps."""
        self.mask = hiding.mask_of(self.rulebook.config, self._mask_key)
        tool_risks.take_over(self, self._risks)
        self._risks = self.rulebook.config.risks
        self.lookback.widen()
        self.late.forget("the rules changed")
        self.holds.judge_again()
        self.rules_shown()
        showing.refresh(self)
        for server in self.inventory.servers.values():
            self.feed.publish(ServerEvent(tool_views.server_row(self, server)))
        if text:
            self.notice("warning", text)
        if self.rulebook.config.store != self._store:
            self.notice("warning", OTHER_STORE)

    def remember(self, answers: Answers) -> None:
        """These are the remembered answers now."""
        before, self.answers = self.answers, answers
        if before.list() != answers.list():
            self.feed.publish(RulesEvent(views.rules(self)))

    def rules_shown(self) -> None:
        """Something on the rules screen has changed."""
        self.feed.publish(RulesEvent(views.rules(self)))
        self.feed.publish(StatusEvent(views.status(self)))

    def http_changed(self, http: Http) -> None:
        """Agents can reach the wall by URL elsewhere now, or not at all."""
        self.http = http
        if http.error:
            self.notice("error", http.error)
        self.feed.publish(StatusEvent(views.status(self)))

    def store_changed(self) -> None:
        """The shared store can be asked again, or no longer: tell the apps."""
        self.feed.publish(StatusEvent(views.status(self)))

    def reached(self, name: str, trouble: str) -> None:
        """A remote server has answered, or cannot be used: `trouble` says why, "" that it can."""
        server, now_ms = self.inventory.servers.get(name), self.clock.wall_ms()
        if server is not None and server.life.reached(trouble, now_ms):
            self.feed.publish(ServerEvent(tool_views.server_row(self, server)))

    def notice(self, level: str, text: str) -> None:
        """Tell the apps something in words."""
        self.feed.publish(NoticeEvent(level, text))


OTHER_STORE: Final = "[store] has changed; it is in force once the engine is started again"


def _read_kept(memory: bytes) -> Kept | None:
    try:
        return msgspec.json.decode(memory, type=Kept) if memory else None
    except msgspec.MsgspecError:
        return None
