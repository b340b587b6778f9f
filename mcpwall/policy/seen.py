"""What is noted of a call that was forwarded, for rules on earlier calls. Values alone."""

from __future__ import annotations

import msgspec


class Seen(msgspec.Struct, frozen=True, gc=False):
    """The last call of one kind: its number, and when it was forwarded (steady clock)."""

    call: int
    at_ns: int


class Before(msgspec.Struct, frozen=True, gc=False):
    """What stood where a call was noted: the last call of its kind, and the run of equal calls."""

    seen: Seen | None
    digest: str
    times: int
