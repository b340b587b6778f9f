"""What is shown before the first call: what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import work

from mcpwall.text import fit, visible
from mcpwall.tui.review.layout import wrap
from mcpwall.tui.widgets.lines import Line, LineWidget

if TYPE_CHECKING:
    from mcpwall.tui.app import WallApp

_FIRST: tuple[Line, ...] = ((("Nothing has called a tool yet.", "strong"),), ())
_SAID: tuple[Line, ...] = (
    (("change first, and `mcpwall uninstall` takes it back):", ""),),
    (),
    (("  mcpwall init", "accent"),),
    (),
    (("To guard one by hand, put the wall in front of its command there:", ""),),
    (),
    (("  mcpwall stdio git -- uvx mcp-server-git", "accent"),),
    (),
    (("Calls appear here as they happen. Those that change something wait for", ""),),
    (("you, unless a rule says otherwise.", ""),),
    (),
    (("To look around first, in another terminal (a pretend agent, nothing real):", ""),),
    (),
    (("  mcpwall demo", "accent"),),
)
_AGAIN: Line = (("The app attaches again by itself as soon as there is one.", "dim"),)
_INDENT = 4


class EmptyState(LineWidget):
    """Words in place of the table."""

    DEFAULT_CSS = "EmptyState { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._unguarded = 0
        self._asked = False

    def on_show(self) -> None:
        """On screen: find out how many servers the wall could guard."""
        if not self._asked:
            self._asked = True
            self._count()

    @work(thread=True)
    def _count(self) -> None:
        self._unguarded = cast("WallApp", self.app).unguarded()
        self.app.call_from_thread(self.refresh)

    def _offer(self) -> Line:
        """Which servers `mcpwall init` is for."""
        if not self._unguarded:
            return [("To guard the servers that your agents have in their files (it shows the", "")]
        many = "1 server" if self._unguarded == 1 else f"{self._unguarded:,} servers"
        does = "does" if self._unguarded == 1 else "do"
        return [
            (f"{many} of your agents {does} not pass the wall yet", "waiting"),
            (". To guard (it shows the", ""),
        ]

    def line(self, y: int) -> Line:
        """A line of advice, below some air; the rules' file last."""
        wall = cast("WallApp", self.app)
        room = self.size.width - 2 * _INDENT
        said = [*_FIRST, self._offer(), *_SAID]
        if wall.engine_gone:
            rows = wrap(visible(wall.engine_gone), room)
            said = [(("No engine.", "alarm"),), (), *(((row, ""),) for row in rows), (), _AGAIN]
        elif wall.mirror.status:
            config = fit(wall.mirror.status.config, room - 7)
            said += [(), (("Rules: ", "dim"), (config, "dim"))]
        at = y - max(0, (self.size.height - len(said)) // 3)
        return [(" " * _INDENT, ""), *said[at]] if 0 <= at < len(said) else []
