"""Whether arguments fit a tool's schema: JSON Schema, checked within bounds. Pure.

A schema is foreign: the library alone would run its regular expressions with backtracking, follow
its references over the network and recurse as deeply as it says. Here patterns are linear-time,
nothing is fetched, and the steps are counted; what cannot be checked so is said, never passed.

Source: JSON Schema 2020-12; MCP 2025-11-25, server/tools, "inputSchema" (the default dialect).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import re2

from mcpwall.model import JsonObject
from mcpwall.policy.match import regex_options
from mcpwall.protocol.codec import canonical

STEPS_MAX: Final = 50_000  # keywords looked at for one check
PROBLEMS_MAX: Final = 5
_TEXT_MAX: Final = 300  # characters of one problem

_Keyword = Callable[[Any, Any, Any, Any], Any]


class SchemaUnusableError(Exception):
    """Arguments cannot be checked against this schema; the text says why."""


def problems(schema: JsonObject, arguments: JsonObject) -> tuple[str, ...]:
    """What does not fit, at most PROBLEMS_MAX sentences; none when all fits.

    Takes up to a second for a hostile schema: made to run in a thread. The first call imports the
    validator, a tenth of a second. Raises SchemaUnusableError.
    """
    validator = _validator(schema)
    found = []
    try:
        for error in validator.iter_errors(arguments):
            place = error.json_path.removeprefix("$").removeprefix(".")
            found.append(f"{place or 'the arguments'}: {error.message}"[:_TEXT_MAX])
            if len(found) == PROBLEMS_MAX:
                break
    except SchemaUnusableError:
        raise
    except Exception as error:  # the schema is foreign: whatever is wrong with it, it is no check
        text = f"the tool's schema cannot be used: {type(error).__name__}: {error}"
        raise SchemaUnusableError(text[:_TEXT_MAX]) from error
    return tuple(found)


def _validator(schema: JsonObject) -> Any:
    import attrs  # noqa: PLC0415 - the validator is loaded when a person first edits a call
    import jsonschema  # noqa: PLC0415 - likewise
    import referencing  # noqa: PLC0415 - likewise

    def evolve(self: Any, **changes: Any) -> Any:
        """The library would change to its own class where a part of a schema names a dialect."""
        for field in attrs.fields(type(self)):
            if field.init:
                changes.setdefault(field.alias, getattr(self, field.name))
        return type(self)(**changes)

    dialect = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    steps = _Steps()
    bounded = {name: steps.counting(run) for name, run in (dialect.VALIDATORS | _OWN).items()}
    extend: Any = jsonschema.validators.extend
    known = extend(dialect, bounded)
    known.evolve = evolve
    own = {key: value for key, value in schema.items() if key != "$schema"}
    return known(own, registry=referencing.Registry())


class _Steps:
    """How many keywords were looked at."""

    def __init__(self) -> None:
        self._left = STEPS_MAX

    def counting(self, run: _Keyword) -> _Keyword:
        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            self._left -= 1
            if self._left < 0:
                raise SchemaUnusableError("the tool's schema takes too long to check")
            yield from run(validator, value, instance, schema) or ()

        return counted


# --- keywords that the library would check with backtracking, or in quadratic time ---------------


def _pattern(validator: Any, pattern: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "string") and not _expression(pattern).search(instance):
        yield _error(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, value: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for pattern, inner in value.items():
            expression = _expression(pattern)
            for key, part in instance.items():
                if expression.search(key):
                    yield from validator.descend(part, inner, path=key, schema_path=pattern)


def _additional_properties(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not validator.is_type(instance, "object"):
        return
    expressions = [_expression(pattern) for pattern in schema.get("patternProperties", {})]
    named = schema.get("properties", {})
    for key, part in instance.items():
        if key in named or any(expression.search(key) for expression in expressions):
            continue
        if value is False:
            yield _error(f"there is no argument {key!r}; it has {', '.join(named) or 'none'}")
        else:
            yield from validator.descend(part, value, path=key)


def _unique_items(validator: Any, value: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    if value and validator.is_type(instance, "array"):
        items = [canonical(item) for item in instance]
        if len(set(items)) < len(items):
            yield _error("has the same item twice")


def _unbounded(_validator: Any, _value: Any, _instance: Any, _schema: Any) -> Iterator[Any]:
    raise SchemaUnusableError("the tool's schema uses a keyword that cannot be checked in bounds")


_OWN: Final[dict[str, _Keyword]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
    "unevaluatedItems": _unbounded,
    "unevaluatedProperties": _unbounded,
}


def _expression(pattern: str) -> Any:
    try:
        return re2.compile(pattern, regex_options())
    except re2.error as error:
        raise SchemaUnusableError(
            f"the tool's schema has a pattern that takes no linear time: {pattern!r}"[:_TEXT_MAX]
        ) from error


def _error(message: str) -> Any:
    import jsonschema  # noqa: PLC0415 - as above

    return jsonschema.ValidationError(message)
