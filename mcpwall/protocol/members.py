"""The members of a JSON object as written, where every reader finds the same ones. Pure.

Of two members with one name most readers take the last, some the first; readers in Go and .NET
match names without regard to letter case. Such an object has no single meaning, and nor, to
careless readers, has one whose names are written with escapes.

Source: RFC 8259 section 4 (names should be unique).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

MEMBERS_MAX: Final = 5_000  # of one object
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
# possessive: what a server writes must not be tried in many ways
_NAME: Final = re.compile(rb'[ \t\r\n]*+[{,][ \t\r\n]*+"([^"\\]*+)"[ \t\r\n]*+:[ \t\r\n]*+')
_END: Final = re.compile(rb"[ \t\r\n]*+\{?[ \t\r\n]*+\}[ \t\r\n]*+")


class Doubtful(Exception):  # noqa: N818 (it is the object that is doubtful)
    """Readers may find different members in an object; the text says why."""


def members(text: bytes, known: frozenset[str]) -> dict[str, msgspec.Raw]:
    """The members of an object, their values as written.

    Raises Doubtful where readers may differ about them, or about one of the `known` names;
    msgspec.DecodeError or UnicodeDecodeError for what is no JSON object.
    """
    found = _members(text)
    if len(found) > MEMBERS_MAX:
        raise Doubtful("with too many names")
    at = 0
    for _ in found:
        name = _NAME.match(text, at)
        value = found.get(name[1].decode()) if name else None
        if name is None or value is None:
            raise Doubtful("with a name that is written with escapes")
        at = name.end() + len(value)
        if text[name.end() : at] != bytes(value):
            raise Doubtful(f"with two values of {name[1].decode()!r}")
    if not _END.fullmatch(text, at):
        raise Doubtful("with two values of one name")
    check_case(found, known)
    return found


def check_case(names: Mapping[str, object], known: frozenset[str]) -> None:
    """Raise Doubtful where a name differs from a known one by letter case alone."""
    if names.keys() <= known:
        return
    folded = {name.casefold(): name for name in known}
    for name in names:
        twin = folded.get(name.casefold(), name)
        if twin != name:
            raise Doubtful(f"that spells {twin!r} in other letter case")
