"""The app's copy of what the engine told it, and what changed in it since the screen last asked.

Fed with snapshots and batches by the app, read by the screens. Knows no Textual, no clock and no
engine beyond the values of `engine.port`. Text in it is foreign and raw.
"""

from __future__ import annotations

import enum
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, assert_never

import msgspec

from mcpwall.engine import port, port_calls, port_rules, port_sessions, port_tools
from mcpwall.tui.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Iterable

ROWS_MAX = 100_000
_ROWS_SLACK = 1_000  # rows over the maximum are let go this many at a time
_RELEASED_MAX = 500
_SESSIONS_MAX = 500
_RATE_WINDOW_S = 10.0
_LOOK_BACK = 5_000


class Part(enum.Flag):
    """Which parts of a mirror changed."""

    NONE = 0
    ROWS = enum.auto()
    HELD = enum.auto()
    RULES = enum.auto()
    SESSIONS = enum.auto()
    SERVERS = enum.auto()
    TOTALS = enum.auto()
    STATUS = enum.auto()


ALL = ~Part.NONE


class Changes(msgspec.Struct, frozen=True):
    """What happened since the last `Mirror.drain`.

    `rows` are the new and changed calls in the order in which they were told; with `reset` the
    whole mirror is new and whoever built on it starts over.
    """

    parts: Part
    rows: tuple[port_calls.Row, ...] = ()
    notices: tuple[port.NoticeEvent, ...] = ()
    reset: bool = False


