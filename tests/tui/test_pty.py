from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path
from tty import LFLAG
from typing import TYPE_CHECKING

import pytest

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"  # OSC and other strings
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)
_ALLOWED = {"\x1b", "\r", "\n"}


def start(kind: str) -> tuple[subprocess.Popen[bytes], int]:
    """The app, and our end of its terminal, a real one as far as it can tell."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    env = {
        **{k: v for k, v in environment().items() if k not in ("NO_COLOR", "TERM_PROGRAM")},
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONUTF8": "1",
    }
    command = [sys.executable, str(Path(__file__).with_name("pty_app.py")), kind]
    app = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    return app, ours


def run(kind: str) -> str:
    """All that the app writes to its terminal."""
    app, ours = start(kind)
    written = bytearray()
    try:
        while piece := _read(ours):
            written += piece
        code = app.wait(LIMIT_S)
    finally:
        app.kill()
        app.wait()
        os.close(ours)
    assert code == 0, written[-4000:].decode(errors="replace")
    return written.decode()


def test_an_app_whose_terminal_is_gone_ends() -> None:
    app, ours = start("typed")
    try:
        assert _read(ours)
        os.close(ours)
        app.wait(LIMIT_S)
    finally:
        app.kill()
        app.wait()


def _read(terminal: int) -> bytes:
    """What was written since; empty at the end, which Linux reports as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError as error:
        if error.errno == errno.EIO:
            return b""
        raise


def shape(sequence: str) -> str:
    """A sequence without its numbers: places and colours differ from frame to frame."""
    return re.sub(r"\d+(;\d+)*", "N", sequence)


def test_p10_hostile_text_adds_no_sequence_to_what_benign_text_makes() -> None:
    benign, hostile = run("benign"), run("hostile")
    assert "‹ESC›" in hostile
    known = {shape(sequence) for sequence in _SEQUENCE.findall(benign)}
    assert len(known) > 5
    assert {shape(sequence) for sequence in _SEQUENCE.findall(hostile)} <= known
    rest, harmless = _SEQUENCE.sub("", hostile), _SEQUENCE.sub("", benign)
    assert rest.count("\x07") == harmless.count("\x07") == 1  # our own bell: a call waits
    rest = rest.replace("\x07", "")
    assert not {char for char in rest if not char.isprintable()} - _ALLOWED
    assert "\x1b" not in rest


class Terminal:
    """The app as a person sees it, with keys typed on a real terminal."""

    def __init__(self) -> None:
        self.app, self.ours = start("typed")
        self._shown = ""

    def until(self, words: str) -> None:
        """Wait until these words come; what came before them is forgotten."""
        while words not in self._shown:
            ready = select.select([self.ours], [], [], LIMIT_S)[0]
            assert ready, f"{words!r} does not come: {self._shown[-500:]}"
            read = os.read(self.ours, 65536).decode(errors="replace")
            self._shown += _SEQUENCE.sub("", read)
        self._shown = ""

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def leave(self) -> None:
        self.type("q")
        while _read(self.ours):
            pass
        assert self.app.wait(LIMIT_S) == 0


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    it = Terminal()
    yield it
    it.app.kill()
    it.app.wait()
    os.close(it.ours)


def test_a_screen_that_was_left_is_drawn_again_when_a_person_comes_back(
    terminal: Terminal,
) -> None:
    terminal.until("[1 Calls]")
    for key, title in zip("3131", ("Rules]", "Calls]") * 2, strict=True):
        terminal.type(key)
        terminal.until(title)
    terminal.leave()


def test_keys_count_again_after_a_shell_had_the_terminal(terminal: Terminal) -> None:
    terminal.until("[1 Calls]")
    modes = termios.tcgetattr(terminal.ours)
    terminal.app.send_signal(signal.SIGSTOP)
    os.waitpid(terminal.app.pid, os.WUNTRACED)
    modes[LFLAG] |= termios.ICANON | termios.ECHO  # as a shell likes it
    termios.tcsetattr(terminal.ours, termios.TCSANOW, modes)
    terminal.app.send_signal(signal.SIGCONT)
    terminal.until("[1 Calls]")
    terminal.type("3")
    terminal.until("Rules]")
    terminal.leave()


def test_without_a_shell_that_could_bring_it_back_the_app_is_not_stopped(
    terminal: Terminal,
) -> None:
    terminal.until("[1 Calls]")
    terminal.type("\x1a")
    terminal.until("no shell started the app")
    terminal.leave()


def test_an_app_that_is_ended_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.until("[1 Calls]")
    assert not termios.tcgetattr(terminal.ours)[LFLAG] & termios.ICANON
    terminal.app.send_signal(signal.SIGTERM)
    written = b""
    while piece := _read(terminal.ours):
        written += piece
    assert terminal.app.wait(30) == 0
    assert b"\x1b[?1049l" in written  # the screen from before
    assert b"\x1b[?1003l" in written  # no reports of the mouse
    assert termios.tcgetattr(terminal.ours)[LFLAG] & termios.ICANON
