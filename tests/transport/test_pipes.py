"""Inlets and outlets over real pipes and sockets, with a journal that outlives them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.transport.ends import open_end
from mcpwall.transport.journal import AREA, SIZE, Journal
from mcpwall.transport.pipes import HIGH_WATER, Inlet, Outlet


@pytest.fixture
def journal_fd(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "journal", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, SIZE)
    yield fd
    os.close(fd)


class Reader:
    """An inlet that notes what it is told."""

    def __init__(self, fd: int, journal: Journal, line_max: int = 1 << 20) -> None:
        self.lines: list[bytes] = []
        self.long: list[int] = []
        self.rest: bytes | None = None
        self.ended = asyncio.Event()
        self.inlet = Inlet(
            asyncio.get_running_loop(),
            open_end(fd, writes=False),
            journal.to_server,
            on_lines=self.lines.extend,
            on_long=self.long.append,
            on_end=self._end,
            line_max=line_max,
        )

    def _end(self, rest: bytes) -> None:
        self.rest = rest
        self.ended.set()


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.close(fd)


async def read_all(journal: Journal, data: bytes, line_max: int = 1 << 20) -> Reader:
    readable, writable = os.pipe()
    reader = Reader(readable, journal, line_max)
    reader.inlet.resume()
    await asyncio.gather(asyncio.to_thread(write_all, writable, data), reader.ended.wait())
    reader.inlet.close()
    return reader


@settings(max_examples=30)
@given(
    sizes=st.lists(
        st.one_of(st.integers(0, 2000), st.sampled_from([AREA - 1, AREA, AREA + 1, AREA // 2 + 7]))
    ),
    rest=st.integers(0, AREA + 5),
)
def test_lines_of_every_size_come_out_as_they_went_in(sizes: list[int], rest: int) -> None:
    lines = [bytes([65 + n % 26]) * size for n, size in enumerate(sizes)]
    data = b"".join(line + b"\n" for line in lines) + b"r" * rest

    async def run() -> None:
        fd = os.memfd_create("journal")
        os.ftruncate(fd, SIZE)
        journal = Journal(fd)
        reader = await read_all(journal, data)
        assert reader.lines == lines
        assert reader.rest == b"r" * rest
        assert journal.to_server.left_to_read() == 0
        journal.close()
        os.close(fd)

    asyncio.run(run())


def test_a_line_over_the_cap_is_dropped_and_the_next_one_is_whole(journal_fd: int) -> None:
    async def run() -> None:
        journal = Journal(journal_fd)
        size = 3 * AREA
        reader = await read_all(journal, b"a\n" + b"x" * size + b"\nb\n", line_max=2 * AREA)
        assert reader.lines == [b"a", b"b"]
        assert reader.long == [size]
        journal.close()

    asyncio.run(run())


def test_what_a_dead_engine_had_read_is_dealt_with_by_the_next(journal_fd: int) -> None:
    async def run() -> None:
        readable, writable = os.pipe()
        first = Journal(journal_fd)
        lane = first.to_server
        lane.area[:15] = b"done\nopen\nhalf "  # as if killed after the first line
        lane.head = 5
        first.close()

        second = Journal(journal_fd)
        assert not second.fresh
        reader = Reader(readable, second)
        reader.inlet.recovered()
        assert reader.lines == [b"open"]
        reader.inlet.resume()
        write_all(writable, b"and whole\n")
        await reader.ended.wait()
        assert reader.lines == [b"open", b"half and whole"]
        reader.inlet.close()
        second.close()

    asyncio.run(run())


@pytest.mark.parametrize("step", range(4))
def test_making_room_survives_a_kill_at_every_step(journal_fd: int, step: int) -> None:
    journal = Journal(journal_fd)
    lane = journal.to_server
    head, size = AREA // 2, 100
    lane.area[:head] = b"d" * head
    lane.area[head : head + size] = b"p" * size
    lane.head = head
    # the four writes of move_to_front, of which `step` are done when the engine dies
    writes = [
        lambda: lane.area.__setitem__(slice(0, head), bytes(head)),
        lambda: lane.area.__setitem__(slice(0, size), b"p" * size),
        lambda: setattr(lane, "head", 0),
        lambda: lane.area.__setitem__(slice(head, head + size), bytes(size)),
    ]
    for write in writes[:step]:
        write()
    assert bytes(lane.area[lane.head : lane.left_to_read()]) == b"p" * size
    journal.close()


def test_the_start_of_a_long_line_is_lost_with_the_engine_and_only_that(journal_fd: int) -> None:
    async def run() -> None:
        readable, writable = os.pipe()
        journal = Journal(journal_fd)
        journal.to_server.skip = True  # as left by an engine killed within a long line
        reader = Reader(readable, journal)
        reader.inlet.resume()
        write_all(writable, b"its end\nnext\n")
        await reader.ended.wait()
        assert reader.lines == [b"next"]
        reader.inlet.close()
        journal.close()

    asyncio.run(run())


class Writer:
    def __init__(self, fd: int, journal: Journal, *, again: bool = True) -> None:
        self.full: list[bool] = []
        self.broken = 0
        self.drained = asyncio.Event()
        self.outlet = Outlet(
            asyncio.get_running_loop(),
            open_end(fd, writes=True),
            journal.to_agent,
            again=again,
            on_full=self._full,
            on_broken=self._broken,
        )

    def _full(self, full: bool) -> None:
        self.full.append(full)

    def _broken(self) -> None:
        self.broken += 1


def drain(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := os.read(fd, 1 << 20)):
        data += more
    return data


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_an_outlet_says_when_it_is_full_and_when_it_is_not(journal_fd: int, kind: str) -> None:
    async def run() -> None:
        if kind == "pipe":
            readable, writable = os.pipe()
        else:
            one, other = socket.socketpair()
            readable, writable = one.detach(), other.detach()
        journal = Journal(journal_fd)
        writer = Writer(writable, journal)
        sent = b""
        while not writer.full:
            writer.outlet.send(b"x" * 10_000)
            writer.outlet.flush()
            sent += b"x" * 10_000 + b"\n"
        assert len(sent) > HIGH_WATER
        writer.outlet.when_empty(writer.drained.set)
        got, _ = await asyncio.gather(
            asyncio.to_thread(drain, readable, len(sent)), writer.drained.wait()
        )
        assert got == sent
        assert writer.full == [True, False]
        writer.outlet.close()
        os.close(readable)
        journal.close()

    asyncio.run(run())


def test_what_a_dead_engine_had_to_write_is_written_by_the_next(journal_fd: int) -> None:
    async def run() -> None:
        readable, writable = os.pipe()
        again = os.dup(writable)
        first = Journal(journal_fd)
        one = Writer(writable, first)
        os.set_blocking(readable, False)
        one.outlet.send(b"y" * 100_000)  # more than a pipe takes, less than the journal
        one.outlet.flush()
        # the engine is killed here: it writes no more, and nobody closes anything
        asyncio.get_running_loop().remove_writer(one.outlet._end.fileno)
        taken = os.read(readable, 1 << 20)
        second = Journal(journal_fd)
        two = Writer(again, second)
        two.outlet.when_empty(two.drained.set)
        os.set_blocking(readable, True)
        rest, _ = await asyncio.gather(
            asyncio.to_thread(drain, readable, 100_001 - len(taken)), two.drained.wait()
        )
        assert taken + rest == b"y" * 100_000 + b"\n"
        two.outlet.close()
        one.outlet.abandon()
        os.close(readable)
        first.close()
        second.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("again", "written"), [(True, b"\nhalf gone\nnot yet\n"), (False, b"\n")], ids=["again", "once"]
)
def test_lines_that_may_have_gone_are_written_again_or_given_up(
    journal_fd: int, again: bool, written: bytes
) -> None:
    """As left by an engine that was killed within a write."""

    async def run() -> None:
        readable, writable = os.pipe()
        journal = Journal(journal_fd)
        lane = journal.to_agent
        lane.keep_out(memoryview(b"gone\nhalf gone\nnot yet\n"))
        lane.wrote(len(b"gone\nhalf"))
        lane.writing = True
        writer = Writer(writable, journal, again=again)
        writer.outlet.when_empty(writer.drained.set)
        await writer.drained.wait()
        assert os.read(readable, 100) == written
        assert lane.left_to_write(again=again) == b""
        writer.outlet.close()
        os.close(readable)
        journal.close()

    asyncio.run(run())


def test_what_does_not_fit_the_journal_is_safe_only_when_it_is_written(journal_fd: int) -> None:
    async def run() -> None:
        readable, writable = os.pipe()
        journal = Journal(journal_fd)
        lane = journal.to_agent
        writer = Writer(writable, journal)
        safe: list[str] = []
        size = 0
        for name in ("small", "kept", "large", "after"):
            line = bytes(10 if name == "small" else 1 << 17 if name == "kept" else 1 << 19)
            writer.outlet.send(line)
            writer.outlet.flush()
            writer.outlet.when_safe(lambda name=name: safe.append(name))
            size += len(line) + 1
        assert safe == ["small", "kept"]
        assert lane.torn
        writer.outlet.when_empty(writer.drained.set)
        got, _ = await asyncio.gather(
            asyncio.to_thread(drain, readable, size), writer.drained.wait()
        )
        assert len(got) == size
        assert safe == ["small", "kept", "large", "after"]
        assert not lane.torn
        writer.outlet.close()
        os.close(readable)
        journal.close()

    asyncio.run(run())


def test_a_reader_that_went_away_is_told_once(journal_fd: int) -> None:
    async def run() -> None:
        readable, writable = os.pipe()
        journal = Journal(journal_fd)
        writer = Writer(writable, journal)
        os.close(readable)
        for _ in range(3):
            writer.outlet.send(b"x")
            writer.outlet.flush()
        assert writer.broken == 1
        writer.outlet.close()
        journal.close()

    asyncio.run(run())


def test_a_pipe_that_somebody_shares_stays_blocking_for_them() -> None:
    readable, writable = os.pipe()
    shared = os.dup(writable)
    end = open_end(writable, writes=True)
    assert os.get_blocking(shared)
    end.close()
    os.close(shared)
    os.close(readable)


def test_files_are_read_and_written_like_pipes(tmp_path: Path, journal_fd: int) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"one\ntwo\n")

    async def run() -> None:
        journal = Journal(journal_fd)
        reader = Reader(os.open(source, os.O_RDONLY), journal)
        reader.inlet.resume()
        await reader.ended.wait()
        assert reader.lines == [b"one", b"two"]
        writer = Writer(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600), journal)
        writer.outlet.send(b"three")
        writer.outlet.flush()
        writer.outlet.close()
        while target.read_bytes() != b"three\n":  # noqa: ASYNC110 - written by a thread
            await asyncio.sleep(0.01)
        reader.inlet.close()
        journal.close()

    asyncio.run(run())


def test_a_session_state_is_kept_whole_or_not_at_all(journal_fd: int) -> None:
    journal = Journal(journal_fd)
    assert journal.state() == b""
    journal.save(b"one")
    journal.save(b"second")
    assert journal.state() == b"second"
    journal.save(b"x" * (1 << 20))  # too large: the last one stands
    assert journal.state() == b"second"
    journal.close()


def test_p08_lines_that_fail_the_engine_are_not_taken_twice(journal_fd: int) -> None:
    taken: list[bytes] = []

    def take(lines: list[bytes]) -> None:
        taken.extend(lines)
        if b"bad" in lines:
            raise ValueError("a fault of the engine's own")

    async def check() -> None:
        readable, writable = os.pipe()
        journal = Journal(journal_fd)
        inlet = Inlet(
            asyncio.get_running_loop(),
            open_end(readable, writes=False),
            journal.to_server,
            on_lines=take,
            on_long=lambda _: None,
            on_end=lambda _: None,
        )
        os.write(writable, b"good\nbad\nhal")
        with pytest.raises(ValueError, match="own"):
            inlet._readable()
        os.write(writable, b"f\n")
        inlet._readable()
        inlet.close()
        journal.close()
        os.close(writable)

    asyncio.run(check())
    assert taken == [b"good", b"bad", b"half"]
