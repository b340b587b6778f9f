"""A server's stderr: every byte to the agent, every line to the log, and no call waits for it."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from mcpwall.policy.masking import Mask
from mcpwall.transport.ends import open_end
from mcpwall.transport.error_log import LINE_MAX, SIZE_MAX, ErrorLog, log_path
from mcpwall.transport.errors import Errors, stderr


def log_at(path, told=None):
    """A log that hides what a test calls a secret."""
    tell = (lambda _: None) if told is None else told.extend
    return ErrorLog(path, lambda line: line.replace("canary", "⟨hidden⟩"), tell)


class Wire:
    """A server's end, the agent's end, and a log; `agent` makes the pair (to write to, to read)."""

    def __init__(self, tmp_path, agent=os.pipe):
        said, self.server = os.pipe()
        self.path = log_path(tmp_path / "servers", "fs")
        self.told: list[str] = []
        back = None
        if agent is not None:
            reads, writes = agent()
            self.reads, back = reads, stderr(writes)
            os.set_blocking(reads, False)
        loop = asyncio.get_running_loop()
        self.errors = Errors(loop, open_end(said, writes=False), back, log_at(self.path, self.told))

    def says(self, data: bytes) -> None:
        os.write(self.server, data)

    def got(self) -> bytes:
        try:
            return os.read(self.reads, 1 << 20)
        except BlockingIOError:
            return b""

    def log(self) -> str:
        return self.path.read_text() if self.path.exists() else ""


@pytest.fixture
def play():
    """Run a body on a loop; `settle` lets the loop look at what is ready."""

    async def settle() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    return lambda body: asyncio.run(body(settle))


def sockets():
    ours, theirs = socket.socketpair()
    return theirs.detach(), ours.detach()


@pytest.mark.parametrize("agent", [os.pipe, sockets])
def test_the_agent_gets_every_byte_and_the_log_every_line(tmp_path, play, agent):
    async def body(settle):
        wire = Wire(tmp_path, agent)
        wire.says(b"one\ntw")
        await settle()
        assert (wire.got(), wire.log()) == (b"one\ntw", "one\n")
        wire.says(b"o\r\nlast")
        await settle()
        assert wire.log() == "one\ntwo\n"
        wire.errors.close()
        assert (wire.got(), wire.log()) == (b"o\r\nlast", "one\ntwo\nlast\n")

    play(body)


def test_p10_the_log_is_safe_to_look_at_and_the_agent_gets_what_was_said(tmp_path, play):
    async def body(settle):
        wire = Wire(tmp_path)
        wire.says(b"\x1b[2Jbad\xff\n")
        await settle()
        wire.errors.close()
        assert wire.got() == b"\x1b[2Jbad\xff\n"
        assert wire.log() == "‹ESC›[2Jbad�\n"

    play(body)


def test_p14_a_secret_goes_to_the_agent_alone(tmp_path, play):
    async def body(settle):
        wire = Wire(tmp_path)
        wire.says(b"key canary refused\n")
        await settle()
        wire.errors.close()
        assert wire.got() == b"key canary refused\n"
        assert wire.told == ["key ⟨hidden⟩ refused"]
        assert wire.log() == "key ⟨hidden⟩ refused\n"

    play(body)


def test_what_is_there_when_the_session_ends_is_passed_on(tmp_path, play):
    async def body(settle):
        wire = Wire(tmp_path)
        wire.says(b"x" * 40_000 + b"\n")
        wire.errors.close()
        assert len(wire.got()) == 40_001

    play(body)


def test_an_agent_that_reads_nothing_makes_the_server_wait_and_loses_nothing(tmp_path, play):
    async def body(settle):
        wire = Wire(tmp_path)
        os.set_blocking(wire.server, False)
        sent = 0
        for _ in range(200):
            try:
                sent += os.write(wire.server, b"y" * 4096)
            except BlockingIOError:
                break
            await settle()
        else:
            pytest.fail("the server never had to wait")
        got = 0
        while got < sent:
            got += len(wire.got())
            await settle()
        assert got == sent
        wire.errors.close()

    play(body)


def test_an_agent_that_closes_its_stderr_costs_the_log_nothing(tmp_path, play):
    async def body(settle):
        wire = Wire(tmp_path)
        os.close(wire.reads)
        wire.says(b"one\n")
        await settle()
        wire.says(b"two\n")
        await settle()
        wire.errors.close()
        assert wire.log() == "one\ntwo\n"

    play(body)


@pytest.mark.parametrize("place", ["/dev/null", "file"])
def test_an_agent_may_give_a_device_or_a_file(tmp_path, play, place):
    async def body(settle):
        path = tmp_path / "file" if place == "file" else place
        wire = Wire(tmp_path, lambda: (os.pipe()[0], os.open(path, os.O_WRONLY | os.O_CREAT)))
        wire.says(b"one\n")
        await settle()
        os.close(wire.server)
        await settle()
        assert wire.log() == "one\n"
        if place == "file":
            assert path.read_bytes() == b"one\n"

    play(body)


def test_p13_the_log_and_its_lines_are_bounded(tmp_path):
    path = tmp_path / "fs.log"
    log = log_at(path)
    log.take(b"x" * (3 * LINE_MAX))
    assert path.stat().st_size == LINE_MAX + 1
    for _ in range(3 * SIZE_MAX // 100_000):
        log.take(b"y" * 999 + b"\n" + b"z\n" * 50_000)
    assert path.with_name("fs.log.1").stat().st_size < 1.2 * SIZE_MAX
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2.3 * SIZE_MAX
    assert path.with_name("fs.log.1").stat().st_mode & 0o777 == 0o600


def test_p14_secrets_are_hidden_over_lines_too(tmp_path):
    told = []
    log = ErrorLog(tmp_path / "fs.log", Mask().text, told.extend)
    log.take(
        b"key -----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- ok\nAPI_KEY=abcdef1\n"
    )
    assert "abc" not in (tmp_path / "fs.log").read_text()
    assert [line.split(" ")[0] for line in told] == ["key", "API_KEY=⟨secret"]


def test_p17_a_log_that_is_a_link_is_not_written(tmp_path):
    target = tmp_path / "target"
    (tmp_path / "fs.log").symlink_to(target)
    log = log_at(tmp_path / "fs.log")
    log.take(b"one\n")
    log.take(b"two\n")
    assert not target.exists()


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", ""])
def test_p17_no_name_leads_out_of_the_directory(tmp_path, name):
    assert log_path(tmp_path, name).parent == tmp_path
    assert ".." not in log_path(tmp_path, name).parts
