"""Make the pictures in this directory from a real run: `python -m screenshots.make`.

Two pretend agents call pretend servers through `mcpwall stdio` in a scratch home; the app attaches
to the engine that this started, and what it shows is saved as SVG and as PNG. The PNGs are in
DejaVu Sans Mono, which has no signs for line ends, tabs and searches: arrows stand for them there.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from resvg_py import svg_to_bytes
from textual.pilot import Pilot

from mcpwall import starter
from mcpwall.cli import program
from mcpwall.cli.guarding import AgentFiles
from mcpwall.link.client import connect
from mcpwall.tui.app import WallApp
from mcpwall.tui.settings import Settings
from screenshots.scene import (
    AGENTS,
    ASKING,
    ASKING_RULES,
    CALLS,
    CLAUDE,
    FALLING,
    NO_HTTP,
    QUESTION,
    RULES,
    SERVERS,
    Json,
)
from tests.helpers.programs import ECHO, environment, wall
from tests.helpers.raw_client import RawClient
from tests.system.processes import server_of

HERE = Path(__file__).parent
WAITING = sum(call.waits for call in CALLS)
PATIENCE_S = 20
SIGNS = str.maketrans("␊␉🔎", "↵⇥›")
LASTING = ("feed", "pulse")  # workers of the app that never end
SIZES = ((120, 36), (80, 24))
SMALL = (40, 12)
MARKED = ("up", "space", "up", "up", "space")
NEXT = ("right_square_bracket",)
ALTERED = (*["down"] * 9, "up", "end", *["backspace"] * 2, "8", "0")  # a longer time-out


def session(
    scratch: Path, stack: ExitStack, agent: str, server: str, listed: list[Json]
) -> RawClient:
    """Open a session with a server that lists these tools."""
    project = scratch / "acme"
    project.mkdir(exist_ok=True)
    tools = scratch / f"{server}.json"
    tools.write_text(json.dumps(listed))
    env = environment(scratch, tools=tools)
    client = RawClient(wall(server, *ECHO), env=env, cwd=project, name=agent)
    stack.enter_context(client)
    client.open()
    client.request("tools/list")
    return client


def call_tools(scratch: Path, stack: ExitStack) -> None:
    """Open a session for each agent and server, and make the calls in order; then one goes down."""
    sessions: dict[tuple[str, str], RawClient] = {}
    for call in CALLS:
        key = (call.agent, call.server)
        if key not in sessions:
            sessions[key] = session(scratch, stack, *key, SERVERS[call.server])
        pending = sessions[key].start_call(call.tool, call.arguments)
        if not call.waits:
            pending.wait()
    for _ in range(2):
        client = session(scratch, stack, CLAUDE, FALLING, SERVERS[FALLING])
        os.kill(server_of(client.process.pid), signal.SIGKILL)
        client.process.wait(PATIENCE_S)


def be_asked(scratch: Path, stack: ExitStack) -> None:
    """Have a server ask the user of its agent something."""
    session(scratch, stack, CLAUDE, "registry", ASKING).start_call("ask_client", QUESTION)


async def settle(app: WallApp, pilot: Pilot[None], waiting: int) -> None:
    """Wait until the app knows all that happened."""
    async with asyncio.timeout(PATIENCE_S):
        while app.mirror.status is None or len(app.mirror.held) < waiting:
            await pilot.pause(0.05)
        while any(worker.is_running and worker.name not in LASTING for worker in app.workers):
            await pilot.pause(0.05)  # it looks for the configs of agents, for one
    await pilot.pause(0.3)  # a repaint or two


async def picture(name: str, size: tuple[int, int], *keys: str, waiting: int = WAITING) -> None:
    """Open the app, press keys, save what is shown."""
    async with connect() as engine:
        app = WallApp(engine, settings=Settings(agents=AgentFiles()))
        async with app.run_test(size=size) as pilot:
            await settle(app, pilot, waiting)
            for key in keys:
                await pilot.press(key)
                await pilot.pause(0.8)  # long enough for decision keys to count
            svg = app.export_screenshot(title="mcpwall")
    file = HERE / f"{name}-{size[0]}x{size[1]}.svg"
    file.write_text(svg)
    drawn = svg.translate(SIGNS)
    png = svg_to_bytes(svg_string=drawn, monospace_family="DejaVu Sans Mono", zoom=1.0)
    file.with_suffix(".png").write_bytes(bytes(png))


async def first_pictures() -> None:
    """Those of the time before the first call, for a user whose agents have servers."""
    program.installed = lambda: "/home/dev/.local/bin/mcpwall"
    starter.connect_or_start().close()
    for size in SIZES:
        await picture("empty", size, waiting=0)
        await picture("guard", size, "i", waiting=0)


async def pictures() -> None:
    """All others."""
    await picture("calls", SMALL)
    await picture("review", SMALL, "p", *NEXT * 4)
    for size in SIZES:
        await picture("calls", size)
        await picture("call", size, *["up"] * 6, "enter")
        await picture("marked", size, *MARKED)
        await picture("pair", size, *MARKED, "equals_sign")
        await picture("review", size, "p", *NEXT * 4)
        await picture("edit", size, "p", *NEXT * 4, "e")
        await picture("review-edited", size, "p", *NEXT * 4, "e", *ALTERED, "ctrl+s")
        await picture("group", size, "p", *NEXT, "*")
        await picture("rules", size, "3", "down", "down")
        await picture("rule-form", size, "3", "down", "down", "e")
        await picture("servers", size, "4", *["down"] * 7)
        await picture("forget", size, "4", *["down"] * 7, "d")
        await picture("risk", size, "4", *["down"] * 10, "R", "up", "up")
        await picture("accept", size, "4", "c")
        await picture("sessions", size, "5")
        await picture("audit", size, "6", "down", "down")
        await picture("palette", size, "colon", *"lock")
        await picture("help", size, "question_mark")
        await picture("stop", size, "Q")


async def asked_pictures() -> None:
    """Those of a server's question."""
    for size in SIZES:
        await picture("asked", size, "p", waiting=1)


