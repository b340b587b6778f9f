"""The forms that a value in the config can have, each as a reader from TOML data to ours.

A reader takes what `tomllib` made of a value and returns what the wall works with, or raises
`BadValueError` with everything that is wrong inside it. Pure, and light to import: the app reads
its own keys by these before its first paint. Those of numbers stand in `store.quantities`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from mcpwall.store.toml_lines import Path

Reader: TypeAlias = Callable[[Any], Any]


class Problem(NamedTuple):
    """One thing that is wrong: where (keys from the table that was read), what, and the fix.

    `what` continues the name of the key ("must be …") where `subject` has one. `meant` is a word
    that nobody knows, and the words that would be known in its place.
    """

    path: Path
    what: str
    fix: str = ""
    subject: str | None = ""
    meant: tuple[str, Collection[str]] | None = None

    def text(self) -> str:
        """The problem as a sentence."""
        return f"{self.subject} {self.what}" if self.subject else self.what

    def advice(self) -> str:
        """What to do, as far as one can tell; looking for the word that was meant takes time."""
        return nearest(*self.meant) if self.meant else self.fix

    def under(self, key: str) -> Problem:
        """The same, seen from the table that holds `key`."""
        subject = self.subject
        if subject is not None:
            subject = f"{key}.{subject}" if subject else key
        return self._replace(path=(key, *self.path), subject=subject)

    def under_rule(self, number: int) -> Problem:
        """The same, seen from the whole file; the line says which rule it is."""
        subject = "a rule" if self.subject == "" else self.subject
        return self._replace(path=("rules", number, *self.path), subject=subject)


class BadValueError(ValueError):
    """A value that does not have the form that its key needs; `problems` says all of it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.text() for problem in problems))
        self.problems = problems


def bad(what: str, fix: str = "") -> BadValueError:
    """The error of one value as a whole."""
    return BadValueError(Problem((), what, fix))


def table(
    keys: Mapping[str, Reader], name: str, *, required: Collection[str] = ()
) -> Callable[[Any], dict[str, Any]]:
    """A reader of tables with these keys; the result has those that were given.

    `name` is how errors call the table.
    """

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise bad(f"must be a table, not {kind(value)}")
        read: dict[str, Any] = {}
        problems: list[Problem] = []
        for key, inner in value.items():
            if key not in keys:
                problems.append(unknown_key(key, keys, name))
                continue
            try:
                read[key] = keys[key](inner)
            except BadValueError as error:
                problems += [problem.under(key) for problem in error.problems]
        for key in required:
            if key not in value:
                problems.append(Problem((), f"the key {key!r} is missing in {name}", "", None))
        if problems:
            raise BadValueError(*problems)
        return read

    return read


def named(check: Reader, reader: Reader) -> Callable[[Any], dict[str, Any]]:
    """A reader of tables whose keys are names that the person chose; `check` reads a name."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise bad(f"must be a table, not {kind(value)}")
        read: dict[str, Any] = {}
        problems: list[Problem] = []
        for key, inner in value.items():
            try:
                read[check(key)] = reader(inner)
            except BadValueError as error:
                problems += [problem.under(key) for problem in error.problems]
        if problems:
            raise BadValueError(*problems)
        return read

    return read


def unknown_key(key: str, known: Collection[str], name: str) -> Problem:
    """That nobody knows `key`."""
    what = f"unknown key {shown(key)} in {name}"
    return Problem((key,), what, subject=None, meant=(key, known))


def text(value: Any) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise bad(f"must be a string, not {kind(value)}")
    return value


def flag(value: Any) -> bool:
    """True or false, not a number."""
    if not isinstance(value, bool):
        raise bad(f"must be true or false, not {kind(value)}")
    return value


def choice(values: Collection[str]) -> Callable[[Any], str]:
    """A reader of one of these strings."""
    options = [str(value) for value in values]

    def read(value: Any) -> str:
        if text(value) not in options:
            what = f"must be one of {', '.join(options)}, not {shown(value)}"
            raise BadValueError(Problem((), what, meant=(value, options)))
        return str(value)

    return read


def patterns(value: Any) -> tuple[str, ...]:
    """One string or a list of them.

    An empty list is refused: it reads like "nothing", but no pattern means "everything".
    """
    items = value if isinstance(value, list) else [value]
    if not items:
        raise bad("is an empty list, which matches nothing", "leave the key out to match all")
    for item in items:
        if not isinstance(item, str):
            raise bad(f"must be a string or a list of strings, not {kind(item)}")
        if item in ("", "!"):
            raise bad(f"has an empty pattern, {shown(item)}", 'write "*" to match all')
    return tuple(items)


def plain(value: Any) -> Any:
    """JSON data: what an argument of a call can be compared with."""
    match value:
        case str() | bool() | int():
            return value
        case float():
            if not math.isfinite(value):
                raise bad(f"must be a finite number, not {value}")
            return value
        case list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case _:
            raise bad(f"must be JSON data, not {kind(value)}", "write it as a string")


def json_object(value: Any) -> Any:
    """A JSON object."""
    if not isinstance(value, dict):
        raise bad(f"must be an object, not {kind(value)}")
    return value


def kind(value: Any) -> str:
    """What TOML calls this value."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def shown(value: str) -> str:
    """A foreign word inside a message: quoted, control characters escaped, not too long."""
    limit = 60
    return repr(value if len(value) <= limit else value[: limit - 1] + "…")


def nearest(word: str, known: Collection[str]) -> str:
    """A question with the known word that was probably meant; "" when none is near."""
    found = difflib.get_close_matches(word.lower()[:60], known, n=1)
    return f"did you mean {found[0]!r}?" if found else ""
