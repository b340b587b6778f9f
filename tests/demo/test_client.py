"""A pretend agent's session, with the test server of both eras."""

import asyncio
import json

import pytest

from mcpwall.demo.client import SessionOverError, Told, connect
from tests.helpers.programs import ECHO
from tests.helpers.raw_client import HANDSHAKE, STATELESS

ERAS = pytest.mark.parametrize("version", [HANDSHAKE, STATELESS])


@ERAS
def test_calls_a_tool_in_both_eras(version: str) -> None:
    async def talk() -> list[Told]:
        async with connect(ECHO, "claude-code", version) as session:
            echoed = await session.call("echo", {"text": "\x1b[31m \u202e ☃"})
            return [echoed, await session.call("fail", {})]

    echoed, failed = asyncio.run(talk())
    assert json.loads(echoed.text) == {"text": "\x1b[31m \u202e ☃"}
    assert (echoed.outcome, failed.outcome) == ("done", "failed")


@ERAS
def test_answers_find_their_calls_in_any_order(version: str) -> None:
    async def talk() -> tuple[Told, Told]:
        async with connect(ECHO, "codex", version) as session:
            slow = asyncio.create_task(session.call("slow", {"gate": "a"}))
            await asyncio.sleep(0)  # the slow call is sent first
            return await session.call("release", {"gate": "a"}), await slow

    assert [json.loads(told.text) for told in asyncio.run(talk())] == [{"gate": "a"}] * 2


def test_a_server_that_goes_away_ends_the_calls_that_wait_for_it() -> None:
    async def talk() -> None:
        async with connect(ECHO, "codex", HANDSHAKE) as session:
            waiting = asyncio.create_task(session.call("slow", {"gate": "never"}))
            await asyncio.sleep(0)
            with pytest.raises(SessionOverError, match="gone"):
                await session.call("crash", {"code": 3})
            with pytest.raises(SessionOverError, match="gone"):
                await waiting
            with pytest.raises(SessionOverError, match="gone"):
                await session.call("echo", {})

    asyncio.run(talk())


def test_a_protocol_error_is_the_end_too() -> None:
    async def talk() -> None:
        async with connect(ECHO, "codex", HANDSHAKE) as session:
            await session.call("no-such-tool", {})

    with pytest.raises(SessionOverError, match="Unknown tool"):
        asyncio.run(talk())


def test_a_refusal_is_known_by_its_verdict_and_not_by_its_words() -> None:
    assert Told("no", failed=True, verdict={"cause": "limit"}).outcome == "limit"
