"""Calling for a person who looks elsewhere: terminal title, bell, desktop notification. Pure.

Only our own words and numbers go into what a terminal obeys; nothing foreign does (P10). A call
that comes to wait rings once; more of them within a while do not ring again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

PAUSE_S = 10.0  # between two calls for the person

_BELL = "\x07"
_NOTIFY = {
    "osc9": "\x1b]9;{}\x07",
    "osc777": "\x1b]777;notify;mcpwall;{}\x07",
    "off": "",
}
KEEP_TITLE = "\x1b[22;2t"  # xterm: push the window's title
PUT_TITLE_BACK = "\x1b[23;2t"  # and pop it


class Calling:
    """What to send to the terminal as calls come to wait."""

    def __init__(self, *, bell: bool, notify: str) -> None:
        self._bell = bell
        self._notify = _NOTIFY[notify]
        self._known: frozenset[int] = frozenset()
        self._rung_at = -PAUSE_S
        self._title = self._away = ""

    def step(self, waiting: Collection[int], now_s: float, *, focused: bool) -> str:
        """The sequences for these waiting calls; `focused`: the person is at this terminal.

        `now_s` is any steady time.
        """
        fresh = set(waiting) - self._known
        self._known = frozenset(waiting)
        sent = self._titled(len(waiting))
        if fresh and now_s - self._rung_at >= PAUSE_S:
            self._rung_at = now_s
            sent += _BELL if self._bell else ""
            if not focused:
                sent += self._notify.format(_words(len(waiting)))
        return sent

    def away(self, words: str) -> str:
        """The title while the engine is gone or silent, in `words` of our own; "": it is back."""
        self._away = words
        return self._titled(len(self._known))

    def _titled(self, count: int) -> str:
        title = f"({count}) mcpwall: {_words(count)}" if count else "mcpwall"
        if self._away:
            title = f"mcpwall: {self._away}"
        if title == self._title:
            return ""
        self._title = title
        return f"\x1b]2;{title}\x07"


def _words(count: int) -> str:
    return "a call waits for you" if count == 1 else f"{count} calls wait for you"
