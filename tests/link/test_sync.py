import asyncio
import socket
import threading

import pytest

from mcpwall.engine.port import Done, EngineGoneError, Lockdown, Reply, Snapshot, Stop
from mcpwall.link.errors import NoEngineError, OtherVersionError
from mcpwall.link.sync import ask
from tests.link.memory_port import EMPTY, MemoryPort, Wall


def test_a_question_gets_its_answer(run, path):
    async def test():
        async with Wall(path, MemoryPort()):
            assert await asyncio.to_thread(ask, "snapshot", None, Snapshot, path=path) == EMPTY

    run(test())


def test_the_command_line_does_not_decide(run, path):
    async def test():
        port = MemoryPort()
        async with Wall(path, port):
            with pytest.raises(EngineGoneError, match="decide and edit in the app"):
                await asyncio.to_thread(ask, "send", Lockdown(on=False), Reply, path=path)
            assert port.sent == []

    run(test())


def test_another_version_is_refused_but_for_stop(run, path, monkeypatch):
    monkeypatch.setattr("mcpwall.link.sync.__version__", "9.9")
    monkeypatch.setattr("mcpwall.link.errors.__version__", "9.9")

    async def test():
        port = MemoryPort()
        async with Wall(path, port):
            with pytest.raises(OtherVersionError, match="`mcpwall stop`") as caught:
                await asyncio.to_thread(ask, "snapshot", None, Snapshot, path=path)
            assert caught.value.engine.version != "9.9"
            stopped = await asyncio.to_thread(ask, "send", Stop(), Reply, path=path)
            assert stopped == Done("Stop")
            assert port.sent == [Stop()]

    run(test())


def test_nobody_listens(path):
    with pytest.raises(NoEngineError, match=f"nobody listens on {path}"):
        ask("snapshot", None, Snapshot, path=path)


def test_a_socket_path_that_is_too_long_says_what_to_do(monkeypatch):
    monkeypatch.setenv("MCPWALL_HOME", "/tmp/" + "x" * 120)
    with pytest.raises(EngineGoneError, match="set MCPWALL_HOME to a shorter directory"):
        ask("snapshot", None, Snapshot)


def test_an_engine_that_does_not_answer_is_given_up(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(path)
        silent.listen()
        with pytest.raises(EngineGoneError, match="does not answer"):
            ask("snapshot", None, Snapshot, path=path, timeout_s=0.01)


@pytest.mark.parametrize("said", [b"", b'{"jsonrpc":"2.0","id":1,"resu', b"SSH-2.0\n"])
def test_what_is_no_answer_is_told(path, said):
    def babble():
        visitor, _ = silent.accept()
        with visitor:
            visitor.recv(4096)
            visitor.sendall(said)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(path)
        silent.listen()
        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(EngineGoneError, match=r"closed the connection|cannot talk"):
            ask("snapshot", None, Snapshot, path=path)
        thread.join()
