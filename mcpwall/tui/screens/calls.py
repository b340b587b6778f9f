"""The calls as they happen: what waits, the live table, and all about the selected call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.containers import Container, Vertical

from mcpwall.text import visible
from mcpwall.tui import detail, marked
from mcpwall.tui.call_list import CallList
from mcpwall.tui.detail import Known
from mcpwall.tui.lookup import look_up
from mcpwall.tui.marks import Marks
from mcpwall.tui.mirror import Part
from mcpwall.tui.narrowing import Narrowing
from mcpwall.tui.screens.base import WallScreen
from mcpwall.tui.widgets.calls_table import CallsTable
from mcpwall.tui.widgets.divider import Divider
from mcpwall.tui.widgets.empty import EmptyState
from mcpwall.tui.widgets.filter import FilterLine
from mcpwall.tui.widgets.status import StatusLine
from mcpwall.tui.widgets.text_lines import TextLines
from mcpwall.tui.widgets.waiting import WaitingStrip
from mcpwall.tui.words import BEYOND_RULES

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.tui.keys import Action
    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.widgets.lines import Line

_AIRY = 12  # rows from which the detail has empty lines between its sections
_OF_MARKED = ("rule", "diff", "copy")  # actions on the marked calls, where there are any
_NEED_ONE = (*_OF_MARKED, "open", "reason", "keep", "drop", "raw", "mark")
_PANE_MAX = 32_768  # bytes of arguments that the detail beside the table shows
STANDS = 2  # frames: whoever is selected for fewer is gone before a person could read of it


class CallsScreen(WallScreen):
    """The live table."""

    scope = "calls"
    DEFAULT_CSS = """
    CallsScreen #middle { layout: vertical; height: 1fr; }
    CallsScreen #list { height: 1fr; width: 1fr; }
    CallsScreen Divider { height: 1; }
    CallsScreen #pane { height: 6; }
    CallsScreen.-narrow.-low .detail, CallsScreen.-slim.-low .detail { display: none; }
    CallsScreen.-tiny .detail { display: none; }
    CallsScreen.-beside #middle, CallsScreen.-broad #middle { layout: horizontal; }
    CallsScreen.-beside Divider, CallsScreen.-broad Divider { width: 1; height: 1fr; }
    CallsScreen.-beside #pane { width: 41; height: 1fr; }
    CallsScreen.-broad #pane { width: 63; height: 1fr; }
    CallsScreen.-tall WaitingStrip { height: 5; }
    CallsScreen.-empty #middle { display: none; }
    CallsScreen EmptyState { display: none; }
    CallsScreen.-empty EmptyState { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: Known | None = None
        self._due: Known | None = None  # what is to be asked next
        self._asking = False
        self._stood = STANDS  # frames for which the selected call has been that
        self._raw = False
        self._diff = False
        self._narrowing = Narrowing()

    def body(self) -> ComposeResult:
        """Strip, table with detail, filter."""
        self.calls = CallList(self.mirror)
        self.marks = Marks()
        self.table = CallsTable(self.calls, self.marks)
        self.pane = TextLines(says_more=True)
        self.pane.id = "pane"
        self.pane.add_class("detail")
        self.divider = Divider()
        self.divider.add_class("detail")
        self.strip = WaitingStrip()
        self.status = StatusLine(self.calls, self.marks)
        self.filter = FilterLine()
        yield self.strip
        yield EmptyState()
        with Container(id="middle"):
            with Vertical(id="list"):
                yield self.table
                yield self.status
            yield self.divider
            yield self.pane
        yield self.filter

    def on_mount(self) -> None:
        """Begin with what the mirror knows by now."""
        self.calls.start_over()
        self._list_changed()

    # --- what changes under it ------------------------------------------------------------------

    def changed(self, changes: Changes) -> None:
        """Take in what happened, draw what it touches."""
        if changes.reset:
            self.calls.start_over()
        elif changes.rows:
            self.calls.update(changes.rows)
        if changes.parts & Part.HELD:
            self.strip.refresh()
        if changes.parts & (Part.ROWS | Part.HELD):
            self._list_changed()

    def refresh_frame(self) -> None:
        """The words in place of the table speak of the engine too."""
        super().refresh_frame()
        self._words_or_table()
        self.query(EmptyState).refresh()

    def on_screen_resume(self) -> None:
        """Shown again: an agent may have been guarded meanwhile."""
        super().on_screen_resume()
        self.query_one(EmptyState).look()

    def tick(self) -> None:
        """Countdowns move."""
        if self.mirror.waiting:
            self.strip.refresh()
            self.table.refresh()

    def on_resize(self) -> None:
        """Another width wraps in another way."""
        self.call_after_refresh(self._draw_detail)

    def on_calls_table_selected(self) -> None:
        """Selected by mouse."""
        self._list_changed()

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Another filter is in force."""
        self.calls.filter(event.keep)
        self._list_changed()

    def edit_filter(self) -> None:
        """Begin to type a filter."""
        self.filter.edit()

    def put_filter(self, text: str) -> None:
        """Put a filter in force."""
        self.filter.put(text)

    def _list_changed(self) -> None:
        self._words_or_table()
        self.table.refresh()
        self.status.refresh()
        self._load()

    def _words_or_table(self) -> None:
        """Words in place of the table, once it is known that there is nothing in it."""
        known = self.mirror.status is not None or bool(self.wall.engine_gone)
        self.set_class(known and not self.mirror.rows, "-empty")

    # --- the selected call ----------------------------------------------------------------------

    def frame(self) -> None:
        """A call that is still selected is asked for, if it was not at once."""
        if self._stood < STANDS:
            self._stood += 1
            if self._stood == STANDS:
                self._ask()

    def _load(self) -> None:
        """Draw what is known of the selected call, and ask for the rest.

        While calls pour in and the newest is followed, the rest is asked for once one stays.
        """
        row = self.calls.current()
        before = self._known.row if self._known else None
        if row is before:
            return
        held = self.mirror.held.get(row.id) if row else None
        self._known = Known(row, held.arguments if held else None) if row else None
        same = before is not None and row is not None and row.id == before.id
        if same or not self.calls.following or self._stood == STANDS:
            self._ask()
        if not same:
            self._stood = 0
            self.pane.to_start()
        self._draw_detail()

    def _ask(self) -> None:
        if self._known and not self._known.asked:
            self._due = self._known
            if not self._asking:
                self._asking = True
                self.run_worker(self._look_up(), name="details")

    async def _look_up(self) -> None:
        """One question at a time, until the selected call is known."""
        try:
            while asked := self._due:
                self._due = None
                known = await look_up(self.wall, asked.row)
                if self._known is asked:
                    self._known = known
                    self._draw_detail()
        finally:
            self._asking = False

    def _draw_detail(self) -> None:
        room = self.pane.size.width
        self.pane.show(self._detail(self._known, room) if self._known and room else ())

    def _detail(self, known: Known, room: int) -> list[Line]:
        if known.row.size > _PANE_MAX:  # the full view has it
            known = replace(known, arguments=None)
        arguments = detail.arguments(known, room, raw=self._raw)
        changes = detail.changes(known, room)
        middle = [changes, arguments] if self._diff else [arguments, changes]
        middle.insert(0, detail.edit(known, room))
        sections = [detail.head(known, room, self.wall.zone), *middle, detail.answer(known, room)]
        return detail.paragraphs(sections, airy=self.pane.size.height > _AIRY)

    # --- actions --------------------------------------------------------------------------------

    def why_off(self, action: Action) -> str:
        """Most actions need a selected call; some take the marked ones in its place."""
        if action.scope != self.scope:
            return super().why_off(action)
        if action.name in ("paste", "demo") and self.mirror.rows:
            return "there are calls already; `mcpwall demo` works in another terminal"
        many = len(self.marks)
        if action.name == "diff" and many not in (0, marked.TWO):
            return f"it compares two marked calls; {many} marked"
        if action.name in _NEED_ONE and not (many and action.name in _OF_MARKED):
            return super().why_off(action) if self.calls.lines else "there is no call yet"
        return super().why_off(action)

    def _move(self, by: int) -> None:
        self.calls.move(by)
        self._list_changed()

    def do_up(self) -> None:
        """One call up."""
        self._move(-1)

    def do_down(self) -> None:
        """One call down."""
        self._move(1)

    def do_page_up(self) -> None:
        """One page up."""
        self._move(-self.table.page())

    def do_page_down(self) -> None:
        """One page down."""
        self._move(self.table.page())

    def do_first(self) -> None:
        """To the oldest call."""
        self.calls.select(0)
        self._list_changed()

    def do_last(self) -> None:
        """To the newest call, and follow."""
        self.calls.follow()
        self._list_changed()

    def do_follow(self) -> None:
        """Follow the newest call, or stay on this one."""
        if self.calls.following:
            self._move(0)
        else:
            self.do_last()

    def do_raw(self) -> None:
        """Arguments as raw JSON, or a field a line."""
        self._raw = not self._raw
        self._draw_detail()

    def do_mark(self) -> None:
        """Mark the selected call, or no more; stays on it."""
        self.calls.move(0)  # a call that is followed would move away under the mark
        if (at := self.calls.index()) is not None:
            self.marks.toggle(self.calls.lines[at])
        self._list_changed()

    def do_unmark(self) -> None:
        """Unmark all calls."""
        self.marks.clear()
        self._list_changed()

    def do_diff(self) -> None:
        """What changed first, or the arguments first; between two calls where they are marked."""
        if self.marks:
            self.run_worker(marked.compare(self.wall, self.marks.rows))
            return
        if self._known and self._known.asked and self._known.before is None:
            self.wall.say("no call like it before this one")
            return
        self._diff = not self._diff
        self._draw_detail()

    def do_copy(self) -> None:
        """The arguments as JSON to the clipboard; of all marked calls where there are any."""
        if self.marks:
            self.run_worker(marked.copy(self.wall, self.marks.rows))
        elif self._known:
            self.run_worker(self._copy(self._known))

    async def _copy(self, known: Known) -> None:
        if not known.asked:
            known = await look_up(self.wall, known.row)
        self.wall.copy(detail.as_json(known), f"arguments of call {known.row.id}")

    def do_open(self) -> None:
        """The whole call; one that waits opens in Review."""
        row = self.calls.current()
        if row and row.id in self.mirror.held:
            self.wall.review_call(row.id)
        elif row:
            self.wall.show_call(row)

    def do_rule(self) -> None:
        """A rule from this call, or from the marked ones."""
        if self.marks:
            self.run_worker(marked.rule(self.wall, self.marks.rows))
        elif row := self.calls.current():
            self.wall.rule_from(row)

    def do_reason(self) -> None:
        """The rule that made this verdict; where none did, what would have let the call through."""
        row = self.calls.current()
        if row and row.verdict.rules:
            self.wall.show_rule(row.verdict.rules[0])
        elif row and (beyond := BEYOND_RULES.get(row.verdict.cause)):
            why, action = beyond
            key = f"{self.wall.keys.key(action)} {self.wall.keys[action].name}"
            self.wall.say(f"{why}, whatever the rules say: {key}", "warning")
        elif row:
            self.wall.exception_for(row)

    def do_paste(self) -> None:
        """A command that guards a server, to the clipboard."""
        self.wall.copy(visible(self.query_one(EmptyState).command), "command")

    def do_demo(self) -> None:
        """Pretend agents at work; then back here."""
        self.wall.play_demo()

    def do_keep(self) -> None:
        """Only calls of this tool; again: of its server, its agent, with its verdict."""
        if row := self.calls.current():
            self.filter.put(self._narrowing.keep(self.filter.text, row))

    def do_drop(self) -> None:
        """No calls of this tool, or none of those that were just kept."""
        if row := self.calls.current():
            self.filter.put(self._narrowing.drop(self.filter.text, row))
