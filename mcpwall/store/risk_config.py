"""`[servers.NAME.risk]`: the classes of risk that a person gives to tools, by their exact names.

A name is written as in a rule, where some signs are written in brackets: `a[*]` is the tool `a*`. A
pattern is refused: a class is a word on a tool that the person knows.
"""

from __future__ import annotations

from typing import Any

from mcpwall.model import Risk
from mcpwall.policy.match import GlobError, is_literal, literal_text
from mcpwall.store.forms import BadValueError, Problem, bad, choice, named, shown


def risks(value: Any) -> dict[str, Risk]:
    """Classes by the names of tools as written, of which no two mean the same tool."""
    read = _table(value)
    if not read:
        raise bad("is empty", "leave it out where no class is set")
    keys: dict[str, str] = {}
    for key in read:
        if (other := keys.setdefault(literal_text(key), key)) is not key:
            what, fix = f"means the same tool as {shown(other)}", "keep one of them"
            raise BadValueError(Problem((key,), what, fix, shown(key)))
    return read


def _name(value: str) -> str:
    try:
        single = bool(value) and not value.startswith("!") and is_literal(value)
    except GlobError as error:
        raise bad(f"is no name of a tool ({error})") from None
    if not single:
        raise bad("names no single tool", "set a class for each tool by its exact name")
    return value


def _class(value: Any) -> Risk:
    return Risk(choice([risk for risk in Risk if risk is not Risk.UNKNOWN])(value))


_table = named(_name, _class)
