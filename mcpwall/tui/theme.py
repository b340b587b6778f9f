"""The app's colours, and the few styles in which lines are drawn.

A style never carries meaning alone: whatever it marks is also said by a sign and a word, so the
app reads the same with `NO_COLOR` and in monochrome terminals.
"""

from __future__ import annotations

from rich.style import Style
from textual.theme import Theme

DARK = Theme(
    name="mcpwall-dark",
    primary="#7aa2f7",
    secondary="#5a6b8c",
    accent="#7dcfff",
    foreground="#c8ccd4",
    background="#15171c",
    surface="#15171c",
    panel="#23262e",
    success="#8cc265",
    warning="#e5b567",
    error="#f07178",
    dark=True,
    variables={"asked": "#c49cf0", "faint": "#7d8594", "cursor": "#2c3444"},
)
LIGHT = Theme(
    name="mcpwall-light",
    primary="#1d4f9e",
    secondary="#6a7890",
    accent="#00698f",
    foreground="#22262e",
    background="#fbfbf9",
    surface="#fbfbf9",
    panel="#ebecea",
    success="#2f6f1d",
    warning="#8a5a00",
    error="#b3202c",
    dark=False,
    variables={"asked": "#6f36b5", "faint": "#6b7280", "cursor": "#d8e2f3"},
)
CONTRAST = Theme(
    name="mcpwall-contrast",
    primary="#ffffff",
    secondary="#ffffff",
    accent="#00ffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    success="#00ff00",
    warning="#ffff00",
    error="#ff8080",
    dark=True,
    variables={"asked": "#ff80ff", "faint": "#ffffff", "cursor": "#0000d0"},
)
THEMES = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST}

# Style name -> (theme colour, bold). Lines name their parts with these.
_COLOURS = {
    "": ("foreground", False),
    "strong": ("foreground", True),
    "dim": ("faint", False),
    "accent": ("accent", False),
    "title": ("primary", True),
    "ok": ("success", False),
    "bad": ("error", False),
    "warn": ("warning", False),
    "ask": ("asked", False),
    "alarm": ("error", True),
    "waiting": ("asked", True),
    "frame": ("secondary", False),
}

Palette = dict[str, Style]


def palette(theme: Theme) -> Palette:
    """The styles by name in one of THEMES; "cursor" is the background of the selected line."""
    styles = {
        name: Style(color=_colour(theme, colour), bold=bold or None)
        for name, (colour, bold) in _COLOURS.items()
    }
    return styles | {"cursor": Style(bgcolor=_colour(theme, "cursor"))}


def _colour(theme: Theme, name: str) -> str:
    return theme.variables.get(name) or str(getattr(theme, name))
