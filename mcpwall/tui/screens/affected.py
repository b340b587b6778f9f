"""The calls whose verdict a change of the rules would have changed, listed one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.call_list import CallLine
from mcpwall.tui.columns import call_line, columns
from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.widgets.frame import Footer
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.engine.port_rules import Previewed
    from mcpwall.tui.widgets.lines import Line


class AffectedScreen(WallModal):
    """Lists what `previewed` says, as far as the app knows the calls."""

    scope = "affected"
    DEFAULT_CSS = "AffectedScreen { background: $background; }"

    def __init__(self, previewed: Previewed) -> None:
        super().__init__()
        self._previewed = previewed

    def compose(self) -> ComposeResult:
        """The list and the keys that move it."""
        yield TextLines(says_more=True)
        yield Footer()

    def on_resize(self) -> None:
        """Draw it for this width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        told = self._previewed
        groups = (
            ("NEWLY ALLOWED", told.allowed, "warn"),
            ("WOULD BE ASKED", told.asked, "waiting"),
            ("WOULD BE LIMITED", told.limited, "warn"),
            ("WOULD BE DENIED", told.denied, "bad"),
            ("MATCHED", told.matched, "title"),
        )
        lines: list[Line] = []
        for title, calls, style in groups:
            if calls:
                lines += [[(f" {title}: {len(calls):,}", style)], *self._calls(calls), []]
        nothing: Line = [(" no call of the last ones would have been judged otherwise", "dim")]
        self.query_one(TextLines).show(lines or [nothing])

    def _calls(self, calls: tuple[int, ...]) -> list[Line]:
        """The newest first; those that the app has forgotten are counted."""
        widths = columns(self.size.width)
        rows = [self.mirror.rows[call] for call in reversed(calls) if call in self.mirror.rows]
        lines: list[Line] = [call_line(CallLine(r, [r.id]), widths, self.wall.zone) for r in rows]
        if forgotten := len(calls) - len(rows):
            lines.append([(f"   and {forgotten:,} that are only in the record", "dim")])
        return lines

    def do_up(self) -> None:
        """One line up."""
        self.query_one(TextLines).scroll(-1)

    def do_down(self) -> None:
        """One line down."""
        self.query_one(TextLines).scroll(1)

    def do_page_up(self) -> None:
        """One page up."""
        self.query_one(TextLines).scroll(2 - self.size.height)

    def do_page_down(self) -> None:
        """One page down."""
        self.query_one(TextLines).scroll(self.size.height - 2)
