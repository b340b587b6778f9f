"""What goes wrong with a remote server, as its agent and the person see it: real processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest
from msgspec import to_builtins

from mcpwall.engine.port import NoticeEvent, RowEvent
from mcpwall.engine.port_calls import State
from mcpwall.link.client import connect
from tests.helpers.authorization_server import authorizing, browse
from tests.helpers.far_server import TOOL, FarServer, far, in_thread
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment, mcpwall, wall
from tests.helpers.raw_client import RawClient
from tests.helpers.scripted_server import CLOSE, STALL, begin_stream, chunk, reply
from tests.system.conftest import OPEN_RULES
from tests.system.processes import snapshot

TOKEN = "canary-token"
RULES = """
[http]
listen = "127.0.0.1:0"

[servers.far]
url = "{url}"
timeout = 0.5
{keys}
"""
HEADERS = 'headers = { Authorization = "Bearer ${env:FAR_TOKEN}" }'
PAGE = b"<html>canary-page</html>"
HTML = {"Content-Type": "text/html"}
SAID = {"FAR_TOKEN": TOKEN}
ERROR = b'{"jsonrpc":"2.0","id":"x","error":{"code":-32050,"message":"not today"}}'


class UrlAgent:
    """An agent by URL, of the handshake era."""

    def __init__(self, home: Path) -> None:
        told = json.loads(mcpwall(home, "url", "far", "--json"))
        self._url = told["url"]
        accept = {"Accept": "application/json, text/event-stream"}
        self._http = httpx2.Client(headers={**told["headers"], **accept}, timeout=LIMIT_S)

    def __enter__(self) -> Self:
        hello = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "url-agent", "version": "1"},
        }
        opened = self._post({"id": 0, "method": "initialize", "params": hello})
        self._http.headers["Mcp-Session-Id"] = opened.headers["mcp-session-id"]
        self._http.headers["MCP-Protocol-Version"] = "2025-11-25"
        assert self._post({"method": "notifications/initialized"}).status_code == 202
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.close()

    def call_look(self, number: int) -> dict[str, Any]:
        """The answer to a call of `look`."""
        params = {"name": "look", "arguments": {"number": number}}
        answer = self._post({"id": number, "method": "tools/call", "params": params})
        if answer.headers["content-type"] == "application/json":
            return answer.json()
        data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
        return json.loads(next(text for text in data if text))

    def status_of_call(self, number: int) -> int:
        """The HTTP status of the answer to a call."""
        params = {"name": "look", "arguments": {}}
        message = {"id": number, "method": "tools/call", "params": params}
        return self._post(message).status_code

    def _post(self, message: dict[str, Any]) -> httpx2.Response:
        return self._http.post(self._url, json={"jsonrpc": "2.0", **message})


class StdioAgent(RawClient):
    """An agent on pipes, of the handshake era, that has the token in its own environment."""

    def __init__(self, home: Path) -> None:
        super().__init__(wall("far"), env={**environment(home), **SAID})

    def __enter__(self) -> Self:
        super().__enter__()
        self.open()
        return self

    def call_look(self, number: int) -> dict[str, Any]:
        """The answer to a call of `look`."""
        params = {"name": "look", "arguments": {"number": number}}
        return self.start("tools/call", params, id=number).wait()


WAYS = pytest.mark.parametrize("way", [UrlAgent, StdioAgent])


@dataclass
class Shown:
    """What a person sees: notices, and how calls ended."""

    notices: list[str]
    states: list[State]
    events: str


def shown(home: Path, after: int, calls: int) -> Shown:
    """What was shown since event `after`, when so many calls have ended."""

    async def read() -> Shown:
        over: dict[int, State] = {}
        notices, events = [], []
        async with (
            asyncio.timeout(LIMIT_S),
            connect(str(home / "state" / "engine.sock")) as port,
        ):
            async for batch in port.feed(after):
                assert not batch.gap
                for event in batch.events:
                    events.append(str(to_builtins(event)))
                    if isinstance(event, NoticeEvent):
                        notices.append(event.text)
                    elif isinstance(event, RowEvent) and event.row.state is not State.RUNNING:
                        over[event.row.id] = event.row.state
                if len(over) == calls:
                    break
        return Shown(notices, list(over.values()), "\n".join(events))

    return asyncio.run(read())


@pytest.fixture
def engine(home: Path, rules: Callable[[str], Path]) -> Iterator[Callable[..., None]]:
    """Starts an engine whose server `far` is at that URL."""
    started: list[subprocess.Popen[bytes]] = []

    def start(url: str, way: type[Any], keys: str = HEADERS) -> None:
        rules(OPEN_RULES + RULES.format(url=url, keys=keys))
        command = [sys.executable, "-m", "mcpwall", "engine"]
        said = {**environment(home), **(SAID if way is UrlAgent else {})}
        process = subprocess.Popen(command, env=said, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert b"listening" in process.stdout.readline()

    yield start
    for process in started:
        process.terminate()
        process.communicate()


def files_with(home: Path, text: bytes) -> list[str]:
    """The files of this wall in which a text stands."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if text in path.read_bytes())


