"""Keys and values as TOML on one line, as the app writes them into a file that people read.

Names of tools and arguments are foreign: what an editor does not show as it is (controls, signs
that turn the direction of text or have no width) is written as an escape. Pure.
"""

from __future__ import annotations

import json
from typing import Any

import tomlkit
from tomlkit.items import Item, Key, KeyType, SingleKey, String, StringType, Trivia

from mcpwall.text import visible


class TableError(ValueError):
    """A rule that cannot be written, or edited as it is written; the text says what to do."""


def key(name: str) -> Key:
    """A key as it is written."""
    if visible(name) == name:
        return tomlkit.key(name)
    return SingleKey(name, KeyType.Basic, original=f'"{_escaped(name)}"')


def item(value: Any) -> Item:
    """A value as it is written. Raises TableError."""
    match value:
        case None:
            raise TableError("TOML has no null; compare with another value, or use exists")
        case dict():
            inline = tomlkit.inline_table()
            for name, inner in value.items():
                inline.append(key(name), item(inner))
            return inline
        case list() | tuple():
            array = tomlkit.array()
            for inner in value:
                array.append(item(inner))
            return array
        case str() if visible(value) != value:
            return String(StringType.SLB, value, _escaped(value), Trivia())
        case str() if "\\" in value and "'" not in value:
            return tomlkit.string(value, literal=True)  # a regular expression stays readable
        case _:
            plain: Item = tomlkit.item(value)
            return plain


def _escaped(text: str) -> str:
    """What stands between the quotes of a basic string; TOML 1.0, "String".

    Half a character has no escape either: it stays, and is refused where the text is loaded.
    """
    return "".join(
        char if visible(char) == char or "\ud800" <= char <= "\udfff" else _escape(char)
        for char in json.dumps(text, ensure_ascii=False)[1:-1]
    )


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004 - 4 hex digits
