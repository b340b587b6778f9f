"""`mcpwall demo` from outside: what it prints, how it ends, and that nothing is left behind."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mcpwall.store.config import load
from tests.helpers.homes import processes
from tests.helpers.programs import environment

DEMO = [sys.executable, "-P", "-m", "mcpwall", "demo", "--fast"]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A TMPDIR of the demo's own; no process that knows it may be left at the end."""
    place = Path(tempfile.mkdtemp(prefix="demo-"))
    yield place
    left = processes("TMPDIR", place)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(place)
    assert not left, f"the demo left processes: {left}"


@contextmanager
def demo(scratch: Path, *options: str, terminal: int | None = None) -> Iterator[subprocess.Popen]:
    """A demo in lines, or on a terminal; one that a failed test leaves is killed."""
    running = subprocess.Popen(
        [*DEMO, *options],
        env=environment() | {"TMPDIR": str(scratch), "TERM": "xterm-256color"},
        stdin=subprocess.DEVNULL if terminal is None else terminal,
        stdout=subprocess.PIPE if terminal is None else terminal,
        stderr=subprocess.PIPE if terminal is None else terminal,
        text=True,
    )
    with running:
        try:
            yield running
        except BaseException:
            running.kill()
            raise


def first_call(running: subprocess.Popen) -> None:
    """Read lines until the first that is about a call."""
    assert running.stdout is not None
    assert any("  call " in line for line in running.stdout)


def test_without_a_terminal_the_story_is_told_in_lines(scratch: Path) -> None:
    with demo(scratch) as running:
        out, err = running.communicate()
    assert err == ""
    for told in (
        r"claude-code#1  filesystem\.list_directory  allow  done",
        r"codex#1  filesystem\.read_file  deny secrets  refused",
        r"claude-code#1  slack\.post_message  limit slack-pace  refused .*‹ESC›\]52;c;",
        r"codex#1  billing\.create_refund  limit refunds  refused",
        r"codex#1  shell\.run  waits for you",
        r"codex#1  shell\.run  deny .*time is up",
        r"claude-code#1  postgres\.query  allow  error",
        r"filesystem\.append_file  allow notes  done",
        r"claude-code#1  slack\.post_message  allow slack  done .*‹ESC›\]52;c;",  # after the limit
        r"demo: 28 calls came to what they should: 22 allowed, 4 denied, 2 limited; 1 failed",
    ):
        assert re.search(told, out), told
    assert "\x1b" not in out
    assert out.endswith("demo: over; nothing is left of it\n")
    assert list(scratch.iterdir()) == []


def test_what_is_kept_is_a_home_with_rules_and_a_record(scratch: Path) -> None:
    with demo(scratch, "--keep") as running:
        out, err = running.communicate()
    assert err == ""
    [home] = scratch.iterdir()
    assert out.endswith(f"demo: over; the scratch home is kept: {home}\n")
    assert home.stat().st_mode & 0o777 == 0o700
    assert load(str(home / "config.toml")).rules
    verify = [sys.executable, "-P", "-m", "mcpwall", "audit", "verify"]
    assert subprocess.run(verify, env=environment(home), check=False).returncode == 0
    assert not (home / "state" / "engine.sock").exists()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_in_good_order(scratch: Path, number: int, code: int) -> None:
    with demo(scratch) as running:
        first_call(running)
        running.send_signal(number)
        _, err = running.communicate()
    assert (running.returncode, err) == (code, "")
    assert list(scratch.iterdir()) == []


def test_a_reader_that_goes_away_ends_it_in_good_order(scratch: Path) -> None:
    with demo(scratch) as running:
        first_call(running)
        assert running.stdout is not None
        running.stdout.close()
        assert running.wait() == 0
    assert list(scratch.iterdir()) == []


def test_a_part_that_fails_is_named_and_all_is_cleaned_up(scratch: Path) -> None:
    with demo(scratch) as running:
        first_call(running)
        [agent] = [
            pid
            for pid, command in processes("TMPDIR", scratch).items()
            if "mcpwall.demo.agent codex" in command and "stdio" not in command
        ]
        os.kill(agent, signal.SIGKILL)
        out, err = running.communicate()
    assert running.returncode == 1
    assert err == "mcpwall: the pretend agent codex has failed, see above\n"
    assert "came to what they should" not in out
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("end", ["q", "Q", "SIGTERM"])
def test_on_a_terminal_the_app_opens_and_its_end_is_the_end_of_all(scratch: Path, end: str) -> None:
    master, terminal = pty.openpty()
    termios.tcsetwinsize(master, (36, 120))
    with demo(scratch, terminal=terminal) as running:
        os.close(terminal)
        screen = Screen(master)
        screen.wait_for("2 agents")
        if end == "SIGTERM":
            running.terminate()
        else:
            os.write(master, end.encode())
        if end == "Q":
            screen.wait_for("Stop the wall?")
            os.write(master, b"y")
        told = screen.rest()
    os.close(master)
    assert running.returncode == 0, told[-600:]
    assert "demo: over; nothing is left of it" in told
    assert "Traceback" not in told
    assert list(scratch.iterdir()) == []


class Screen:
    """What a program writes to a terminal."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._told = ""

    def wait_for(self, word: str) -> None:
        """Read until `word` was written."""
        while word not in self._told:
            more = self._read()
            assert more, f"the program ended before {word!r}: {self._told[-2000:]!r}"

    def rest(self) -> str:
        """Read until the program has closed the terminal; all that it wrote."""
        while self._read():
            pass
        return self._told

    def _read(self) -> bool:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says so at the end
            data = b""
        self._told += data.decode(errors="replace")
        return bool(data)
