"""The memory of a session that outlives the engine: a shared file that the shim keeps open.

What the engine has read from a pipe and not yet dealt with, and what it still has to write, lives
here instead of in its own memory. When the engine is killed, the next one maps the same file and
goes on at the same byte. Two lanes (agent → server, server → agent), and a note of the protocol's
state. Layout, all numbers 64-bit little-endian:

    0        head of page: magic, which state slot is valid, the last call before a chunk
    4 KiB    two lanes, each: control words, input area, output area
    end      two state slots, written in turn: length, then JSON

Input area: bytes are read straight into it, so the kernel itself puts them where they survive.
Dealt-with bytes are zeroed, and JSON lines hold no NUL: what is left to do is what is not zero.
"""

from __future__ import annotations

import mmap
from typing import Final

PAGE: Final = 4096
AREA: Final = 256 * 1024  # one input or output area
STATE: Final = 64 * 1024  # one state slot
LANE: Final = PAGE + 2 * AREA
SIZE: Final = PAGE + 2 * LANE + 2 * STATE

_MAGIC: Final = 0x3177_6C6C_6177_636D
_HEAD, _OUT_START, _OUT_END, _TORN, _SKIP, _WRITING = range(6)  # a lane's control words
_WORDS: Final = 6


class Lane:
    """One direction. `area` is where input is read to; offsets below are within it."""

    def __init__(self, mapped: memoryview) -> None:
        self._words = mapped[: 8 * _WORDS].cast("Q")
        self.area = mapped[PAGE : PAGE + AREA]
        self._out = mapped[PAGE + AREA : PAGE + 2 * AREA]

    @property
    def head(self) -> int:
        """Where the first byte stands that is not dealt with."""
        return self._words[_HEAD]

    @head.setter
    def head(self, value: int) -> None:
        self._words[_HEAD] = value

    def clear(self, tail: int) -> None:
        """All of `area[:tail]` is dealt with."""
        self._words[_HEAD] = tail
        self.area[:tail] = bytes(tail)
        self._words[_HEAD] = 0

    @property
    def torn(self) -> bool:
        """More waits to be written than the output area holds: what is not there is lost."""
        return self._words[_TORN] != 0

    @torn.setter
    def torn(self, value: bool) -> None:
        self._words[_TORN] = int(value)

    @property
    def writing(self) -> bool:
        """A write is under way: should the engine die now, nobody knows how much of it went."""
        return self._words[_WRITING] != 0

    @writing.setter
    def writing(self, value: bool) -> None:
        self._words[_WRITING] = int(value)

    @property
    def skip(self) -> bool:
        """A line longer than the area is being read: its start is lost with the engine."""
        return self._words[_SKIP] != 0

    @skip.setter
    def skip(self, value: bool) -> None:
        self._words[_SKIP] = int(value)

    def left_to_read(self) -> int:
        """Where the bytes end that stand from `head` on and are not dealt with (after a crash)."""
        at = self.head
        while at < AREA:  # page by page: to read a page of the file is to make it
            page = bytes(self.area[at : at + PAGE])
            end = page.find(b"\0")
            if end >= 0:
                return at + end
            at += len(page)
        return AREA

    def move_to_front(self, tail: int) -> bool:
        """Make room behind a line that is not complete; survives a kill at every step.

        Does nothing, and says False, unless the bytes fit before `head` with a NUL to spare.
        """
        head = self.head
        size = tail - head
        if size >= head:
            return False
        self.area[:head] = bytes(head)
        self.area[:size] = self.area[head:tail]
        self._words[_HEAD] = 0
        self.area[head:tail] = bytes(size)
        return True

    def left_to_write(self, *, again: bool) -> bytes:
        """What is still to be written after a crash; the line that was torn, if one was, is ended.

        Where the crash came within a write, lines that may have gone are written `again`, or
        given up.
        """
        start, end = self._words[_OUT_START], self._words[_OUT_END]
        if not self.writing:
            return bytes(self._out[start:end]) or (b"\n" if self.torn else b"")
        if not again:
            return b"\n"
        line = bytes(self._out[:start]).rfind(b"\n") + 1
        return b"\n" + bytes(self._out[line:end])

    def keep_out(self, data: memoryview) -> bool:
        """Keep bytes that are to be written; False when they do not fit behind those kept."""
        end = self._words[_OUT_END]
        if self.torn or end + len(data) > AREA:
            self.torn = True
            return False
        self._out[end : end + len(data)] = data
        self._words[_OUT_END] = end + len(data)
        return True

    def wrote(self, count: int) -> None:
        """The pipe took `count` of the bytes that wait, kept ones first."""
        start = self._words[_OUT_START] + count
        if start >= self._words[_OUT_END]:
            self.forget_out()
        else:
            self._words[_OUT_START] = start

    def forget_out(self) -> None:
        """Nothing that was kept is left to write."""
        self._words[_OUT_END] = 0
        self._words[_OUT_START] = 0

    def mend(self) -> None:
        """Nothing at all is left to write."""
        self.forget_out()
        self.torn = False
        self.writing = False

    def release(self) -> None:
        """Let go of the mapping."""
        self._words.release()
        self.area.release()
        self._out.release()


class Journal:
    """The mapped file. `fresh` tells that no engine has used it before."""

    def __init__(self, fd: int) -> None:
        """Map the file behind `fd`, which may be closed afterwards. Raises OSError, ValueError."""
        self._map = mmap.mmap(fd, SIZE)
        self._view = memoryview(self._map)
        self._words = self._view[:24].cast("Q")
        self.fresh = self._words[0] != _MAGIC
        self._words[0] = _MAGIC
        self.to_server = Lane(self._view[PAGE : PAGE + LANE])
        self.to_agent = Lane(self._view[PAGE + LANE : PAGE + 2 * LANE])
        at = PAGE + 2 * LANE
        self._slots = (self._view[at : at + STATE], self._view[at + STATE : at + 2 * STATE])

    @property
    def mark(self) -> int:
        """The number of the last call when the lines came that are being dealt with."""
        return self._words[2]

    @mark.setter
    def mark(self, value: int) -> None:
        self._words[2] = value

    def save(self, state: bytes) -> None:
        """Keep the protocol's state; one that is too large leaves the last one standing."""
        if len(state) + 8 > STATE:
            return
        turn = 1 - self._words[1]
        slot = self._slots[turn]
        slot[8 : 8 + len(state)] = state
        slot[:8] = len(state).to_bytes(8, "little")
        self._words[1] = turn

    def state(self) -> bytes:
        """The protocol's state as last saved, b'' when it never was."""
        slot = self._slots[self._words[1]]
        size = int.from_bytes(slot[:8], "little")
        return bytes(slot[8 : 8 + size])

    def close(self) -> None:
        """Unmap."""
        self.to_server.release()
        self.to_agent.release()
        for part in (*self._slots, self._words, self._view):
            part.release()
        self._map.close()
