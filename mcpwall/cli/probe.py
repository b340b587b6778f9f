"""Starting a stdio server for a moment, to see whether it answers. Used by `mcpwall doctor`.

The server is started as its agent would start it, asked to open a session, and ended with all that
it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mcpwall import __version__
from mcpwall.server_process import signal_group

ANSWER_S: Final = 20.0  # a package runner may have to fetch the server first
ENDING_S: Final = 2.0
STDERR_MAX: Final = 2_000  # characters of its end
# what the doctor says to every server, to those that are reached by a URL too
OPENING: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "mcpwall-doctor", "version": __version__},
    },
}


@dataclass(frozen=True, slots=True)
class Answer:
    """`failure` says why there was no answer, '' when there was; `said` is the end of stderr."""

    failure: str
    said: str = ""


def probe(
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: str,
    answer_s: float = ANSWER_S,
) -> Answer:
    """Start a server, wait at most `answer_s` seconds for its first answer, and end it."""
    with tempfile.TemporaryFile() as errors:
        try:
            server = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(environment),
                cwd=directory,
                start_new_session=True,
            )
        except OSError as error:
            return Answer(f"cannot be started: {error.strerror}")
        try:
            failure = _ask(server, answer_s)
        finally:
            _end(server)
        size = errors.seek(0, os.SEEK_END)
        errors.seek(max(0, size - STDERR_MAX))
        said = errors.read().decode(errors="replace").strip()
    return Answer(failure, said if failure else "")


def _ask(server: subprocess.Popen[bytes], answer_s: float) -> str:
    """Why the server did not open a session, or ''."""
    if server.stdin is None or server.stdout is None:
        raise ValueError("the server was started without pipes")
    with contextlib.suppress(BrokenPipeError):
        server.stdin.write(json.dumps(OPENING).encode() + b"\n")
        server.stdin.flush()
    until, got = time.monotonic() + answer_s, b""
    while (left := until - time.monotonic()) > 0:
        if not select.select([server.stdout], [], [], left)[0]:
            break
        data = os.read(server.stdout.fileno(), 65536)
        if not data:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return f"ended at once, with code {server.wait(ENDING_S)}"
            return "closed its output at once"
        got += data
        for line in got.split(b"\n")[:-1]:
            if (failure := _read(line)) is not None:
                return failure
        got = got[got.rfind(b"\n") + 1 :]
    return f"did not answer within {answer_s:g} s"


def _read(line: bytes) -> str | None:
    """Why the answer is a refusal, '' when it is none; None for a line that is no answer."""
    try:
        message = json.loads(line)
    except ValueError:
        return None  # what servers print by mistake
    if not isinstance(message, dict) or message.get("id") != 1:
        return None
    if "error" in message:
        return f"refused to open a session: {json.dumps(message['error'])[:200]}"
    return ""


def _end(server: subprocess.Popen[bytes]) -> None:
    """Close its input, and end the whole session that was started for it."""
    for pipe in (server.stdin, server.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        signal_group(server.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(ENDING_S)
            break
    signal_group(server.pid, signal.SIGKILL)
