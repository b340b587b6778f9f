"""How notices look, how many stand at once, and for how long. Pure.

They lie over lists alone: below the strip of waiting calls, and above the filter and the keys.
Where calls are decided on, screens keep them in a place of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mcpwall.engine.port import NoticeEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.geometry import Size
    from textual.notifications import SeverityLevel

CSS: Final = """
ToastRack { overflow: hidden; margin-bottom: 2; }
Toast { width: 60; max-width: 100%; max-height: 5; margin-top: 0; padding: 0 1; }
"""
_SEVERITIES: Final[dict[str, SeverityLevel]] = {"warning": "warning", "error": "error"}
_SIGNS: Final = {"warning": "▲ ", "error": "✗ "}
_INFO_S = 3.0  # how long what is no trouble is shown
_MOST, _MOST_SMALL = 3, 2
_SMALL = (60, 16)  # cells across and down below which there is room for few


def most(size: Size) -> int:
    """How many may stand at once on a screen of this size."""
    small = size.width < _SMALL[0] or size.height < _SMALL[1]
    return _MOST_SMALL if small else _MOST


def newest(notices: Sequence[NoticeEvent], most: int) -> list[NoticeEvent]:
    """At most so many, the newest; with a word of the others where there are more."""
    if len(notices) <= most:
        return list(notices)
    told = notices[len(notices) - most + 1 :]
    before = len(notices) - len(told)
    return [*told, NoticeEvent("info", f"and {before} notices before; see the engine's log")]


def signed(text: str, level: str) -> str:
    """The text behind the sign of its level: no colour says it alone."""
    return _SIGNS.get(level, "") + text


def severity(level: str) -> SeverityLevel:
    """Textual's word for a level."""
    return _SEVERITIES.get(level, "information")


def seconds(level: str) -> float | None:
    """How long one is shown; None for as long as the app shows trouble."""
    return None if level in _SEVERITIES else _INFO_S
