"""Whatever an agent sends by HTTP is answered or under way; nothing makes the handler fail."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.transport.http import headers
from tests.transport.http.agent import STATELESS, VERSION, Desk, desk
from tests.transport.http.test_remote import FAR, RULES, Far, Wall

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
METHODS = st.sampled_from(
    [
        *("initialize", "tools/call", "tools/list", "prompts/get", "resources/read", "ping"),
        *("notifications/cancelled", "notifications/initialized", "tasks/get", "odd", ""),
        *("subscriptions/listen", "server/discover", "odd\r\nX-Smuggled: 1"),
    ]
)
META = st.fixed_dictionaries(
    {},
    optional={
        "io.modelcontextprotocol/protocolVersion": st.just(STATELESS) | VALUES,
        "io.modelcontextprotocol/clientCapabilities": VALUES,
        "io.modelcontextprotocol/clientInfo": st.fixed_dictionaries({"name": VALUES}) | VALUES,
        "progressToken": VALUES,
    },
)
PARAMS = VALUES | st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["look", "pay", "wipe"]) | VALUES,
        "arguments": VALUES,
        "requestId": VALUES,
        "taskId": VALUES,
        "uri": VALUES,
        "_meta": META | VALUES,
    },
)
MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0")},
    optional={
        "id": st.integers(0, 3) | VALUES,
        "method": METHODS | VALUES,
        "params": PARAMS,
        "result": VALUES,
        "error": VALUES,
    },
)


def send(at: Desk, agent: Any, body: Any, *, stateless: bool, honest: bool) -> None:
    sent = {"mcp_protocol_version": STATELESS} if stateless else dict(agent.sent)
    if stateless and honest and isinstance(body, dict) and isinstance(body.get("method"), str):
        sent["mcp_method"] = body["method"]
        params = body.get("params")
        key = headers.NAMED.get(body["method"], "")
        if isinstance(params, dict) and isinstance(params.get(key), str):
            sent["mcp_name"] = headers.encoded(params[key])
    exchange = at.send("POST", json.dumps(body).encode(), **sent)
    assert exchange.status in (0, 200, 202, 400, 404)
    if exchange.status == 400:
        assert exchange.over


BODIES = st.lists(st.tuples(MESSAGES | st.lists(MESSAGES, max_size=2), st.booleans()), max_size=6)


@settings(max_examples=150)
@given(BODIES, st.booleans())
def test_any_messages_in_front_of_a_process(bodies: list[tuple[Any, bool]], honest: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        at = desk(Path(folder))
        agent = at.agent()
        for body, stateless in bodies:
            send(at, agent, body, stateless=stateless, honest=honest)
        at.wall.drop()


@settings(max_examples=150)
@given(BODIES, st.booleans())
def test_any_messages_in_front_of_a_remote_server(
    bodies: list[tuple[Any, bool]], honest: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        at = Far(Wall(Path(folder), RULES + FAR))
        agent = at.agent(VERSION)
        for body, stateless in bodies:
            send(at, agent, body, stateless=stateless, honest=honest)
            for sent in at.upstream.sent:
                for value in sent.headers.values():
                    assert value.isascii()
                    assert value.isprintable()
        at.wall.drop()
