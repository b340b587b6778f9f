"""Why a client has no engine, in words for the person who reads them."""

from __future__ import annotations

from typing import Any

from mcpwall import __version__, home
from mcpwall.engine.port import EngineGoneError
from mcpwall.link import wire


class NoEngineError(EngineGoneError):
    """Nobody listens on the control socket."""

    def __init__(self, path: str) -> None:
        super().__init__(f"no engine runs (nobody listens on {path}); `mcpwall` starts one")


class OtherVersionError(EngineGoneError):
    """An engine runs, but of another version of mcpwall; `engine` is what it said of itself."""

    def __init__(self, engine: wire.Welcome) -> None:
        super().__init__(wire.other_version(engine.version, __version__))
        self.engine = engine


def socket_path(path: str | None) -> str:
    """The control socket at `path`, else this user's. Raises EngineGoneError."""
    try:
        return home.socket_file() if path is None else path
    except ValueError as error:
        raise EngineGoneError(str(error)) from error


def unreachable(path: str, error: Exception) -> EngineGoneError:
    """What to raise when `error` came out of connecting to `path` or of talking over it."""
    match error:
        case FileNotFoundError() | ConnectionRefusedError():
            return NoEngineError(path)
        case TimeoutError():
            return EngineGoneError(
                f"the engine at {path} does not answer; see {home.log_file()}, or kill the process "
                f"that {home.lock_file()} names"
            )
        case EOFError() | ConnectionError():
            return EngineGoneError("the engine closed the connection; `mcpwall` starts a new one")
        case _:
            return EngineGoneError(f"cannot talk to the engine at {path}: {error}")


def check_version(engine: wire.Welcome) -> None:
    """Raise OtherVersionError unless the engine is of this very version."""
    if engine.version != __version__:
        raise OtherVersionError(engine)


def refused(fault: wire.Fault) -> EngineGoneError:
    """What to raise for an error in an answer."""
    return EngineGoneError(f"the engine refused: {fault.message}")


def read_result(frame: wire.Frame, kind: Any) -> Any:
    """The result in an answer. Raises EngineGoneError for an error; WireError for another type."""
    if frame.error is not None:
        raise refused(frame.error)
    return wire.read_value(frame.result, kind)
