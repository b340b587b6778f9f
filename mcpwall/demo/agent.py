"""A pretend agent: `python -m mcpwall.demo.agent NAME [--pace S] [--once]`.

It plays its part of `story` through `mcpwall stdio`, as a real agent would: it goes on while calls
wait for a person, writes down what it was refused and why, and calls again after a limit. It ends
when its stdin ends. With `--once` it plays one round and fails if a call comes to something else
than the story says.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
from contextlib import AsyncExitStack
from typing import Final

from mcpwall.demo.client import Session, SessionOverError, Told, connect
from mcpwall.demo.story import AGENTS, NOTES, NOTES_SERVER, NOTES_TOOL, Step, arguments_of

PATIENCE_S: Final = 60  # an agent does not wait longer than that for room under a limit


class StoryError(Exception):
    """A call came to something else than the story says."""


class Player:
    """One agent at work; `pace` is the length of a beat in seconds."""

    def __init__(self, name: str, sessions: dict[str, Session], pace: float) -> None:
        self._steps = AGENTS[name].steps
        self._sessions = sessions
        self._pace = pace
        self._under_way: dict[int, asyncio.Task[None]] = {}  # by the number of the step

    async def play(self, *, once: bool) -> None:
        """Play round after round, or one. Raises StoryError (in one round), SessionOverError."""
        async with asyncio.TaskGroup() as tasks:
            for round_ in itertools.count(1):
                for number, step in enumerate(self._steps):
                    await asyncio.sleep(step.pause * self._pace)
                    before = self._under_way.get(number)
                    if before is not None and not before.done():
                        continue  # it still waits for the answer of the last round
                    task = tasks.create_task(self._do(step, round_, strict=once))
                    self._under_way[number] = task
                    if not step.meanwhile:
                        await task
                if once:
                    break

    async def _do(self, step: Step, round_: int, *, strict: bool) -> None:
        """Make one call, and react to what came of it."""
        arguments = arguments_of(step, round_)
        told = await self._sessions[step.server].call(step.tool, arguments)
        if strict and told.outcome != step.outcome:
            raise StoryError(
                f"{step.server}.{step.tool}: expected {step.outcome}, got {told.outcome}: "
                f"{told.text}"
            )
        if told.verdict is None:
            return
        name = f"{step.server}.{step.tool}"
        seconds = told.verdict.get("retryAfter", PATIENCE_S + 1)
        if seconds > PATIENCE_S:
            await self._note(f"{name}: {told.text} I go on without it.")
            return
        await self._note(f"{name}: {told.text} I wait.")
        await asyncio.sleep(seconds)
        again = await self._sessions[step.server].call(step.tool, arguments)
        if strict and again.outcome != "done":
            raise StoryError(f"{name}: expected room after {seconds} s, got {again.text}")

    async def _note(self, text: str) -> Told:
        session = self._sessions[NOTES_SERVER]
        return await session.call(NOTES_TOOL, {"path": NOTES, "text": text})


def behind_the_wall(server: str) -> list[str]:
    """What the agent runs in place of a pretend server."""
    python = [sys.executable, "-P", "-m"]
    return [*python, "mcpwall", "stdio", server, "--", *python, "mcpwall.demo.server", server]


async def work(name: str, pace: float, *, once: bool) -> None:
    """Open a session with each server, and play. Raises StoryError, SessionOverError."""
    agent = AGENTS[name]
    async with AsyncExitStack() as stack:
        sessions = {}
        for server in agent.servers:
            session = connect(behind_the_wall(server), name, agent.version)
            sessions[server] = await stack.enter_async_context(session)
        playing = asyncio.create_task(Player(name, sessions, pace).play(once=once))
        parent = asyncio.create_task(_stdin_ends())
        await asyncio.wait({playing, parent}, return_when=asyncio.FIRST_COMPLETED)
        parent.cancel()
        if playing.done():
            _first_error(playing)
        else:
            playing.cancel()
            await asyncio.wait({playing})


def _first_error(playing: asyncio.Task[None]) -> None:
    """Raise what ended the play, if it was an error: of a group the first."""
    try:
        playing.result()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def _stdin_ends() -> None:
    """Return when stdin ends: whoever started this agent wants it no more, or has died."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def readable() -> None:
        if not os.read(0, 4096) and not ended.done():
            ended.set_result(None)

    loop.add_reader(0, readable)
    try:
        await ended
    finally:
        loop.remove_reader(0)


def main() -> int:
    """Play the agent that is named on the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="mcpwall.demo.agent")
    parser.add_argument("name", choices=[*AGENTS])
    parser.add_argument("--pace", type=float, default=1.0, metavar="S", help="seconds of a beat")
    parser.add_argument(
        "--once", action="store_true", help="one round, in which nothing may differ"
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(work(arguments.name, arguments.pace, once=arguments.once))
    except (StoryError, SessionOverError) as error:
        sys.stderr.write(f"{arguments.name}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
