"""What two parsers could read differently, with real parsers behind the wall, stays outside.

A rule denies `wipe`. Whatever is sent, by URL or on pipes, to servers made with the official SDKs
in Python and TypeScript: `wipe` does not run, and the session lives on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest

from tests.helpers.homes import a_home
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment, wall
from tests.helpers.raw_client import RawClient
from tests.real import official
from tests.real.conftest import place

pytestmark = pytest.mark.real

RULES = """
[[rules]]
tool = "look"
action = "allow"

[[rules]]
tool = "wipe"
action = "deny"
"""


def call(tool: str, arguments: str = "{}", **envelope: str) -> bytes:
    """A call as text; keywords put other JSON in the place of a member."""
    members = {
        "jsonrpc": '"2.0"',
        "id": "66",
        "method": '"tools/call"',
        "params": f'{{"name":"{tool}","arguments":{arguments}}}',
        **envelope,
    }
    inner = ",".join(f'"{name}":{value}' for name, value in members.items() if value)
    return f"{{{inner}}}".encode("utf-8", "surrogatepass")


def params(text: str) -> bytes:
    """A call with these params."""
    return call("", params=f"{{{text}}}")


WIPE, LOOK = call("wipe"), call("look", id="65")
DEEP = '{"x":' * 500 + WIPE.decode() + "}" * 500
TRICKS = {
    "plain": WIPE,
    "bare CR between two messages": LOOK + b"\r" + WIPE,
    "bare CR between tokens": call("look", '{"x":\r' + WIPE.decode() + "\r}"),
    "bare CR around it": b"\r" + WIPE + b"\r",
    "form feed between": LOOK + b"\x0c" + WIPE,
    "record separator": b"\x1e" + WIPE,
    "NUL between": LOOK + b"\0" + WIPE,
    "two messages": LOOK + WIPE,
    "two lines": LOOK + b"\n" + WIPE,
    "name twice": params('"name":"look","name":"wipe","arguments":{}'),
    "name twice, the other way": params('"name":"wipe","name":"look","arguments":{}'),
    "escaped key": params('"name":"look","n\\u0061me":"wipe","arguments":{}'),
    "Name": params('"name":"look","Name":"wipe","arguments":{}'),
    "NAME first": params('"NAME":"wipe","name":"look","arguments":{}'),
    "long s in params": call("look").replace(b"}}", b'},"param\xc5\xbf":{"name":"wipe"}}', 1),
    "params twice": WIPE[:-1] + b',"params":{"name":"look","arguments":{}}}',
    "params twice, the other way": call("look")[:-1] + b',"params":{"name":"wipe"}}',
    "Params": call("look")[:-1] + b',"Params":{"name":"wipe","arguments":{}}}',
    "method twice": WIPE[:-1] + b',"method":"ping"}',
    "method twice, the other way": call("wipe", method='"ping","method":"tools/call"'),
    "UTF-16": WIPE.decode().encode("utf-16"),
    "UTF-16 without a mark": WIPE.decode().encode("utf-16-le"),
    "UTF-32": WIPE.decode().encode("utf-32"),
    "byte-order mark": b"\xef\xbb\xbf" + WIPE,
    "UTF-7": call("+AHc-ipe"),
    "lone surrogate": call("wipe\\ud800"),
    "surrogates as bytes": call("wipe", '{"x":"\ud83d\ude00"}'),
    "overlong": WIPE.replace(b"wipe", b"\xc1\xb7ipe"),
    "not a number": call("wipe", '{"x":NaN}'),
    "infinity": call("wipe", '{"x":Infinity}'),
    "too large": call("wipe", '{"x":1e400}'),
    "30 digits": call("wipe", '{"x":123456789012345678901234567890}'),
    "leading zero": call("wipe", '{"x":01}'),
    "comment": call("wipe", '{/* "x" */}'),
    "single quotes": WIPE.replace(b'"', b"'"),
    "trailing comma": call("wipe", '{"x":1,}'),
    "batch": b"[" + LOOK + b"," + WIPE + b"]",
    "batch of one": b"[" + WIPE + b"]",
    "id null": call("wipe", id="null"),
    "id true": call("wipe", id="true"),
    "id 1.5": call("wipe", id="1.5"),
    "id 66.0": call("wipe", id="66.0"),
    "id 1e1": call("wipe", id="1e1"),
    "id list": call("wipe", id="[66]"),
    "id object": call("wipe", id='{"a":1}'),
    "id as text": call("wipe", id='"66"'),
    "no id": call("wipe", id=""),
    "with a result": call("wipe", result="{}"),
    "with an error": call("wipe", error='{"code":1,"message":"x"}'),
    "an answer to nobody": b'{"jsonrpc":"2.0","id":66,"result":{"method":"tools/call"}}',
    "no version": call("wipe", jsonrpc=""),
    "version 1.0": call("wipe", jsonrpc='"1.0"'),
    "other letter case": call("WIPE"),
    "method in other letter case": call("wipe", method='"tools/Call"'),
    "method with a space": call("wipe", method='" tools/call"'),
    "method with an escaped slash": call("wipe", method='"tools\\/call"'),
    "method with NUL": call("wipe", method='"tools/call\\u0000"'),
    "name escaped": call("w\\u0069pe"),
    "name padded": call(" wipe "),
    "name with a zero-width space": call("wi\u200bpe"),
    "name with a look-alike": call("w\u0456pe"),
    "name with NUL": call("wipe\\u0000"),
    "name in a list": params('"name":["wipe"],"arguments":{}'),
    "params as a list": call("", params='["wipe",{}]'),
    "arguments as a list": call("wipe", "[]"),
    "arguments as text": call("wipe", '"{}"'),
    "500 deep": call("look", DEEP),
    "100,000 deep": b"[" * 100_000,
    "empty": b"",
}


class Agent(Protocol):
    """Sends bytes as one message, and whole calls."""

    def send(self, data: bytes) -> None:
        """Send, and wait until it was dealt with."""
        ...

    def looks(self) -> Any:
        """The answer to a call of `look`."""
        ...


class ByUrl:
    """An agent that takes a URL."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self._connection = HTTPConnection(str(parts.hostname), parts.port, timeout=LIMIT_S)
        self._path = parts.path
        self._number = 0
        self._headers = {
            **headers,
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        info = {"name": "smuggler", "version": "1"}
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
        self.asks("initialize", hello)
        self.asks("notifications/initialized")
        self.asks("tools/list", {})

    def asks(self, method: str, params: Any = None) -> Any:
        message = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message |= {"id": self._id(), "params": params}
        return self._post(json.dumps(message).encode())

    def send(self, data: bytes) -> None:
        self._post(data)

    def looks(self) -> Any:
        text = self._post(call("look", id=f'"{self._id()}"')).decode()
        return json.loads(text.partition("data: ")[2] or text)

    def _id(self) -> str:
        self._number += 1
        return f"mine-{self._number}"

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: bytes) -> bytes:
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        if session := response.headers.get("mcp-session-id"):
            self._headers["Mcp-Session-Id"] = session
        return response.read()


