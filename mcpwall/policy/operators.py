"""What each operator of `when` says of one value, in three values.

True and False are answers; None says that the operator cannot be evaluated on this value: it is
missing or of the wrong type, or a text that programs read differently. `conditions` decides what
follows from that. docs/rules.md describes every operator.
"""

from __future__ import annotations

import math
import operator
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
import re2

from mcpwall.policy.arguments import Gap
from mcpwall.policy.hosts import host_of, host_pattern
from mcpwall.policy.masking import WALK_MAX, Mask
from mcpwall.policy.match import Names, regex_options
from mcpwall.policy.paths import PATH_MAX, is_read_apart

_SURROGATES = range(0xD800, 0xE000)  # halves of characters, which are no text alone
TEXT_MAX = 262_144  # characters that glob and regex look at; a longer text cannot be evaluated
_BASE_SIZE = 2_000  # instructions that each expression counts for, however small
REGEX_MAX = 2_000  # characters of a regular expression

Truth: TypeAlias = bool | None
Resolve: TypeAlias = Callable[[str, str], str]
# What one value says: the value or a Gap, the agent's directory, and how a path resolves.
Check: TypeAlias = Callable[[Any, str, Resolve], Truth]


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: numbers by value (5 and 5.0), true is never 1."""
    if kind(one) != kind(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    number = exact(one)
    return bool(one == other) if number is None else number == exact(other)


def kind(value: Any) -> str:
    """The JSON type of a value."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "object"
    return "null" if value is None else "gap"


def exact(value: Any) -> int | Decimal | None:
    """A JSON number without rounding, a float by its shortest decimal text; None for others."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    return value if isinstance(value, Decimal) and value.is_finite() else None


def fold(text: str) -> str:
    """A text as a file system that ignores letter case and composition compares it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _equals(value: Any) -> Check:
    wanted = kind(_plain(value))
    if wanted == "null":
        raise ValueError("compare with null by equals_json")

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        return same(leaf, value) if kind(leaf) == wanted else None

    return check


def _equals_json(value: Any) -> Check:
    try:
        wanted = msgspec.json.decode(_text(value, "a JSON text"))
    except msgspec.DecodeError as error:
        raise ValueError(f"is no JSON: {error}") from error

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        return same(leaf, wanted) if kind(leaf) == kind(wanted) else None

    return check


def _in(value: Any) -> Check:
    if not isinstance(value, list):
        raise TypeError('needs a list, such as ["a", "b"]')
    kinds = {kind(_plain(item)) for item in value}

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        if value and kind(leaf) not in kinds:
            return None
        return any(same(leaf, item) for item in value)

    return check


def _contains(value: Any) -> Check:
    wanted = value if isinstance(value, list) else [value]
    if not {kind(item) for item in wanted} <= {"text", "number", "true or false"}:
        raise ValueError("needs a text or a list of texts")
    texts = [item for item in wanted if isinstance(item, str)]

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        if isinstance(leaf, str) and texts:
            return any(text in leaf for text in texts)
        if isinstance(leaf, list):
            return any(same(element, item) for element in leaf for item in wanted)
        return None

    return check


def _glob(value: Any) -> Check:
    names = Names(_list_of_texts(value))

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        return names.match(leaf) if _is_encodable(leaf) else None

    return check


def _regex(value: Any) -> Check:
    expressions = [_expression(text) for text in _list_of_texts(value)]

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        if not _is_encodable(leaf):
            return None
        data = leaf.encode()  # of a str, re2 also counts where in its characters a match stands
        for expression in expressions:  # noqa: SIM110 - any() takes longer, on every call
            if expression.search(data) is not None:
                return True
        return False

    return check


def _expression(text: str) -> Any:
    if len(text) > REGEX_MAX:
        raise ValueError(f"a regular expression has at most {REGEX_MAX} characters")
    try:
        return re2.compile(text, regex_options())
    except (re2.error, UnicodeError) as error:
        reason = error.args[0] if error.args else error
        why = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise ValueError(
            f'"{text}" is no regular expression of RE2 (no look-around, no back-references): {why}'
        ) from error


def expressions_size(op: str, value: Any, most: int) -> int:
    """How large the regular expressions of a condition are; looks no further once above `most`.

    Counts instructions, and for each expression what its matching may keep besides.
    """
    size = 0
    for text in value if isinstance(value, list) else [value]:
        if size > most or not op.endswith("regex") or not isinstance(text, str):
            break
        try:
            size += _BASE_SIZE + _expression(text).programsize
        except ValueError:  # said where the rule is compiled
            size += _BASE_SIZE
    return size


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Check]:
    def build(value: Any) -> Check:
        bound = exact(value)
        if bound is None:
            raise ValueError(f"needs a number, not {_show(value)}")

        def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
            number = exact(leaf)
            return None if number is None else compare(number, bound)

        return check

    return build


