"""The mistakes in a rules file that does not load, each with the rule in force that it concerns.

Which rule that is can only be told by the text: by the table that the line stands in, and the id
that is written there, else by its place among as many tables as the last good file has.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from mcpwall.engine.port_rules import Mistake

if TYPE_CHECKING:
    from mcpwall.store.config import Config, ConfigError

_RULE: Final = re.compile(r"[ \t]*\[\[[ \t]*rules[ \t]*\]", re.ASCII)
_TABLE: Final = re.compile(r"[ \t]*\[(?![ \t]*rules\.)", re.ASCII)  # any but one within a rule
_ID: Final = re.compile(r"[ \t]*id[ \t]*=")


def mistakes(
    error: ConfigError, path: str, good: Config | None, *, project: bool = False
) -> tuple[Mistake, ...]:
    """All that `error` found in the file `path`. `good`: the file as it last loaded, if it did."""
    lines = error.text.split("\n") if error.text else []
    return tuple(
        Mistake(one.file, path, one.line, one.what, one.fix, _rule(lines, one.line, good), project)
        for one in error.errors
    )


def _rule(lines: list[str], line: int, good: Config | None) -> str:
    """The id of the rule in force whose table `line` (from 1) stands in; "" if it is in none."""
    heads = [at for at, text in enumerate(lines, 1) if _RULE.match(text)]
    place = bisect_right(heads, line) - 1
    if good is None or not line or place < 0:
        return ""
    head = heads[place]
    end = next((at for at in range(head, len(lines)) if _TABLE.match(lines[at])), len(lines))
    if line > end:
        return ""
    known = {table.id for table in good.tables}
    for text in lines[head:end]:
        if _ID.match(text):
            written = _id(text)
            return written if written in known else ""
    return good.tables[place].id if len(heads) == len(good.tables) else ""


def _id(text: str) -> str:
    try:
        written = tomllib.loads(text)["id"]
    except tomllib.TOMLDecodeError:
        return ""
    return written if isinstance(written, str) else ""
