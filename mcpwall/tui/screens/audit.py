"""Audit: every call that was ever recorded, searched with the filter language.

The search goes through the record piece by piece, newest first, and says how far back it has
looked. What it finds is shown as it comes; nothing here waits for the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.widgets import Input

from mcpwall.engine import port, port_calls
from mcpwall.tui import detail
from mcpwall.tui.columns import columns, heading, stamped_line
from mcpwall.tui.lookup import look_up
from mcpwall.tui.review.layout import safe
from mcpwall.tui.review.panels import rule
from mcpwall.tui.rules.effect import trouble
from mcpwall.tui.screens.listing import ListScreen
from mcpwall.tui.timing import stamp
from mcpwall.tui.widgets.entry import Entry
from mcpwall.tui.widgets.filter import FilterEntry
from mcpwall.tui.widgets.panel import Panel
from mcpwall.tui.widgets.pick_list import PickList, Selected
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from mcpwall.tui.keys import Action
    from mcpwall.tui.widgets.lines import Line

PAGE = 200  # matches that are asked for at once
_STAMP = 6  # cells by which date and time are wider than the time alone


class FoundList(PickList[port_calls.Row]):
    """The calls that were found, known by their numbers."""

    def key_of(self, item: port_calls.Row) -> int:
        """Its number."""
        return item.id

    def heading(self) -> Line:
        """The names of the columns."""
        named = heading(columns(self.size.width - _STAMP))
        return [(" DATE " + named[0][0], "dim")]

    def item_line(self, item: port_calls.Row) -> Line:
        """A call with its date."""
        return stamped_line(item, columns(self.size.width - _STAMP), self.wall.zone)


class AuditScreen(ListScreen):
    """A filter, what it found in the record, and all about the selected call."""

    scope = "audit"
    DEFAULT_CSS = """
    AuditScreen Entry { height: 1; border: none; background: $panel; }
    AuditScreen Entry.-textual-compact { padding: 0 1; }
    AuditScreen Entry:focus { background: $cursor; }
    AuditScreen TextLines { height: 10; }
    AuditScreen.-low TextLines { height: 5; }
    AuditScreen.-tiny TextLines { height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._text = ""  # the filter in force
        self._found: list[port_calls.Row] = []
        self._before = 0  # where the search goes on; 0: it has not begun, or is at the end
        self._said: Line = ()
        self._begun = False

    def body(self) -> ComposeResult:
        """What is searched for, how far that is, what was found, and the selected call."""
        hint = "search the whole record: tool:delete_* since:7d"
        yield FilterEntry(self.mirror, placeholder=hint)
        yield Panel(id="progress")
        yield FoundList()
        yield Panel(id="about")
        yield TextLines(says_more=True)

    def on_screen_resume(self) -> None:
        """Shown for the first time: the newest calls."""
        super().on_screen_resume()
        if not self._begun:
            self._search("")
        self._draw()

    def why_off(self, action: Action) -> str:
        """What needs a call, or more of the record."""
        found = self.query_one(FoundList).selected
        if action.scope == self.scope and action.name in ("open", "copy", "rule") and not found:
            return "nothing was found"
        if action.scope == self.scope and action.name == "more" and not self._before:
            return "the whole record was searched"
        return super().why_off(action)

    # --- searching ------------------------------------------------------------------------------

    def do_search(self) -> None:
        """Type what to look for."""
        self.query_one(Entry).focus()

    def do_more(self) -> None:
        """Go on with the search."""
        self._go_on(len(self._found) + PAGE)

    def key_read(self, event: events.Key) -> bool:
        """Escape leaves the text as it is."""
        if event.key == "escape" and isinstance(self.focused, Entry):
            self.set_focus(None)
            return True
        return False

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_focus(None)
        self._search(event.value.strip())

    def _search(self, text: str) -> None:
        self._text, self._found, self._before, self._begun = text, [], 0, True
        self.query_one(FoundList).show(())
        self._go_on(PAGE)

    @work(group="search", exclusive=True)
    async def _go_on(self, enough: int) -> None:
        """Ask for piece after piece until there are enough matches, or no more calls."""
        while len(self._found) < enough:
            reply = await self.wall.send(port_calls.Search(self._text, self._before))
            if not isinstance(reply, port_calls.Found):
                text = reply.text if isinstance(reply, port.Refused) else "no answer"
                self._said, self._before = trouble(text, self.size.width)[0], 0
                break
            self._found += reply.rows
            self._before = reply.before
            self._tell(reply)
            self.query_one(FoundList).show(self._found)
            if not reply.before:
                break
        self._draw()

    def _tell(self, reply: port_calls.Found) -> None:
        many = f" {len(self._found):,} found"
        if not reply.before:
            self._said = [(many, "strong"), ("   the whole record was searched", "dim")]
            return
        key, back = self.wall.keys.key("audit.more"), stamp(reply.at_ms, self.wall.zone)
        self._said = [(many, "strong"), (f"   back to {back}   ", "dim"), (key, "accent"),
                      (" looks further", "dim")]  # fmt: skip
        self._draw()

    # --- the selected call ----------------------------------------------------------------------

    @on(Selected)
    def _draw(self) -> None:
        if self.query("#progress"):
            self.query_one("#progress", Panel).show([self._said])
            self._load()

    @work(group="details", exclusive=True)
    async def _load(self) -> None:
        row = self.query_one(FoundList).selected
        lines: list[Line] = []
        room = self.size.width
        if row:
            known = await look_up(self.wall, row)
            sections = [
                detail.head(known, room, self.wall.zone),
                detail.arguments(known, room, raw=False),
                detail.edit(known, room),
                detail.answer(known, room),
            ]
            lines = detail.paragraphs(sections, airy=False)
        named = f"CALL {row.id} · session {safe(row.session)}" if row else ""
        self.query_one("#about", Panel).show([rule(named, "", room, "title")])
        self.query_one(TextLines).show(lines)

    # --- keys -----------------------------------------------------------------------------------

    def do_page_up(self) -> None:
        """One page up."""
        self.query_one(FoundList).move_page(-1)

    def do_page_down(self) -> None:
        """One page down."""
        self.query_one(FoundList).move_page(1)

    def do_open(self) -> None:
        """The whole call."""
        if row := self.query_one(FoundList).selected:
            self.wall.show_call(row)

    def do_rule(self) -> None:
        """A rule from this call."""
        if row := self.query_one(FoundList).selected:
            self.wall.rule_from(row)
