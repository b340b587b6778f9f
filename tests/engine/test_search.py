"""Searching the whole record in pieces, and looking at calls that are no longer in memory."""

from __future__ import annotations

import asyncio
import json
import threading

from mcpwall.engine import search
from mcpwall.engine.local import LocalPort
from mcpwall.engine.port import Refused
from mcpwall.engine.port_calls import CallDetails, Details, Found, Search
from tests.engine.wall import call, result
from tests.helpers.limits import LIMIT_S


def calls(wall, count):
    talk = wall.session()
    for number in range(count):
        name = "wipe" if number % 3 == 0 else "look"
        talk.asks(call(number, name, {"n": number}))
        if name == "look":
            talk.answers(result(number))


def all_of(wall, text):
    """Every piece of a search, one after the other."""
    pieces, before = [], 0
    while True:
        piece = wall.do(Search(text, before))
        assert isinstance(piece, Found)
        pieces.append(piece)
        if not (before := piece.before):
            return pieces


def test_it_finds_what_matches_newest_first(wall):
    calls(wall, 9)
    (piece,) = all_of(wall, "verdict:deny")
    assert [json.loads(row.preview)["n"] for row in piece.rows] == [6, 3, 0]
    assert piece.looked == 9
    (everything,) = all_of(wall, "")
    assert len(everything.rows) == 9


def test_it_goes_on_where_it_stopped_and_finds_each_call_once(wall, monkeypatch):
    monkeypatch.setattr(search, "LOOKED_AT", 20)
    monkeypatch.setattr(search, "FOUND", 7)
    calls(wall, 95)
    pieces = all_of(wall, "tool:wipe")
    found = [row.id for piece in pieces for row in piece.rows]
    assert len(pieces) > 3
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found) == 32
    assert sum(piece.looked for piece in pieces) == 95


def test_a_filter_that_cannot_be_read_says_what_is_wrong(wall):
    refused = wall.do(Search("colour:red"))
    assert isinstance(refused, Refused)
    assert "no field colour" in refused.text


def test_a_call_of_long_ago_is_shown_from_the_record(wall):
    calls(wall, 3)
    after = wall.killed()
    after.engine.records._kept.clear()
    details = after.do(Details(2))
    assert isinstance(details, CallDetails)
    assert details.arguments == {"n": 1}
    assert isinstance(after.do(Details(99)), Refused)
    after.drop()


def test_the_loop_runs_on_while_a_search_is_at_work(wall, monkeypatch):
    loop_ran_on = threading.Event()

    def looking(*_):
        return Found((), 0, 0, 1 if loop_ran_on.wait(LIMIT_S) else 0)

    monkeypatch.setattr(search, "_look", looking)

    async def beside():
        going = asyncio.ensure_future(LocalPort(wall.engine).send(Search("")))
        await asyncio.sleep(0)
        loop_ran_on.set()
        return await going

    assert asyncio.run(beside()).looked == 1