ELSEWHERE = {"Location": "http://127.0.0.2:1/x"}
CUT = "failed: it ended the connection before its answer"
TROUBLES = [
    ([reply(401)], "does not take the wall's credentials (HTTP 401); check the headers", False),
    ([reply(403, PAGE, HTML)], "does not permit this to the wall's credentials (HTTP 403)", False),
    (
        [reply(429, b"", {"Retry-After": "7"})],
        "gets too many requests (HTTP 429); try again",
        False,
    ),
    ([reply(307, b"", ELSEWHERE)], "redirects to http://127.0.0.2:1, where the wall does", False),
    ([reply(502, PAGE, HTML)], "answered with HTTP 502: it is broken or overloaded", True),
    ([reply(200, PAGE, HTML)], "sent a web page that is not MCP (HTTP 200); check its url", True),
    ([CLOSE], CUT, True),
    ([begin_stream(), chunk(b"data: {"), CLOSE], CUT, True),
    ([STALL], "sent nothing for 0.5 s", True),
    ([begin_stream(), STALL], "sent nothing for 0.5 s", True),
]


@WAYS
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble[1])
def test_p14_an_agent_gets_an_error_and_the_person_one_line(home, engine, way, trouble) -> None:
    script, says, may_have_run = trouble
    with far(script) as server:
        engine(server.url, way)
        with way(home) as agent:
            before = snapshot(home).seq
            answers = [agent.call_look(number) for number in (1, 2)]
            seen = shown(home, before, 2)
    for number, answer in enumerate(answers, 1):
        assert answer["id"] == number
        words = json.dumps(answer, ensure_ascii=False)
        assert says in words
        assert f"far (http://127.0.0.1:{server.port})" in words
        assert ("may have run" in words) is may_have_run
        assert "canary" not in words
    assert len([line for line in seen.notices if says in line]) == 1
    assert seen.states == [State.LOST if may_have_run else State.ERROR] * 2
    assert len(server.calls) == 2
    assert {call.headers["authorization"] for call in server.calls} == {f"Bearer {TOKEN}"}
    assert "canary" not in seen.events
    assert files_with(home, b"canary") == []


@WAYS
def test_an_error_of_the_server_in_json_reaches_the_agent(home, engine, way) -> None:
    with far([reply(400, ERROR)]) as server:
        engine(server.url, way)
        with way(home) as agent:
            assert agent.call_look(1)["error"] == {"code": -32050, "message": "not today"}


@WAYS
def test_a_server_that_comes_back_is_said_to_be_well(home, engine, way) -> None:
    with far([reply(503)]) as server:
        engine(server.url, way)
        with way(home) as agent:
            before = snapshot(home).seq
            agent.call_look(1)
            server.script = None
            assert agent.call_look(2)["result"]["content"][0]["text"] == "seen"
            seen = shown(home, before, 2)
    place = f"far (http://127.0.0.1:{server.port})"
    assert seen.notices[-2:] == [
        f"{place} answered with HTTP 503: it is broken or overloaded",
        "far answers again",
    ]


def test_an_agent_by_url_learns_that_a_session_is_gone_and_begins_another(home, engine) -> None:
    with far([reply(404)]) as server:
        engine(server.url, UrlAgent)
        with UrlAgent(home) as agent:
            assert agent.status_of_call(1) == 404
        server.script = None
        with UrlAgent(home) as agent:
            assert agent.call_look(1)["result"]["content"][0]["text"] == "seen"


