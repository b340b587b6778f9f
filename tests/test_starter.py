"""Finding the engine: only one of this very user's is one."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from mcpwall import home, starter


@pytest.fixture
def listening(monkeypatch):
    """A process that listens where the engine does."""
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as sock:
        monkeypatch.setenv("MCPWALL_HOME", short)
        Path(home.state_dir()).mkdir()
        sock.bind(home.socket_file())
        sock.listen()
        yield


@pytest.mark.usefixtures("listening")
def test_an_engine_is_found():
    link = starter.connect()
    assert link is not None
    link.close()


@pytest.mark.usefixtures("listening")
def test_p17_no_pipe_is_handed_to_a_process_of_another_user(monkeypatch):
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(starter.EngineStartError, match=f"a process of user {uid} listens"):
        starter.connect()
