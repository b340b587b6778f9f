"""One session while it lives: the protocol's commands, carried out against engine and wire.

The order on each chunk of lines is the product's promise: judge every call in it, record all
verdicts in one transaction, only then let anything go; the outcome is recorded after the answer
went on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import showing, sightings, together, views, wording
from mcpwall.engine.calls import weighed
from mcpwall.engine.catalog import Catalog
from mcpwall.engine.port import SessionEvent
from mcpwall.engine.port_calls import DONE, ERROR, HELD, RESERVING, RUNNING
from mcpwall.engine.records import Record
from mcpwall.engine.wire import Hello, Kept, Wire
from mcpwall.model import TOOLS_CALL, Call, Cause, JsonObject, RequestId, Tool, Verdict
from mcpwall.protocol import methods, refusals
from mcpwall.protocol.commands import (
    Answered,
    Command,
    Described,
    Dropped,
    Inputs,
    Judge,
    Listed,
    Listing,
    Note,
    Opened,
    Subscribes,
    ToClient,
    ToServer,
    Withdrawn,
)
from mcpwall.protocol.requests import NEW, NOTICE, QUESTION, REQUEST, Request
from mcpwall.protocol.session import Session

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.servers import Server

LISTING_S: Final = 10.0  # how long the wall waits for a list that it asked for


class Live:
    """A session. `ended` says why it is over, '' before that."""

    def __init__(
        self, engine: Engine, hello: Hello, wire: Wire, server: Server, kept: Kept
    ) -> None:
        self.engine = engine
        self.hello = hello
        self.server = server
        self.id = kept.id
        self.agent = kept.agent
        self.since_ms = kept.since_ms
        self.paused = kept.paused
        self.hang_up: Callable[[str], None] = self.end  # at a person's order; set by the transport
        self.calls = 0
        self.ended = ""
        self.catalog = Catalog(server, kept.instructions)
        self.withheld: frozenset[str] = frozenset()  # tools not shown as listed, see `showing`
        self.tells_changes = kept.tells_changes  # its server said that it tells when tools change
        self._wire = wire
        self.protocol = Session(kept.memory)
        self._open: dict[int, Record] = {}  # calls under way, by number
        self._over: list[Record] = []  # answered in this chunk
        self._when_judged: list[Callable[[], None]] = []

    # --- lines ----------------------------------------------------------------------------------

    def from_client(self, lines: list[bytes]) -> None:
        """Take a chunk of the agent's lines."""
        take = self.protocol.from_client
        self._run([command for line in lines if line.strip() for command in take(line)])

    def take(self, messages: list[JsonObject], *, batch: bool = False) -> None:
        """Take messages of the agent's that `protocol.codec.decode_client` has read."""
        self._run(self.protocol.take(messages, batch=batch))

    def recovered(self, lines: list[bytes], mark: int) -> None:
        """Take lines that an engine before this one had read and perhaps dealt with.

        `mark` was the last call's number when they came: what is recorded behind it of their
        calls is not judged again, and a refusal is told again, as it may not have gone.
        """
        rows = self.engine.recorded(self, mark)
        judged = {r.request_id: r for r in rows if methods.sort_of(r.method) is REQUEST}
        new = []
        for line in lines:
            known = self.protocol.take_back(line) & judged.keys()
            if not known:
                new.append(line)
            for request_id in known:
                row = judged[request_id]
                if row.state == "refused":
                    again = Request(row.request_id, row.method, row.tool)
                    self._refuse(again, row.verdict, row.id)
        self.from_client(new)

    def resumed(self) -> None:
        """All that an engine before this one had read of the agent's has been dealt with."""
        for request in self.protocol.requests.never_judged():
            self._wire.to_client(refusals.dead(request, wording.LEFT_WAITING), request.id)
        self.remember()
        self._wire.flush()

    def from_server(self, lines: list[bytes]) -> None:
        """Take a chunk of the server's lines."""
        take = self.protocol.from_server
        self._run([command for line in lines if line.strip() for command in take(line)])

    def server_dropped(self, text: str) -> None:
        """A line of the server's went nowhere, and may have answered any call that runs."""
        self.engine.notice("error", f"{self.agent} → {self.server.name}: {text}")
        for record in self._open.values():
            if record.state is RUNNING and not record.note:
                record.note = wording.UNSURE
                self.engine.feed.publish(record)

    def malformed(self, text: str) -> None:
        """Tell the agent that a message of its could not be taken at all."""
        self._run(self.protocol.malformed(text))

    def _run(self, commands: list[Command]) -> None:
        judged: list[Record] = []
        for command in commands:
            if type(command) is Judge:
                if command.request.stage is NEW:  # else it was cancelled in the same chunk
                    judged.append(self._judge(command.request))
            elif type(command) is Listed:  # calls that wait for the list come right after it
                sightings.listed(self.engine, self, command)
            elif type(command) is Described:
                sightings.described(self.engine, self, command.instructions)
        if judged:
            self.engine.record(judged)
        for command in commands:
            if type(command) is ToClient:
                line = command.line
                if command.method:
                    line = showing.shown(self.engine, self, command.method, line)
                self._wire.to_client(line, command.about)
            elif type(command) is ToServer:
                self._wire.to_server(command.line, command.about)
            elif type(command) is Judge:
                if command.request.call:
                    self._carry_out(self._open[command.request.call], command.request)
            else:
                self._rarer(command)
        self._wire.flush()
        if judged:
            self.engine.noted(self, judged)
        if self._over:
            over, self._over = self._over, []
            self._wire.when_safe(lambda: self.engine.answered(over))
        if self.protocol.changed:
            self.remember()
        if self._when_judged:
            self.judged()

    def when_judged(self, callback: Callable[[], None]) -> None:
        """Call back once no call of the client's waits to be judged.

        It may wait for the list of tools, or for the store that this wall shares with others.
        """
        reserving = any(record.state is RESERVING for record in self._open.values())
        if self.protocol.waiting or reserving:
            self._when_judged.append(callback)
        else:
            callback()

    def judged(self) -> None:
        """Call back who waits for that, if no call waits to be judged any more."""
        callbacks, self._when_judged = self._when_judged, []
        for callback in callbacks:
            self.when_judged(callback)

    def _rarer(self, command: Command) -> None:
        match command:
            case Answered():
                self._answered(command)
            case Inputs():
                if (answered := together.answer(self, command)).line:
                    self._wire.to_client(answered.line, command.about)
                if command.request.call:
                    self._answered(answered)
            case Subscribes():
                if line := together.subscribe(self, command):
                    self._wire.to_client(line, command.request.id)
                else:
                    line = self.protocol.forwarded(command.request)
                    self._wire.to_server(line, command.request.id)
            case Withdrawn():
                who = "server" if command.request.sort is QUESTION else "agent"
                self.give_up(self._open[command.request.call], f"cancelled by the {who}")
            case Listing():
                number = command.number
                self.engine.clock.call_later(LISTING_S, lambda: self._listing_late(number))
            case Opened():
                self.engine.introduced(self)
            case Note():
                self.engine.notice("warning", f"{self.agent} → {self.server.name}: {command.text}")
            case Dropped():
                self.server_dropped(command.text)

    # --- calls ----------------------------------------------------------------------------------

    def _judge(self, request: Request) -> Record:
        self.calls += 1
        record = self.engine.judge(self, request)
        request.call = record.call.id
        self._open[record.call.id] = record
        return record

    def _carry_out(self, record: Record, request: Request) -> None:
        """Do with a recorded call what its verdict says."""
        if record.state is RUNNING:
            self.forward(record, request)
        elif record.state is HELD:
            self.protocol.held(request)
            self.engine.holds.add(self, record)
            if request.sort is REQUEST:
                self._wire.waits(request.id)
        elif record.state is RESERVING and (reservations := self.engine.reservations):
            self.protocol.held(request)
            reservations.add(self, record)
        else:
            self.refuse(record, request)

    def forward(self, record: Record, request: Request) -> None:
        """Let a call go that is recorded as allowed. Sent at the next flush."""
        record.state = RUNNING
        record.started_ns = self.engine.clock.steady_ns()
        line = self.protocol.forwarded(request)
        if request.sort is QUESTION:
            self._wire.to_client(line, None)
            return
        self._wire.to_server(line, request.id if request.sort is REQUEST else None)
        if request.sort is NOTICE:  # nobody answers it: done as it went
            done = Answered(request, is_error=False, line=b"")
            self.engine.clock.call_later(0, lambda: self._run([done]))

    def refuse(self, record: Record, request: Request) -> None:
        """Answer a call in the place of who was asked. Sent at the next flush."""
        line = self._refuse(request, record.verdict, record.call.id)
        self._open.pop(record.call.id, None)
        record.told(line)
        self.engine.refused(record)

    def _refuse(self, request: Request, verdict: Verdict, call: int) -> bytes:
        if verdict.cause is Cause.HIDDEN:
            line = self.protocol.unknown_tool(request)
        else:
            facts = wording.data(verdict, call)
            line = self.protocol.refused(request, wording.refusal(verdict), facts)
        if request.sort is QUESTION:
            self._wire.to_server(line, None)
        elif line:
            self._wire.to_client(line, request.id)
        return line

    def send_back(self, record: Record, state: str, why: str) -> None:
        """Have the agent make a held call again, with a state that says which one it was."""
        request: Request = record.request
        self._open.pop(record.call.id)
        self._wire.to_client(self.protocol.again(request, state), request.id)
        self.engine.withdraw(record, why)
        self._wire.flush()

    @property
    def held_sizes(self) -> list[int]:
        """The bytes of arguments of each call that waits for a person."""
        return [record.size for record in self._open.values() if record.state is HELD]

    @property
    def busy(self) -> bool:
        """The server works on calls."""
        return any(record.state is RUNNING for record in self._open.values())

    def give_up(self, record: Record, why: str) -> None:
        """Forget a call that nobody waits for any more: it gets no answer of the wall's."""
        self._open.pop(record.call.id)
        self.protocol.drop(record.request)
        self.engine.withdraw(record, why)

    def progress(self, request: Request, text: str) -> bool:
        """Send a sign of life for a held call; False when its client cannot take one."""
        line = self.protocol.requests.progress.sign(request, text)
        if line is None:
            return False
        self._wire.to_client(line, request.id)
        self._wire.flush()
        return True

    def tell(self, line: bytes) -> None:
        """Send the agent a message of the wall's own, at once."""
        self._wire.to_client(line, None)
        self._wire.flush()

    def flush(self) -> None:
        """Send what was decided outside of a chunk of lines."""
        self._wire.flush()

    @property
    def tools(self) -> dict[str, Tool]:
        """The tools that this session's server has listed, by exact name."""
        return self.catalog.tools

    def tool_of(self, call: Call) -> Tool | None:
        """The tool of a call as listed; None where none is, or where it asks for something else."""
        return self.tools.get(call.tool) if call.method == TOOLS_CALL else None

    def knows(self, call: Call) -> bool:
        """Whether what the server listed still holds for the tool of a call."""
        return call.method != TOOLS_CALL or self.protocol.knows(call.tool)

    def weigh(self, record: Record) -> None:
        """Take over the risk of a call's tool, should it be another one by now."""
        record.call = weighed(record.call, self.tool_of(record.call))

    def _answered(self, command: Answered) -> None:
        record = self._open.pop(command.request.call)
        if record.note is wording.UNSURE:
            record.note = ""
        record.took_us = (self.engine.clock.steady_ns() - record.started_ns) // 1000
        record.told(command.line)
        record.over(ERROR if command.is_error else DONE)
        self._over.append(record)

    def _listing_late(self, number: int) -> None:
        if not self.ended:
            self._run(self.protocol.listing_failed(number))

    # --- beginning and end ----------------------------------------------------------------------

    def adopt(self, record: Record, request: Request) -> None:
        """Take over a call that an engine before this one recorded and did not finish."""
        self.protocol.adopt(request)
        self._open[record.call.id] = record

    def unanswered(self, request_id: RequestId, why: str) -> None:
        """The server can answer this request no more: tell the agent, and close its record."""
        request = self.protocol.unanswered(request_id)
        if request is None:
            return
        self._wire.to_client(refusals.dead(request, why), request.id)
        record = self._open.pop(request.call, None)
        if record is not None:
            self.engine.lost(record, why)
        self._wire.flush()

    def call_again(self, request_id: RequestId, line: bytes) -> None:
        """The server did not take this call, and may be another one now: judge it as a new call."""
        request = self.protocol.unanswered(request_id)
        if request is None:
            return
        record = self._open.pop(request.call, None)
        if record is not None:
            self.engine.lost(record, wording.NOT_TAKEN)
        self.from_client([line])

    def end(self, why: str, answer: str = "") -> None:
        """The session is over. With `answer`, requests under way are told so before the end."""
        if self.ended:
            return
        self.ended = why
        for request in self.protocol.server_gone():
            record = self._open.pop(request.call, None)
            if answer and request.sort is REQUEST:
                told = wording.left(answer, went=record.state is RUNNING) if record else answer
                self._wire.to_client(refusals.dead(request, told), request.id)
            if record is not None and record.state in (HELD, RESERVING):
                self.engine.withdraw(record, why)
            elif record is not None:
                self.engine.lost(record, why)
        for record in list(self._open.values()):  # notices, which nobody answers
            if record.state in (HELD, RESERVING):
                self.give_up(record, why)
        with contextlib.suppress(OSError):
            self._wire.flush()
        self.engine.closed(self)

    def remember(self) -> None:
        """Keep for the next engine what it must know of this session."""
        self.protocol.changed = False
        told = self.catalog.instructions
        memory = self.protocol.memory()
        state = told, self.paused, self.tells_changes
        kept = Kept(self.id, self.agent, self.since_ms, memory, *state)
        self._wire.remember(msgspec.json.encode(kept))

    def publish(self) -> None:
        """Tell the apps how the session stands."""
        self.engine.feed.publish(SessionEvent(views.session_row(self)))
