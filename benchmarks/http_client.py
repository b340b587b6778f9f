"""A lean HTTP client: one socket, requests that were made before the clock starts.

Answers are whole JSON bodies or one event of an event stream; they are checked after the clock has
stopped. Times are nanoseconds.
"""

import socket
from collections.abc import Mapping
from time import perf_counter_ns
from typing import Self
from urllib.parse import urlsplit

from benchmarks.client import HELLO, LIST, OPENED, WrongAnswerError, call, checked_answers


class HttpSession:
    """One session at a URL; leave the `with` block to close its connection."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        lines = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **headers,
        }
        self._path = parts.path
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._number = 1
        self._socket = socket.create_connection((parts.hostname, parts.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def open(self) -> None:
        """Handshake and first list of tools."""
        head, _ = self._exchange(self._request(HELLO))
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"mcp-session-id:"):
                self._headers += line.decode() + "\r\n"
        self._headers += "MCP-Protocol-Version: 2025-11-25\r\n"
        self._exchange(self._request(OPENED))
        _, listed = self._exchange(self._request(LIST))
        if b'"echo"' not in listed:
            raise WrongAnswerError(f"not a list of tools: {listed[:500]!r}")

    def sequential(self, count: int) -> list[int]:
        """One call after the other: the time of each."""
        first = self._number + 1
        self._number += count
        requests = [self._request(call(number)) for number in range(first, first + count)]
        times, answers = [], []
        for request in requests:
            start = perf_counter_ns()
            _, body = self._exchange(request)
            times.append(perf_counter_ns() - start)
            answers.append(body)
        checked_answers([_message(body) for body in answers], first, count)
        return times

    def _request(self, line: bytes) -> bytes:
        body = line.strip()
        head = f"POST {self._path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def _exchange(self, request: bytes) -> tuple[bytes, bytes]:
        """The head and the body of an answer."""
        self._socket.sendall(request)
        data = self._read(b"")
        while (end := data.find(b"\r\n\r\n")) < 0:
            data = self._read(data)
        head, body = data[:end], data[end + 4 :]
        lower = head.lower()
        _, found, rest = lower.partition(b"content-length:")
        if found:
            size = int(rest.partition(b"\r\n")[0])
            while len(body) < size:
                body = self._read(body)
        elif b"transfer-encoding: chunked" in lower:
            while not body.endswith(b"0\r\n\r\n"):
                body = self._read(body)
        return head, body

    def _read(self, data: bytes) -> bytes:
        chunk = self._socket.recv(1 << 18)
        if not chunk:
            raise WrongAnswerError("the connection ended")
        return data + chunk


def _message(body: bytes) -> bytes:
    """The message in a body, which may be an event stream in chunks."""
    return next(
        (
            line.removeprefix(b"data:").strip()
            for line in body.splitlines()
            if line.startswith(b"data:") and b'"id"' in line
        ),
        body,
    )
