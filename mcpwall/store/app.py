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


def moved(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence where `[keys]` says something else: a key that denied could allow."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return (f"keys of the app do something else: {', '.join(names)}",) if names else ()


def own(config: str) -> tuple[dict[str, str], AppConfig]:
    """`[keys]` and `[app]` of a config file's text. Raises ValueError.

    Where no line begins with either name the text is not parsed: that would take longer than all
    else that the first paint waits for, if there are many rules.
    """
    if not any(map(_may_name_ours, config.splitlines())):
        return {}, AppConfig()
    import tomllib  # noqa: PLC0415 - start-up time: few need it

    tables = tomllib.loads(config)
    return keys(tables.get("keys", {})), app(tables.get("app", {}))


def _may_name_ours(line: str) -> bool:
    """Whether a line of TOML may begin a key or a table of ours; a key can hide in escapes."""
    begins = line.lstrip(" \t[\"'").startswith(("keys", "app"))
    return begins or "\\" in line.partition("=")[0]
