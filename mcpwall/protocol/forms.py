"""What the wall reads of a server's message: forms for the decoder; all else is left. Values.

A field that is not there is ABSENT, or None where it is read whole.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

ABSENT: Final[msgspec.Raw] = msgspec.Raw()


class Envelope(msgspec.Struct):
    """A message: only what the wall must know of it; the rest stays raw."""

    jsonrpc: msgspec.Raw = ABSENT
    id: msgspec.Raw = ABSENT
    result: msgspec.Raw = ABSENT
    method: str | None = None
    params: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class Bare(Envelope, forbid_unknown_fields=True):
    """An envelope with nothing beside its own fields."""


class LaxObject(dict[str, Any]):
    """An object as lax readers take it; `twice`: they may differ, since a name is there twice."""

    twice = False

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> LaxObject:
        """Make one of the names and values that were read."""
        value = cls(pairs)
        if len(value) < len(pairs):
            value.twice = True
        return value


class Said(msgspec.Struct, rename="camel", gc=False):
    """What of a result matters to the wall, whatever it answers."""

    is_error: Any = None
    task: Any = None
    task_id: Any = None
    input_requests: Any = None


class Parts(msgspec.Struct, rename="camel", gc=False):
    """The same of a result that is too large to be read whole."""

    is_error: msgspec.Raw = ABSENT
    task: msgspec.Raw = ABSENT
    task_id: msgspec.Raw = ABSENT
    input_requests: msgspec.Raw = ABSENT
