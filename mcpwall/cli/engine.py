"""`mcpwall engine`: the engine as a process, put together from its parts and taken apart."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from mcpwall import home, starter
from mcpwall.cli import shared
from mcpwall.cli.errors import FAILED, USAGE, CliError
from mcpwall.cli.home_lock import HomeGoneError, HomeLock
from mcpwall.engine.clock import SystemClock
from mcpwall.engine.core import Engine
from mcpwall.engine.local import LocalPort
from mcpwall.engine.resolve import resolve
from mcpwall.engine.rulebook import POLL_S, Rulebook
from mcpwall.link.listener import Listener, ListenError
from mcpwall.link.server import Server
from mcpwall.store.accepted import Accepted
from mcpwall.store.audit import Audit
from mcpwall.store.config import ConfigError
from mcpwall.store.faults import AuditError
from mcpwall.store.files import UnsafeFileError, check_directory_of, private_dir
from mcpwall.store.intake import Intake
from mcpwall.store.logins import Logins
from mcpwall.store.mark import Mark
from mcpwall.store.remotes import needed
from mcpwall.store.schema import ServerConfig
from mcpwall.store.shared.client import Client
from mcpwall.store.token import token
from mcpwall.store.tools import ToolsError, ToolStore
from mcpwall.transport.attention import Attention, cores
from mcpwall.transport.handed_over import HandedOver
from mcpwall.transport.http import stdio_agent
from mcpwall.transport.http.agents import Agents
from mcpwall.transport.http.door import Door
from mcpwall.transport.http.upstream import Remotes
from mcpwall.transport.http.ways import Ways
from mcpwall.transport.piped import PipedAgent
from mcpwall.transport.stdio import StdioSession

CHECKPOINT_S: Final = 0.1  # between two looks whether the audit's log is worth a checkpoint
POLL_SHARE: Final = 20  # at most this part of the time goes into looking at rules files
GC_THRESHOLD: Final = (5_000, 20, 50)  # a call leaves a dozen objects, none of them in a cycle
FILES: Final = 8_192  # descriptors: macOS begins with 256, Linux mostly with 1,024
GOODBYE: Final = "the wall was stopped"


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall engine`."""
    parser = subparsers.add_parser(
        "engine",
        help="run the engine in the foreground",
        description="Run the engine in the foreground until Ctrl-C or `mcpwall stop`. The app and "
        "the shims start one in the background when none runs.",
    )
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the engine until it is told to stop. Raises CliError."""
    if not arguments.background:
        serve(lambda: print(f"mcpwall engine: listening on {home.socket_file()}", flush=True))
        return 0
    if os.fork():  # nobody's child: an agent that ends all below it must not end the engine
        os._exit(0)
    os.setsid()
    os.chdir("/")
    try:
        serve(lambda: _tell("ready"))
    except CliError as error:
        _tell(str(error))
        raise
    return 0


def _tell(word: str) -> None:
    """Tell whoever started this engine in the background how it went."""
    with contextlib.suppress(OSError):  # they may have given up
        os.write(starter.READY_FD, word.encode())
        os.close(starter.READY_FD)


def serve(ready: Callable[[], None]) -> None:
    """Run an engine in this process; `ready` is called once it listens. Raises CliError."""
    os.umask(0o077)
    _allow_many_files()
    try:
        if not os.path.isdir(home.config_dir()):  # noqa: PTH112 - as text, as home gives it
            private_dir(home.config_dir())  # one that is there may be read by others, as people do
        _check_config_dir()
        private_dir(home.state_dir())
        with (
            contextlib.closing(HomeLock.take()) as lock,
            lock.explaining(),
            asyncio.Runner(loop_factory=_loop_factory()) as runner,
        ):
            runner.run(_serve(ready, lock))
    except ConfigError as error:
        raise CliError("; ".join(str(each) for each in error.errors), USAGE) from None
    except (AuditError, ListenError, ToolsError, UnsafeFileError, ValueError) as error:
        raise CliError(str(error), FAILED) from None
    except OSError as error:
        where = error.filename or home.state_dir()
        raise CliError(f"{where}: {error.strerror}", FAILED) from None


def _allow_many_files() -> None:
    """Take as many descriptors as this user may have, within reason: a session needs eight."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft not in (resource.RLIM_INFINITY, wanted) and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _check_config_dir() -> None:
    """Who may write there could give the wall other rules, or another record. Raises CliError."""
    try:
        check_directory_of(Path(home.config_file()))
    except UnsafeFileError as error:
        raise CliError(str(error), USAGE) from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not on this platform
        return None
    return uvloop.new_event_loop


async def _serve(ready: Callable[[], None], lock: HomeLock) -> None:
    clock = SystemClock()
    intake = Intake.open(Audit.open(home.audit_file(), boot=clock.boot), home.intake_file())
    with contextlib.closing(intake), contextlib.closing(ToolStore.open(home.tools_file())) as tools:
        rulebook = Rulebook(home.config_file(), Accepted(home.accepted_file()))
        place = await asyncio.to_thread(shared.find, rulebook.config)
        ledger = shared.ledger(place) if place else None
        engine = Engine(
            intake=intake,
            rulebook=rulebook,
            clock=clock,
            resolve=resolve,
            lockdown=Mark(home.lockdown_file()),
            ledger=ledger,
            tools=tools,
            mask_key=token(home.mask_key_file()),
        )
        service = Service(engine, ledger, lock)
        await service.run(ready)
        engine.inventory.write_counts()


