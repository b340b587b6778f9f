"""The filter under the calls: shown as a line, edited in place, in force as soon as it parses."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.containers import Container
from textual.message import Message

from mcpwall.query import Query, QueryError, parse
from mcpwall.text import fit
from mcpwall.tui.completion import FilterSuggester
from mcpwall.tui.widgets.entry import Entry
from mcpwall.tui.widgets.lines import Line, LineWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.widgets import Input

    from mcpwall.engine.port_calls import Row
    from mcpwall.tui.app import WallApp
    from mcpwall.tui.mirror import Mirror


class FilterEntry(Entry):
    """Takes a filter; tab takes what it may go on with, as the arrow to the right does."""

    def __init__(self, mirror: Mirror, placeholder: str = "") -> None:
        super().__init__(compact=True, placeholder=placeholder, suggester=FilterSuggester(mirror))

    def on_key(self, event: events.Key) -> None:
        """Tab completes; it does not leave the line."""
        if event.key == "tab":
            event.stop()
            event.prevent_default()
            if self.cursor_position == len(self.value):
                self.action_cursor_right()


class _Said(LineWidget):
    """The filter in force; while one is typed, only the key before it."""

    DEFAULT_CSS = "_Said { height: 1; width: 1fr; }"
    text, style = "", "dim"

    def say(self, text: str, style: str) -> None:
        """Show something else."""
        self.text, self.style = text, style
        self.refresh()

    def line(self, y: int) -> Line:
        """The one line."""
        del y
        key = cast("WallApp", self.app).keys.key("app.filter")
        return [(f" {key} ", "accent"), (fit(self.text, self.size.width - 4), self.style)]


class FilterLine(Container):
    """One line. `Changed` is posted when another filter is in force."""

    DEFAULT_CSS = """
    FilterLine { height: 1; layout: horizontal; }
    FilterLine Entry { display: none; width: 1fr; height: 1; border: none; padding: 0; }
    FilterLine.-editing Entry { display: block; }
    FilterLine.-editing _Said { width: 3; }
    """
    _IDLE = "filter: verdict!=allow or risk>=write"

    class Changed(Message):
        """`keep` says which calls pass; None means all."""

        def __init__(self, keep: Callable[[Row], bool] | None) -> None:
            super().__init__()
            self.keep = keep

    def __init__(self) -> None:
        super().__init__()
        self._text = ""

    def compose(self) -> ComposeResult:
        """A line to read and an input to type."""
        yield _Said()
        wall = cast("WallApp", self.app)
        yield FilterEntry(wall.mirror)

    def on_mount(self) -> None:
        """Nothing is filtered yet."""
        self.query_one(_Said).say(self._IDLE, "dim")

    def edit(self) -> None:
        """Begin to type."""
        self.add_class("-editing")
        self.query_one(_Said).say("", "dim")
        self.query_one(Entry).focus()

    def put(self, text: str) -> None:
        """Put a filter in force as if it had been typed."""
        self.query_one(Entry).value = text
        self._done(text)
        self._say()

    @property
    def text(self) -> str:
        """The filter in force."""
        return self._text

    def on_key(self, event: events.Key) -> None:
        """Escape takes the filter away; whatever else is not typing goes on to the screen."""
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.query_one(Entry).value = ""
            self._done("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter puts the filter in force and leaves it in sight."""
        event.stop()
        self._done(event.value.strip())

    def on_descendant_blur(self) -> None:
        """Clicked elsewhere: what was in force stays."""
        self.remove_class("-editing")
        self._say()

    def _done(self, text: str) -> None:
        try:
            query = parse(text) if text else None
        except QueryError as error:
            cast("WallApp", self.app).say(str(error), "warning")
            return
        self._text = text
        self.screen.set_focus(None)
        self.post_message(self.Changed(self._keep(query)))

    def _keep(self, query: Query | None) -> Callable[[Row], bool] | None:
        if query is None:
            return None
        now = cast("WallApp", self.app).now
        return lambda row: query.matches(row, int(now() * 1000))

    def _say(self) -> None:
        self.query_one(_Said).say(self._text or self._IDLE, "" if self._text else "dim")
