"""Methods that only look like one that the wall knows, in the eyes of a lax reader."""

from __future__ import annotations

import json

import pytest

from mcpwall.protocol import commands as p
from tests.protocol.playbook import client, opened, request, server

LOOKALIKES = [
    "Tools/Call",
    " tools/call",
    "tools/call/",
    "/tools/call",
    "tools//call",
    "./tools/call",
    "tools.call",
    "tools_call",
    "tools:call",
    "toolscall",
    "tools/call\0",
    "tools/call\ufeff",
    "tools\u200b/call",
    "tools\u2215call",
    "\uff54ools/call",
    "t\u043eols/call",
    "\u202etools/call",
    "tools/%63all",
    "tools/call?x",
    "tools/call#x",
    "tools\\call",
    "",
    "x" * 201,
]


@pytest.mark.parametrize("method", LOOKALIKES, ids=ascii)
def test_p01_what_a_lax_server_might_take_for_a_call_goes_nowhere(method: str) -> None:
    play = opened()
    message = request(2, method, name="echo", arguments={})
    for answered in (2, None):
        play >> client(message)
        told, _ = play.commands
        assert isinstance(told, p.ToClient)
        assert json.loads(told.line)["id"] == answered
        assert json.loads(told.line)["error"]["code"] == -32600
        play.commands.clear()
        message.pop("id", None)


def test_a_method_of_an_extension_is_judged() -> None:
    play = opened()
    play >> client(request(2, "com.example/do-it.v2:$x", name="echo")) << p.Judge


@pytest.mark.parametrize("method", ["Roots/List", "roots/list\0", "roots/list/", "roots.list"])
def test_what_a_lax_client_might_take_for_a_question_is_judged_as_one(method: str) -> None:
    play = opened()
    asked = {"jsonrpc": "2.0", "id": 0, "method": method}
    play >> server(asked) << p.Judge
    assert play.judged[-1].method == "roots/list"
    assert play.allow().bytes == server(asked).bytes
