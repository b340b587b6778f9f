"""One question to the engine without an event loop, for commands that ask and print."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from mcpwall import __version__
from mcpwall.engine.port import Stop
from mcpwall.link import wire
from mcpwall.link.errors import check_version, read_result, socket_path, unreachable
from mcpwall.link.peer import ForeignPeerError, check_peer

if TYPE_CHECKING:
    from io import BufferedReader

    import msgspec


def ask(
    method: str,
    params: msgspec.Struct | None,
    kind: Any,
    *,
    path: str | None = None,
    timeout_s: float = 10.0,
) -> Any:
    """Connect, ask, and return the answer as a value of type `kind`.

    `path` is the socket, by default this user's; the engine gets `timeout_s` for each answer.
    Raises EngineGoneError as `link.client.connect` does. Stop alone is sent to an engine of any
    version.
    """
    where = socket_path(path)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout_s)
            sock.connect(where)
            check_peer(sock)
            with sock.makefile("rb") as answers:
                sock.sendall(wire.request(1, "hello", wire.Hello(__version__, "cli")))
                welcome = _read(answers, wire.Welcome)
                if not isinstance(params, Stop):
                    check_version(welcome)
                sock.sendall(wire.request(2, method, params))
                return _read(answers, kind)
    except (OSError, EOFError, wire.WireError, ForeignPeerError) as error:
        raise unreachable(where, error) from error


def _read(answers: BufferedReader, kind: Any) -> Any:
    line = answers.readline(wire.ANSWER_MAX)
    if not line.endswith(b"\n"):
        raise EOFError("no whole answer")
    return read_result(wire.read_frame(line), kind)
