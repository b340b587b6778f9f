"""The helpers themselves: a test that leans on them must be able to trust them."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ECHO, environment
from tests.helpers.raw_client import HANDSHAKE, STATELESS, RawClient


@pytest.mark.parametrize("ends", ["pipe", "socket"])
def test_calls_in_both_eras_over_pipes_and_sockets(ends):
    for protocol in (HANDSHAKE, STATELESS):
        with RawClient(ECHO, ends=ends, protocol=protocol) as client:
            opened = client.open()
            assert opened["capabilities"] == {"tools": {"listChanged": True}}
            result = client.call("echo", {"text": "☃"})["result"]
            assert json.loads(result["content"][0]["text"]) == {"text": "☃"}
            assert ("resultType" in result) is (protocol == STATELESS)
            assert client.finish() == 0


def test_slow_calls_overtake_nothing_and_are_released_by_name():
    with RawClient(ECHO) as client:
        client.open()
        first, second = (client.start_call("slow", {"gate": gate}) for gate in "ab")
        client.call("release", {"gate": "b"})
        assert second.wait()["result"]
        assert not first.done
        client.call("release", {"gate": "a"})
        assert first.wait()["result"]


def test_logs_the_lines_as_they_came(tmp_path: Path):
    log = tmp_path / "log"
    with RawClient(ECHO, env=environment(log=log)) as client:
        raw = b'{"jsonrpc": "2.0", "id":1,\t"method":"ping" , "x":"\\u0041"}\n'
        client.send_raw(raw)
        client.wait_until(lambda: bool(client.unmatched), "the ping's answer")
        assert client.finish() == 0
    assert log.read_bytes() == raw


def test_pages_a_list():
    with RawClient(ECHO, env=environment(page=7)) as client:
        client.open()
        names, cursor = [], {}
        while cursor is not None:
            result = client.request("tools/list", cursor)["result"]
            assert len(result["tools"]) <= 7
            names += [tool["name"] for tool in result["tools"]]
            cursor = {"cursor": result["nextCursor"]} if "nextCursor" in result else None
        assert len(names) == len(set(names)) == 16


def test_asks_the_client_and_reports_progress_and_change():
    roots = {"roots": [{"uri": "file:///x"}]}
    with RawClient(ECHO, answers={"roots/list": lambda _params: roots}) as client:
        client.open()
        result = client.call("ask_client", {"method": "roots/list"})["result"]
        assert json.loads(result["content"][0]["text"]) == roots
        steps = client.start_call("steps", {"steps": 3}, progressToken="t")
        assert [
            client.message("notifications/progress")["params"]["progress"] for _ in range(3)
        ] == [1, 2, 3]
        assert steps.wait()
        before = client.request("tools/list")["result"]
        client.call("change_tools")
        assert client.message("notifications/tools/list_changed")
        assert client.request("tools/list")["result"] != before


def test_asks_for_input_in_the_stateless_era():
    with RawClient(ECHO, protocol=STATELESS) as client:
        result = client.call("confirm")["result"]
        assert result["resultType"] == "input_required"
        retry = {"name": "confirm", "inputResponses": {"sure": {"action": "accept"}}}
        assert client.request("tools/call", retry)["result"]["resultType"] == "complete"


def test_exits_as_told():
    with RawClient(ECHO, env=environment(exit_after=2, exit_code=7, stderr="hello")) as client:
        client.open()
        client.call("echo")
        client.call("echo")
        assert client.process.wait(LIMIT_S) == 7
        assert client.stderr == "hello\n"
    with RawClient(ECHO) as client:
        client.start_call("crash", {"code": 3})
        assert client.process.wait(LIMIT_S) == 3


def test_outlives_eof_and_sigterm_and_leaves_a_grandchild(tmp_path: Path):
    pid = tmp_path / "pid"
    with RawClient(ECHO, env=environment(ignore="eof,term", grandchild=pid)) as client:
        client.open()
        client.hang_up()
        client.process.send_signal(signal.SIGTERM)
        with pytest.raises(TimeoutError, match="did not end"):
            client.finish(0.05)
        client.process.kill()
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_missing_answer_is_a_loud_timeout():
    with RawClient(ECHO) as client:
        client.open()
        with pytest.raises(TimeoutError, match="response to 2"):
            client.call("slow", {"gate": "never"}, timeout=0.05)
