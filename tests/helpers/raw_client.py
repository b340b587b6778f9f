"""A raw MCP client for tests: it sends what it is told to send, and keeps every line it gets.

Synchronous on the outside, with one thread that reads. Whatever does not come in time raises
TimeoutError with all that is known. The child's ends may be pipes or socket pairs (Node's habit).
"""

import contextlib
import itertools
import json
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from tests.helpers.limits import LIMIT_S

Json = dict[str, Any]
META = "io.modelcontextprotocol/"
HANDSHAKE, STATELESS = "2025-11-25", "2026-07-28"


@dataclass
class Pending:
    """A request under way."""

    client: "RawClient"
    id: Any
    response: Json | None = None

    @property
    def done(self) -> bool:
        """Whether the response is here."""
        return self.response is not None

    def wait(self, timeout: float = LIMIT_S) -> Json:
        """The whole response message; raises TimeoutError."""
        self.client.wait_until(lambda: self.done, f"the response to {self.id!r}", timeout)
        assert self.response is not None
        return self.response


@dataclass
class RawClient:
    """One session with a child process. Use as a context manager: leaving it ends the child.

    `answers` maps a method that the server may request to the function that makes the result from
    its params; other server requests get "method not found", or nothing with `mute`.
    """

    command: Sequence[str]
    env: dict[str, str] | None = None
    cwd: Path | None = None
    ends: Literal["pipe", "socket"] = "pipe"
    protocol: str = HANDSHAKE
    name: str = "raw-client"
    answers: dict[str, Callable[[Json], Json]] = field(default_factory=dict)
    mute: bool = False
    lines: list[bytes] = field(default_factory=list)  # all that came, in order, as it came
    unmatched: list[Json] = field(default_factory=list)  # notifications, server requests, strays
    closed: bool = False  # the server's output has ended

    def __enter__(self) -> Self:
        self._ids = itertools.count(1)
        self._pending: dict[Any, Pending] = {}
        self._news = threading.Condition()
        self._sending = threading.Lock()
        self._errors = tempfile.TemporaryFile()
        if self.ends == "pipe":
            child_in, self._out = os.pipe()
            self._in, child_out = os.pipe()
        else:
            child_in, self._out = (end.detach() for end in socket.socketpair())
            self._in, child_out = (end.detach() for end in socket.socketpair())
        self.process = subprocess.Popen(
            self.command,
            stdin=child_in,
            stdout=child_out,
            stderr=self._errors,
            env=self.env,
            cwd=self.cwd,
        )
        os.close(child_in)
        os.close(child_out)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.hang_up()
        if self.process.poll() is None:
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(LIMIT_S)
        self._errors.close()

    @property
    def stderr(self) -> str:
        """What the child said on stderr so far."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors="replace")

    @property
    def stateless(self) -> bool:
        """Whether this client speaks the era without a handshake."""
        return self.protocol >= STATELESS

    def open(self, timeout: float = LIMIT_S) -> Json:
        """Open the session as the client's era does; the result of initialize or discover."""
        if self.stateless:
            return self.request("server/discover", timeout=timeout)["result"]
        hello = {
            "protocolVersion": self.protocol,
            "capabilities": {"roots": {"listChanged": True}, "elicitation": {}, "sampling": {}},
            "clientInfo": {"name": self.name, "version": "1.0"},
        }
        result = self.request("initialize", hello, timeout=timeout)["result"]
        self.notify("notifications/initialized")
        return result

    def start(self, method: str, params: Json | None = None, *, id: Any = None) -> Pending:  # noqa: A002
        """Send a request and return at once."""
        pending = Pending(self, next(self._ids) if id is None else id)
        self._pending[pending.id] = pending
        self.send({"id": pending.id, "method": method, "params": self._params(params)})
        return pending

    def request(self, method: str, params: Json | None = None, *, timeout: float = LIMIT_S) -> Json:
        """Send a request and wait: the whole response message."""
        return self.start(method, params).wait(timeout)

    def start_call(self, tool: str, arguments: Json | None = None, **meta: Any) -> Pending:
        """Send a tools/call and return at once; `meta` goes to `_meta` (progressToken=…)."""
        params: Json = {"name": tool, "arguments": arguments or {}}
        if meta:
            params["_meta"] = meta
        return self.start("tools/call", params)

    def call(self, tool: str, arguments: Json | None = None, *, timeout: float = LIMIT_S) -> Json:
        """Send a tools/call and wait: the whole response message."""
        return self.start_call(tool, arguments).wait(timeout)

    def notify(self, method: str, params: Json | None = None) -> None:
        """Send a notification."""
        self.send({"method": method} if params is None else {"method": method, "params": params})

    def send(self, message: Json) -> None:
        """Send one message as one line."""
        line = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":"), ensure_ascii=False)
        self.send_raw(line.encode() + b"\n")

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are; raises BrokenPipeError when nobody reads, or after hang_up."""
        rest = memoryview(data)
        with self._sending:
            if self._out < 0:
                raise BrokenPipeError("this client has hung up")
            while rest:
                rest = rest[os.write(self._out, rest) :]

    def hang_up(self) -> None:
        """Close the child's stdin, as an agent does at the end."""
        with self._sending:
            out, self._out = self._out, -1
            if out >= 0:
                os.close(out)

    def finish(self, timeout: float = LIMIT_S) -> int:
        """Hang up and wait for the child's exit code; raises TimeoutError."""
        self.hang_up()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the child did not end: {self._known()}") from None

    def message(self, method: str, *, timeout: float = LIMIT_S) -> Json:
        """The next notification or server request of that method, taken out of `unmatched`."""

        def take() -> Iterator[Json]:
            return (message for message in self.unmatched if message.get("method") == method)

        self.wait_until(lambda: any(take()), f"a {method}", timeout)
        with self._news:
            message = next(take())
            self.unmatched.remove(message)
            return message

    def wait_until(self, holds: Callable[[], bool], what: str, timeout: float = LIMIT_S) -> None:
        """Wait until something holds that arriving lines change; raises TimeoutError."""
        with self._news:
            self._news.wait_for(lambda: holds() or self.closed, timeout)
            if not holds():
                why = "the output ended before" if self.closed else f"not within {timeout} s:"
                raise TimeoutError(f"{why} {what}; {self._known()}")

    def _params(self, params: Json | None) -> Json:
        params = dict(params or {})
        if self.stateless:
            params["_meta"] = {
                META + "protocolVersion": self.protocol,
                META + "clientCapabilities": {"elicitation": {}},
                META + "clientInfo": {"name": self.name, "version": "1.0"},
                **params.get("_meta", {}),
            }
        return params

    def _known(self) -> str:
        lines = b"".join(self.lines[-3:])[-2000:].decode(errors="replace")
        return f"exit {self.process.poll()}; last lines {lines!r}; stderr {self.stderr[-2000:]!r}"

    def _read(self) -> None:
        try:
            with contextlib.suppress(ConnectionResetError), open(self._in, "rb") as stream:  # noqa: PTH123
                for line in stream:
                    self.lines.append(line)
                    if line.strip():  # an engine ends the line that a killed one may have torn
                        self._take(json.loads(line))
        finally:
            with self._news:
                self.closed = True
                self._news.notify_all()

    def _take(self, message: Any) -> None:
        if isinstance(message, dict) and "method" in message and "id" in message:
            self._answer(message)
        with self._news:
            pending = None
            if isinstance(message, dict) and "method" not in message:
                pending = self._pending.pop(message.get("id"), None)
            if pending is None:
                self.unmatched.append(message)
            else:
                pending.response = message
            self._news.notify_all()

    def _answer(self, request: Json) -> None:
        answer: Json = {"error": {"code": -32601, "message": "Method not found"}}
        if (make := self.answers.get(request["method"])) is not None:
            answer = {"result": make(request.get("params") or {})}
        elif self.mute:
            return
        with contextlib.suppress(BrokenPipeError):  # the session may end meanwhile
            self.send({"id": request["id"], **answer})
