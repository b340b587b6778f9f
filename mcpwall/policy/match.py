"""Globs: how a rule names tools, servers, agents and methods, and texts in `when`.

`*` is any run of characters, `?` is one, `[abc]` and `[a-z]` are one of a set, `[!abc]` is one
outside it, and `**/` at the start or after a `/` is any directories, none included. To take one of
these signs literally, put it into brackets: `[*]`, `[?]`, `[[]`, `[!]`. Matching covers the whole
text, is exact on code points and letter case, and takes time linear in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import re2

PATTERN_MAX = 1_000  # characters; a longer glob is a mistake
REGEX_MEMORY = 1 << 20  # bytes that one compiled expression may use, its caches included

Predicate: TypeAlias = Callable[[str], bool]


class GlobError(ValueError):
    """A pattern that cannot be read; the text says what is wrong with it."""


class _Token(NamedTuple):
    """One part of a glob. `chars` are inclusive code point ranges, for `char` and `set` alone."""

    kind: str  # "char" | "one" | "set" | "star" | "dirs"
    chars: tuple[tuple[str, str], ...] = ()
    outside: bool = False  # a set that matches what is not in `chars`


_ONE, _STAR, _DIRS = _Token("one"), _Token("star"), _Token("dirs")


def regex_options() -> re2.Options:
    """Options for every expression that a rule can bring: bounded memory, silent on errors."""
    options = re2.Options()
    options.max_mem = REGEX_MEMORY
    options.log_errors = False
    options.never_capture = True
    return options


def compile_glob(pattern: str) -> Predicate:
    """A test for texts that `pattern` matches whole. Raises GlobError.

    The test raises ValueError for a text that has lone surrogates, which no UTF-8 can carry.
    """
    tokens = _parse(pattern)
    inner = tokens[1:] if tokens[:1] == (_STAR,) else tokens
    stem = inner[:-1] if inner[-1:] == (_STAR,) else inner
    if all(token.kind == "char" for token in stem):  # most patterns: no expression needed
        text = "".join(token.chars[0][0] for token in stem)
        starts, ends = len(inner) == len(tokens), len(stem) == len(inner)
        if starts and ends:
            return lambda value: value == text
        if starts:
            return lambda value: value.startswith(text)
        if ends:
            return lambda value: value.endswith(text)
        return lambda value: text in value
    try:
        expression = re2.compile("(?s)" + "".join(map(_regex, tokens)), regex_options())
    except re2.error as error:
        raise GlobError(f'the pattern "{pattern}" is too complex') from error
    return lambda value: expression.fullmatch(value) is not None


def escape_glob(name: str) -> str:
    """A pattern that matches exactly `name`, in a list of names too."""
    text = "".join(f"[{char}]" if char in "*?[" else char for char in name)
    return f"[!]{text[1:]}" if text.startswith("!") else text


def is_literal(pattern: str) -> bool:
    """Whether a readable pattern matches one text alone. Raises GlobError."""
    return all(token.kind == "char" for token in _parse(pattern))


def covers(general: str, special: str) -> bool:
    """Whether `general` surely matches every text that `special` matches.

    Never true without being so, but false for some pairs that only a deeper look would find.
    Raises GlobError.
    """
    wide = _parse(general)
    # reached[i]: the first i parts of `wide` can stand for the parts of `special` seen so far.
    reached = _close([True] + [False] * len(wide), wide)
    for narrow in _parse(special):
        following = [False] * (len(wide) + 1)
        for i, token in enumerate(wide):
            if reached[i] and token.kind == "star":
                following[i] = True
            elif reached[i] and _covers_one(token, narrow):
                following[i + 1] = True
        reached = _close(following, wide)
    return reached[-1]


class Names:
    """A list of globs in which `!glob` takes out again; without a positive one, all but those."""

    __slots__ = ("_everything", "_globs", "_literals", "_without")

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises GlobError for a pattern that cannot be read."""
        wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
        self._without = tuple(compile_glob(p[1:]) for p in patterns if p.startswith("!"))
        self._literals = frozenset(literal_text(p) for p in wanted if is_literal(p))
        self._globs = tuple(compile_glob(p) for p in wanted if not is_literal(p))
        self._everything = not wanted

    @property
    def only(self) -> frozenset[str] | None:
        """The names of which alone any can match; None when there are globs."""
        return None if self._everything or self._globs else self._literals

    def match(self, *names: str) -> bool:
        """Whether one of `names` (all names of one thing) is in, and none is taken out."""
        if any(test(name) for test in self._without for name in names):
            return False
        if self._everything or not self._literals.isdisjoint(names):
            return True
        return any(test(name) for test in self._globs for name in names)


def literal_text(pattern: str) -> str:
    """The one text that a literal pattern matches: `a[*]` is `a*`. Raises GlobError."""
    return "".join(token.chars[0][0] for token in _parse(pattern))


def _parse(pattern: str) -> tuple[_Token, ...]:
    if len(pattern) > PATTERN_MAX:
        raise GlobError(f"a pattern has at most {PATTERN_MAX} characters, this one {len(pattern)}")
    tokens: list[_Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            fresh = at == 0 or pattern[at - 1] == "/"
            if fresh and pattern.startswith("**/", at):
                tokens.append(_DIRS)
                at += 3
                continue
            if tokens[-1:] != [_STAR]:
                tokens.append(_STAR)
        elif char == "?":
            tokens.append(_ONE)
        elif char == "[":
            end = pattern.find("]", at + 1)
            if end == -1:
                raise GlobError(f'"[" has no "]" in "{pattern}"; a literal one is written "[[]"')
            tokens.append(_set(pattern[at + 1 : end], pattern))
            at = end
        else:
            tokens.append(_Token("char", ((char, char),)))
        at += 1
    return tuple(tokens)


def _set(inside: str, pattern: str) -> _Token:
    outside = len(inside) > 1 and inside.startswith("!")
    body = inside[1:] if outside else inside
    if not body:
        raise GlobError(f'"[]" in "{pattern}" names no character')
    chars: list[tuple[str, str]] = []
    at = 0
    while at < len(body):
        first = last = body[at]
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            last = body[at + 2]
            at += 2
        if last < first:
            raise GlobError(f'the range "{first}-{last}" in "{pattern}" runs backwards')
        chars.append((first, last))
        at += 1
    if len(chars) == 1 and chars[0][0] == chars[0][1] and not outside:
        return _Token("char", (chars[0],))  # [*] is the literal sign
    return _Token("set", tuple(chars), outside)


def _regex(token: _Token) -> str:
    """Characters are written as numbers, so nothing in a pattern can act as an expression."""
    if token.kind == "star":
        return ".*"
    if token.kind == "one":
        return "."
    if token.kind == "dirs":
        return "(?:.*/)?"
    ranges = "".join(f"\\x{{{ord(a):x}}}-\\x{{{ord(b):x}}}" for a, b in token.chars)
    return f"[{'^' if token.outside else ''}{ranges}]"


def _close(reached: list[bool], wide: tuple[_Token, ...]) -> list[bool]:
    """Step over the parts of `wide` that can stand for nothing."""
    for i, token in enumerate(wide):
        if reached[i] and token.kind in ("star", "dirs"):
            reached[i + 1] = True
    return reached


def _covers_one(wide: _Token, narrow: _Token) -> bool:
    if wide == narrow:
        return True
    if wide.kind == "one":
        return narrow.kind in ("char", "set")
    if wide.kind == "set" and narrow.kind == "char":
        char = narrow.chars[0][0]
        return any(a <= char <= b for a, b in wide.chars) is not wide.outside
    return False
