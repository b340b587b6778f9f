from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path

from tests.helpers.programs import environment

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
        code = app.wait(30)
    finally:
        app.kill()
        app.wait()
        os.close(ours)
    assert code == 0, written[-4000:].decode(errors="replace")
    return written.decode()


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


def test_a_screen_that_was_left_is_drawn_again_when_a_person_comes_back() -> None:
    app, ours = start("typed")
    shown = ""

    def until(words: str) -> None:
        nonlocal shown
        while words not in shown:
            assert select.select([ours], [], [], 20)[0], f"{words!r} does not come: {shown[-500:]}"
            shown += _SEQUENCE.sub("", os.read(ours, 65536).decode(errors="replace"))
        shown = ""

    try:
        until("[1 Calls]")
        for key, title in zip("3131", ("Rules]", "Calls]") * 2, strict=True):
            os.write(ours, key.encode())
            until(title)
        os.write(ours, b"q")
        while _read(ours):
            pass
        assert app.wait(30) == 0
    finally:
        app.kill()
        app.wait()
        os.close(ours)
