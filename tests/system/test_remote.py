"""Agents on pipes in front of a remote server: real shim, real engine, a server by HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ROOT, environment, status, wall
from tests.helpers.raw_client import RawClient
from tests.system.conftest import OPEN_RULES
from tests.system.processes import snapshot, wait_for

KEY = "k-1234"


@pytest.fixture
def far():
    """A remote server: its process."""
    command = [sys.executable, str(ROOT / "tests" / "helpers" / "session_server.py")]
    env = {**os.environ, "FAR_KEY": KEY}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        process.port = process.stdout.readline().strip()
        yield process
        process.kill()


@pytest.fixture
def client(far, home, rules):
    """An agent in front of it."""
    rules(
        f"{OPEN_RULES}\n[servers.far]\n"
        f'url = "http://127.0.0.1:{far.port}/mcp"\nheaders = {{ X-Key = "${{env:FAR_SECRET}}" }}\n'
        '[[rules]]\nid = "no"\ntool = "release"\naction = "deny"\n'
    )
    env = environment(home) | {"FAR_SECRET": KEY}
    with RawClient(wall("far"), env=env) as client:
        client.open()
        yield client


def said(message):
    return json.loads(message["result"]["content"][0]["text"])


def test_calls_go_to_the_remote_server_and_refusals_do_not(client, far, home):
    assert said(client.call("echo", {"a": 1})) == {"a": 1}
    assert client.call("release")["result"]["isError"]
    sent = said(client.call("headers"))
    assert sent["x-key"] == KEY
    assert sent["mcp-protocol-version"] == "2025-11-25"
    (session,) = snapshot(home).sessions
    assert session.transport == "stdio to http"


def test_what_the_server_says_of_its_own_accord_reaches_the_agent(client):
    client.call("echo")

    def heard():
        client.call("notify")
        return [each for each in client.unmatched if each.get("method") == "notifications/message"]

    assert wait_for(heard, "the server's message")[0]["params"]["data"] == "hello"


def test_a_forgotten_session_is_begun_again_and_the_call_sent_once_more(client, far):
    assert far.stdout.readline() == "initialize\n"
    client.call("forget")
    assert said(client.call("echo", {"a": 2})) == {"a": 2}
    assert far.stdout.readline() == "initialize\n"


def test_a_killed_engine_is_replaced_and_the_session_lives_on(client, home):
    client.call("echo")
    waiting = client.start_call("slow")
    wait_for(lambda: [row for row in snapshot(home).rows if row.tool == "slow"], "the call")
    wait_for(
        lambda: [
            row for row in snapshot(home).rows if row.tool == "slow" and row.state == "running"
        ],
        "the call under way",
    )
    os.kill(status(home)["engine"]["pid"], signal.SIGKILL)
    assert "may have run" in json.dumps(waiting.wait())
    assert said(client.call("echo", {"a": 3})) == {"a": 3}
    assert said(client.call("headers"))["mcp-session-id"]


def test_the_agent_s_end_is_told_to_the_server(client, far, home):
    assert far.stdout.readline() == "initialize\n"
    assert client.finish() == 0
    assert far.stdout.readline() == "delete\n"
    wait_for(lambda: not snapshot(home).sessions, "the session's end")


def test_a_signal_to_the_shim_ends_the_session(client, far):
    assert far.stdout.readline() == "initialize\n"
    client.process.send_signal(signal.SIGTERM)
    assert client.process.wait(LIMIT_S) == 0
    assert far.stdout.readline() == "delete\n"


def test_a_server_that_is_gone_is_a_clear_error(client, far):
    client.call("echo")
    far.kill()
    far.wait()
    error = client.call("echo")["error"]
    assert "far" in error["message"]
    assert "cannot be reached" in error["message"]


def test_p14_the_header_s_value_is_in_no_file(client, home):
    client.call("echo")
    for path in (path for path in home.rglob("*") if path.is_file()):
        assert KEY.encode() not in path.read_bytes(), path
