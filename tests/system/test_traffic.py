"""Much traffic, odd traffic and stuck parties: every session for itself, and memory bounded."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers.raw_client import HANDSHAKE, STATELESS
from tests.system.conftest import OPEN_RULES
from tests.system.processes import engine_pid, remembered, rss_mb, server_of, snapshot, wait_for

ASK_PAY = OPEN_RULES + '\n[[rules]]\ntool = "pay"\naction = "ask"\n'


def errors(client) -> list[dict]:
    """The JSON-RPC errors that answer no request of the client's."""
    return [m["error"] for m in client.unmatched if "error" in m and m["id"] is None]


def error_to(client, data: bytes) -> dict:
    """Send bytes; the error that comes to nobody's request."""
    before = len(errors(client))
    client.send_raw(data)
    client.wait_until(lambda: len(errors(client)) > before, "an error")
    return errors(client)[-1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"x":"\xff\xfe"}', "not valid UTF-8"),
        (b"\xff\xfe{}", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[]", "batch"),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', "an id must be"),
        (b'{"jsonrpc":"2.0","id":9,"method":"ping","params":{"x":NaN}}', "is not JSON"),
        (b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}}', "needs an id"),
        (b"[" * 10_000, "nest"),
    ],
)
def test_a_line_that_is_no_message_is_refused_and_the_session_lives_on(agent, line, said):
    with agent() as client:
        client.open()
        assert said in error_to(client, line + b"\n")["message"]
        assert "result" in client.call("echo")


def test_a_line_of_64_mb_is_refused_and_one_below_passes(home, agent, rules, tmp_path):
    rules(OPEN_RULES)
    log = tmp_path / "log"
    with agent(log=log) as client:
        client.open()
        client.request("tools/list")
        size = 64 * 1024 * 1024
        call = b'{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"name":"release",'
        call, tail = call + b'"arguments":{"gate":"', b'"}}}\n'
        error = error_to(client, call + b"x" * size + tail)
        assert "longer than the wall takes" in error["message"]
        assert "result" in client.call("echo", {"text": "small"})
        assert log.stat().st_size < 10_000
        client.send_raw(call + b"x" * (size - 1000) + tail)
        client.wait_until(lambda: any(m.get("id") == "big" for m in client.unmatched), "it")
        assert log.stat().st_size > size - 1000
        assert rss_mb(engine_pid(home)) < 600


def test_half_a_message_at_the_end_is_refused(agent):
    with agent() as client:
        client.open()
        client.send_raw(b'{"jsonrpc":"2.0","id":7,"method":"pi')
        assert client.finish() == 0
        (error,) = errors(client)
        assert "ends within a message" in error["message"]


def test_a_server_that_speaks_nonsense_does_not_end_the_session(agent, tmp_path):
    server = tmp_path / "server.sh"
    server.write_text(
        "echo hello, I am a server\n"
        "printf '\\377\\376\\n'\n"
        'echo \'{"jsonrpc":"2.0","id":99,"result":{}}\'\n'
        "read line\n"
        'echo \'{"jsonrpc":"2.0","id":1,"result":{"x":1}}\'\n'
        "cat >/dev/null\n"
    )
    with agent("sh", str(server)) as client:
        assert client.request("ping")["result"] == {"x": 1}
        assert [json.loads(line) for line in client.lines] == [
            {"jsonrpc": "2.0", "id": 1, "result": {"x": 1}}
        ]


ODD = [
    b'{"text":"\\ud83d\\ude00 \\u2028 \\u0085 \\u0000 \\"\\\\/"}',
    b'{"text":"a","text":"b"}',
    b'{"n":123456789012345678901234567890,"f":1.10,"e":1e3,"z":-0}',
    b'{"text":{"deep":[[[[{"a":[1,null,true]}]]]]}, "\xe2\x98\x83":"\xe2\x98\x83"}',
    b'{ "spaced"\r:\t[ 1 , 2 ] }',
]


@pytest.mark.parametrize("protocol", [HANDSHAKE, STATELESS])
def test_p02_the_server_gets_exactly_the_arguments_that_were_judged(
    home, agent, tmp_path, protocol
):
    log = tmp_path / "log"
    with agent(log=log, protocol=protocol) as client:
        client.open()
        client.request("tools/list")
        meta = b',"_meta":' + json.dumps(client._params(None).get("_meta", {})).encode()
        for number, arguments in enumerate(ODD, 1000):
            client.send_raw(
                b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"echo",'
                b'"arguments":%b%b}}\n' % (number, arguments, meta)
            )
        wanted = range(1000, 1000 + len(ODD))
        client.wait_until(
            lambda: {m.get("id") for m in client.unmatched} >= set(wanted), "the answers"
        )
        rows = {row.id: row for row in snapshot(home).rows}
        assert client.finish() == 0
    lines = log.read_bytes().split(b"\n")
    sent = [json.loads(line)["params"] for line in lines if b'"echo"' in line]
    judged = [json.loads(row.preview) for row in rows.values()]
    assert [params["arguments"] for params in sent] == judged
    assert judged[1] == {"text": "b"}
    assert judged[2]["n"] == 123456789012345678901234567890
    for line in lines:  # nothing that any reader could take for two lines, or two values
        assert len(line.decode().splitlines()) <= 1
        json.loads(line or b"0", object_pairs_hook=_no_twins)


