"""An engine in this process: real audit, real rules file, a clock and ends that the tests own.

wall = Wall(tmp_path, RULES)
talk = wall.session()
talk.asks(call(1, "look"))
assert talk.forwarded() == [call(1, "look")]
talk.answers(result(1))
assert talk.got() == [result(1)]
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import os
import sqlite3
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mcpwall.engine import views
from mcpwall.engine.core import Engine
from mcpwall.engine.local import LocalPort
from mcpwall.engine.port import Command, Reply, Status
from mcpwall.engine.port_answers import Decide, Remember
from mcpwall.engine.port_calls import Held, Row
from mcpwall.engine.port_rules import AcceptEdit, OutsideEdit, RuleRow
from mcpwall.engine.resolve import resolve
from mcpwall.engine.rulebook import Rulebook
from mcpwall.engine.wire import Hello
from mcpwall.model import RequestId
from mcpwall.store.accepted import Accepted
from mcpwall.store.audit import Audit
from mcpwall.store.intake import Intake
from mcpwall.store.mark import Mark
from mcpwall.store.records import AuditRow, Unfinished
from mcpwall.store.shared.ledger import Answer, Reservation
from mcpwall.store.shared.ledger import Wall as WallName
from mcpwall.store.tools import ToolStore

Json = dict[str, Any]
START_MS = 1_793_707_357_000

RULES = """\
[defaults]
unknown = "allow"
write = "allow"
financial = "allow"
destructive = "allow"

[[rules]]
id = "asks"
tool = "pay"
action = "ask"
reason = "it is money"

[[rules]]
id = "never"
tool = "wipe"
action = "deny"
reason = "it is for ever"

