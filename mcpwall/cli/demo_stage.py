"""What the demo puts up and takes down again: a scratch home, its engine, the pretend agents.

Each is a context manager that leaves nothing behind, whatever ends the demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from mcpwall import home, starter
from mcpwall.cli.errors import CliError
from mcpwall.cli.stop import wait_until_free
from mcpwall.demo.story import AGENTS
from mcpwall.engine.port import EngineGoneError, Reply, Stop

PARTING_S: Final = 8  # that agents get to end their sessions
PREFIX: Final = "mcpwall-demo-"
PROJECT: Final = "acme"  # in the scratch home: where the agents run


@contextmanager
def signals_end_it() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, which asyncio turns into an orderly end.

    The first is the only one. Raises SystemExit with the code that belongs to it.
    """
    numbers = (signal.SIGTERM, signal.SIGHUP)
    caught: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        caught.append(number)
        interrupt = signal.getsignal(signal.SIGINT)
        if callable(interrupt):
            interrupt(signal.SIGINT, frame)

    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    except KeyboardInterrupt:
        if caught:
            raise SystemExit(128 + caught[0]) from None
        raise
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def scratch_home(*, keep: bool) -> Iterator[Path]:
    """A new MCPWALL_HOME for this process and its children. Raises CliError."""
    place = _make_directory()
    (place / PROJECT).mkdir()
    before = os.environ.get("MCPWALL_HOME")
    os.environ["MCPWALL_HOME"] = str(place)
    try:
        yield place
    finally:
        if before is None:
            del os.environ["MCPWALL_HOME"]
        else:
            os.environ["MCPWALL_HOME"] = before
        if not keep:
            shutil.rmtree(place)


def _make_directory() -> Path:
    """A directory of this user's alone, with a path that leaves room for a socket's."""
    parent = tempfile.gettempdir()
    if len(os.fsencode(f"{parent}/{PREFIX}xxxxxxxx/state/engine.sock")) > home.SOCKET_PATH_MAX:
        parent = "/tmp"  # noqa: S108  mkdtemp makes a name of its own in it
    try:
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    except OSError as error:
        raise CliError(f"cannot make a scratch home: {error}; set TMPDIR") from None


@contextmanager
def running_engine() -> Iterator[None]:
    """An engine of the scratch home, which has ended afterwards. Raises CliError."""
    try:
        starter.connect_or_start().close()
        yield
    except starter.EngineStartError as error:
        raise CliError(str(error)) from None
    finally:
        _stop_engine()


def _stop_engine() -> None:
    """End the engine, in good order or not, and wait until it has gone. Raises CliError."""
    from mcpwall.link.sync import ask

    with contextlib.suppress(EngineGoneError):  # it was stopped, or ends before its answer is out
        ask("send", Stop(), Reply)
    if not wait_until_free(home.lock_file()):
        raise CliError(f"the demo's engine does not end; see {home.log_file()}, or kill it")


@asynccontextmanager
async def agents_at_work(
    place: Path, options: list[str], errors: int | None = None
) -> AsyncIterator[dict[str, Process]]:
    """The pretend agents' processes by name; afterwards they, their shims and servers have ended.

    What they say on stderr goes to the descriptor `errors`, or to this process's.
    """
    agents: dict[str, Process] = {}
    try:
        for name in AGENTS:
            agents[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "mcpwall.demo.agent", name, *options),
                cwd=place / PROJECT,
                stdin=PIPE,
                stderr=errors,
                process_group=0,  # its shims are in it: Ctrl-C is for this process alone
            )
        yield agents
    finally:
        for agent in agents.values():
            _close_stdin(agent)
        for agent in agents.values():
            await _end(agent)


def _close_stdin(agent: Process) -> None:
    """Tell an agent that it is wanted no more."""
    if agent.stdin is not None:
        agent.stdin.close()


async def _end(agent: Process) -> None:
    """Wait for an agent's end; one that does not end is killed, with its shims."""
    try:
        async with asyncio.timeout(PARTING_S):
            await agent.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(agent.pid, signal.SIGKILL)
        await agent.wait()