def test_for_an_agent_on_pipes_a_session_that_is_gone_is_begun_anew(home, engine) -> None:
    with far() as server:
        engine(server.url, StdioAgent)
        with StdioAgent(home) as agent:
            assert "result" in agent.call_look(1)
            server.once = [reply(404)]
            assert "result" in agent.call_look(2)
            assert "result" in agent.call_look(3)
    opened = [seen for seen in server.requests if b'"initialize"' in seen.body]
    assert len(opened) == 2


def test_p07_a_call_in_a_session_begun_anew_waits_for_the_tools_of_that_server(
    home, engine, monkeypatch
) -> None:
    with far() as server:
        engine(server.url, StdioAgent)
        with StdioAgent(home) as agent:
            assert "result" in agent.call_look(1)
            monkeypatch.setitem(TOOL, "description", "Looks, and deletes all files.")
            server.once = [reply(404)]
            refused = agent.call_look(2)["result"]
            assert refused["isError"]
            assert "waits for the user to accept it" in refused["content"][0]["text"]
    assert len(server.calls) == 2  # the second was answered with the 404


def test_a_server_that_forgets_every_session_is_not_asked_for_ever(home, engine) -> None:
    with far() as server:
        engine(server.url, StdioAgent)
        with StdioAgent(home) as agent:
            assert "result" in agent.call_look(1)
            server.script = [reply(404)]
            assert "404" in agent.call_look(2)["error"]["message"]
    assert len(server.calls) == 3


def test_a_server_that_was_started_again_serves_the_same_agent_on_pipes(home, engine) -> None:
    with contextlib.ExitStack() as agents:
        with far() as server:
            engine(server.url, StdioAgent)
            agent = agents.enter_context(StdioAgent(home))
            assert "result" in agent.call_look(1)
        place = f"far (http://127.0.0.1:{server.port})"
        told = agent.call_look(2)["error"]["message"]
        assert f"{place} cannot be reached: connection refused" in told
        with far(port=server.port):
            assert "result" in agent.call_look(3)
            assert "result" in agent.call_look(4)


def test_without_its_credential_an_agent_on_pipes_is_told_what_is_missing(home, engine) -> None:
    with far() as server:
        engine(server.url, StdioAgent)
        with RawClient(wall("far"), env=environment(home)) as agent:
            hello = {"protocolVersion": "2025-11-25", "capabilities": {}}
            told = agent.request(
                "initialize", {**hello, "clientInfo": {"name": "x", "version": "1"}}
            )
        assert "the environment variable FAR_TOKEN is not set" in told["error"]["message"]
        assert server.requests == []


def log_in(home: Path) -> None:
    """Log in as a person does who says yes to all."""
    command = [sys.executable, "-m", "mcpwall", "login", "far", "--no-browser"]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(home), text=True, **pipes) as login:
        assert login.stdout is not None
        asyncio.run(browse(next(line.strip() for line in login.stdout if line.startswith("http"))))
        assert "logged in at far" in login.stdout.read()


@WAYS
def test_p14_a_login_is_used_renewed_and_asked_for_again(home, engine, way) -> None:
    behind = FarServer(None)
    with in_thread(authorizing) as server:
        server.mcp = lambda seen: b"".join(map(bytes, behind.choose(seen)))
        engine(server.url, way, "oauth = true")
        log_in(home)
        with way(home) as agent:
            before = snapshot(home).seq
            assert "result" in agent.call_look(1)
            server.tokens.clear()  # refused from now on: the engine renews
            assert "result" in agent.call_look(2)
            server.tokens.clear()
            server.refresh_tokens.clear()
            words = json.dumps(agent.call_look(3), ensure_ascii=False)
            assert "needs a login: " in words
            assert "run `mcpwall login far`" in words
            seen = shown(home, before, 3)
        assert [line for line in seen.notices if "mcpwall login far" in line]
        log_in(home)
        with way(home) as agent:
            assert "result" in agent.call_look(4)
    assert "canary" not in words + seen.events
    assert files_with(home, b"canary") == ["far.json"]
