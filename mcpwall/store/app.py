"""`[app]` and `[keys]`: how the app looks, how it calls for a person, and its keys.

Apart from the rest of the config: the app reads these alone, and the first paint waits for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mcpwall.store.forms import Reader, choice, flag, named, table, text

THEMES: Final = ("dark", "light", "contrast")
NOTIFIES: Final = ("osc9", "osc777", "off")


class AppConfig(msgspec.Struct, frozen=True):
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


def keys(value: Any) -> dict[str, str]:
    """Action ids to keys; `calls.follow = "F"` is the same with and without quotes."""
    flat: dict[str, Any] = {}
    for scope, inner in value.items() if isinstance(value, dict) else ():
        if isinstance(inner, dict):
            flat |= {f"{scope}.{name}": held for name, held in inner.items()}
        else:
            flat[scope] = inner
    return named(text, text)(flat if isinstance(value, dict) else value)
