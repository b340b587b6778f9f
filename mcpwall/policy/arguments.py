r"""Argument paths: how a rule points into the arguments of a call.

`path` is an argument, `user.name` a field of one, `items[].url` that field of every element, `""`
the whole arguments object, and `any` every text anywhere in it. A name that has a dot, a bracket
or a backslash is written with backslashes (`user\.name`), and an argument that is really called
`any` as `\any`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from mcpwall.model import JsonObject

ANY = "any"
LEAVES_MAX = 10_000  # values that one path yields; a call with more cannot be evaluated
TWINS_MAX = 1_000  # fields of an object among which one in other letter case is looked for


class Gap(enum.Enum):
    """What stands where a path leads to no value."""

    MISSING = enum.auto()  # an object on the way has no such field
    BROKEN = enum.auto()  # something on the way is no object or no list, or there are too many


Leaves: TypeAlias = Callable[[JsonObject], "list[Any]"]
_Member: TypeAlias = Callable[[JsonObject, str], Any]


class PathError(ValueError):
    """An argument path that cannot be read; the text says what is wrong with it."""


def compile_path(path: str) -> Leaves:
    """A function from arguments to the values at `path`, `Gap`s included. Raises PathError.

    A path without `[]` yields exactly one value; one with `[]` none for an empty list.
    """
    if path == ANY:
        return _texts
    steps = parse_path(path)
    if not steps:
        return lambda arguments: [arguments]
    if len(steps) == 1 and (name := steps[0]) is not None:
        return lambda arguments: [arguments.get(name, Gap.MISSING)]
    return lambda arguments: _follow(arguments, steps, _member)


def compile_presence(path: str) -> Leaves:
    """`compile_path` for who asks whether a field is there. Raises PathError.

    One that is there in other letter case alone, which some servers take for it, is BROKEN.
    """
    steps = parse_path(path)
    return lambda arguments: _follow(arguments, steps, _member_or_twin)


def _member(fields: JsonObject, name: str) -> Any:
    return fields.get(name, Gap.MISSING)


def _member_or_twin(fields: JsonObject, name: str) -> Any:
    if name in fields:
        return fields[name]
    if len(fields) > TWINS_MAX:
        return Gap.BROKEN
    folded = name.casefold()
    return Gap.BROKEN if any(key.casefold() == folded for key in fields) else Gap.MISSING


def parse_path(path: str) -> tuple[str | None, ...]:
    """The steps of a path: a field's name, or None for each element. Raises PathError."""
    steps: list[str | None] = []
    name = ""
    started = False  # a name is being read
    at = 0
    while at < len(path):
        char = path[at]
        if char == "\\" and at + 1 < len(path):
            name += path[at + 1]
            started = True
            at += 1
        elif char == "[":
            if not path.startswith("[]", at):
                raise PathError(f'"{path}": only "[]", for every element, may follow a name')
            if started:
                steps.append(name)
            elif not steps or steps[-1] is not None or path[at - 1] == ".":
                raise PathError(f'"{path}": "[]" must follow a name')
            steps.append(None)
            name, started = "", False
            at += 1
        elif char == ".":
            if started:
                steps.append(name)
            elif not steps or path[at - 1] == ".":
                raise PathError(f'"{path}": a name is missing before "."')
            name, started = "", False
        elif char in "]\\":
            raise PathError(f'"{path}": write "\\{char}" for a name that has "{char}"')
        elif steps and not started and path[at - 1] == "]":
            raise PathError(f'"{path}": "." must follow "[]"')
        else:
            name += char
            started = True
        at += 1
    if started:
        steps.append(name)
    elif path.endswith("."):
        raise PathError(f'"{path}": a name is missing after "."')
    return tuple(steps)


def escape_name(name: str) -> str:
    """The path of the argument called `name`, whatever characters it has."""
    if name == ANY:
        return f"\\{name}"
    return "".join(f"\\{char}" if char in ".[]\\" else char for char in name)


def _follow(arguments: JsonObject, steps: tuple[str | None, ...], member: _Member) -> list[Any]:
    values: list[Any] = [arguments]
    for step in steps:
        reached: list[Any] = []
        for value in values:
            if isinstance(value, Gap):
                reached.append(value)
            elif step is not None:
                reached.append(member(value, step) if isinstance(value, dict) else Gap.BROKEN)
            elif isinstance(value, list):
                reached.extend(value[: LEAVES_MAX + 1])
            else:
                reached.append(Gap.BROKEN)
            if len(reached) > LEAVES_MAX:
                return [*reached[:LEAVES_MAX], Gap.BROKEN]
        values = reached
    return values


def _texts(arguments: JsonObject) -> list[Any]:
    found: list[Any] = []
    for text in _walk(arguments):
        if len(found) == LEAVES_MAX:
            return [*found, Gap.BROKEN]
        found.append(text)
    return found


def _walk(arguments: JsonObject) -> Iterator[str]:
    """Every text in the arguments, in their order, without recursion."""
    stack: list[Iterator[Any]] = [iter(arguments.values())]
    while stack:
        for value in stack[-1]:
            if isinstance(value, str):
                yield value
            elif isinstance(value, dict):
                stack.append(iter(value.values()))
                break
            elif isinstance(value, list):
                stack.append(iter(value))
                break
        else:
            stack.pop()