def _no_twins(pairs):
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


def test_p12_the_record_has_every_call_that_the_server_got(home, agent, tmp_path):
    log = tmp_path / "log"
    with agent(log=log) as client:
        client.open()
        client.request("tools/list")
        calls = [client.start_call("echo", {"text": str(number)}) for number in range(500)]
        assert all("result" in call.wait() for call in calls)
        texts = {json.loads(row.preview)["text"] for row in remembered(home)}
        assert texts == {str(number) for number in range(500)}
        assert client.finish() == 0
    assert sum(b'"tools/call"' in line for line in log.read_bytes().splitlines()) == 500


# --- many sessions ------------------------------------------------------------------------------


@pytest.mark.slow
def test_fifty_sessions_at_once(home, agent):
    with ExitStack() as stack:
        clients = [stack.enter_context(agent(name=f"agent-{n % 5}")) for n in range(50)]
        for client in clients:
            client.open()
        for client in clients:
            client.request("tools/list")
        calls = [client.start_call("echo", {"text": "x"}) for client in clients for _ in range(20)]
        assert all("result" in call.wait() for call in calls)
        assert len(snapshot(home).sessions) == 50
        for client in clients:
            client.hang_up()
        for client in clients:
            assert client.finish() == 0
        wait_for(lambda: not snapshot(home).sessions, "the end of the sessions")
        assert rss_mb(engine_pid(home)) < 100


def test_stuck_parties_delay_nobody_else(home, agent, rules, tmp_path):
    """A server that reads nothing, a held call, an agent that reads nothing: others go on."""
    rules(ASK_PAY)
    stuck_server = tmp_path / "stuck.py"
    stuck_server.write_text("import signal\nsignal.pause()\n")
    with ExitStack() as stack:
        deaf = stack.enter_context(agent("python3", "-S", str(stuck_server)))
        for _ in range(70):
            deaf.start("ping", {"padding": "x" * 5_000})  # its pipe is full long before
        holding = stack.enter_context(agent())
        holding.open()
        held = holding.start_call("pay", {"amount": 1})
        mute = stack.enter_context(Unread(agent()))
        mute.flood(10_000)
        other = stack.enter_context(agent())
        other.open()
        for number in range(200):
            assert "result" in other.call("echo", {"text": str(number)})
        assert "result" in holding.call("echo")  # nor does a held call delay its own session
        assert not held.done
        (waiting,) = snapshot(home).held
        assert waiting.row.tool == "pay"
        deaf.process.kill()
        mute.client.process.kill()


def test_an_agent_that_does_not_read_costs_bounded_memory(home, agent, rules):
    """Back-pressure: the flooding server waits, and the engine keeps little of it."""
    rules(OPEN_RULES)
    with Unread(agent()) as mute:
        with agent() as other:
            other.open()
            before = rss_mb(engine_pid(home))
            mute.flood(1_000_000)
            server_pipe_full(mute)
            for _ in range(50):
                assert "result" in other.call("echo")
            assert rss_mb(engine_pid(home)) - before < 30
        mute.client.process.kill()


class Unread:
    """A client that never reads its stdout."""

    def __init__(self, client) -> None:
        self.client = client

    def __enter__(self):
        self.client._read = lambda: None  # its reader thread ends at once
        self.client.__enter__()
        return self

    def __exit__(self, *exc) -> None:
        self.client.__exit__(*exc)
        os.close(self.client._in)

    def flood(self, count: int) -> None:
        hello = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": {"name": "mute"}}
        self.client.start("initialize", hello)
        self.client.notify("notifications/initialized")
        self.client.start("tools/list")
        self.client.start_call("flood", {"count": count})


def server_pipe_full(mute: Unread) -> None:
    """Wait until the flooding server is stopped by a full pipe."""
    server = server_of(mute.client.process.pid)
    wchan = Path(f"/proc/{server}/wchan")
    wait_for(lambda: "pipe_w" in wchan.read_text(), "the server's wait for its pipe")
