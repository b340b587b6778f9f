"""Which parts of a call look like secrets, and the same call with those parts hidden.

A value is hidden when its name says that it is a secret, when it has the form of a known kind of
credential, when it is a secret that the config has, or when it looks drawn at random. What is
hidden leaves a mark with its length and a keyed hash, so that equal secrets can be told; the call
itself goes on as it is. A short secret of no known form under a harmless name is not found: this
keeps accidents out of files, no more.

Most calls hold nothing of the kind: one look at their bytes says so in a microsecond.
docs/decisions/0118-secrets-stay-out-of-files.md tells the rest.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import msgspec
import re2

from mcpwall.model import JsonObject
from mcpwall.policy.findings import words_of
from mcpwall.policy.match import Names, regex_options

WALK_MAX: Final = 256 * 1024  # bytes of arguments that are looked through; larger are hidden whole
VALUE_MIN: Final = 6  # characters of a secret in the config; shorter ones would hide plain words
HASH: Final = 4  # bytes
MARK: Final = "⟨secret "  # how each mark starts

# Names of arguments: the last word, or the last two.
_LAST: Final = frozenset(
    (
        *("apikey", "auth", "authorization", "cookie", "cookies", "credential", "credentials"),
        *("passcode", "passphrase", "passwd", "password", "passwords", "pwd", "secret", "secrets"),
        *("token", "tokens"),
    )
)
_LAST_TWO: Final = frozenset(
    (first, last)
    for last in ("key", "keys")
    for first in ("access", "account", "api", "auth", "encryption", "private", "secret", "signing")
)
# Members of an object that say of another one what it is the value of: {"name": …, "value": …}.
_NAMING: Final = ("name", "key", "variable", "header", "field")
_NAMED: Final = "value"
# Of the schema of a value: what says of which form it is, and not what it is or may be.
_FORMS: Final = frozenset(
    (
        *(("type", kind) for kind in ("array", "boolean", "integer", "number", "object", "string")),
        *(("format", kind) for kind in ("date", "date-time", "email", "uri")),
    )
)
_LENGTHS: Final = ("minLength", "maxLength")
_WORDS: Final = ("title", "description")  # texts for people, looked through as any other text
# Tokens that only say how far a list was read, or how long a text may be.
_PLAIN_TOKENS: Final = frozenset(
    ("continuation", "cursor", "max", "min", "next", "page", "prev", "previous", "progress", "sync")
)
_FORMATS: Final = (
    r"\b(?:A3T[A-Z0-9]|AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}",
    r"\bglpat-[A-Za-z0-9_-]{16,}",
    r"\b(?:sk|rk|pk)[-_](?:live_|test_|ant-|proj-)?[A-Za-z0-9_-]{16,}",
    r"\bxox[a-z]-[A-Za-z0-9-]{10,}",
    r"\bAIza[0-9A-Za-z_-]{30,}|\bya29\.[0-9A-Za-z_-]{16,}",
    r"\bnpm_[A-Za-z0-9]{30,}|\bhf_[A-Za-z0-9]{28,}|\bpypi-[A-Za-z0-9_-]{40,}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|\bdop_v1_[a-f0-9]{40,}",
    r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
)
# The part in `(…)` is hidden, what stands before it is kept.
_AFTER: Final = (
    r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9+/_.=~-]{8,})",
    r"""(?i)\bauthorization["']?\s*[:=]\s*["']?(?:[a-z]+\s+)?([^\s"',;&]{8,})""",
    r"://[^\s/@:]*:([^\s/@]+)@",
    (
        r"(?i)(?:api[_-]?key|access[_-]?key|secret[_-]?key|passw(?:or)?d|pwd|secret|token|cookie)"
        r"""["']?\s*[:=]\s*["']?([^\s"',;&]{6,})"""
    ),
)
# What may be drawn at random: long enough to tell, and not so long that it is data.
_DENSE: Final = r"[A-Za-z0-9+/_-]{32,200}={0,2}"
_DENSE_HINT: Final = r"[a-z0-9+/_-]{32}"
_DENSE_ALONE: Final = [0]  # of all hints this one, the first: no reason to hide large data whole
RANDOM_BITS: Final = 4.4  # of entropy a character; names and paths have less, keys in base64 more
_EACH_KIND: Final = 3  # small letters, capitals and digits: so many of each
_SIGNS: Final = re2.compile(r"\*|\?|\[[^\]]*\]|[^A-Za-z0-9]", regex_options())
_MARKED: Final = re2.compile(MARK + r"[0-9]+ chars, [0-9a-f]{8}⟩", regex_options())
_HINTS: Final = (  # in every text in which one of the above can be found
    *("pass", "pwd", "secret", "token", "key", "auth", "cookie", "cred", "bearer", "basic"),
    *("akia", "asia", "a3t", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat-"),
    *("sk-", "sk_", "rk-", "rk_", "pk-", "pk_", "xox", "aiza", "ya29", "npm_", "hf_", "pypi-"),
    *("sg.", "dop_v1", "eyj", "-----begin", ":[^/@]*@"),
)


Marks: TypeAlias = dict[str, Any]  # what each mark stands for


class Mask:
    """What is hidden, by one config. Immutable."""

    def __init__(
        self,
        *,
        on: bool = True,
        names: Sequence[str] = (),
        values: Iterable[str] = (),
        key: bytes = b"",
    ) -> None:
        """`names` are globs of arguments that are hidden too, `values` secrets of the config.

        `key` (at most 64 bytes) keeps others from trying values against the marks. Raises
        GlobError.
        """
        self.on = on
        self._key = key
        self._names = Names(names) if names else None
        values = sorted({v for v in values if len(v) >= VALUE_MIN}, key=len, reverse=True)
        # Plain texts, as many and as long as the config has them: more than re2's memory takes.
        self._values = re.compile("|".join(map(re.escape, values))) if values else None
        self._in_json = [msgspec.json.encode(value)[1:-1] for value in values]
        self._whole = re2.compile("|".join(_FORMATS), _options())
        self._dense = re2.compile(_DENSE, _options())
        self._after = [re2.compile(pattern, _options()) for pattern in _AFTER]
        parts = [_part_of(name) for name in names if not name.startswith("!")]
        self._always = bool(names) and not (parts and all(parts))  # no part tells such names
        hints = [_DENSE_HINT, *map(re2.escape, _HINTS[:-1]), _HINTS[-1]]
        hints += [re2.escape(part) for part in parts if part]
        options = regex_options()
        options.case_sensitive = False
        self._hints = re2.Set.SearchSet(options)
        try:
            for hint in hints:
                self._hints.Add(hint)
            self._hints.Compile()
            short_of_memory = not self._hints.Match(_HINTS[0].encode())  # then it finds nothing
        except re2.error:
            short_of_memory = True
        self._always = self._always or short_of_memory  # look through every call

    def may_hide(self, data: bytes) -> bool:
        """Whether anything in a JSON text may have to be hidden; False is certain."""
        if not self.on:
            return False
        if self._always:  # a set that did not compile must not be asked: it would crash
            return True
        found = self._hints.Match(data)
        if found and (found != _DENSE_ALONE or len(data) <= WALK_MAX):
            return True
        return bool(self._in_json) and any(value in data for value in self._in_json)

    def arguments(
        self, arguments: JsonObject, data: bytes, *, schema: str = ""
    ) -> tuple[JsonObject, Marks]:
        """Arguments (`data` is their JSON) with secrets hidden, and what each mark stands for.

        `schema` names the argument that is a JSON schema, if one is: what it says of the form of a
        property is no value of that property. Gives `arguments` itself, and nothing, where there
        is nothing to hide.
        """
        if not self.may_hide(data):
            return arguments, {}
        if len(data) > WALK_MAX:
            mark = f"⟨{len(data):,} bytes, not looked through for secrets⟩"
            return {mark: ""}, {mark: mark}
        marks: Marks = {}
        wanted = arguments.get(schema) if schema and not self._is_secret(schema) else None
        if isinstance(wanted, dict):
            hidden = self._object({**arguments, schema: {}}, marks, secret=False)
            hidden[schema] = self._schema(wanted, marks)
        else:
            hidden = self._object(arguments, marks, secret=False)
        return (hidden, marks) if marks else (arguments, {})

    def text(self, text: str, marks: Marks | None = None) -> str:
        """A text with what looks like a credential in it hidden."""
        if not self.on:
            return text
        found = {} if marks is None else marks
        if self._values is not None:
            text = self._values.sub(lambda match: self._mark(match.group(0), found), text)
        text = self._whole.sub(lambda match: self._mark(match.group(0), found), text)
        for pattern in self._after:
            text = pattern.sub(lambda match: self._part(match, found), text)
        dense: str = self._dense.sub(lambda match: self._random(match.group(0), found), text)
        return dense

    def digest(self, digest: str) -> str:
        """A digest of a call with secrets, from which nobody without the key can try them out."""
        return hashlib.blake2b(digest.encode(), key=self._key, digest_size=32).hexdigest()

    def _part(self, match: Any, marks: Marks) -> str:
        whole, secret = str(match.group(0)), str(match.group(1))
        if secret.startswith(MARK[0]):  # hidden already
            return whole
        start = match.start(1) - match.start(0)
        return whole[:start] + self._mark(secret, marks) + whole[start + len(secret) :]

    def _random(self, text: str, marks: Marks) -> str:
        return self._mark(text, marks) if is_random(text) else text

    def _object(self, fields: JsonObject, marks: Marks, *, secret: bool) -> JsonObject:
        """An object with secrets hidden; `secret`: all that it holds is one by a name above."""
        named = [fields[key] for key in _NAMING if key in fields] if _NAMED in fields else []
        told = any(isinstance(name, str) and self._is_secret(name) for name in named)
        hidden: JsonObject = {}
        for name, value in fields.items():
            is_secret = secret or (told and name == _NAMED) or self._is_secret(name)
            hidden[self._name(name, marks)] = self._value(value, marks, secret=is_secret)
        return hidden

    def _name(self, name: str, marks: Marks) -> str:
        return self.text(name, marks) if len(name) >= VALUE_MIN else name

    def _schema(self, schema: JsonObject, marks: Marks) -> JsonObject:
        """A schema of an object: its properties are definitions, all else is as in any object."""
        properties = schema.get("properties")
        if not isinstance(properties, dict) or self._is_secret("properties"):
            return self._object(schema, marks, secret=False)
        hidden = self._object({**schema, "properties": {}}, marks, secret=False)
        hidden["properties"] = {
            self._name(name, marks): self._definition(value, marks, secret=self._is_secret(name))
            for name, value in properties.items()
        }
        return hidden

    def _definition(self, definition: Any, marks: Marks, *, secret: bool) -> Any:
        """What a schema says of a property; where that is a secret, its form alone is shown.

        A default, choices, and what nobody knows may be its value.
        """
        if not secret or not isinstance(definition, dict):
            return self._value(definition, marks, secret=secret)
        return {
            self._name(key, marks): self._value(value, marks, secret=not _tells_form(key, value))
            for key, value in definition.items()
        }

    def _value(self, value: Any, marks: Marks, *, secret: bool) -> Any:
        if isinstance(value, dict):
            return self._object(value, marks, secret=secret)
        if isinstance(value, list):
            return [self._value(inner, marks, secret=secret) for inner in value]
        if secret:
            return self._leaf(value, marks)
        return self.text(value, marks) if isinstance(value, str) else value

    def _is_secret(self, name: str) -> bool:
        if self._names is not None and self._names.match(name):
            return True
        return names_secret(name)

    def _leaf(self, value: Any, marks: Marks) -> Any:
        """A value under the name of a secret; what is empty or only yes or no tells nothing."""
        if isinstance(value, bool) or value in (None, ""):
            return value
        if isinstance(value, str) and _MARKED.fullmatch(value):
            return value
        if isinstance(value, str):
            return self._mark(value, marks)
        mark = self._mark(msgspec.json.encode(value).decode(), marks, b"a number")
        marks[mark] = value
        return mark

    def _mark(self, value: str, marks: Marks, kind: bytes = b"") -> str:
        """A mark for a text; of another `kind` than one that spells the same, it is another one."""
        data = value.encode("utf-8", "replace")
        known = hashlib.blake2b(data, key=self._key, digest_size=HASH, person=kind)
        mark = f"{MARK}{len(value)} chars, {known.hexdigest()}⟩"
        marks[mark] = value
        return mark


def _tells_form(key: str, value: Any) -> bool:
    """Whether a member of a definition says no more than of which form a value is."""
    if isinstance(value, str):
        return key in _WORDS or (key, value) in _FORMS
    return key in _LENGTHS and isinstance(value, int)


def _part_of(glob: str) -> str:
    """The longest part of a glob that stands in every name it matches, as JSON has it; or ""."""
    parts = [part for part in _SIGNS.split(glob) if part.isalnum() and part.isascii()]
    return max(parts, key=len, default="")


def names_secret(name: str) -> bool:
    """Whether the name of an argument or variable says that its value is a secret."""
    words = words_of(name)
    if not words or (words[-1] in ("token", "tokens") and _PLAIN_TOKENS.intersection(words)):
        return False
    return words[-1] in _LAST or tuple(words[-2:]) in _LAST_TWO


def is_random(text: str) -> bool:
    """Whether a run of letters and digits looks drawn at random, and is no path and no name."""
    kinds = (str.islower, str.isupper, str.isdigit)
    if any(sum(map(kind, text)) < _EACH_KIND for kind in kinds):
        return False
    if any(len(part) > 1 and part.isalpha() for part in text.split("/")[1:-1]):
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares) >= RANDOM_BITS


def unmasked(value: Any, marks: Marks) -> Any:
    """Arguments in which a person left marks, with what these stand for."""
    if isinstance(value, dict):
        return {_written(key, marks): unmasked(inner, marks) for key, inner in value.items()}
    if isinstance(value, list):
        return [unmasked(inner, marks) for inner in value]
    if not isinstance(value, str):
        return value
    return marks[value] if value in marks else _written(value, marks)


def _written(text: str, marks: Marks) -> str:
    """A text with what the marks in it stand for."""
    for mark, secret in marks.items():
        if isinstance(secret, str):
            text = text.replace(mark, secret)
    return text


def _options() -> Any:
    options = regex_options()
    options.never_capture = False
    return options
