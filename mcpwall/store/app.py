"""`[app]`: how the app looks, and how it calls for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcpwall.store.forms import Reader, choice, flag, table

THEMES: Final = ("dark", "light", "contrast")
NOTIFIES: Final = ("osc9", "osc777", "off")


@dataclass(frozen=True, slots=True)
class AppConfig:
    """`theme` is "" where the last one chosen in the app is to be used."""

    theme: str = ""
    bell: bool = True
    notify: str = "osc9"


APP: Final[Mapping[str, Reader]] = {
    "theme": choice(THEMES),
    "bell": flag,
    "notify": choice(NOTIFIES),
}


def app(value: Any) -> AppConfig:
    """Read `[app]`. Raises BadValueError."""
    return AppConfig(**table(APP, "[app]")(value))
