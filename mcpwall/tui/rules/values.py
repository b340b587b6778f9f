"""Values of a rule as a person types them: text in, TOML data out, and back. Pure.

Only the form is decided here; whether a value makes sense is for the engine to say. Every value
that is shown reads back as exactly itself.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from mcpwall.text import visible

OPERATORS = (
    "equals", "not_equals", "in", "not_in", "contains", "not_contains", "glob", "not_glob",
    "regex", "not_regex", "gt", "gte", "lt", "lte", "length", "exists", "under", "not_under",
    "host", "not_host", "equals_json", "secret",
)  # fmt: skip  # docs/rules.md, "Operators"
_OF_TEXTS = ("contains", "glob", "regex", "under", "host", "json")  # the last word of their names
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/|per)\s*(.+)")
_UNITS = {"second": "1s", "minute": "1m", "hour": "1h", "day": "1d"}


class TypedError(ValueError):
    """Something typed that has no meaning; the text says what to write."""


def read_names(text: str) -> str | list[str] | None:
    """One pattern, or several separated by commas; None for nothing.

    A pattern with a comma in it is written in a JSON list.
    """
    text = text.strip()
    if not text:
        return None
    listed = _json(text)
    if isinstance(listed, list) and all(isinstance(name, str) for name in listed):
        return listed
    names = [name.strip() for name in text.split(",")]
    return [name for name in names if name] if len(names) > 1 else text


def write_names(value: Any) -> str:
    """The text of a `server` or `tool` key."""
    if value is None:
        return ""
    plain = ", ".join(value) if isinstance(value, list) else str(value)
    if read_names(plain) == value and visible(plain) == plain:
        return plain
    return _as_json(value if isinstance(value, list) else [value])


def read_value(op: str, text: str) -> Any:
    """What an operator compares with: JSON where it reads as such, else the text itself.

    For operators on texts only a JSON list or a JSON string is taken as JSON.
    """
    value = _json(text)
    if op.endswith(_OF_TEXTS):
        return value if isinstance(value, str | list) else text
    return text if value is None else value


def write_value(op: str, value: Any) -> str:
    """The text of a condition's value."""
    if isinstance(value, str) and read_value(op, value) == value and visible(value) == value:
        return value
    return _as_json(value)


def read_rate(text: str) -> tuple[int | float, Any]:
    """Number and window of "10 per 60", "10 per 2h", "10/minute". Raises TypedError."""
    found = _RATE.fullmatch(text.strip())
    if not found:
        raise TypedError('write a number and a window, such as "10 per 60s" or "100 per 1h"')
    return _number(found[1]), read_window(found[2].strip())


def write_rate(number: Any, window: Any) -> str:
    """The text of a limit."""
    return f"{number} per {write_window(window)}"


def read_window(text: str) -> Any:
    """A length of time: "30m", "hour", or a number of seconds."""
    length = _UNITS.get(text, text)
    return _number(length) if length.isdecimal() else length


def write_window(window: Any) -> str:
    """The text of a length of time."""
    return f"{window}s" if isinstance(window, int | float) else visible(str(window))


def _as_json(value: Any) -> str:
    """JSON that is safe to show: characters that would be spelled out are escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return text if visible(text) == text else json.dumps(value)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _json(text: str) -> Any:
    """What the text says as JSON; None where it is none."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    if math.isfinite(number := float(digits)):
        return number
    raise ValueError(f"{digits} is too large")
