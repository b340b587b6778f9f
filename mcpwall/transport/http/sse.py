"""Server-sent events: an incremental parser, and an encoder that nobody can read two ways.

Pure. Source: WHATWG HTML, "Server-sent events", 9.2.5 and 9.2.6. A line ends with CR, LF or CRLF,
wherever the chunks of a stream are cut. Encoded events have one line of data, which is JSON, and
hold nothing that any known client takes for a line's end.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

COMMENT: Final = b": \n\n"  # says nothing, and that the connection lives
EVENT_MAX: Final = 64 * 1024 * 1024  # bytes of one event, as of any message

_BOM: Final = b"\xef\xbb\xbf"
_RETRY_DIGITS: Final = 9  # milliseconds: eleven days
# Line ends to clients that cut text with Unicode's rules. In JSON they stand in strings alone.
_UNICODE_ENDS: Final = (
    (b"\xe2\x80\xa8", rb"\u2028"),
    (b"\xe2\x80\xa9", rb"\u2029"),
    (b"\xc2\x85", rb"\u0085"),
)


class SseError(Exception):
    """A stream that cannot be taken; nothing can be read of it any more."""


class Event(msgspec.Struct, frozen=True):
    """One event. None: the field was not given; an event without `data` says only the others.

    `data` is as sent, several lines joined with LF; `retry` is in milliseconds.
    """

    data: bytes | None = None
    event: str = ""
    id: str | None = None
    retry: int | None = None


class Comment(msgspec.Struct, frozen=True):
    """A line that clients pass over: a sign of life."""

    text: str = ""


Item: TypeAlias = Event | Comment


class Parser:
    """Bytes in, events and comments out. An event that the stream's end cuts off is dropped."""

    def __init__(self, event_max: int = EVENT_MAX) -> None:
        self._event_max = event_max
        self._first = True  # no line was complete yet
        self._after_cr = False  # an LF now belongs to the line's end before it
        self._part: list[bytes] = []  # a line that has not ended
        self._part_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._event = ""
        self._id: str | None = None
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[Item]:
        """Take the next bytes of the stream. Raises SseError when an event is over the cap."""
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        items: list[Item] = []
        for piece in chunk.splitlines(keepends=True):
            self._part_size += len(piece)
            if self._data_size + self._part_size > self._event_max:
                raise SseError(f"an event is larger than {self._event_max:,} bytes")
            self._part.append(piece)
            if piece.endswith((b"\n", b"\r")):
                line = b"".join(self._part).rstrip(b"\r\n")
                self._part, self._part_size = [], 0
                item = self._line(line)
                if item is not None:
                    items.append(item)
        return items

    def _line(self, line: bytes) -> Item | None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if line.startswith(b":"):
            return Comment(line[1:].removeprefix(b" ").decode(errors="replace"))
        name, _, value = line.partition(b":")
        self._field(name, value.removeprefix(b" "))
        return None

    def _field(self, name: bytes, value: bytes) -> None:
        if name == b"data":
            self._data.append(value)
            self._data_size += len(value) + 1
        elif name in (b"event", b"id"):
            text = value.decode(errors="replace")
            if not _is_plain(text):
                return  # some readers would take it for two lines
            if name == b"event":
                self._event = text
            else:
                self._id = text
        elif name == b"retry" and value.isdigit() and len(value) <= _RETRY_DIGITS:
            self._retry = int(value)

    def _dispatch(self) -> Event | None:
        data = b"\n".join(self._data) if self._data else None
        event = Event(data, self._event, self._id, self._retry)
        self._data, self._event, self._id, self._retry = [], "", None, None
        self._data_size = 0
        return None if event == Event() else event


def encode(event: Event) -> bytes:
    """An event for the wire. Raises ValueError when a field holds a line's end or a NUL.

    `data` is JSON in one line, in UTF-8, or empty.
    """
    parts = []
    if event.event:
        parts.append(b"event: " + _plain(event.event))
    if event.id is not None:
        parts.append(b"id: " + _plain(event.id))
    if event.retry is not None:
        parts.append(b"retry: %d" % event.retry)
    if event.data is not None:
        parts.append(b"data: " + _one_line(event.data))
    return b"\n".join([*parts, b"\n"])


def _one_line(data: bytes) -> bytes:
    if b"\n" in data or b"\r" in data:
        raise ValueError("data for an event must be one line")
    for end, escaped in _UNICODE_ENDS:
        if end in data:
            data = data.replace(end, escaped)
    return data


def _plain(text: str) -> bytes:
    if not _is_plain(text):
        raise ValueError("a field of an event must be one line without NUL")
    return text.encode()


def _is_plain(text: str) -> bool:
    return text.splitlines() in ([], [text]) and "\0" not in text
