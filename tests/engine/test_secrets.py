"""P14: a planted secret is in no file and in nothing that leaves the engine but the call itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mcpwall.engine import views
from mcpwall.engine.local import LocalPort
from mcpwall.engine.port import Done, Refused
from mcpwall.engine.port_answers import (
    CheckEdit,
    Decide,
    EditChecked,
    Match,
    Remember,
    Reveal,
    Revealed,
    Scope,
)
from mcpwall.engine.port_calls import Details
from mcpwall.engine.replay import Replay, Why
from mcpwall.policy.compile import compile_policy
from mcpwall.policy.masking import MARK
from mcpwall.store.config import load_text
from mcpwall.store.shared import entries
from mcpwall.store.shared.ledger import Wall as SharedWall
from tests.engine.wall import Wall, call, request, result, tool

RULES = """\
[[rules]]
id = "ask"
tool = "pay"
action = "ask"

[[rules]]
id = "loop"
tool = "look"
repeat = 2
action = "deny"
"""
CANARY = "canary-7f3a9b"
FORMAT = "ghp_" + "c4naRy" * 6
PLANTED = (CANARY, FORMAT)
TOOLS = [tool("look", password={}, note={}), tool("pay", token={}, amount={})]


def leaks(wall: Wall) -> list[str]:
    """Where a planted secret can be read: every file, and all that an app is told."""
    wall.intake.file()
    places = {str(path): path.read_bytes() for path in files(wall.path)}
    places["snapshot"] = msgspec.json.encode(views.snapshot(wall.engine))
    for row in wall.rows():
        places[f"details {row.id}"] = msgspec.json.encode(wall.do(Details(row.id)))
    return [name for name, data in places.items() if any(s.encode() in data for s in PLANTED)]


def files(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if found.is_file()]


@pytest.fixture
def wall(wall_with: Callable[[str], Wall]) -> Wall:
    return wall_with(RULES)


def test_p14_of_what_a_server_asks_for_the_form_is_shown_and_no_value(
    wall_with: Callable[[str], Wall],
) -> None:
    asks = '[[rules]]\nid = "form"\nmethod = "elicitation/create"\naction = "ask"\n'
    wall = wall_with(asks)
    talk = wall.session(tools=TOOLS)
    form = {"type": "string", "title": "Your password", "default": CANARY}
    schema = {"type": "object", "properties": {"password": form}, "required": ["password"]}
    asked = request("q", "elicitation/create", {"message": "log in", "requestedSchema": schema})
    talk.answers(asked)
    (held,) = wall.held
    told = held.arguments["requestedSchema"]["properties"]["password"]
    assert (told["type"], told["title"]) == ("string", "Your password")
    assert told["default"].startswith(MARK)
    assert leaks(wall) == []
    wall.decide(held)
    assert talk.got() == [asked]
    assert leaks(wall) == []


def test_p14_an_agent_hides_no_secret_in_what_looks_like_a_form(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    schema = {"properties": {"password": {"title": CANARY, "description": CANARY}}}
    talk.asks(call(1, "look", {"requestedSchema": schema}))
    assert leaks(wall) == []


def test_p14_a_secret_goes_to_the_server_and_nowhere_else(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    port = LocalPort(wall.engine)
    arguments = {"password": CANARY, "note": f"use {FORMAT} for it"}
    talk.asks(call(1, "look", arguments))
    (sent,) = talk.forwarded()
    assert sent["params"]["arguments"] == arguments
    assert any(b"look" in path.read_bytes() for path in files(wall.path))  # before it is filed
    assert [path for path in files(wall.path) if CANARY.encode() in path.read_bytes()] == []
    talk.answers(result(1, content=[{"type": "text", "text": f"token: {CANARY} {FORMAT}"}]))
    (got,) = talk.got()
    assert CANARY in str(got)
    talk.asks(request(2, "resources/read", {"uri": f"https://me:{CANARY}@host/x"}))
    talk.answers({"jsonrpc": "2.0", "id": 2, "error": {"code": 1, "message": f"bad {FORMAT}"}})
    talk.asks(call(3, "pay", {"token": FORMAT}))
    talk.asks(call(4, "pay", {FORMAT: {FORMAT: 1}, "set": {"name": "api_key", "value": CANARY}}))
    talk.asks(call(5, "pay", {FORMAT: FORMAT, f"path {FORMAT}": "/etc", f"{FORMAT} x": "раypal"}))
    assert len(wall.held[-1].flags) > 3
    assert leaks(wall) == []
    assert all(secret not in str(asyncio.run(port.snapshot())) for secret in PLANTED)
    row = wall.recorded(1)
    assert row.arguments is not None
    assert row.arguments.count(MARK) == 2
    assert row.size > len(arguments["note"])


def test_p14_not_after_a_kill_either(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    talk.asks(call(1, "look", {"password": CANARY}))
    assert leaks(wall.killed()) == []


def test_what_waits_is_shown_with_marks_and_revealed_on_demand(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    talk.asks(call(1, "pay", {"token": FORMAT, "amount": 5}))
    (held,) = wall.held
    assert held.masked
    assert "secrets in it are hidden" in held.flags
    assert held.arguments["amount"] == 5
    assert held.arguments["token"].startswith(MARK)
    assert isinstance(wall.do(Reveal(held.row.id, "other")), Refused)
    shown = wall.do(Reveal(held.row.id, held.digest))
    assert shown == Revealed({"token": FORMAT, "amount": 5})
    wall.decide(held)
    (sent,) = talk.forwarded()
    assert sent["params"]["arguments"]["token"] == FORMAT
    assert leaks(wall) == []


def edit(wall: Wall, held: Any, **arguments: Any) -> Any:
    command = CheckEdit(held.row.id, held.digest, held.revision, arguments)
    return asyncio.run(LocalPort(wall.engine).send(command))


def test_an_edit_around_a_mark_keeps_the_secret(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    talk.asks(call(1, "pay", {"token": FORMAT, "amount": 5}))
    (held,) = wall.held
    mark = held.arguments["token"]
    checked = edit(wall, held, token=mark, amount=3)
    assert isinstance(checked, EditChecked)
    assert checked.arguments == {"token": mark, "amount": 3}
    cut = edit(wall, held, token=mark[:-1], amount=3)
    assert isinstance(cut, Refused)
    assert "a mark of a hidden secret was changed" in cut.text
    decision = Decide(held.row.id, held.digest, held.revision, allow=True, edited=checked.digest)
    assert isinstance(wall.do(decision), Done)
    (sent,) = talk.forwarded()
    assert sent["params"]["arguments"] == {"token": FORMAT, "amount": 3}
    assert leaks(wall) == []


def test_an_edit_around_a_mark_in_a_name_keeps_the_secret(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    talk.asks(call(1, "pay", {"by": {FORMAT: "card"}, "amount": 5}))
    (held,) = wall.held
    (mark,) = held.arguments["by"]
    checked = edit(wall, held, by={mark: "card"}, amount=3)
    assert isinstance(checked, EditChecked)
    cut = edit(wall, held, by={mark[:-1]: "card"}, amount=3)
    assert isinstance(cut, Refused)
    decision = Decide(held.row.id, held.digest, held.revision, allow=True, edited=checked.digest)
    assert isinstance(wall.do(decision), Done)
    (sent,) = talk.forwarded()
    assert sent["params"]["arguments"] == {"by": {FORMAT: "card"}, "amount": 3}
    assert leaks(wall) == []


def test_p14_no_rule_is_made_of_a_secret(wall: Wall) -> None:
    wall.session(tools=TOOLS).asks(call(1, "pay", {"token": FORMAT}))
    (held,) = wall.held
    always = wall.decide(held, remember=Remember(Scope.ALWAYS, Match.EXACT))
    assert isinstance(always, Refused)
    assert "hold a secret" in always.text
    assert isinstance(wall.decide(held, remember=Remember(Scope.SESSION, Match.EXACT)), Done)
    assert leaks(wall) == []


def test_the_same_secret_is_the_same_call_also_after_a_kill(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    talk.asks(*(call(number, "look", {"password": CANARY}) for number in range(2)))
    wall = wall.killed()
    talk = wall.session(tools=TOOLS)
    talk.asks(call(3, "look", {"password": CANARY}), call(4, "look", {"password": "other"}))
    assert len(talk.forwarded()) == 1


def test_p11_a_masked_call_is_counted_as_one_that_cannot_be_made_again(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    talk.asks(call(1, "look", {"password": CANARY}), call(2, "look"))
    wall.intake.file()

    def replayed(rules: str) -> list[tuple[Why | None, bool]]:
        config = load_text(rules, "c")
        policy = compile_policy(config.rules, config.defaults)
        replay = Replay(lambda _: policy, wall.engine.resolve)
        return [(again.why, again.differs) for again in replay.run(wall.audit.history())]

    assert replayed(RULES) == [(None, False), (None, False)]  # no rule looks at arguments
    for more in (
        'when = { x = "y" }\naction = "deny"',
        'rate_limit = { max = 9, window = 9, per_argument = "x" }',
    ):
        found = replayed(f'{RULES}\n[[rules]]\nid = "more"\n{more}\n')
        assert [why for why, _ in found] == [Why.MASKED, None]


def test_the_config_says_what_else_is_hidden_or_that_nothing_is(wall: Wall) -> None:
    talk = wall.session(tools=TOOLS)
    secret = '[servers.x]\ncommand = ["x"]\nenv = { DB_PASSWORD = "canary-7f3a9b" }\n'
    wall.edit(f'[audit]\nmask = ["note"]\n{secret}{RULES}')
    talk.asks(call(1, "look", {"note": "a", "other": f"see {CANARY}"}))
    assert (wall.recorded(1).arguments or "").count(MARK) == 2
    wall.edit(f'[audit]\nsecrets = "keep"\n{RULES}')
    (told,) = [wall.status.outside_edit]
    assert told is not None
    assert told.what == ("secrets in arguments would be kept in the record",)
    wall.accept(told)
    talk.asks(call(2, "look", {"password": "x"}))
    assert wall.recorded(2).arguments == '{"password":"x"}'


def test_p14_a_store_shared_with_others_gets_marks_too(wall: Wall) -> None:
    wall.session(tools=TOOLS).asks(call(1, "pay", {"token": FORMAT, "amount": 5}))
    (held,) = wall.held
    record = wall.engine.records.get(held.row.id)
    assert record is not None
    entry = entries.of_call(SharedWall("w", "me"), record.intent(0))
    assert FORMAT.encode() not in entry
    assert MARK.encode() in entry
