"""Sessions: each connection of an agent to a server, what it did lately, and how to stop it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from textual import on, work

from mcpwall.engine import port_sessions
from mcpwall.text import column, fit
from mcpwall.tui.activity import Counts, counts, curve
from mcpwall.tui.mirror import Part as Changed
from mcpwall.tui.review.layout import safe, wrap
from mcpwall.tui.review.panels import rule
from mcpwall.tui.screens.listing import ListScreen
from mcpwall.tui.timing import clock, lasted
from mcpwall.tui.widgets.lines import filled
from mcpwall.tui.widgets.panel import Panel
from mcpwall.tui.widgets.pick_list import PickList, Selected
from mcpwall.tui.widgets.text_lines import TextLines
from mcpwall.tui.words import short_agent

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.tui.keys import Action
    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.widgets.lines import Line, Part

SPAN_MS = 10 * 60 * 1000  # of the counts and the curve
_LOOK_BACK = 20_000  # calls that are counted for them at most
_BROAD = 110  # cells from which all columns have room
_SLIM, _NARROW = 60, 80  # below these there are no counts, or no curve
_NONE = Counts()


class SessionList(PickList[port_sessions.SessionRow]):
    """The sessions, known by their ids; `counts` are of the last `span_ms`."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, Counts] = {}
        self.span_ms = SPAN_MS

    def key_of(self, item: port_sessions.SessionRow) -> str:
        """Its id."""
        return item.id

    def _widths(self) -> tuple[int, int, int]:
        """Cells for agent, server and curve."""
        room = self.size.width
        if room < _NARROW:
            return (10, 10, 0) if room >= _SLIM else (room // 2 - 8, room // 2 - 4, 0)
        return (20, 22, 20) if room >= _BROAD else (12, 12, max(5, room - 78))

    def heading(self) -> Line:
        """The names of the columns."""
        agent, server, cells = self._widths()
        named = f" {'AGENT':{agent}} {'SERVER':{server}} STATE    "
        outcomes = f"{'✓':>7}{'✗':>6}{'~':>6}{'!':>6}" if self.size.width >= _SLIM else ""
        span = "10 MIN" if self.span_ms == SPAN_MS else lasted(self.span_ms / 1000)
        lately = f" WAIT  {span:{cells}} SINCE" if cells else ""
        return [(named + outcomes + lately, "dim")]

    def item_line(self, item: port_sessions.SessionRow) -> Line:
        """A session."""
        agent, server, cells = self._widths()
        word, style = state(item)
        count = self.counts.get(item.id, _NONE)
        now_ms = self.wall.now() * 1000
        bars = curve(count.moments, now_ms, self.span_ms, cells)
        faint = "dim" if item.ended else ""
        parts: list[Part] = [
            (f" {filled(short_agent(item.agent, agent), agent)} ", faint),
            (f"{column(item.server, server)} ", faint or "strong"),
            (f"{word:9}", style),
        ]
        if self.size.width < _SLIM:
            return parts
        parts += [
            (f"{count.passed:>7,}", faint or "ok"),
            (f"{count.refused:>6,}", faint or "bad"),
            (f"{count.limited:>6,}", faint or "warn"),
            (f"{count.failed:>6,}", faint or "bad"),
        ]
        if not cells:
            return parts
        return [
            *parts,
            (f" {item.held or '':>4}  ", "waiting"),
            (f"{bars:{cells}} ", "accent"),
            (lasted(now_ms / 1000 - item.since_ms / 1000), "dim"),
        ]


def state(item: port_sessions.SessionRow) -> tuple[str, str]:
    """How a session stands: a sign with a word, and a style."""
    if item.ended:
        return "○ ended", "dim"
    if item.paused:
        return "■ paused", "alarm"
    return "● live", "ok"


class SessionsScreen(ListScreen):
    """The table, and all about the selected session."""

    scope = "sessions"
    DEFAULT_CSS = """
    SessionsScreen TextLines { height: 9; }
    SessionsScreen.-low TextLines { height: 7; }
    SessionsScreen.-tiny TextLines { height: 4; }
    """

    def body(self) -> ComposeResult:
        """The table, then the selected session."""
        yield SessionList()
        yield Panel(id="about")
        yield TextLines(says_more=True)

    def on_screen_resume(self) -> None:
        """Shown again."""
        super().on_screen_resume()
        self._show()

    def changed(self, changes: Changes) -> None:
        """Sessions came, went, or called."""
        if self.is_current and changes.parts & Changed.SESSIONS:
            self._show()

    def tick(self) -> None:
        """The curves move on."""
        self._show()

    def why_off(self, action: Action) -> str:
        """What cannot be done with the selected session, and why."""
        row = self.query_one(SessionList).selected
        if action.scope == self.scope and action.name in ("pause", "cut", "calls"):
            if row is None:
                return "there is no session"
            if row.ended and action.name != "calls":
                return "this session is over"
        return super().why_off(action)

    # --- drawing --------------------------------------------------------------------------------

    def _show(self) -> None:
        if not self.query("#about"):
            return
        table, now_ms = self.query_one(SessionList), int(self.wall.now() * 1000)
        newest = islice(reversed(self.mirror.rows.values()), _LOOK_BACK)
        table.counts = counts(newest, now_ms - SPAN_MS)
        table.span_ms = SPAN_MS
        if sum(len(count.moments) for count in table.counts.values()) == _LOOK_BACK:
            oldest = min(count.moments[-1] for count in table.counts.values())
            table.span_ms = max(1_000, now_ms - oldest)
        table.show(
            sorted(self.mirror.sessions.values(), key=lambda s: (bool(s.ended), s.agent, s.server))
        )
        self._draw()

    @on(Selected)
    def _draw(self) -> None:
        row, room = self.query_one(SessionList).selected, self.size.width
        lines: list[Line] = [[("  no agent is connected", "dim")]]
        title = ""
        if row:
            title = fit(f"{row.agent} → {row.server}", room // 2)
            lines = self._about(row, room)
        self.query_one("#about", Panel).show([rule(title, "", room, "title")])
        self.query_one(TextLines).show(lines)

    def _about(self, row: port_sessions.SessionRow, room: int) -> list[Line]:
        since, pid = clock(row.since_ms, self.wall.zone), f" pid {row.pid}" if row.pid else ""
        parts = [
            ("client", safe(f"{row.client} {row.client_version}".strip() or "not said yet")),
            ("protocol", safe(row.protocol or "not agreed yet")),
            ("server", safe(f"{row.server} ({row.transport})") + pid),
            ("directory", safe(row.directory)),
            ("session", f"{safe(row.id)}, since {since}, {row.calls:,} calls"),
            ("ended", safe(row.ended)),
        ]
        lines: list[Line] = []
        for name, text in parts:
            for number, part in enumerate(wrap(text, room - 14) if text else ()):
                lines.append([(f"  {name if number == 0 else '':10} ", "accent"), (part, "")])
        return lines

    # --- keys -----------------------------------------------------------------------------------

    def do_calls(self) -> None:
        """The calls of this session alone."""
        if row := self.query_one(SessionList).selected:
            self.wall.filter_calls(f'session:"{row.id}"')

    def do_pause(self) -> None:
        """Let none of its calls pass, or let it go on."""
        if row := self.query_one(SessionList).selected:
            self._pause(row)

    def do_cut(self) -> None:
        """End the session, after a confirm."""
        if row := self.query_one(SessionList).selected:
            self._cut(row)

    @work
    async def _pause(self, row: port_sessions.SessionRow) -> None:
        question = "Let this session call tools again?"
        if not row.paused or await self.wall.confirm(question, "The rules decide, as before."):
            await self.wall.tell(port_sessions.PauseSession(row.id, not row.paused))

    @work
    async def _cut(self, row: port_sessions.SessionRow) -> None:
        because = "Its server is stopped. The agent loses these tools until it starts them again."
        who = safe(f"{row.agent} → {row.server}")
        if await self.wall.confirm("Cut this session off?", who, because):
            await self.wall.tell(port_sessions.CutSession(row.id))
