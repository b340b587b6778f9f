"""What a server says on stderr: the agent gets it as without the wall, and it is kept."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.programs import environment, wall
from tests.helpers.raw_client import RawClient
from tests.system.processes import kill_engine, snapshot, wait_for

# says what it is told on stderr, one call one line; answers with the number of the call
TALKER = """\
import json, sys
print("starting", file=sys.stderr, flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    result = {"tools": [{"name": "say", "inputSchema": {"type": "object"}}]}
    if message["method"] == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                  "serverInfo": {"name": "talker", "version": "1"}}
    elif message["method"] == "tools/call":
        sys.stderr.write(message["params"]["arguments"]["text"])
        sys.stderr.flush()
        result = {"content": []}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
sys.stderr.write("last words")
"""
COMMAND = (sys.executable, "-c", TALKER)


@pytest.fixture
def open_rules(rules):
    rules('[defaults]\nunknown = "allow"\nwrite = "allow"\nexecute = "allow"\n')


def log(home: Path) -> str:
    path = home / "state" / "servers" / "talker.log"
    return path.read_text() if path.exists() else ""


def test_every_byte_reaches_the_agent_and_every_line_the_log_and_the_apps(home, open_rules):
    with RawClient(wall("talker", *COMMAND), env=environment(home)) as client:
        client.open()
        client.call("say", {"text": "one\x1b[1m\ntwo\r\n"})
        wait_for(lambda: "two" in log(home), "the log")
        (server,) = snapshot(home).servers
        assert server.said == ("starting", "one\x1b[1m", "two")
        assert client.finish() == 0
        assert client.stderr == "starting\none\x1b[1m\ntwo\r\nlast words"
    assert log(home) == "starting\none‹ESC›[1m\ntwo\nlast words\n"
    assert (home / "state" / "servers" / "talker.log").stat().st_mode & 0o777 == 0o600


def test_p14_a_secret_that_a_server_says_is_in_no_file_and_no_app(home, open_rules):
    secret = "ghp_" + "c0ffee" * 6
    with RawClient(wall("talker", *COMMAND), env=environment(home)) as client:
        client.open()
        client.call("say", {"text": f"refused: {secret}\n"})
        wait_for(lambda: "refused" in log(home), "the log")
        assert not any(secret in line for line in snapshot(home).servers[0].said)
        assert client.finish() == 0
        assert secret in client.stderr
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert not [path for path in kept if secret.encode() in path.read_bytes()]


def test_a_killed_engine_loses_nothing_of_it(home, open_rules):
    with RawClient(wall("talker", *COMMAND), env=environment(home)) as client:
        client.open()
        client.call("say", {"text": "before\n"})
        wait_for(lambda: "before" in log(home), "the log")
        kill_engine(home)
        client.call("say", {"text": "after\n"})
        assert client.finish() == 0
        assert client.stderr == "starting\nbefore\nafter\nlast words"
    assert log(home) == "starting\nbefore\nafter\nlast words\n"


@pytest.mark.parametrize("kind", ["null", "file", "socket", "closed"])
def test_an_agent_may_give_anything_as_stderr(home, open_rules, tmp_path, kind):
    ours = None
    if kind == "socket":
        ours, theirs = socket.socketpair()
        target = theirs.detach()
    else:
        path = {"null": os.devnull, "closed": os.devnull}.get(kind, str(tmp_path / "stderr"))
        target = os.open(path, os.O_RDWR | os.O_CREAT)
    command = wall("talker", *COMMAND)
    if kind == "closed":
        command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    process = subprocess.Popen(
        command,
        env=environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=target,
    )
    os.close(target)
    ask = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",'
    ask += b'"capabilities":{},"clientInfo":{"name":"c","version":"1"}}}\n'
    out, _ = process.communicate(ask, 20)
    assert b'"talker"' in out
    assert process.returncode == 0
    assert log(home) == "starting\nlast words\n"
    if kind == "file":
        assert (tmp_path / "stderr").read_text() == "starting\nlast words"
    elif ours is not None:
        assert ours.recv(100) == b"starting\nlast words"
        ours.close()


def test_p13_a_server_that_floods_stderr_delays_no_call(home, open_rules):
    with RawClient(wall("talker", *COMMAND), env=environment(home)) as client:
        client.open()
        client.call("say", {"text": "x" * 200_000 + "\n"})
        client.call("say", {"text": "done\n"})
        assert client.finish() == 0
        assert len(client.stderr) == len("starting\n") + 200_001 + len("done\nlast words")
