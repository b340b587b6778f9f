"""P18 by the official conformance suite: through the wall each check has the result it has without.

    python -m tests.conformance.compare --modules NODE_MODULES --python PYTHON --sdk DIRECTORY

NODE_MODULES has the npm package of the suite; PYTHON is an interpreter with the `mcp` package and
DIRECTORY that package's source distribution, whose conformance server is run: directly, behind the
wall by URL, and behind the wall on pipes. Prints each check that differs.

Exit code 1 if a check differs with the server by URL, or fails with the server on pipes alone: on
pipes a server has no streams that it could close, number or resume, so some checks have no object.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.conformance.relay import Relay
from tests.conformance.suite import VERSIONS, Checks, Suite
from tests.helpers.programs import environment, mcpwall

START_S = 30
SERVER = Path("examples") / "servers" / "everything-server"

CONFIG = """\
[defaults]
write = "allow"
execute = "allow"
destructive = "allow"
financial = "allow"
unknown = "allow"

[http]
listen = "127.0.0.1:0"
origins = ["http://{relay}"]

[servers.url]
url = "{url}"

[servers.pipe]
command = ["{python}", "-c", "from mcp_everything_server.server import mcp; mcp.run('stdio')"]
env = {{ PYTHONPATH = "{path}" }}
"""


@asynccontextmanager
async def server(python: Path, sdk: Path) -> AsyncIterator[str]:
    """The SDK's conformance server; gives its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(str(python), "-m", "mcp_everything_server", "--port", str(port), "--log-level", "ERROR"),
        cwd=sdk / SERVER,
        env={**os.environ, "PYTHONPATH": str(sdk / SERVER)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(START_S):
            while not await _listens(port):
                if process.returncode is not None:
                    raise RuntimeError(f"the conformance server ended with {process.returncode}")
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def wall(url: str, python: Path, sdk: Path) -> AsyncIterator[str]:
    """A wall in front of the server, by `url` and by `pipe`, and a relay that knows its token.

    Gives the relay's URL, in which {} stands for the way.
    """
    with tempfile.TemporaryDirectory(prefix="wall-", dir="/tmp") as place:
        home = Path(place)
        async with Relay() as relay:
            config = CONFIG.format(relay=relay.host, url=url, python=python, path=sdk / SERVER)
            (home / "config.toml").write_text(config)
            engine = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mcpwall", "engine"),
                env=environment(home),
                stdout=asyncio.subprocess.PIPE,
            )
            try:
                assert engine.stdout is not None
                await engine.stdout.readline()  # it listens
                told = json.loads(await asyncio.to_thread(mcpwall, home, "url", "url", "--json"))
                _, _, rest = told["url"].partition("//")
                relay.target = rest.partition("/")[0]
                relay.header = f"Authorization: {told['headers']['Authorization']}"
                yield f"http://{relay.host}/s/{{}}/mcp"
            finally:
                engine.terminate()
                await engine.wait()


def differences(direct: Checks, walled: Checks) -> list[str]:
    """A line for each check that does not have the same result both ways."""
    none = ("not run", "")
    lines = []
    for name in sorted(direct.keys() | walled.keys()):
        (before, _), (after, why) = direct.get(name, none), walled.get(name, none)
        if before != after:
            lines.append(f"    {name}: {before} -> {after}  {why}")
    return lines


def failures(direct: Checks, walled: Checks) -> list[str]:
    """The checks that fail through the wall alone."""
    passed = {name for name, (status, _) in direct.items() if status != "FAILURE"}
    return [name for name in passed if walled.get(name, ("", ""))[0] == "FAILURE"]


def counted(checks: Checks) -> str:
    """How many checks passed."""
    passed = sum(status == "SUCCESS" for status, _ in checks.values())
    return f"{passed} of {len(checks)} passed"


async def compare(suite: Suite, python: Path, sdk: Path, versions: tuple[str, ...]) -> bool:
    """Run and print all versions; whether there was no difference."""
    same = True
    async with server(python, sdk) as url, wall(url, python, sdk) as through:
        for version in versions:
            direct = await suite.run(url, version)
            print(f"{version}: direct {counted(direct)}")
            for way in ("url", "pipe"):
                walled = await suite.run(through.format(way), version)
                found = differences(direct, walled)
                print(f"  through the wall, server by {way}: {counted(walled)}")
                print("\n".join(found) if found else "    no difference", flush=True)
                same = same and not (found if way == "url" else failures(direct, walled))
    return same


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__.partition("\n")[0])
    parser.add_argument("--modules", type=Path, required=True, metavar="NODE_MODULES")
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--sdk", type=Path, required=True, metavar="DIRECTORY")
    parser.add_argument("--version", action="append", choices=VERSIONS, help="one alone")
    told = parser.parse_args()
    versions = tuple(told.version or VERSIONS)
    suite = Suite(told.modules.resolve())
    same = asyncio.run(compare(suite, told.python.absolute(), told.sdk.resolve(), versions))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
