"""Searching the whole record in pieces, and looking at calls that are no longer in memory."""

from __future__ import annotations

import asyncio
import json

import pytest

from mcpwall.engine import search
from mcpwall.engine.local import LocalPort
from mcpwall.engine.port import CallDetails, Details, Found, Refused, Search
from tests.engine.wall import call, result


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


@pytest.mark.parametrize("text", ["", "tool:wipe"])
def test_the_loop_runs_on_while_a_search_is_at_work(wall, text):
    calls(wall, 100)

    async def beside():
        going = asyncio.ensure_future(LocalPort(wall.engine).send(Search(text)))
        turns = 0
        while not going.done():
            await asyncio.sleep(0)
            turns += 1
        assert isinstance(await going, Found)
        return turns

    assert asyncio.run(beside()) > 5