class OnPipes:
    """An agent that starts its servers."""

    def __init__(self, client: RawClient) -> None:
        self._client = client
        client.open()
        client.request("tools/list")

    def send(self, data: bytes) -> None:
        self._client.send_raw(data + b"\n")
        self.looks()

    def looks(self) -> Any:
        return self._client.call("look")


WAYS = (
    "url, Python by url",
    "url, Node on pipes",
    "pipes, Python on pipes",
    "pipes, Node on pipes",
)


@pytest.fixture(scope="module", params=WAYS)
def agent(request: pytest.FixtureRequest) -> Iterator[tuple[Agent, Path]]:
    """An agent behind the wall, and the file in which its server notes what ran."""
    by, _, server = request.param.partition(", ")
    modules = place("MCPWALL_TEST_NPM")
    with ExitStack() as stack:
        home = stack.enter_context(a_home())
        ran = home / "ran"
        ran.touch()
        python = [sys.executable, str(official.HERE / "two_tools.py"), str(ran)]
        node = ["node", str(official.HERE / "two_tools.mjs"), str(ran), str(modules)]
        if server.endswith("by url"):
            task = stack.enter_context(official.started(python))
        else:
            task = {"command": python if server.startswith("Python") else node}
        official.configure(home, task)
        with (home / "config.toml").open("a") as config:
            config.write(RULES)
        if by == "url":
            task = stack.enter_context(official.by_url(home))
            client = stack.enter_context(closing(ByUrl(task["url"], task["headers"])))
            yield client, ran
        else:
            raw = stack.enter_context(RawClient(wall("it"), env=environment(home)))
            yield OnPipes(raw), ran


@pytest.mark.parametrize("trick", TRICKS)
def test_p16_what_is_denied_does_not_run_however_it_is_wrapped(agent, trick) -> None:
    client, ran = agent
    client.send(TRICKS[trick])
    answer = client.looks()
    assert "result" in answer, answer
    assert answer["result"]["content"][0]["text"] == "look ran"
    assert set(ran.read_text().split()) == {"look"}
