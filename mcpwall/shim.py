"""`mcpwall stdio NAME [-- CMD …]`: what an agent runs in place of a server. Standard library only.

The shim starts the server, hands the ends of the pipes (from and to the agent, to and from the
server, stderr too) to the engine, and waits: for the server's exit, for the engine's word, for
signals. No byte of a message passes here. If the engine dies nothing flows; the shim starts a new
one and hands over again, and with the ends goes the session's journal, a shared file in which the
old engine left what it had read and not yet dealt with. Where the server is remote there is none to
start: the shim hands over the agent's two ends, and the variables that the server's headers need.

Words on the socket, one a line. From the engine: `shut` (close the server's stdin), `stop` (make
the server end), `end` (everything is delivered: exit as the server did), `bye WHY` (the wall was
stopped). To the engine: `stopping` (a signal told the shim to end the server), `exited CODE`.
"""

import array
import contextlib
import os
import select
import signal
import socket
import sys
import time

from mcpwall import home, starter
from mcpwall.server_process import TERM_S, ServerProcess

LEAVE_S = 10.0  # from the server's exit until the shim leaves even if the engine hangs
JOURNAL_SIZE = 1_318_912  # transport.journal.SIZE; a test compares them
PAUSE_S = 0.01  # before the first new engine; each one that dies soon makes it longer
RESTARTS_MAX = 10  # engines that may die within RESTARTS_S before the shim gives up
RESTARTS_S = 10.0
USAGE = "usage: mcpwall stdio NAME [-- COMMAND …]"
HELP = """\
What an agent runs in place of a server: starts COMMAND, and every message passes the wall. COMMAND
may be left out where [servers.NAME] in config.toml says it. NAME is what rules call the server."""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ShimError(Exception):
    """Why there is no session; the exit code is `code`."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def main(argv: list[str]) -> int:
    """Run one session. `argv` is what follows `stdio`. Returns the exit code."""
    if argv[:1] in (["-h"], ["--help"]):
        sys.stdout.write(f"{USAGE}\n\n{HELP}\n")
        return 0
    try:
        name, command = _arguments(argv)
        environment: dict[str, str] = dict(os.environ)
        needed: list[str] = []
        if not command:
            command, needed = _configured(name, environment)
        return Shim(name, command, environment, needed).run()
    except OSError as error:
        _complain(f"{error.strerror or error}")
        return 1
    except (ShimError, starter.EngineStartError) as error:
        _complain(str(error))
        return error.code if isinstance(error, ShimError) else 1


def _complain(text: str) -> None:
    shown = (char if char.isprintable() else ascii(char)[1:-1] for char in text)
    sys.stderr.write(f"mcpwall stdio: {''.join(shown)}\n")


def _arguments(argv: list[str]) -> tuple[str, list[str]]:
    if not argv or not argv[0] or argv[0].startswith("-"):
        raise ShimError(USAGE, 2)
    name, rest = argv[0], argv[1:]
    if rest[:1] == ["--"]:
        rest = rest[1:]
        if not rest:
            raise ShimError(f"a command must follow --; {USAGE}", 2)
    elif rest:
        raise ShimError(f"put -- before the server's command; {USAGE}", 2)
    return name, rest


def _configured(name: str, environment: dict[str, str]) -> tuple[list[str], list[str]]:
    """The command of `[servers.NAME]`, which the engine has read; sets its environment.

    For a remote server there is none, but the names of the variables that reaching it needs.
    """
    import json  # noqa: PLC0415 - it would cost every session some milliseconds

    with starter.connect_or_start() as link:
        question = {"jsonrpc": "2.0", "method": "stdio", "params": {"server": name, "ask": True}}
        link.sendall(json.dumps(question).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n") and (data := link.recv(65536)):
            answer += data
    told = json.loads(answer or b"{}")
    if "needs" in told:
        return [], [str(variable) for variable in told["needs"]]
    if not told.get("command"):
        raise ShimError(
            f"no [servers.{name}] in {home.config_file()}; "
            f"add it, or give the command: mcpwall stdio {name} -- COMMAND",
            2,
        )
    environment.update(told.get("env", {}))
    if directory := told.get("cwd"):
        try:
            os.chdir(os.path.expanduser(directory))
        except OSError as error:
            raise ShimError(f"[servers.{name}] cwd {directory}: {error.strerror}") from None
    return [str(part) for part in told["command"]], []


class Shim:
    """The server, where it is one of this machine's, and the connection to the engine."""

    def __init__(
        self, name: str, command: list[str], environment: dict[str, str], needed: list[str]
    ) -> None:
        """No `command`: the server is remote, and the engine needs these variables to reach it."""
        self._name = name
        self._passed = {key: environment[key] for key in needed if key in environment}
        self._directory = os.getcwd()
        self._kill_at: float | None = None  # when SIGKILL follows
        self._leave_at: float | None = None  # when to leave without the engine's word
        self._restarts: list[float] = []
        self._words = b""
        self._told = b""  # words that the next engine must hear too
        _open_standard_ends()
        self._wake = _catch_signals()
        # the agent's and the server's ends are made before the engine is asked for
        self._journal = _shared_file(JOURNAL_SIZE)
        self._server = _started(command, environment) if command else None
        self._engine = self._hand_over()

    def run(self) -> int:
        """Wait until the session is over; returns the exit code."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._engine, select.POLLIN)
        while True:
            for fd, _ in poll.poll(self._patience()):
                if fd == self._wake:
                    self._signals(os.read(self._wake, 4096))
                    continue
                data = _receive(self._engine)
                if not data:
                    poll.unregister(self._engine)
                    self._engine.close()
                    self._engine = self._again()
                    poll.register(self._engine, select.POLLIN)
                    continue
                *words, self._words = (self._words + data).split(b"\n")
                for word in words:
                    if self._obey(word):
                        return self._finish()
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._kill_at = None
                self._kill()
            if self._leave_at is not None and time.monotonic() >= self._leave_at:
                return self._finish()

    # --- the engine -----------------------------------------------------------------------------

    def _hand_over(self) -> socket.socket:
        """Give the ends to an engine. Raises EngineStartError."""
        try:
            engine = starter.connect_or_start()
        except starter.EngineStartError:
            self._kill()
            raise
        server = self._server
        line = _json(
            {
                "server": self._name,
                "directory": self._directory,
                "agent_pid": os.getppid(),
                **({"environment": self._passed} if server is None else {"server_pid": server.pid}),
            }
        )
        theirs = () if server is None else (*server.ends, 2)
        ends = array.array("i", [0, 1, *theirs, self._journal])
        data = b'{"jsonrpc":"2.0","method":"stdio","params":' + line + b"}\n"
        with contextlib.suppress(OSError):  # it died at once: the next read says so
            sent = engine.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, ends)])
            engine.sendall(data[sent:] + self._told)
        self._words = b""
        return engine

    def _again(self) -> socket.socket:
        """The engine is gone: hand over to a new one. Gives up when engines keep dying."""
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < RESTARTS_S] + [now]
        if len(self._restarts) > RESTARTS_MAX:
            self._kill()
            raise ShimError(f"the engine keeps dying; see {home.log_file()}")
        # one that is being killed may still listen for a moment
        time.sleep(PAUSE_S * len(self._restarts))
        return self._hand_over()

    def _obey(self, word: bytes) -> bool:
        """Do what the engine says; True when the session is over."""
        if word == b"shut" and self._server is not None:
            self._server.close_input()
        elif word == b"stop":
            self._stop(signal.SIGTERM)
        elif word == b"end":
            return True
        elif word.startswith(b"bye"):
            _complain(word[4:].decode(errors="replace"))
            return True
        return False

    # --- the server -----------------------------------------------------------------------------

    def _signals(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGCHLD:
                self._reap()
            elif self._server is None or self._server.exit is None:
                self._tell(b"stopping\n")
                self._stop(signal.Signals(number))

    def _reap(self) -> None:
        if self._server is not None and self._server.reap():
            self._kill_at = None
            self._leave_at = time.monotonic() + LEAVE_S
            self._tell(b"exited %d\n" % (self._server.exit or 0))

    def _tell(self, word: bytes) -> None:
        self._told += word
        with contextlib.suppress(OSError):
            self._engine.sendall(word)

    def _stop(self, number: signal.Signals) -> None:
        """Make the server end: this signal to its whole group, SIGKILL if that does not help."""
        if self._server is None:
            self._leave_at = time.monotonic()  # the engine sees that nobody holds the ends
            return
        self._server.send_signal(number)
        self._server.close_input()
        if self._kill_at is None:
            self._kill_at = time.monotonic() + TERM_S

    def _kill(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGKILL)

    def _patience(self) -> float | None:
        """Milliseconds until something is due."""
        due = [at for at in (self._kill_at, self._leave_at) if at is not None]
        return max(0.0, min(due) - time.monotonic()) * 1000 if due else None

    def _finish(self) -> int:
        """Leave nothing behind; returns the exit code."""
        if self._server is None:
            return 0
        self._server.finish()
        return self._server.exit or 0


def _started(command: list[str], environment: dict[str, str]) -> ServerProcess:
    try:
        return ServerProcess(command, environment, ENDING)
    except OSError as error:
        raise ShimError(f"cannot start the server {command[0]!r}: {error.strerror}", 127) from None


def _open_standard_ends() -> None:
    """Where the agent closed one of the three, let it be nothing, so that nothing else takes it."""
    fd = 0
    while fd <= 2:  # noqa: PLR2004 - stderr
        fd = os.open(os.devnull, os.O_RDWR)
    os.close(fd)


def _catch_signals() -> int:
    """From now on signals come as bytes (their numbers) from the descriptor returned."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (*ENDING, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)  # with no handler no byte would come
    return readable


def _shared_file(size: int) -> int:
    """A file of zeros without a name, to be mapped by the engines of this session."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("mcpwall-session")
    else:
        path = f"{home.state_dir()}/session-{os.getpid()}"
        os.makedirs(home.state_dir(), mode=0o700, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.unlink(path)
    os.ftruncate(fd, size)
    return fd


def _receive(engine: socket.socket) -> bytes:
    try:
        return engine.recv(4096)
    except OSError:
        return b""


def _json(value: object) -> bytes:
    """JSON of strings, integers, lists and objects, as `json.dumps` would, without its import."""
    return _text(value).encode("ascii")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(k)}:{_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(part) for part in value) + "]"
    if isinstance(value, int):
        return str(value)
    text = os.fsencode(str(value)).decode("utf-8", "replace")
    escaped = [
        c if " " <= c <= "~" and c not in '"\\' else "".join(f"\\u{u:04x}" for u in _utf16(c))
        for c in text
    ]
    return '"' + "".join(escaped) + '"'


def _utf16(character: str) -> tuple[int, ...]:
    data = character.encode("utf-16-be")
    return tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