class Service:
    """An engine with its socket, its sessions, and what it does from time to time."""

    def __init__(self, engine: Engine, ledger: Client | None, lock: HomeLock) -> None:
        self._engine = engine
        self._ledger = ledger
        self._lock = lock
        self._sessions: set[PipedAgent] = set()
        self._stopped = asyncio.Event()
        self._attention = Attention(asyncio.get_running_loop(), cores())
        self._control = Server(LocalPort(engine))
        self._listener = Listener(
            home.socket_file(), on_stdio=self._shim, on_control=self._control.take
        )
        remotes = Remotes(engine.notice, engine.reached, Logins(home.logins_dir()))
        self._ways = Ways(engine, Path(home.servers_log_dir()), remotes)
        self._agents = Agents(engine, self._ways.connect)
        self._door = Door(
            clock=engine.clock,
            handler=self._agents,
            token_file=home.http_token_file(),
            tell=engine.http_changed,
        )
        self._was_reachable = True
        engine.on_stop = self._stopped.set

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until told to stop. Raises ListenError, HomeGoneError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        self._listener.open()
        await self._door.apply(self._engine.rulebook.config.http)
        chores = [loop.create_task(self._poll()), loop.create_task(self._checkpoint())]
        asking = {loop.create_task(self._ledger.run())} if self._ledger else set()
        gc.collect()
        gc.freeze()  # what stands now stays: no collection needs to look at it
        gc.set_threshold(*GC_THRESHOLD)
        ready()
        stopped = loop.create_task(self._stopped.wait())
        goodbye = GOODBYE
        try:
            done, _ = await asyncio.wait(
                {stopped, *chores, *asking}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()  # a chore ends by failing alone: no wall goes on without it
        except HomeGoneError as gone:
            goodbye = str(gone)
            raise
        finally:
            stopped.cancel()
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
            self._listener.close()
            for session in tuple(self._sessions):
                session.bye(goodbye)
            self._agents.close(goodbye)
            self._door.close()
            await self._ways.close()
            if self._ledger:
                await self._ledger.drain()
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            await self._control.close()

    async def _poll(self) -> None:
        """Look at the rules files: often, unless somebody's file takes long to read."""
        loop, pause = asyncio.get_running_loop(), POLL_S
        while True:
            await asyncio.sleep(pause)
            started = loop.time()
            self._lock.check()
            self._stay_reachable()
            self._engine.rulebook.poll()
            await self._door.apply(self._engine.rulebook.config.http)
            pause = max(POLL_S, POLL_SHARE * (loop.time() - started))

    def _stay_reachable(self) -> None:
        """Listen anew where somebody removed the socket. Raises ListenError, HomeGoneError.

        Only where it stays away from one look to the next: all of the home may be going.
        """
        reachable = self._listener.reachable
        if not reachable and not self._was_reachable:
            self._listener.close()
            self._listener.open()
            self._engine.notice("warning", "the control socket was removed; it is there again")
        self._was_reachable = reachable

    async def _checkpoint(self) -> None:
        audit = self._engine.recorder.intake.audit
        while True:
            await asyncio.sleep(CHECKPOINT_S)
            if audit.checkpoint_due:
                try:
                    await asyncio.to_thread(audit.checkpoint)
                except AuditError as error:
                    self._engine.notice("error", str(error))

    def _shim(
        self, link: socket.socket, fds: list[int], params: dict[str, Any], rest: bytes
    ) -> None:
        """A shim has come: with a question, or with the ends of a session."""
        if params.get("ask"):
            self._answer(link, fds, str(params.get("server", "")))
            return
        try:
            with HandedOver(fds) as handed:
                session = self._session(link, handed, params)
        except (ValueError, OSError, msgspec.MsgspecError, AuditError) as error:
            self._engine.notice("error", f"a session could not be taken over: {error}")
            with contextlib.suppress(OSError):
                why = " ".join(f"the wall cannot take this session over: {error}".split())
                link.send(f"bye {why}\n".encode(errors="replace"))
            link.close()
            return
        self._sessions.add(session)
        session.on_over = lambda: self._sessions.discard(session)
        try:
            session.start(rest)
        except AuditError as error:
            self._engine.notice("error", str(error))
            session.bye(f"the wall cannot read its record: {error}")

    def _session(
        self, link: socket.socket, handed: HandedOver, params: dict[str, Any]
    ) -> PipedAgent:
        """A session on the ends that came. Raises ValueError, OSError or AuditError."""
        if len(handed) == stdio_agent.ENDS:
            return self._ways.piped(self._attention, link, handed, params)
        logs = Path(home.servers_log_dir())
        return StdioSession(self._engine, self._attention, link, handed, params, logs=logs)

    def _answer(self, link: socket.socket, fds: list[int], name: str) -> None:
        """Tell a shim how to start a configured server."""
        for fd in fds:
            os.close(fd)
        server = self._engine.rulebook.server(name)
        told: dict[str, Any] = {}
        if isinstance(server, ServerConfig):
            told = {"command": list(server.command), "env": dict(server.env), "cwd": server.cwd}
        elif server is not None:
            told = {"needs": sorted(needed(server))}
        with contextlib.suppress(OSError):
            link.send(msgspec.json.encode(told) + b"\n")
        link.close()
