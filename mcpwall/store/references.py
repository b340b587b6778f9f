"""Values of the config that may be secret: written out, or fetched when they are needed.

`${env:NAME}` is an environment variable, `${keyring:SERVICE/USER}` an entry of the system's
keyring, `$$` a dollar sign. A `Secret` keeps the text to itself: neither repr() nor str() shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from mcpwall.store.forms import bad, shown, text

_PART: Final = re.compile(r"\$(?:\{(env|keyring):([^{}]*)\}|(\$))|([^$]+)|(.)", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ENTRY: Final = re.compile(r"([^/]+)/(.+)", re.DOTALL)
_FIX: Final = "write ${env:NAME}, ${keyring:SERVICE/USER}, or $$ for a dollar sign"


class UnresolvedError(Exception):
    """A reference leads to nothing; str() says which one, and what to do, and no value."""


class Secret:
    """A text with references in it, as written in the config."""

    __slots__ = ("_parts",)

    def __init__(self, parts: tuple[tuple[str, str], ...]) -> None:
        """`parts`: pairs of "" and a text, "env" and a name, "keyring" and SERVICE/USER."""
        self._parts = parts

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    @property
    def names(self) -> frozenset[str]:
        """The environment variables that it refers to."""
        return frozenset(name for kind, name in self._parts if kind == "env")

    @property
    def entries(self) -> frozenset[str]:
        """The keyring's entries that it refers to, each as SERVICE/USER."""
        return frozenset(name for kind, name in self._parts if kind == "keyring")

    def resolve(
        self, environment: Mapping[str, str], keyring: Callable[[str, str], str | None]
    ) -> str:
        """The text with its references replaced; `keyring(service, user)` looks an entry up.

        Raises UnresolvedError.
        """
        return "".join(_value(kind, name, environment, keyring) for kind, name in self._parts)


def secret(value: object) -> Secret:
    """A reader of texts with references. Raises BadValueError, which never quotes the text."""
    parts = []
    for found in _PART.finditer(text(value)):
        kind, name, dollar, plain, stray = found.groups()
        if stray:
            raise bad("has a $ that begins no reference", _FIX)
        if kind == "env" and not _NAME.fullmatch(name):
            raise bad(f"refers to {shown(name)}, which is no environment variable", _FIX)
        if kind == "keyring" and not _ENTRY.fullmatch(name):
            raise bad(f"refers to the keyring's {shown(name)}, which is no SERVICE/USER", _FIX)
        parts.append((kind or "", name if kind else plain or dollar))
    return Secret(tuple(parts))


def _value(
    kind: str,
    name: str,
    environment: Mapping[str, str],
    keyring: Callable[[str, str], str | None],
) -> str:
    if kind == "env":
        if name not in environment:
            raise UnresolvedError(
                f"the environment variable {name} is not set, neither where the wall's engine was "
                "started nor where the agent runs; set it and start them again"
            )
        return environment[name]
    if kind == "keyring":
        service, _, user = name.partition("/")
        value = keyring(service, user)
        if value is None:
            raise UnresolvedError(
                f"the keyring has no entry {name}; add it with: keyring set {service} {user}"
            )
        return value
    return name


def names(secrets: Iterable[Secret]) -> frozenset[str]:
    """The environment variables that any of these refers to."""
    return frozenset().union(*(one.names for one in secrets))