[[rules]]
id = "cap"
tool = "count"
rate_limit = { max = 2, window = 60 }
"""


def tool(name: str, **properties: Json) -> Json:
    return {"name": name, "inputSchema": {"type": "object", "properties": properties}}


TOOLS = [tool("look"), tool("count"), tool("pay", amount={}, to={}), tool("wipe")]


def call(number: Any, name: str, arguments: Json | None = None, **meta: Any) -> Json:
    params: Json = {"name": name, "arguments": arguments or {}}
    if meta:
        params["_meta"] = meta
    return request(number, "tools/call", params)


def request(number: Any, method: str, params: Json | None = None) -> Json:
    message: Json = {"jsonrpc": "2.0", "id": number, "method": method}
    return message if params is None else {**message, "params": params}


def note(method: str, params: Json | None = None) -> Json:
    message: Json = {"jsonrpc": "2.0", "method": method}
    return message if params is None else {**message, "params": params}


def result(number: Any, **fields: Any) -> Json:
    return {"jsonrpc": "2.0", "id": number, "result": fields or {"content": []}}


def verdict(message: Json) -> Json:
    """The data that a refusal carries."""
    return message["result"]["_meta"]["mcpwall/verdict"]


def text(message: Json) -> str:
    """What the model reads."""
    return message["result"]["content"][0]["text"]


class FakeClock:
    """Both clocks, moved by `advance` alone; `set_wall` is a person who sets the machine's."""

    def __init__(self, boot: str = "boot-1", steady_s: float = 1_000) -> None:
        self.boot = boot
        self._steady_ns = int(steady_s * 1e9)
        self._wall_ms = START_MS
        self._numbers = itertools.count()
        self._timers: list[tuple[int, int, FakeTimer]] = []

    def wall_ms(self) -> int:
        return self._wall_ms

    def steady_ns(self) -> int:
        return self._steady_ns

    def call_later(self, seconds: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(callback)
        due = self._steady_ns + int(seconds * 1e9)
        heapq.heappush(self._timers, (due, next(self._numbers), timer))
        return timer

    def die(self) -> None:
        """Whoever wanted to be called later is dead, and does nothing any more."""
        self._timers.clear()

    def set_wall(self, wall_ms: int) -> None:
        self._wall_ms = wall_ms

    def advance(self, seconds: float) -> None:
        """Let time pass; timers run when they are due."""
        end = self._steady_ns + int(seconds * 1e9)
        while self._timers and self._timers[0][0] <= end:
            due, _, timer = heapq.heappop(self._timers)
            self._pass(due)
            timer.run()
        self._pass(end)

    def _pass(self, steady_ns: int) -> None:
        self._wall_ms += (steady_ns - self._steady_ns) // 1_000_000
        self._steady_ns = max(self._steady_ns, steady_ns)


class FakeTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self._callback = None

    def run(self) -> None:
        if self._callback is not None:
            self._callback()


class Disk:
    """Where a wall's record lies; while it is full nothing can be written there."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._good = -1

    def fill(self) -> None:
        self._good = os.dup(self._intake._fd)
        bad = os.open(os.devnull, os.O_RDONLY)
        os.dup2(bad, self._intake._fd)
        os.close(bad)
        self._intake.audit._db.execute("PRAGMA query_only = 1")

    def free(self) -> None:
        os.dup2(self._good, self._intake._fd)
        os.close(self._good)
        self._good = -1
        self._intake.audit._db.execute("PRAGMA query_only = 0")

    def drop(self) -> None:
        if self._good >= 0:
            os.close(self._good)


class FakeLedger:
    """A shared store that answers when the test says so, and remembers what it was told."""

    def __init__(self) -> None:
        self.wall = WallName("w1", "ann@laptop")
        self.name = "redis://store"
        self.fault = ""
        self.on_change: Callable[[], None] = lambda: None
        self.asked: list[tuple[Reservation, Callable[[Answer], None]]] = []
        self.given_back: list[Reservation] = []
        self.entries: list[bytes] = []

    def reserve(self, reservation: Reservation, done: Callable[[Answer], None]) -> None:
        self.asked.append((reservation, done))

    def give_back(self, reservation: Reservation) -> None:
        self.given_back.append(reservation)

    def note(self, entries: Sequence[bytes]) -> None:
        self.entries += entries

    def grants(self) -> Reservation:
        """The store grants the oldest reservation."""
        reservation, done = self.asked.pop(0)
        self.entries.append(reservation.entry)
        done(Answer((0,) * len(reservation.bounds)))
        return reservation

    def answers(self, *waits_s: float, fault: str = "") -> None:
        """The store says something else to the oldest reservation."""
        _, done = self.asked.pop(0)
        done(Answer(tuple(int(wait * 1e6) for wait in waits_s), fault))


class FakeWire:
    """Both sides of a session as they would see it, and the memory that outlives an engine."""

    def __init__(self) -> None:
        self.sent: dict[str, list[bytes]] = {"server": [], "agent": []}
        self.memory = b""
        self.abouts: list[RequestId | None] = []  # of each line for the agent
        self.waiting: list[RequestId] = []  # that wait for a person
        self._given: list[tuple[str, bytes]] = []

    def to_server(self, line: bytes, about: RequestId | None) -> None:
        self._given.append(("server", line))

    def to_client(self, line: bytes, about: RequestId | None) -> None:
        self.abouts.append(about)
        self._given.append(("agent", line))

    def flush(self) -> None:
        for side, line in self._given:
            self.sent[side].append(line)
        self._given = []

    def waits(self, about: RequestId) -> None:
        self.waiting.append(about)

    def when_safe(self, callback: Callable[[], None]) -> None:
        callback()

    def remember(self, memory: bytes) -> None:
        self.memory = memory

    def take(self, side: str) -> list[bytes]:
        lines, self.sent[side] = self.sent[side], []
        return lines


# The databases of walls that their tests let go of. Any thread may find that out, and SQLite wants
# them closed by the one that opened them: the next wall does it.
_LET_GO: list[sqlite3.Connection] = []


class Wall:
    """An engine on the files below `path`."""

    def __init__(
        self,
        path: Path,
        rules: str | None = None,
        clock: FakeClock | None = None,
        ledger: FakeLedger | None = None,
    ) -> None:
        self.path = path
        self.config = path / "config.toml"
        if rules is not None:
            self.config.write_text(rules)
            self.config.chmod(0o600)
        self.clock = clock or FakeClock()
        self.audit = Audit.open(str(path / "state" / "audit.db"), boot=self.clock.boot)
        self.intake = Intake.open(self.audit, str(path / "state" / "intake"))
        self.disk = Disk(self.intake)
        self.tools = ToolStore.open(str(path / "state" / "tools.db"))
        while _LET_GO:
            _LET_GO.pop().close()
        for database in (self.audit._db, self.tools._db):
            weakref.finalize(self, _LET_GO.append, database)
        self.engine = Engine(
            intake=self.intake,
            rulebook=Rulebook(
                str(self.config), Accepted(str(path / "state" / "config.accepted.toml"))
            ),
            clock=self.clock,
            resolve=resolve,
            lockdown=Mark(str(path / "state" / "lockdown")),
            ledger=ledger,
            tools=self.tools,
        )

    def session(self, **options: Any) -> Talk:
        """A new session, opened, its tools listed. Options: see Talk."""
        talk = Talk(self, **options)
        talk.open()
        return talk

    def killed(self, clock: FakeClock | None = None) -> Wall:
        """The engine that follows this one, which had no time to do anything more."""
        self.drop()
        self.clock.die()
        return Wall(self.path, clock=clock or self.clock)

    def drop(self) -> None:
        """Let go of the files as a killed process does."""
        self.disk.drop()
        self.audit._db.close()
        self.tools._db.close()
        fd, self.intake._fd = self.intake._fd, -1
        if fd >= 0:
            os.close(fd)

    def edit(self, rules: str) -> None:
        """Somebody writes the rules file; the engine looks."""
        self.config.write_text(rules)
        self.engine.rulebook.poll()

    def do(self, command: Command) -> Reply:
        """What an app orders, or asks."""
        return asyncio.run(LocalPort(self.engine).send(command))

    @property
    def held(self) -> list[Held]:
        return list(views.snapshot(self.engine).held)

    def recorded(self, call: int) -> AuditRow:
        """A call as the audit has it."""
        self.intake.file()
        row = self.audit.get(call)
        assert row is not None
        return row

    def unfinished(self) -> list[Unfinished]:
        """Calls that the audit leaves open."""
        self.intake.file()
        return self.audit.unfinished()

    def rows(self) -> list[Row]:
        return list(views.snapshot(self.engine).rows)

    def rule_rows(self) -> list[RuleRow]:
        return list(views.rules(self.engine))

    @property
    def status(self) -> Status:
        return views.status(self.engine)

    def accept(self, edit: OutsideEdit, *, accept: bool = True) -> Reply:
        """The person's answer to an edit from outside."""
        return self.do(AcceptEdit(edit.hash, accept))

    def decide(
        self, held: Held, *, allow: bool = True, reason: str = "", remember: Remember | None = None
    ) -> Reply:
        """The person's answer to what is on screen."""
        decision = Decide(held.row.id, held.digest, held.revision, allow, reason, remember)
        return self.do(decision)


class Talk:
    """One session: the agent's side and the server's."""

    def __init__(
        self,
        wall: Wall,
        *,
        server: str = "notes",
        client: str = "claude-code",
        directory: str = "",
        version: str = "2025-11-25",
        tools: list[Json] | None = None,
        after: Talk | None = None,
    ) -> None:
        """`after` is the session that a killed engine left behind."""
        self.wire = FakeWire() if after is None else after.wire
        self._client, self._version = client, version
        self._tools = TOOLS if tools is None else tools
        hello = Hello(server, directory=directory, agent_pid=7)
        self._mark = 0 if after is None else after._mark
        self.live = wall.engine.open(hello, self.wire, self.wire.memory)

    def open(self) -> None:
        """The handshake and the list of tools."""
        self.greet()
        self.asks(request("list", "tools/list"))
        self.answers(result("list", tools=self._tools))
        self.got()
        self.forwarded()

    def greet(self) -> None:
        """The handshake alone."""
        info = {"name": self._client, "version": "1"}
        hello = {"protocolVersion": self._version, "capabilities": {}, "clientInfo": info}
        self.asks(request("init", "initialize", hello))
        self.answers(
            result("init", protocolVersion=self._version, capabilities={}, serverInfo=info)
        )
        self.asks(note("notifications/initialized"))
        self.got()
        self.forwarded()

    def asks(self, *messages: Json | bytes) -> None:
        """The agent writes these, all at once."""
        self._mark = self.live.engine.last_call
        self.live.from_client([_line(message) for message in messages])

    def recovers(self, *messages: Json | bytes) -> None:
        """The engine finds these, which the one before it had read from the agent."""
        self.live.recovered([_line(message) for message in messages], self._mark)
        self.live.resumed()

    def answers(self, *messages: Json | bytes) -> None:
        """The server writes these, all at once."""
        self.live.from_server([_line(message) for message in messages])

    def got(self) -> list[Json]:
        """What has come to the agent since it last looked."""
        return [json.loads(line) for line in self.wire.take("agent")]

    def forwarded(self) -> list[Json]:
        """What has come to the server since it last looked."""
        return [json.loads(line) for line in self.wire.take("server")]

    def refusal(self) -> Json:
        """The one message that has come to the agent; nothing came to the server."""
        (message,) = self.got()
        assert self.forwarded() == []
        assert message["result"]["isError"] is True
        return message


def _line(message: Json | bytes) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message).encode()
