"""Measure what the wall adds in front of an HTTP server, against other proxies in the same run.

    python -m benchmarks.by_url [--rounds N] [--calls N] [--rivals BIN] [--write] [--check]

BIN is the `bin` directory of a virtual environment with mcp-proxy and fastmcp. A client of
mcp-proxy speaks to it over pipes, as that is what it offers in front of a URL; all others speak
HTTP. `--write` puts the table into benchmarks/README.md; `--check` exits 1 when a target is missed.
"""

import argparse
import contextlib
import gc
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks import report
from benchmarks.client import Session, deadline
from benchmarks.figures import percentile
from benchmarks.http_client import HttpSession
from benchmarks.targets import HTTP_ADDED, HTTP_TIMES_LESS, Target
from benchmarks.variants import RULES, wall_command

HERE = Path(__file__).parent
WARM_UP = 50
START_S = 60
PATIENCE_S = 180
DIRECT, WALL = "direct", "mcpwall"


class Speaks(Protocol):
    """A session of either kind."""

    def open(self) -> object:
        """Handshake and first list of tools."""
        ...

    def sequential(self, count: int) -> list[int]:
        """One call after the other: the time of each, in nanoseconds."""
        ...


Open = Callable[[], AbstractContextManager[Speaks]]


@dataclass(frozen=True)
class Figures:
    """What one variant takes for a call, and what it adds to direct; microseconds."""

    p50: float
    p95: float
    added: float


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: Sequence[str], port: int) -> Iterator[None]:
    """A process that listens on a port; it is ended after."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=HERE.parent) as running:
        try:
            late = time.monotonic() + START_S
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                if time.monotonic() > late or running.poll() is not None:
                    raise RuntimeError(f"{' '.join(command)} does not listen on {port}")
                time.sleep(0.05)
            yield
        finally:
            running.terminate()


@contextmanager
def wall(home: Path, url: str) -> Iterator[Open]:
    """mcpwall in front of a URL, with rules, a limit and the audit."""
    home.mkdir(mode=0o700)
    config = f'{RULES}\n[http]\nlisten = "127.0.0.1:0"\n\n[servers.echo]\nurl = "{url}"\n'
    (home / "config.toml").write_text(config)
    (home / "config.toml").chmod(0o600)
    env = {**os.environ, "MCPWALL_HOME": str(home)}
    command = wall_command()
    with subprocess.Popen([*command, "engine"], env=env, stdout=subprocess.PIPE) as engine:
        try:
            assert engine.stdout is not None
            engine.stdout.readline()
            asked = subprocess.run(
                [*command, "url", "echo", "--json"], env=env, capture_output=True, check=True
            )
            told = json.loads(asked.stdout)
            yield lambda: HttpSession(told["url"], told["headers"])
        finally:
            engine.terminate()


def measure(variants: Mapping[str, Open], rounds: int, calls: int) -> dict[str, list[list[int]]]:
    """The times of all calls, by variant and round; each round starts with another variant."""
    times: dict[str, list[list[int]]] = {name: [] for name in variants}
    names = list(variants)
    gc.disable()
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            with deadline(PATIENCE_S, name), variants[name]() as session:
                session.open()
                session.sequential(WARM_UP)
                times[name].append(session.sequential(calls))
        gc.collect()
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return times


def figures(times: list[list[int]], direct: list[list[int]]) -> Figures:
    """Each round is compared with the same round of direct."""
    every = [each for one in times for each in one]
    pairs = zip(times, direct, strict=True)
    added = statistics.median(
        statistics.median(one) - statistics.median(base) for one, base in pairs
    )
    return Figures(percentile(every, 0.5) / 1e3, percentile(every, 0.95) / 1e3, added / 1e3)


def table(made: Mapping[str, Figures]) -> str:
    """One column a variant, in markdown."""
    lines = [f"| | {' | '.join(made)} |", f"| --- |{' ---: |' * len(made)}"]
    for label, cells in (
        ("call, p50 µs", [f"{one.p50:,.0f}" for one in made.values()]),
        ("call, p95 µs", [f"{one.p95:,.0f}" for one in made.values()]),
        ("**added latency, median µs**", [f"**{one.added:,.0f}**" for one in made.values()]),
    ):
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def checked(made: Mapping[str, Figures]) -> list[tuple[Target, float]]:
    """Every target with the value that mcpwall reached."""
    ours = made[WALL].added
    rivals = [one.added / ours for name, one in made.items() if name not in (DIRECT, WALL)]
    less = [(HTTP_TIMES_LESS, min(rivals))] if rivals else []
    return [(HTTP_ADDED, ours), *less]


def main() -> int:
    """Run, print, and with `--check` judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--calls", type=int, default=400, help="sequential calls a round")
    parser.add_argument("--rivals", type=Path, metavar="BIN", help="mcp-proxy and fastmcp")
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    options = parser.parse_args()
    port, rival = free_port(), free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="wall"))
        echo = [sys.executable, "-m", "benchmarks.http_echo", str(port)]
        stack.enter_context(process(echo, port))
        variants: dict[str, Open] = {
            DIRECT: lambda: HttpSession(url, {}),
            WALL: stack.enter_context(wall(Path(scratch) / "h", url)),
        }
        if options.rivals:
            proxy = [str(options.rivals / "mcp-proxy"), "--transport", "streamablehttp", url]
            variants["mcp-proxy"] = lambda: Session(proxy, os.environ)
            fast = HERE / "fastmcp_http_proxy.py"
            command = [str(options.rivals / "python"), str(fast), url, str(rival)]
            stack.enter_context(process(command, rival))
            variants["fastmcp"] = lambda: HttpSession(f"http://127.0.0.1:{rival}/mcp", {})
        times = measure(variants, options.rounds, options.calls)
    made = {name: figures(each, times[DIRECT]) for name, each in times.items()}
    held = checked(made)
    targets = "\n".join(f"- {target.sentence(value)}" for target, value in held)
    how = f"{report.machine()}; {options.rounds} interleaved rounds of {options.calls:,} calls."
    text = f"{table(made)}\n\n{how}\n\n{targets}\n"
    print(text)
    if options.write:
        report.write(text, HERE / "README.md", "http")
    missed = [target for target, value in held if not target.met(value)]
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
