"""`mcpwall demo`: pretend agents behind a real wall, in a scratch home that goes at the end.

On a terminal it opens the app on them; without one it plays the story once in plain lines and fails
if a call came to something else than it should: a test of a fresh machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from mcpwall.cli import screen, watch
from mcpwall.cli.demo_stage import agents_at_work, running_engine, scratch_home, signals_end_it
from mcpwall.cli.errors import CliError
from mcpwall.cli.told import Told
from mcpwall.demo import story
from mcpwall.engine.port import Batch, Command, EnginePort, Reply, Snapshot

STORY_S: Final = 180  # a story that takes longer does not work
LOG: Final = "agents.log"  # in the scratch home: what agents and servers say on stderr


class Tempo(NamedTuple):
    """`beat_s` is what the story's pauses are counted in; the others are of the demo's rules."""

    beat_s: float
    hold_s: float
    window_s: float


TEMPOS: Final = {  # by whether there is a screen, and --fast
    (True, False): Tempo(beat_s=1.3, hold_s=50, window_s=15),
    (True, True): Tempo(beat_s=0.3, hold_s=50, window_s=5),
    (False, False): Tempo(beat_s=0.7, hold_s=5, window_s=5),
    (False, True): Tempo(beat_s=0, hold_s=0.5, window_s=1),
}


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall demo`."""
    parser = subparsers.add_parser(
        "demo",
        help="see the whole product in a minute, in a scratch home",
        description="Two pretend agents call pretend servers through a real wall in a scratch "
        "home, until you close the app. Nothing real is touched, and nothing is left behind. "
        "Where the app cannot be shown: one round in plain lines, as a test of this machine.",
        epilog="Exit code: 0 all went as it should, 1 something failed.",
    )
    parser.add_argument("--keep", action="store_true", help="keep the scratch home")
    parser.add_argument("--fast", action="store_true", help="do not pause as people do")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the demo. Raises CliError when something of it fails; it still cleans up."""
    on_screen = not screen.lack()
    tempo = TEMPOS[on_screen, arguments.fast]
    with signals_end_it(), scratch_home(keep=arguments.keep) as place:
        config = place / "config.toml"
        config.write_text(story.rules(tempo.hold_s, tempo.window_s))
        print(f"demo: a scratch wall in {place}; nothing real is touched")
        print(f"demo: its rules are in {config}", flush=True)
        with running_engine():
            asyncio.run(_on_screen(place, tempo) if on_screen else _in_lines(place, tempo))
    kept = f"the scratch home is kept: {place}" if arguments.keep else "nothing is left of it"
    print(f"demo: over; {kept}")
    return 0


# --- the two ways to see it -----------------------------------------------------------------------


async def _on_screen(place: Path, tempo: Tempo) -> None:
    """Open the app on agents that go on until it is closed. Raises CliError."""
    from mcpwall.cli.demo_app import DemoApp
    from mcpwall.link.lasting import LastingPort

    with (place / LOG).open("wb") as log:
        async with agents_at_work(place, ["--pace", str(tempo.beat_s)], log.fileno()) as agents:
            async with contextlib.aclosing(LastingPort()) as engine:
                app = DemoApp(engine)
                await app.run_async()
            died = [name for name, agent in agents.items() if agent.returncode]
    if app.return_code:
        raise CliError("the app has failed")
    if died and not app.stopped:  # a wall that was stopped takes them with it
        said = (place / LOG).read_text(errors="replace").strip().rpartition("\n")[2]
        raise CliError(f"the pretend agent {died[0]} has failed: {said}")


async def _in_lines(place: Path, tempo: Tempo) -> None:
    """Play one round, and print it as `mcpwall watch` does. Raises CliError."""
    from mcpwall.link.client import connect

    async with connect(role="cli") as engine:
        followed = Followed(engine)
        printing = asyncio.create_task(_print(followed))
        playing = asyncio.create_task(_play(followed, place, tempo))
        try:
            async with asyncio.timeout(STORY_S):
                await asyncio.wait({printing, playing}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise CliError(f"the story has no end after {STORY_S} s") from None
        finally:
            for task in (playing, printing):
                task.cancel()
            await asyncio.wait({playing, printing})
        if not printing.cancelled():
            printing.result()
        if playing.cancelled():
            raise CliError("the engine's events ended before the story did")
        playing.result()
        totals = (await engine.snapshot()).totals
    print(
        f"demo: {totals.calls} calls came to what they should: {totals.allowed} allowed, "
        f"{totals.denied} denied, {totals.limited} limited; {totals.errors} failed in a server"
    )


async def _print(followed: Followed) -> None:
    async for line in watch.lines(followed, Told()):
        print(line, flush=True)


async def _play(followed: Followed, place: Path, tempo: Tempo) -> None:
    """Have each agent play one round, and wait until all of it was printed. Raises CliError."""
    await followed.reached(0)
    async with agents_at_work(place, ["--once", "--pace", str(tempo.beat_s)]) as agents:
        for name, agent in agents.items():
            if await agent.wait():
                raise CliError(f"the pretend agent {name} has failed, see above")
    await followed.reached((await followed.snapshot()).seq)


class Followed:
    """An EnginePort that knows up to which event its feed was read."""

    def __init__(self, engine: EnginePort) -> None:
        self._engine = engine
        self._seq = -1
        self._moved = asyncio.Condition()

    async def reached(self, seq: int) -> None:
        """Wait until event number `seq` was read, or was in the snapshot that the feed goes on."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._seq >= seq)

    async def snapshot(self) -> Snapshot:
        """See EnginePort."""
        return await self._engine.snapshot()

    async def feed(self, after: int) -> AsyncIterator[Batch]:
        """See EnginePort."""
        await self._read_to(after)
        async for batch in self._engine.feed(after):
            yield batch
            await self._read_to(batch.seq)

    async def send(self, command: Command) -> Reply:
        """See EnginePort."""
        return await self._engine.send(command)

    async def _read_to(self, seq: int) -> None:
        async with self._moved:
            self._seq = seq
            self._moved.notify_all()
