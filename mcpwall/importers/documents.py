"""Plain data from JSON or YAML text, in the one reading that every reader shares.

A policy that two programs read differently protects with one and not with the other. So what
readers differ on is refused: a key given twice, a null, a number that is not finite; in YAML also
anchors, tags, merge keys, and plain words that only some versions take for a truth value, a date
or a number.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

from mcpwall.importers.outcome import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_EMPTY = ("", "~", "null", "Null", "NULL")
# What YAML 1.1 takes for truth values, and what looks like a number or a date to some reader.
_UNSURE_WORD = re.compile(r"y|n|yes|no|on|off", re.IGNORECASE)
_UNSURE_NUMBER = re.compile(
    r"[-+]?\.?[0-9][0-9_]*(?:[.:eE][-+]?[0-9_.:]*)*|[-+]?0[box][0-9a-f_]+|[-+]?\.(?:inf|nan)"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE | re.ASCII,
)


def from_json(text: str) -> Any:
    """What a JSON text says (RFC 8259, names unique). Raises PolicyError."""
    try:
        return _plain(json.loads(text, object_pairs_hook=_object, parse_constant=_constant), "")
    except PolicyError:
        raise
    except RecursionError:
        raise PolicyError("lists or objects are nested too deep") from None
    except ValueError as error:
        raise PolicyError(f"this is not JSON: {error}") from None


def from_yaml(text: str) -> Any:
    """What a YAML text says, where versions 1.1 and 1.2 agree. Raises PolicyError."""
    import yaml  # noqa: PLC0415 - JSON policies need none of it

    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        documents = [
            _value(next(events), events)
            for event in events
            if isinstance(event, yaml.DocumentStartEvent)
        ]
    except RecursionError:
        raise PolicyError("lists or mappings are nested too deep") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        raise PolicyError(f"{where}this is not YAML: {what}") from None
    if len(documents) != 1:
        raise PolicyError(f"the file must hold one document, not {len(documents)}")
    return _plain(documents[0], "")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise PolicyError(f"the key {key!r} is given twice in one object; keep one of them")
        found[key] = value
    return found


def _constant(name: str) -> NoReturn:
    raise PolicyError(f"{name} is no JSON number")


def _plain(value: Any, place: str) -> Any:
    """The same value, if every part of it can stand in a rule."""
    match value:
        case dict():
            for key, inner in value.items():
                _plain(key, place)
                _plain(inner, f"{place}.{key}" if place else key)
        case list():
            for number, inner in enumerate(value):
                _plain(inner, f"{place}.{number}")
        case None:
            raise PolicyError(f"{place or 'the policy'} is null; leave it out, or give a value")
        case float() if not math.isfinite(value):
            raise PolicyError(f"{place} is a number beyond all bounds")
        case str() if not _is_encodable(value):
            raise PolicyError(f"{place} holds half a character (a surrogate)")
    return value


def _is_encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _value(event: Any, events: Iterator[Any]) -> Any:
    """The value that starts with `event`; takes its other events from `events`."""
    import yaml  # noqa: PLC0415 - as above

    if getattr(event, "anchor", None) is not None or isinstance(event, yaml.AliasEvent):
        raise _at(event, "anchors and aliases are not followed; write the value out")
    if getattr(event, "tag", None) is not None:
        raise _at(event, f"the tag {event.tag!r} is not followed; leave it out")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_value(event, events))
        return items
    found: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _key(event, found)
        found[key] = _value(next(events), events)
    return found


def _key(event: Any, found: dict[str, Any]) -> str:
    import yaml  # noqa: PLC0415 - as above

    if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
        raise _at(event, "a key must be a plain name")
    name = str(event.value)
    if event.style is None and (name == "<<" or name in _EMPTY):
        raise _at(event, f"the key {name!r} needs quotes; merge keys are not followed")
    if name in found:
        raise _at(event, f"the key {name!r} is given twice in one mapping; keep one of them")
    return name


def _scalar(event: Any) -> Any:
    text = str(event.value)
    if event.style is not None:  # quoted, or a block
        return text
    if text in _EMPTY:
        raise _at(event, "nothing is given here; leave the key out, or write [] or {}")
    if text in _TRUTH:
        return _TRUTH[text]
    if _INT.fullmatch(text):
        try:
            return int(text)
        except ValueError:  # Python's bound on digits
            raise _at(event, "a number has thousands of digits") from None
    if _FLOAT.fullmatch(text):
        return float(text)
    if _UNSURE_WORD.fullmatch(text) or _UNSURE_NUMBER.fullmatch(text):
        raise _at(event, f"readers of YAML differ on {text!r}; put it in quotes if it is a text")
    return text


def _at(event: Any, what: str) -> PolicyError:
    return PolicyError(f"line {event.start_mark.line + 1}: {what}")
