r"""Arguments as text that a person can edit, and back again. Pure.

The text is JSON in which every character can be seen: what a terminal would obey or hide stands as
its JSON escape, `\u001b` or `\u202e`, so that the text says exactly what will run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from mcpwall.text import masked

if TYPE_CHECKING:
    from mcpwall.model import JsonObject


# What `json` says where a text ends to be JSON, in words that say what to write there.
_MENDED: Final = (
    ("Expecting value", "a value belongs here; texts stand in double quotes"),
    (
        "Expecting property name",
        "a name in double quotes belongs here; after the last value no comma",
    ),
    ("Expecting ','", "a comma, or the closing bracket, belongs here"),
    ("Expecting ':'", "a colon belongs between a name and its value"),
    ("Unterminated string", "the text that begins here has no closing quote"),
    ("Invalid control character", r"a line end within a text is written \n, a tab \t"),
    ("Invalid \\", r"a backslash within a text is written \\"),
    ("Illegal trailing comma", "no comma stands before a closing bracket"),
    ("Extra data", "nothing may follow the last bracket"),
)


class WrittenError(ValueError):
    """The text is no object of arguments; says what is wrong and where.

    `place` is the line and column of a mistake in the JSON, counted from 0, where one is known.
    """

    def __init__(self, text: str, place: tuple[int, int] | None = None) -> None:
        super().__init__(text)
        self.place = place


def write(arguments: JsonObject) -> str:
    """The arguments as indented JSON, safe to show."""
    return escaped(json.dumps(arguments, indent=2, ensure_ascii=False))


def escaped(text: str) -> str:
    """Text as it may stand in the editor: each character that cannot be seen as its JSON escape."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return "".join(
        char if char == "\n" or masked(char) == char else json.dumps(char)[1:-1] for char in text
    )


def read(text: str) -> JsonObject:
    """The arguments that a person wrote. Raises WrittenError."""
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite
        )
        text.encode()
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        mended = next((say for start, say in _MENDED if error.msg.startswith(start)), error.msg)
        text = f"the arguments are JSON, and this is none at {where}: {mended}"
        raise WrittenError(text, (error.lineno - 1, error.colno - 1)) from None
    except UnicodeEncodeError:
        raise WrittenError("half of a surrogate pair is no character; write both halves") from None
    except RecursionError:
        raise WrittenError("the arguments nest too deeply") from None
    except ValueError as error:  # from the hooks below, or a number of too many digits
        raise WrittenError(str(error)) from None
    if not isinstance(value, dict):
        raise WrittenError('the arguments are one JSON object: write them as {"name": value, …}')
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key in found if sum(key == name for name, _ in pairs) > 1)
        raise WrittenError(f"{json.dumps(twice)} stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise WrittenError(f"{text} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise WrittenError(f"{text} is out of range")
    return number
