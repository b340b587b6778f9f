"""The calls that the engine remembers: each one's record, and the newest of them for the screen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mcpwall.engine.port import Totals
from mcpwall.engine.port_calls import HELD, RESERVING, Row, State
from mcpwall.engine.port_timing import Timing
from mcpwall.model import ALLOW, Call, Cause, Verdict
from mcpwall.policy.seen import Before
from mcpwall.store.records import RELEASED, Grounds, Intent, Kind, Step, preview

if TYPE_CHECKING:
    from mcpwall.engine.clock import Clock

KEPT: Final = 2_000  # records that are remembered, and that a new app is shown
ANSWER: Final = 4_096  # bytes of an answer that are kept, in memory alone
WHOLE: Final = 4_096  # bytes of arguments that are kept once a call is over


class Record:
    """One call and what became of it so far. The engine alone changes it.

    `json` are the arguments, compact, as long as they are known; `size` is of all of them, in
    bytes. `request` is a `protocol.requests.Request` while the call is under way, then None.
    """

    started_ns: int = 0  # when it was forwarded
    note: str = ""
    answer: bytes = b""  # the start of what the agent got
    answer_size: int = 0
    subject: str = ""  # what is shown for `call.tool`, where that holds a secret
    shown: bytes = b""  # the arguments with secrets hidden, where there are any
    start: str = ""  # of the arguments as a table shows them, once only their start is kept
    original: bytes = b""  # what the agent had sent, where a person edited the arguments
    written_ns: int = 0  # when its verdict on arrival was about to be written down
    decided_ns: int = 0  # when it waited no more
    stages: tuple[int | None, int | None] = (None, None)  # of a restored one: judged, waited (us)

    def __init__(
        self,
        call: Call,
        verdict: Verdict,
        json: bytes,
        state: State,
        request: Any = None,
    ) -> None:
        self.call = call
        self.verdict = verdict
        self.json = json
        self.size = len(json)
        self.state = state
        self.request = request
        self.took_us: int | None = None
        self.grounds: Grounds | None = None  # what its verdict on arrival was made from
        self.before: Before | None = None  # what its agent had done, until the call itself counts
        self.sent: tuple[Call, bytes] | None = None  # as the agent had it: call, `shown`

    def intent(self, steady_ns: int) -> Intent:
        """What is written down of the call before it goes anywhere.

        One that waits for the shared store is on record as held, with a verdict that allows it.
        """
        self.written_ns = steady_ns
        state = HELD if self.state is RESERVING else self.state
        call, grounds = self.call, self.grounds
        if self.shown or self.subject:  # nothing of what is hidden goes along
            call = msgspec.structs.replace(call, arguments={}, tool=self.subject or call.tool)
            if grounds is not None:
                grounds = msgspec.structs.replace(grounds, paths=(), masked=True)
        return Intent(
            *(call, self.verdict, state._value_, self.request.id, self.visible, steady_ns),
            *(grounds, self.size),
        )

    @property
    def whole(self) -> bool:
        """Whether the arguments are still known as they are."""
        return self.size == len(self.json)

    @property
    def visible(self) -> bytes:
        """The arguments as they may be written down and shown."""
        return self.shown or self.json

    def step(self, kind: Kind, clock: Clock, *, by: str = "", note: str = "") -> Step:
        """What is written down of one more thing that happened to the call, now."""
        edit = self.original and kind is RELEASED
        judged = kind in (RELEASED, Kind.REFUSED)
        now_ns = clock.steady_ns()
        if kind is not Kind.LOST:
            self.decided_ns = now_ns
        return Step(
            self.call.id,
            kind,
            clock.wall_ms(),
            now_ns,
            verdict=self.verdict if judged else None,
            by=by,
            note=note,
            arguments_json=self.visible if edit else None,
            digest=self.call.digest if edit else None,
            risk=self.call.risk if judged else None,
        )

    def told(self, line: bytes) -> None:
        """The agent has got this for an answer."""
        self.answer, self.answer_size = line[:ANSWER], len(line)

    def timing(self) -> Timing:
        """Where its time went, as far as that is known."""
        if not self.written_ns:
            return Timing(*self.stages, server_us=self.took_us)
        last_ns = self.decided_ns or self.written_ns
        return Timing(
            (self.written_ns - self.grounds.now_ns) // 1000 if self.grounds else None,
            (self.decided_ns - self.written_ns) // 1000 if self.decided_ns else None,
            (self.started_ns - last_ns) // 1000 if self.started_ns else None,
            self.took_us,
        )

    def over(self, state: State) -> None:
        """Nothing more will come: keep no more of large arguments than their start."""
        self.state = state
        self.request = None
        self.trim()

    def trim(self) -> None:
        """The arguments are needed no more: keep the start of large ones."""
        if len(self.json) > WHOLE:
            self.start = preview(self.visible)
            self.call = msgspec.structs.replace(self.call, arguments={})
            self.json, self.shown = self.json[:WHOLE], self.shown[:WHOLE]
            if self.request is not None:
                self.request.arguments = {}

    def row(self) -> Row:
        """The record as it stands, for a table."""
        call = self.call
        return Row(
            call.id,
            call.at_ms,
            call.session,
            call.agent,
            call.client,
            call.server,
            call.method,
            self.subject or call.tool,
            call.risk,
            self.start or preview(self.visible),
            self.size,
            call.digest,
            self.verdict,
            self.state,
            self.took_us,
            self.note,
            bool(self.original),
        )


class Records:
    """The newest records by number, and the counts since the engine started."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Record] = OrderedDict()
        self._calls = self._allowed = self._denied = self._limited = self._errors = 0
        self.held = 0

    def add(self, record: Record) -> None:
        """Remember a new call; the oldest of too many is forgotten."""
        self._calls += 1
        self._kept[record.call.id] = record
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def restore(self, record: Record) -> None:
        """Remember a call of before the engine started: it is not counted, unless it goes on."""
        self._kept[record.call.id] = record

    def adopted(self, *, forwarded: bool) -> None:
        """Count a call of before that goes on: what becomes of it will be counted too."""
        self._calls += 1
        self._allowed += forwarded

    def allowed(self) -> None:
        """Count a call that was forwarded."""
        self._allowed += 1

    def refused(self, verdict: Verdict) -> None:
        """Count a call that was refused."""
        if verdict.cause in (Cause.LIMIT, Cause.BUDGET):
            self._limited += 1
        elif verdict.action is not ALLOW:
            self._denied += 1

    def failed(self) -> None:
        """Count an answer that is an error."""
        self._errors += 1

    def get(self, call: int) -> Record | None:
        """The record of a call, if it is still remembered."""
        return self._kept.get(call)

    def newest(self, count: int) -> list[Record]:
        """The newest records, oldest first."""
        picked: list[Record] = []
        for record in reversed(self._kept.values()):
            if len(picked) == count:
                break
            picked.append(record)
        return picked[::-1]

    def older(self, before: int, count: int) -> tuple[list[Record], int]:
        """At most `count` records of calls before number `before`, oldest first; how many are left.

        They are the newest of those.
        """
        known = [record for record in self._kept.values() if record.call.id < before]
        return known[-count:], max(0, len(known) - count)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._kept.values())

    def totals(self) -> Totals:
        """The counts."""
        return Totals(
            self._calls, self._allowed, self._denied, self._limited, self._errors, self.held
        )