def _length(value: Any) -> Check:
    bounds = value if isinstance(value, dict) else {"equals": value}
    if not bounds or not bounds.keys() <= _LENGTHS.keys():
        raise ValueError(f"needs a number or one of {', '.join(_LENGTHS)}, as in {{ gt = 10 }}")
    for bound in bounds.values():
        if exact(bound) is None:
            raise ValueError(f"needs a number, not {_show(bound)}")
    checks = [_LENGTHS[op](bound) for op, bound in bounds.items()]

    def check(leaf: Any, directory: str, resolve: Resolve) -> Truth:
        if not isinstance(leaf, str | list | dict):
            return None
        return all(part(len(leaf), directory, resolve) for part in checks)

    return check


def _secret(value: Any) -> Check:
    """Whether a value looks like a secret, or an object has one, as `masking` tells."""
    if not isinstance(value, bool):
        raise TypeError("needs true or false")
    mask = Mask()

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        if isinstance(leaf, Gap):
            return None
        found = leaf if isinstance(leaf, dict) else {"": leaf}
        try:
            data = msgspec.json.encode(found)
        except UnicodeEncodeError:  # half a character
            return None
        if len(data) > WALK_MAX and mask.may_hide(data):
            return None
        return bool(mask.arguments(found, data)[1]) is value

    return check


def _exists(value: Any) -> Check:
    if not isinstance(value, bool):
        raise TypeError("needs true or false")

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        if leaf is None or leaf is Gap.BROKEN:  # some servers take null for absent, others do not
            return None
        return (leaf is not Gap.MISSING) is value

    return check


def _under(value: Any) -> Check:
    bases = _list_of_texts(value)
    if any(not base or "\0" in base for base in bases):
        raise ValueError("needs a directory, or a list of them")

    def check(leaf: Any, directory: str, resolve: Resolve) -> Truth:
        if not isinstance(leaf, str) or len(leaf) > PATH_MAX or "\0" in leaf:
            return None
        if is_read_apart(leaf):
            return None
        try:
            path = resolve(leaf, directory)
            roots = [resolve(base, directory) for base in bases]
        except (OSError, ValueError, RuntimeError):  # a loop of links, no home, a bad encoding
            return None
        if any(_is_under(path, root) for root in roots):
            return True
        # On a file system that ignores letter case it may be the same directory all the same.
        return None if any(_is_under(fold(path), fold(root)) for root in roots) else False

    return check


def _is_under(path: str, root: str) -> bool:
    return path == root or path.startswith(root if root.endswith("/") else f"{root}/")


def _host(value: Any) -> Check:
    names = Names([host_pattern(text) for text in _list_of_texts(value)])

    def check(leaf: Any, _directory: str, _resolve: Resolve) -> Truth:
        host = host_of(leaf) if isinstance(leaf, str) else None
        return None if host is None else names.match(host)

    return check


def _is_encodable(leaf: Any) -> bool:
    """Whether a value is a text that an expression can look at."""
    if not isinstance(leaf, str) or len(leaf) > TEXT_MAX:
        return False
    return leaf.isascii() or not any(ord(char) in _SURROGATES for char in leaf)


def _plain(value: Any) -> Any:
    if kind(value) == "gap":
        raise TypeError(f"cannot compare with {_show(value)}: JSON has no such type, use a text")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"needs {what}, not {_show(value)}")
    return value


def _list_of_texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [_text(item, "a text or a list of texts") for item in items]


def _show(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value}"


# Each takes a rule's value and raises ValueError or TypeError for one that makes no sense.
OPERATORS: dict[str, Callable[[Any], Check]] = {
    "equals": _equals,
    "equals_json": _equals_json,
    "in": _in,
    "contains": _contains,
    "glob": _glob,
    "regex": _regex,
    "gt": _comparison(operator.gt),
    "gte": _comparison(operator.ge),
    "lt": _comparison(operator.lt),
    "lte": _comparison(operator.le),
    "length": _length,
    "exists": _exists,
    "secret": _secret,
    "under": _under,
    "host": _host,
}
_LENGTHS = {op: OPERATORS[op] for op in ("equals", "gt", "gte", "lt", "lte")}
