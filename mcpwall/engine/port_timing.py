"""The part of the port that is about where a call's time went."""

from __future__ import annotations

import msgspec


class Timing(msgspec.Struct, frozen=True):
    """The stages of a call in microseconds; None: it did not go through it, or that is not known.

    Reading and decoding a message come before the first stage, writing the answer after the last.
    """

    judged_us: int | None = None  # until all calls that came with it were judged
    waited_us: int | None = None  # from then until a person, a rule or the clock decided on it
    sent_us: int | None = None  # until it was written down and on its way to the server
    server_us: int | None = None  # until the answer was read: with the way there and back