class Mirror:
    """Everything known of the engine. Read the attributes; change them by `take` and `apply`."""

    def __init__(self) -> None:
        self.seq = 0
        self.status: port.Status | None = None  # None until the first snapshot
        self.totals = port.Totals()
        self.rows: dict[int, port_calls.Row] = {}  # by call id, in the order of their coming
        self.oldest = 0  # calls with a smaller id were let go
        # by call id, the next to expire first, late ones last
        self.held: dict[int, port_calls.Held] = {}
        self.released: dict[int, str] = {}  # how calls that were held lately ended
        self.rules: tuple[port_rules.RuleRow, ...] = ()
        self.sessions: dict[str, port_sessions.SessionRow] = {}
        self.servers: dict[str, port_tools.ServerRow] = {}
        self.rates = Rates()
        self._counts: deque[tuple[float, int]] = deque()  # (seconds, calls so far)
        self._parts = Part.NONE
        self._rows: list[port_calls.Row] = []
        self._notices: list[port.NoticeEvent] = []
        self._reset = False

    @property
    def waiting(self) -> list[port_calls.Held]:
        """The calls that their agents wait for: all that are held, but for those too late."""
        return [held for held in self.held.values() if not held.late]

    def take(self, snapshot: port.Snapshot, now_s: float) -> None:
        """Start over from `snapshot`. `now_s` is any steady time in seconds, for the rate."""
        self.seq = snapshot.seq
        self.status = snapshot.status
        self.totals = snapshot.totals
        self.rows = {row.id: row for row in snapshot.rows[-ROWS_MAX:]}
        self.oldest = 0
        self.held = {held.row.id: held for held in snapshot.held}
        self._order_held()
        self.released = {}
        self.rules = snapshot.rules
        self.sessions = {session.id: session for session in snapshot.sessions}
        self.servers = {server.name: server for server in snapshot.servers}
        self.rates.start_over(snapshot.rows, snapshot.left)
        self._counts = deque([(now_s, snapshot.totals.calls)])
        self._parts = ALL
        self._rows = []
        self._reset = True

    def take_older(self, piece: port_calls.Rows) -> None:
        """Take in calls of before; what the feed has told of one already is newer."""
        older = {row.id: row for row in piece.rows if row.id >= self.oldest}
        self.rows = dict(sorted({**older, **self.rows}.items()))
        self.rates.start_over(tuple(self.rows.values()), piece.left)
        self._parts |= Part.ROWS
        self._reset = True

    def apply(self, batch: port.Batch, now_s: float) -> bool:
        """Take in a batch. False when it has a gap: nothing was taken in, get a new snapshot."""
        if batch.gap:
            return False
        self.seq = batch.seq
        if batch.totals != self.totals:
            self.totals = batch.totals
            self._parts |= Part.TOTALS
        self._counts.append((now_s, batch.totals.calls))
        self._forget_counts(now_s)
        for event in batch.events:
            self._apply(event)
        self._forget_rows()
        return True

    def drain(self) -> Changes:
        """What changed since the last call of `drain`."""
        parts = self._parts | Part.ROWS if self._rows else self._parts
        changes = Changes(parts, tuple(self._rows), tuple(self._notices), self._reset)
        self._parts, self._rows, self._notices, self._reset = Part.NONE, [], [], False
        return changes

    def rate(self, now_s: float) -> float:
        """Calls a second over the ten seconds before `now_s`, or since it is known."""
        self._forget_counts(now_s)
        if not self._counts:
            return 0.0
        first_s, calls = self._counts[0]
        return (self.totals.calls - calls) / min(_RATE_WINDOW_S, max(1.0, now_s - first_s))

    def previous_like(self, row: port_calls.Row) -> port_calls.Row | None:
        """The call of the same client to the same tool before `row`, looking back 5,000 calls."""
        for other in islice(reversed(self.rows.values()), _LOOK_BACK):
            if other.id < row.id and _kind(other) == _kind(row):
                return other
        return None

    def _forget_counts(self, now_s: float) -> None:
        """Keep the last count before the window as the one to compare with."""
        while len(self._counts) > 1 and self._counts[1][0] <= now_s - _RATE_WINDOW_S:
            self._counts.popleft()

    def _apply(self, event: port.Event) -> None:
        match event:
            case port.RowEvent(row=row):
                self._put_row(row)
            case port.HeldEvent(held=held):
                self.held[held.row.id] = held
                self._order_held()
                self._put_row(held.row)
                self._parts |= Part.HELD
            case port.ReleasedEvent(call=call, how=how):
                self.held.pop(call, None)
                self.released[call] = how
                if len(self.released) > _RELEASED_MAX:
                    del self.released[next(iter(self.released))]
                self._parts |= Part.HELD
            case port.RulesEvent(rules=rules):
                self.rules = rules
                self._parts |= Part.RULES
            case port.HitsEvent(hits=hits):
                self._count(hits)
                self._parts |= Part.RULES
            case port.SessionEvent(session=session):
                self.sessions[session.id] = session
                self._forget_sessions()
                self._parts |= Part.SESSIONS
            case port.ServerEvent(server=server):
                self.servers[server.name] = server
                self._parts |= Part.SERVERS
            case port.ForgottenEvent(server=name):
                self.servers.pop(name, None)
                self._parts |= Part.SERVERS
            case port.StatusEvent(status=status):
                self.status = status
                self._parts |= Part.STATUS
            case port.NoticeEvent():
                self._notices.append(event)
            case _:
                assert_never(event)

    def _count(self, hits: Iterable[port_rules.Hits]) -> None:
        now = {each.rule: each for each in hits}
        self.rules = tuple(
            msgspec.structs.replace(row, hits=told.hits, last_ms=told.last_ms)
            if (told := now.get(row.rule.id))
            else row
            for row in self.rules
        )

    def _put_row(self, row: port_calls.Row) -> None:
        if row.id < self.oldest:
            return
        if row.id not in self.rows:
            self.rates.note(row)
        self.rows[row.id] = row
        self._rows.append(row)

    def _forget_rows(self) -> None:
        """Let the oldest calls go, many at once."""
        if len(self.rows) > ROWS_MAX + _ROWS_SLACK:
            going = list(islice(self.rows, len(self.rows) - ROWS_MAX))
            for id_ in going:
                del self.rows[id_]
            self.oldest = max(self.oldest, max(going) + 1)

    def _forget_sessions(self) -> None:
        """Let the oldest of the ended sessions go when there are many."""
        if len(self.sessions) > _SESSIONS_MAX:
            ended = (session.id for session in self.sessions.values() if session.ended)
            if (oldest := next(ended, None)) is not None:
                del self.sessions[oldest]

    def _order_held(self) -> None:
        def order(item: tuple[int, port_calls.Held]) -> tuple[bool, int, int]:
            return (item[1].late, item[1].deadline_ms, item[0])

        by_deadline = sorted(self.held.items(), key=order)
        self.held = dict(by_deadline)


def _kind(row: port_calls.Row) -> tuple[str, str, str, str]:
    return (row.client, row.server, row.method, row.tool)
