import asyncio
import fcntl
import json
import logging
import os
import resource
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mcpwall.link.knock import DESCRIPTORS_MAX, FIRST_LINE_MAX
from mcpwall.link.listener import Listener, ListenError
from mcpwall.link.peer import ForeignPeerError
from mcpwall.store.files import UnsafeFileError
from tests.link.memory_port import MemoryPort, Wall, raw, read_all

STDIO = b'{"jsonrpc":"2.0","method":"stdio","params":{"server":"git"}}\n'


def fds_open() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def is_socket(path: str) -> bool:
    return Path(path).is_socket()


def move_away(path: str) -> None:
    Path(path).rename(f"{path}.old")


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).lstat().st_mode)


async def closed(readable: int) -> None:
    """Until nobody holds the other end of this pipe."""
    done = asyncio.Event()
    asyncio.get_running_loop().add_reader(readable, done.set)
    await done.wait()
    asyncio.get_running_loop().remove_reader(readable)
    assert os.read(readable, 1) == b""


def error_of(data: bytes) -> str:
    return json.loads(data)["error"]["message"]


# --- descriptors ------------------------------------------------------------------------------


def test_a_shim_hands_over_pipes(run, path):
    async def test():
        async with Wall(path, MemoryPort()) as wall:
            readable, writable = os.pipe()
            with raw(path) as shim:
                socket.send_fds(shim, [STDIO + b"exited 3\n"], [readable, writable])
                os.close(readable)
                os.close(writable)
                sock, fds, params, rest = await wall.shims.get()
                with sock:
                    assert params == {"server": "git"}
                    assert rest == b"exited 3\n"
                    assert not sock.getblocking()
                    assert all(fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for fd in fds)
                    os.write(fds[1], b"through the pipe")
                    assert os.read(fds[0], 100) == b"through the pipe"
                    for fd in fds:
                        os.close(fd)
                    sock.send(b"shut\n")  # the socket is the taker's own, with no reader left on it
                    assert await asyncio.get_running_loop().sock_recv(shim, 100) == b"shut\n"
                    asyncio.get_running_loop().add_reader(sock.fileno(), lambda: None)
                    asyncio.get_running_loop().remove_reader(sock.fileno())

    run(test())


def test_a_shim_hands_over_socket_pairs_and_files(run, path, tmp_path):
    async def test():
        async with Wall(path, MemoryPort()) as wall:
            ours, theirs = socket.socketpair()
            file = (tmp_path / "input").open("w+b")
            with raw(path) as shim, ours, file:
                socket.send_fds(shim, [STDIO], [theirs.fileno(), file.fileno()])
                theirs.close()
                sock, fds, _, rest = await wall.shims.get()
                sock.close()
                assert rest == b""
                os.write(fds[0], b"hello")
                assert ours.recv(10) == b"hello"
                os.write(fds[1], b"line")
                file.seek(0)
                assert file.read() == b"line"
                for fd in fds:
                    os.close(fd)

    run(test())


def test_a_first_line_may_come_in_pieces_with_descriptors_on_each(run, path):
    async def test():
        async with Wall(path, MemoryPort()) as wall:
            with raw(path) as shim, (Path(path).parent / "file").open("w+b") as file:
                loop = asyncio.get_running_loop()
                for start in range(0, len(STDIO), 20):
                    socket.send_fds(shim, [STDIO[start : start + 20]], [file.fileno()])
                    await asyncio.sleep(0)
                sock, fds, params, _ = await wall.shims.get()
                sock.close()
                assert params == {"server": "git"}
                assert len(fds) == -(-len(STDIO) // 20)
                for fd in fds:
                    os.close(fd)
                assert await loop.sock_recv(shim, 1) == b""

    run(test())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n', "may come with stdio alone"),
        (b"garbage\n", "not JSON"),
        (b'{"jsonrpc":"2.0","method":"stdio","params":[1]}\n', "unexpected content"),
        (b"x" * FIRST_LINE_MAX, "first line is too long"),
    ],
)
def test_what_is_refused_is_closed_with_its_descriptors(run, path, line, why):
    async def test():
        async with Wall(path, MemoryPort()):
            readable, writable = os.pipe()
            with raw(path) as shim:
                before = fds_open()
                assert socket.send_fds(shim, [line], [writable]) == len(line)
                os.close(writable)
                assert why in error_of(await read_all(shim))
                await closed(readable)
                assert fds_open() == before - 1
            os.close(readable)

    run(test())


def test_too_many_descriptors_are_refused_and_closed(run, path):
    async def test():
        async with Wall(path, MemoryPort()) as wall:
            readable, writable = os.pipe()
            with raw(path) as shim:
                socket.send_fds(shim, [STDIO], [writable] * (DESCRIPTORS_MAX + 1))
                os.close(writable)
                assert f"at most {DESCRIPTORS_MAX} descriptors" in error_of(await read_all(shim))
                await closed(readable)
            os.close(readable)
            assert wall.shims.empty()

    run(test())


def test_too_many_descriptors_in_small_portions_are_refused_too(run, path):
    async def test():
        async with Wall(path, MemoryPort()):
            readable, writable = os.pipe()
            with raw(path) as shim:
                for _ in range(DESCRIPTORS_MAX + 1):
                    socket.send_fds(shim, [b" "], [writable])
                os.close(writable)
                assert f"at most {DESCRIPTORS_MAX} descriptors" in error_of(await read_all(shim))
                await closed(readable)
            os.close(readable)

    run(test())


# --- who knocks -------------------------------------------------------------------------------


