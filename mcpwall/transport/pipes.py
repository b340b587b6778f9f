"""Lines in, lines out, over the ends that the shim handed over.

An `Inlet` cuts what it reads into lines and hands over whole chunks of them; an `Outlet` writes at
once what the pipe takes and keeps the rest. Both work in the session's journal, so that a killed
engine loses nothing that it had read. Newline-delimited JSON: MCP transports, stdio.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from mcpwall.transport.ends import WIDE, End
from mcpwall.transport.journal import AREA, Lane

LINE_MAX: Final = 64 * 1024 * 1024
HIGH_WATER: Final = 256 * 1024  # bytes that wait in an outlet before its inlets pause
ATOMIC: Final = 4096  # PIPE_BUF: a pipe takes as much whole or not at all (POSIX write)


class Inlet:
    """Reads lines from an end while it is not paused.

    `on_lines(lines)` gets the complete lines, without their ends, and has dealt with all of them
    when it returns. `on_long(size)` tells of a line over `line_max`, which was thrown away.
    `on_end(rest)` is called once, with what stood after the last line's end.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        end: End,
        lane: Lane,
        *,
        on_lines: Callable[[list[bytes]], None],
        on_long: Callable[[int], None],
        on_end: Callable[[bytes], None],
        line_max: int = LINE_MAX,
    ) -> None:
        self._loop = loop
        self._end = end
        self._lane = lane
        self._tail = lane.left_to_read()
        self._long: list[bytes] = []  # a line that is longer than the area
        self._long_size = 0
        self._skipping = lane.skip  # throw away up to the next line's end
        self._on_lines = on_lines
        self._on_long = on_long
        self._on_end = on_end
        self._line_max = line_max
        self._reading = False
        self._ended = False
        lane.skip = False

    def recovered(self) -> None:
        """Deal with what an engine before this one had read and not dealt with."""
        if self._tail > self._lane.head and not self._skipping:
            self._cut(self._tail - self._lane.head)

    def resume(self) -> None:
        """Read from now on."""
        if not self._reading and not self._ended:
            self._reading = True
            self._loop.add_reader(self._end.fileno, self._readable)

    def pause(self) -> None:
        """Read no more for now."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._end.fileno)

    def close(self) -> None:
        """Stop for good."""
        self.pause()
        self._ended = True
        self._end.close()

    def _readable(self) -> None:
        if self._long or self._skipping:
            self._read_long()
            return
        try:
            count = self._end.read_into(self._lane.area[self._tail :])
        except OSError:
            count = 0
        if count is None:
            return
        if count == 0:
            self._finish()
            return
        self._tail += count
        self._cut(count)

    def _finish(self) -> None:
        self.pause()
        self._ended = True
        lane = self._lane
        rest = b"".join(self._long) + bytes(lane.area[lane.head : self._tail])
        lane.clear(self._tail)
        lane.skip = False
        self._tail = 0
        self._on_end(b"" if self._skipping else rest)

    def _cut(self, fresh: int) -> None:
        """Hand over the lines that the last `fresh` bytes of the area complete."""
        lane = self._lane
        start = self._tail - fresh
        end = bytes(lane.area[start : self._tail]).rfind(b"\n")
        if end < 0:
            self._tidy()
            return
        end += start
        lines = bytes(lane.area[lane.head : end]).split(b"\n")
        try:
            self._on_lines(lines)
        finally:  # lines that fail the engine are not taken a second time
            lane.head = end + 1
            self._tidy()

    def _tidy(self) -> None:
        """Make the area ready for more."""
        lane = self._lane
        if lane.head == self._tail:
            lane.clear(self._tail)
            self._tail = 0
        elif self._tail > AREA // 2:
            self._make_room()

    def _make_room(self) -> None:
        """Move the start of a line to the front, or take it out of the area when that is full."""
        lane = self._lane
        size = self._tail - lane.head
        if lane.move_to_front(self._tail):
            self._tail = size
        elif self._tail == AREA:
            start = bytes(lane.area[lane.head :])
            lane.clear(self._tail)
            self._tail = 0
            self._end.widen()
            self._grow(start)

    # --- a line that is longer than the area ----------------------------------------------------

    def _read_long(self) -> None:
        try:
            data = self._end.read(WIDE)
        except OSError:
            data = b""
        if data is None:
            return
        if not data:
            self._finish()
            return
        end = data.find(b"\n")
        if end < 0:
            self._grow(data)
        else:
            self._complete(data[:end], data[end + 1 :])

    def _grow(self, data: bytes) -> None:
        """Take up more of the line, or pass over it when it is too long."""
        self._lane.skip = True
        self._long_size += len(data)
        if self._skipping:
            return
        if self._long_size > self._line_max:
            self._long.clear()
            self._skipping = True
        else:
            self._long.append(data)

    def _complete(self, end: bytes, rest: bytes) -> None:
        """The line ends with `end`; `rest` follows it."""
        size = self._long_size + len(end)
        lines = [] if self._skipping else [b"".join([*self._long, end])]
        self._long.clear()
        self._long_size = 0
        self._skipping = False
        self._lane.skip = False
        if size > self._line_max or not lines:
            self._on_long(size)
            lines = []
        *more, start = rest.split(b"\n")
        try:
            if lines or more:
                self._on_lines(lines + more)
        finally:
            self._begin(start)

    def _begin(self, start: bytes) -> None:
        """Go on with a line of which this is the start."""
        if len(start) < AREA:
            self._lane.area[: len(start)] = start
            self._tail = len(start)
        else:
            self._grow(start)


class Outlet:
    """Writes lines to an end; what the end does not take waits here and in the journal.

    `send` collects, `flush` writes. `on_full(True)` is called when more than `HIGH_WATER` bytes
    wait, `on_full(False)` when none wait any more; `on_broken()` once, when nobody reads. Lines
    that a killed engine may or may not have written are written `again`, or given up.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        end: End,
        lane: Lane,
        *,
        again: bool,
        on_full: Callable[[bool], None],
        on_broken: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._end = end
        self._lane = lane
        self._on_full = on_full
        self._on_broken = on_broken
        self._lines: list[bytes] = []
        self._rest: deque[memoryview] = deque()
        self._waiting = 0  # bytes in _rest
        self._full = False
        self._closing = False
        self._watching = False
        self._on_empty: list[Callable[[], None]] = []
        self.broken = False
        left = lane.left_to_write(again=again)
        lane.mend()
        if left:
            self._keep(memoryview(left))
            self._watch()

    @property
    def full(self) -> bool:
        """More than `HIGH_WATER` bytes wait, or did and are not all written yet."""
        return self._full

    def when_empty(self, callback: Callable[[], None]) -> None:
        """Call back once nothing waits to be written any more, or can be."""
        if self._rest:
            self._on_empty.append(callback)
        else:
            callback()

    def when_safe(self, callback: Callable[[], None]) -> None:
        """Call back once all that was flushed would outlive this engine, or cannot be written."""
        if self._lane.torn:
            self._on_empty.append(callback)
        else:
            callback()

    def send(self, line: bytes) -> None:
        """Write this line, without its end, at the next flush."""
        self._lines.append(line)

    def flush(self) -> None:
        """Write what was sent."""
        if not self._lines:
            return
        self._lines.append(b"")
        data = memoryview(b"\n".join(self._lines))
        self._lines = []
        if self.broken or self._closing:
            return
        if self._rest:
            self._keep(data)
        elif len(data) > ATOMIC:
            self._keep(data)
            if len(data) > AREA:
                self._end.widen()
            self._write()
        else:
            try:
                count = self._end.write(data)
            except OSError:
                self._break()
                return
            if count < len(data):
                self._keep(data[count:])
        if self._rest:
            self._watch()

    def close(self) -> None:
        """Close the end once everything is written; at once when it is broken."""
        self._closing = True
        if not self._rest or self.broken:
            self._shut()

    def abandon(self) -> None:
        """Close the end now; what waits is lost."""
        self._closing = True
        self._shut()
        self._rest.clear()
        self._emptied()

    def _keep(self, data: memoryview) -> None:
        self._rest.append(data)
        self._waiting += len(data)
        self._lane.keep_out(data)

    def _watch(self) -> None:
        """Go on when the end takes more."""
        if not self._watching:
            self._watching = True
            self._loop.add_writer(self._end.fileno, self._write)
        if not self._full and self._waiting > HIGH_WATER:
            self._full = True
            self._on_full(True)

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_writer(self._end.fileno)

    def _write(self) -> None:
        """Write the first of what waits, as much as the end takes."""
        lane, data = self._lane, self._rest[0]
        lane.writing = True
        try:
            count = self._end.write(data)
        except OSError:
            self._break()
            return
        lane.wrote(count)
        lane.writing = False
        self._waiting -= count
        if count < len(data):
            self._rest[0] = data[count:]
            return
        self._rest.popleft()
        if not self._rest:
            self._drained()

    def _drained(self) -> None:
        self._unwatch()
        self._lane.mend()
        if self._closing:
            self._shut()
        if self._full:
            self._full = False
            self._on_full(False)
        self._emptied()

    def _emptied(self) -> None:
        callbacks, self._on_empty = self._on_empty, []
        for callback in callbacks:
            callback()

    def _break(self) -> None:
        self.broken = True
        self._unwatch()
        self._rest.clear()
        self._waiting = 0
        self._lane.mend()
        self._on_broken()
        self._emptied()

    def _shut(self) -> None:
        self._unwatch()
        if self._end.fileno >= 0:
            self._end.close()
