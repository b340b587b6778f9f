"""All keys, from the table that handles them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.keys import shown
from mcpwall.tui.review.layout import prose
from mcpwall.tui.screens.sheet import Sheet

if TYPE_CHECKING:
    from mcpwall.tui.keys import Action, KeyMap
    from mcpwall.tui.widgets.lines import Line, Part

TITLES = {
    "app": "EVERYWHERE",
    "calls": "CALLS",
    "call": "FULL VIEW OF A CALL",
    "review": "REVIEW",
    "decide": "SEVERAL CALLS, OR A CHANGED TOOL",
    "edit": "EDITING THE ARGUMENTS OF A CALL",
    "rules": "RULES",
    "form": "RULE FORM",
    "sheet": "TWO CALLS COMPARED, OR WHAT A RULE IS ABOUT",
    "servers": "SERVERS AND TOOLS",
    "sessions": "SESSIONS",
    "audit": "AUDIT",
    "agents": "AGENTS' CONFIG FILES",
    "risk": "THE RISK OF A TOOL",
}
_SIGNS: tuple[Line, ...] = (
    (("SIGNS", "title"),),
    (("  ✓ ", "ok"), ("let through and answered   ", ""), ("? ", "waiting"), ("waits for you", "")),
    (("  ✗ ", "bad"), ("refused                    ", ""), ("> ", "accent"), ("running", "")),
    (("  ~ ", "warn"), ("limit or budget used up    ", ""), ("! ", "bad"), ("failed, or lost", "")),
    (("  - ", "dim"), ("withdrawn by the agent     ", ""), ("▲ ", "warn"), ("look twice", "")),
    (("  ‹ESC› ‹U+202E› ", "warn"), ("a character that a terminal would obey or hide", "")),
)
_REVIEW = (
    "A key decides only alone, and 0.6 s after the call was drawn; one that allows, only once its "
    "arguments were on screen to the end. Enter, space, y, a paste and clicks never decide."
)
_EXAMPLE: Line = [('"calls.follow" = "F"', "accent")]
_KEYS_CELLS = 16
_IDS_FROM = 100  # cells
_PROSE = 84  # cells of a sentence
_HELP_MIN = 16


def help_lines(keys: KeyMap, scope: str, room: int) -> list[Line]:
    """The keys of a screen first, then those that work everywhere, then the other screens'.

    Action ids, which `[keys]` takes, are shown where there is room for them.
    """
    first = [scope] if scope in TITLES else []
    order = [*first, *(name for name in TITLES if name not in first)]
    lines: list[Line] = []
    for name in order:
        if lines:
            lines.append([])
        lines.append([(TITLES[name], "title")])
        for action in keys.of(name):
            lines += _action(action, room)
        lines += [[(f"  {part}", "dim")] for part in prose(_REVIEW, min(room, _PROSE) - 4)
                  if name == "review"]  # fmt: skip
    return [*lines, [], *_SIGNS, [], [("Move keys in [keys] of config.toml: ", "dim"), *_EXAMPLE]]


def _action(action: Action, room: int) -> list[Line]:
    """An action, its words broken where they do not fit; its id where there is room for it."""
    keys = "  ".join(shown(key) for key in action.keys)
    first, *more = prose(action.help, max(_HELP_MIN, room - _KEYS_CELLS - 3))
    said: list[Part] = [(f"  {keys:{_KEYS_CELLS}}", "accent"), (f"{first:60}", "")]
    if room >= _IDS_FROM:
        said.append((action.id, "dim"))
    return [said, *([(" " * (_KEYS_CELLS + 2) + part, "")] for part in more)]


class HelpScreen(Sheet):
    """The keys, beginning with those of the screen `about`."""

    scope = "help"

    def __init__(self, about: str) -> None:
        super().__init__()
        self._about = about

    def lines(self, room: int) -> list[Line]:
        """The keys of every screen."""
        return help_lines(self.wall.keys, self._about, room)