def before_the_first_call() -> None:
    """Take the first pictures as a new user, and end the engine."""
    with tempfile.TemporaryDirectory(prefix="dev-") as directory:
        user = Path(directory)
        for name, data in AGENTS.items():
            (user / name).parent.mkdir(exist_ok=True)
            (user / name).write_text(json.dumps(data, indent=2))
        config = user / ".config" / "mcpwall" / "config.toml"
        config.parent.mkdir(parents=True, mode=0o700)
        config.write_text(NO_HTTP)
        (user / "acme").mkdir()
        own = {name: value for name, value in environment().items() if name[:4] != "XDG_"}
        env = {**own, "HOME": directory}
        env.pop("MCPWALL_HOME", None)
        code = "import asyncio; from screenshots import make; asyncio.run(make.first_pictures())"
        try:
            subprocess.run([sys.executable, "-c", code], env=env, cwd=user / "acme", check=True)
        finally:
            subprocess.run([sys.executable, "-m", "mcpwall", "stop"], env=env, check=False)


def behind_a_wall(rules: str, play: Callable[[Path, ExitStack], None], take: str) -> None:
    """Play a scene in a scratch home, and take its pictures, those of the function `take` here."""
    with tempfile.TemporaryDirectory(prefix="wall-") as directory:
        scratch = Path(directory)
        (scratch / "config.toml").write_text(rules)
        env = environment(scratch)
        try:
            with ExitStack() as stack:
                play(scratch, stack)
                code = f"import asyncio; from screenshots import make; asyncio.run(make.{take}())"
                subprocess.run([sys.executable, "-c", code], env=env, check=True)
        finally:
            subprocess.run([sys.executable, "-m", "mcpwall", "stop"], env=env, check=False)


def main() -> int:
    """Take all pictures in scratch homes."""
    before_the_first_call()
    behind_a_wall(RULES, call_tools, "pictures")
    behind_a_wall(ASKING_RULES, be_asked, "asked_pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