def test_who_says_nothing_is_dropped_in_time(run, path):
    async def test():
        async with Wall(path, MemoryPort(), first_line_s=0):
            readable, writable = os.pipe()
            with raw(path) as shim:
                socket.send_fds(shim, [b'{"jsonrpc"'], [writable])
                os.close(writable)
                await read_all(shim)
                await closed(readable)
            os.close(readable)

    run(test())


def test_who_leaves_before_the_first_line_leaves_nothing(run, path):
    async def test():
        async with Wall(path, MemoryPort()):
            before = fds_open()
            readable, writable = os.pipe()
            with raw(path) as shim:
                socket.send_fds(shim, [b"{"], [writable])
            os.close(writable)
            await closed(readable)
            os.close(readable)
            assert fds_open() == before

    run(test())


def test_p17_a_process_of_another_user_is_not_let_in(run, path):
    async def test():
        def foreign(sock):
            raise ForeignPeerError("it is a process of user 1")

        def never(*visitor):
            pytest.fail("a stranger was let in")

        listener = Listener(path, on_stdio=never, on_control=never, check=foreign)
        listener.open()
        with raw(path) as shim:
            assert await read_all(shim) == b""
        listener.close()

    run(test())


def test_fifty_at_once_are_all_let_in(run, path):
    async def test():
        async with Wall(path, MemoryPort()) as wall:
            shims = []
            for number in range(50):
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                sock.connect(path)
                sock.send(STDIO.replace(b"git", b"s%d" % number))
                shims.append(sock)
            seen = set()
            for _ in range(50):
                sock, _, params, _ = await wall.shims.get()
                seen.add(params["server"])
                sock.close()
            assert seen == {f"s{number}" for number in range(50)}
            for sock in shims:
                sock.close()

    run(test())


def test_without_free_descriptors_visitors_wait_and_are_let_in_later(run, path, monkeypatch):
    monkeypatch.setattr("mcpwall.link.listener._PAUSE_S", 0)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def test():
        full = asyncio.Event()
        noticed = logging.Handler(logging.WARNING)
        noticed.emit = lambda record: full.set()
        log = logging.getLogger("mcpwall.link.listener")
        log.addHandler(noticed)
        async with Wall(path, MemoryPort()) as wall:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as shim:
                free = os.dup(shim.fileno())
                os.close(free)
                resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
                try:
                    shim.connect(path)
                    shim.send(STDIO)
                    await full.wait()
                    assert wall.shims.empty()
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                    log.removeHandler(noticed)
                sock, *_ = await wall.shims.get()
                sock.close()

    run(test())


# --- the socket file --------------------------------------------------------------------------


def listener(path: str) -> Listener:
    return Listener(path, on_stdio=lambda *shim: None, on_control=lambda *client: None)


def test_p17_socket_and_directory_are_the_users_alone(run, path):
    async def test():
        place = str(Path(path).parent / "new" / "engine.sock")
        first = listener(place)
        first.open()
        assert mode(place) == 0o600
        assert mode(str(Path(place).parent)) == 0o700
        first.close()
        assert not is_socket(place)

    run(test())


def test_p17_a_directory_that_others_may_enter_is_refused(run, path):
    Path(path).parent.chmod(0o770)

    async def test():
        with pytest.raises(UnsafeFileError, match="chmod 700"):
            listener(path).open()
        assert not is_socket(path)

    run(test())


def test_a_socket_of_a_killed_engine_is_replaced(run, path):
    engine = (
        "import os, signal, socket, sys; sock = socket.socket(socket.AF_UNIX); "
        "sock.bind(sys.argv[1]); sock.listen(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", engine, path], check=False)
    assert Path(path).is_socket()

    async def test():
        async with Wall(path, MemoryPort()) as wall:
            with raw(path) as shim:
                shim.send(STDIO)
                sock, *_ = await wall.shims.get()
                sock.close()

    run(test())


def test_a_second_listener_is_refused_and_takes_nothing_away(run, path):
    async def test():
        async with Wall(path, MemoryPort()) as wall:
            with pytest.raises(ListenError, match="`mcpwall stop`"):
                listener(path).open()
            with raw(path) as shim:
                shim.send(STDIO)
                sock, *_ = await wall.shims.get()
                sock.close()

    run(test())


def test_what_is_no_socket_stays_where_it_is(run, path):
    Path(path).write_text("precious")

    async def test():
        with pytest.raises(ListenError, match="no socket; move it away"):
            listener(path).open()

    run(test())
    assert Path(path).read_text() == "precious"


def test_a_path_that_is_too_long_says_what_to_do(run, path):
    async def test():
        with pytest.raises(ListenError, match="set MCPWALL_HOME to a shorter directory"):
            listener(path + "x" * 120).open()

    run(test())


def test_closing_leaves_a_successors_socket_alone(run, path):
    async def test():
        first, second = listener(path), listener(path)
        first.open()
        move_away(path)
        second.open()
        first.close()
        assert is_socket(path)
        second.close()
        assert not is_socket(path)

    run(test())


def test_closing_twice_is_closing(run, path):
    async def test():
        one = listener(path)
        one.close()
        one.open()
        one.close()
        one.close()

    run(test())


def test_it_knows_whether_its_path_still_leads_to_it(run, path):
    async def test():
        async with Wall(path, MemoryPort()) as wall:
            assert wall.listener.reachable
            move_away(path)
            assert not wall.listener.reachable
            successor = Wall(path, MemoryPort())
            async with successor:
                assert successor.listener.reachable
                assert not wall.listener.reachable

    run(test())
