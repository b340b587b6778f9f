"""A lean client: one child process, its two pipes, and nothing between them and the clock.

Requests are made before the clock starts and answers are checked after it has stopped.
Times are nanoseconds.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter_ns
from types import FrameType
from typing import Any, Self

import msgspec

HELLO = (
    b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
    b'"capabilities":{},"clientInfo":{"name":"benchmark","version":"1.0"}}}\n'
)
OPENED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
LIST = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}\n'
TEXT = b"Four score and seven years ago our fathers brought forth on this continent"


class Result(msgspec.Struct):
    """What is checked of a result."""

    isError: bool = False  # noqa: N815 — the field's name on the wire


class Answer(msgspec.Struct):
    """What is checked of an answer."""

    id: int
    result: Result | None = None
    error: Any = None


_answers = msgspec.json.Decoder(Answer)


class WrongAnswerError(Exception):
    """An answer that is not the server's: what was measured is worth nothing."""


def call(number: int, tool: bytes = b"echo") -> bytes:
    """One tools/call as a line."""
    return (
        b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%b",'
        b'"arguments":{"text":"%b","path":"src/app.py"}}}\n' % (number, tool, TEXT)
    )


def checked_answers(answers: list[bytes], first: int, count: int) -> None:
    """Every one of `count` calls was answered once, by the server. Raises WrongAnswerError."""
    decoded = [_answers.decode(answer) for answer in answers]
    if sorted(answer.id for answer in decoded) != list(range(first, first + count)):
        raise WrongAnswerError(f"{count} calls, {len(answers)} answers, or with other ids")
    for answer in decoded:
        if answer.result is None or answer.result.isError:
            raise WrongAnswerError(f"refused: {answer}")


class Session:
    """One session with `command`; close it, or leave the `with` block, to end the child."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        self._buffer = b""
        self._number = 1
        self.spawned = perf_counter_ns()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, bufsize=0
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._out = self.process.stdin.fileno()
        self._in = self.process.stdout.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up and wait for the child to end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def open(self) -> int:
        """Handshake and first list of tools; the time since the child was spawned."""
        self._send(HELLO)
        self._line()
        self._send(OPENED + LIST)
        listed = self._line()
        took = perf_counter_ns() - self.spawned
        if b'"echo"' not in listed:
            raise WrongAnswerError(f"not a list of tools: {listed[:500]!r}")
        return took

    def sequential(self, count: int, tool: bytes = b"echo") -> list[int]:
        """One call after the other: the time of each."""
        requests = self._calls(count, tool)
        times, answers = [], []
        for request in requests:
            start = perf_counter_ns()
            self._send(request)
            answer = self._line()
            times.append(perf_counter_ns() - start)
            answers.append(answer)
        self._check(answers, count)
        return times

    def in_flight(self, count: int, width: int) -> int:
        """`count` calls with `width` always under way: the time until all are answered."""
        requests = self._calls(count)
        chunks, sent, answered = [], width, 0
        start = perf_counter_ns()
        self._send(b"".join(requests[:width]))
        while answered < count:
            chunk = self._read()
            chunks.append(chunk)
            new = chunk.count(b"\n")
            answered += new
            if new and sent < count:
                self._send(b"".join(requests[sent : sent + new]))
                sent += new
        took = perf_counter_ns() - start
        self._check(b"".join(chunks).splitlines(), count)
        return took

    def _calls(self, count: int, tool: bytes = b"echo") -> list[bytes]:
        first = self._number + 1
        self._number += count
        return [call(number, tool) for number in range(first, first + count)]

    def _check(self, answers: list[bytes], count: int) -> None:
        checked_answers(answers, self._number - count + 1, count)

    def _send(self, data: bytes) -> None:
        written = os.write(self._out, data)
        while written < len(data):
            written += os.write(self._out, data[written:])

    def _read(self) -> bytes:
        chunk = os.read(self._in, 1 << 20)
        if not chunk:
            raise WrongAnswerError("the server's output ended")
        return chunk

    def _line(self) -> bytes:
        chunk = self._read()
        if chunk.endswith(b"\n"):
            return chunk
        chunks = [chunk]
        while not chunk.endswith(b"\n"):
            chunk = self._read()
            chunks.append(chunk)
        return b"".join(chunks)


@contextlib.contextmanager
def deadline(seconds: int, what: str) -> Iterator[None]:
    """Raise TimeoutError when the block takes longer, wherever it waits."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"{what}: no end after {seconds} s")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
