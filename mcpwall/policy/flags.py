"""What a person should look at twice in a call that waits for them. Hints, never part of a verdict.

They say what is easily overlooked in a long argument; a call without any is not thereby harmless.
Looks at a bounded part of the arguments: LEAVES_MAX texts of TEXT_MAX characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import re2

from mcpwall.model import Call
from mcpwall.policy.masking import Mask, names_secret
from mcpwall.policy.match import regex_options
from mcpwall.policy.operators import Resolve

LEAVES_MAX: Final = 500
TEXT_MAX: Final = 20_000
NAME_MAX: Final = 100  # characters of a name that a flag says
_ASKED_MAX: Final = 8  # secrets that a server asks for by name
_PATH_NAMES: Final = ("path", "file", "dir", "cwd", "folder", "destination")

_PIPED: Final = re2.compile(
    r"(?i)\b(curl|wget)\b[^|\n]*\|\s*(sudo\s+)?(env\s+)?\S*\b(sh|bash|zsh|dash|python3?|perl|node)\b",
    regex_options(),
)
_MASK: Final = Mask()


def flags(call: Call, resolve: Resolve, mask: Mask = _MASK) -> tuple[str, ...]:
    """A sentence for each thing to look at twice, without repetitions.

    `mask` hides what is secret in the names of arguments.
    """
    found = {
        f"it asks for what looks like a secret: {mask.text(name[:TEXT_MAX])[:NAME_MAX]}": None
        for name in _asked_for(call)
    }
    for written, whole in _leaves(call.arguments):
        name = mask.text(written[:TEXT_MAX])[:NAME_MAX]
        text = whole[:TEXT_MAX].encode("utf-8", "replace").decode()
        if _PIPED.search(text):
            found["pipes a download into a shell"] = None
        if (text and names_secret(name)) or (
            _MASK.may_hide(text.encode()) and _MASK.text(text) != text
        ):
            found[f"{name or 'an argument'} looks like a secret"] = None
        if _mixes_scripts(text):
            found[f"{name or 'an argument'} mixes letters of several scripts in one word"] = None
        if call.directory and _names(name, _PATH_NAMES) and _is_outside(text, call, resolve):
            found[f"{name} is outside the agent's directory"] = None
    return tuple(found)


def _asked_for(call: Call) -> Iterator[str]:
    """Names of secrets that a server asks for, which it never may (MCP, "Elicitation")."""
    wanted = call.arguments.get("requestedSchema") if call.method == "elicitation/create" else None
    properties = wanted.get("properties") if isinstance(wanted, dict) else None
    if isinstance(properties, dict):
        yield from islice(filter(names_secret, properties), _ASKED_MAX)


def _leaves(arguments: Any) -> Iterator[tuple[str, str]]:
    """The texts in some arguments, each with the name that it stands under."""
    waiting: list[tuple[str, Any]] = [("", arguments)]
    for _ in range(LEAVES_MAX):
        if not waiting:
            return
        name, value = waiting.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            waiting += [(str(key), value[key]) for key in list(value)[:LEAVES_MAX]]
        elif isinstance(value, list):
            waiting += [(name, item) for item in value[:LEAVES_MAX]]


def _names(name: str, parts: tuple[str, ...]) -> bool:
    low = name.lower()
    return any(part in low for part in parts)


def _is_outside(text: str, call: Call, resolve: Resolve) -> bool:
    try:
        path, root = resolve(text, call.directory), resolve(call.directory, "/")
    except (OSError, ValueError, RuntimeError):
        return True
    return path != root and not path.startswith(f"{root.rstrip('/')}/")


def _mixes_scripts(text: str) -> bool:
    """Whether a word has letters of Latin and of a script with look-alikes of them."""
    if text.isascii():
        return False
    for word in text.split():
        scripts = {_script(char) for char in word if char.isalpha()}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}:
            return True
    return False


def _script(char: str) -> str:
    return unicodedata.name(char, "").split(" ", 1)[0]
