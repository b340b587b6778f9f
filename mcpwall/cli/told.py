"""What `mcpwall watch` has said, so that nothing is said twice or left out where engines change.

An engine numbers its own events alone. What the one before it had no time to tell, and what it
told already, shows when the next one's snapshot is held against this. Pure: values in, values out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mcpwall.engine import port, port_calls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mcpwall.engine.port_rules import RuleRow
    from mcpwall.model import Rule

CALLS: Final = 5_000  # calls that are over and remembered: more than a snapshot has
_UNDER_WAY: Final = (port_calls.HELD, port_calls.RESERVING, port_calls.RUNNING)


class Told:
    """Remembers what was said of calls, sessions, rules and the engine.

    `engine` is the one that was followed last, by the number before its first event, None at first;
    `seq` the number of its last event that was told.
    """

    def __init__(self) -> None:
        self.engine: int | None = None
        self.seq = 0
        self._status: port.Status | None = None
        self._under_way: dict[int, port_calls.State] = {}  # calls by number
        self._over: dict[int, port_calls.State] = {}
        self._newest = 0
        self._waiting: set[int] = set()  # calls that were said to wait for a person
        self._agents: dict[str, str] = {}  # of live sessions
        self._rules: list[Rule] = []

    def begin(self, snapshot: port.Snapshot) -> None:
        """Tell nothing of what `snapshot` says, only what comes after it."""
        self.engine, self.seq = snapshot.first, snapshot.seq
        for event in events(snapshot):
            self.take(event)

    def follow(self, engine: int) -> None:
        """Go on with this engine: behind what it told last, or from its first event."""
        if engine != self.engine:
            self.engine = self.seq = engine

    def take(self, event: port.Event) -> bool:
        """Remember that `event` is told. False if the last line about the same thing said as much.

        A call always differs; what is said of sessions and rules leaves out their counts.
        """
        match event:
            case port.RowEvent(row=row):
                self._take_call(row)
            case port.HeldEvent(held=held):
                self._waiting.add(held.row.id)
            case port.ReleasedEvent(call=call):
                self._waiting.discard(call)
            case port.StatusEvent(status=status):
                self._status = status
            case port.RulesEvent(rules=rules):
                before, self._rules = self._rules, _written(rules)
                return before != self._rules
            case port.SessionEvent(session=session):
                agent = self._agents.pop(session.id, None)
                if not session.ended:
                    self._agents[session.id] = session.agent
                    return agent != session.agent
        return True

    def knows(self, event: port.Event) -> bool:
        """Whether `event` repeats what was told, maybe by an engine before the one it is from."""
        match event:
            case port.RowEvent(row=row):
                state = self._under_way.get(row.id) or self._over.get(row.id)
                return state == row.state
            case port.HeldEvent(held=held):
                return held.row.id in self._waiting
            case port.StatusEvent(status=status):
                return status == self._status
            case port.RulesEvent(rules=rules):
                return _written(rules) == self._rules
            case port.SessionEvent(session=session):
                return not session.ended and self._agents.get(session.id) == session.agent
        return False

    def reaches(self, rows: Sequence[port_calls.Row]) -> bool:
        """Whether no call came between the last one that was told and these, oldest first."""
        later = [row.id for row in rows if row.id > self._newest]
        return not later or later[0] == self._newest + 1

    def _take_call(self, row: port_calls.Row) -> None:
        self._newest = max(self._newest, row.id)
        if row.state in _UNDER_WAY:
            self._under_way[row.id] = row.state
            return
        self._under_way.pop(row.id, None)
        self._waiting.discard(row.id)
        self._over[row.id] = row.state
        if len(self._over) > CALLS:
            del self._over[next(iter(self._over))]


def events(snapshot: port.Snapshot) -> Iterator[port.Event]:
    """All that a snapshot says, as the events that would have told it."""
    yield port.StatusEvent(snapshot.status)
    yield port.RulesEvent(snapshot.rules)
    yield from (port.SessionEvent(session) for session in snapshot.sessions)
    yield from (port.RowEvent(row) for row in snapshot.rows)
    yield from (port.HeldEvent(held) for held in snapshot.held)


def _written(rules: Iterable[RuleRow]) -> list[Rule]:
    return [row.rule for row in rules]
