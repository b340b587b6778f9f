"""What the app costs while calls pour in, what it costs the calls, and how soon it is there.

    python -m benchmarks.app [--seconds N] [--rounds N] [--write]

- flood: 5,000 calls a second over the control socket, over 100,000 rows; the app on a pty.
- calls: one call after the other through the wall, with no app and with one attached, in turn.
- first paint: from the start of `mcpwall`, an engine running, to the first frame that knows it.

`--write` puts the table into benchmarks/README.md.
"""

import argparse
import asyncio
import contextlib
import errno
import fcntl
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import perf_counter, time

from benchmarks import report
from benchmarks.client import Session
from benchmarks.variants import Variant, wall
from mcpwall import __version__
from mcpwall.engine import port, port_calls
from mcpwall.link.listener import Listener
from mcpwall.link.server import Server
from mcpwall.model import Action, Cause, Risk, Verdict

PER_SECOND, BATCHES = 5_000, 20  # calls and batches a second, as the engine's feed has them
AHEAD = 100_000  # calls that come as fast as they can before the measured span
SIZE = (36, 120)  # the terminal
READY = b"GUARDING"
CALLS = 2_000
_ALLOW = Verdict(Action.ALLOW, Cause.RULE, ("reads",), "Allowed by rule reads.", policy="p")
_STATUS = port.Status(1, __version__, int(time() * 1000), "/h", "/h/config.toml", "p", False)


class Flood:
    """An EnginePort in which calls pour in."""

    async def snapshot(self) -> port.Snapshot:
        """Nothing yet."""
        return port.Snapshot(0, _STATUS, (), (), (), (), (), port.Totals())

    async def feed(self, after: int) -> AsyncIterator[port.Batch]:
        """Batches at the engine's pace, the first of them without pause."""
        number, due = after, 0.0
        while True:
            size = PER_SECOND // BATCHES
            events = tuple(port.RowEvent(row(number + n)) for n in range(1, size + 1))
            number += size
            yield port.Batch(number, port.Totals(calls=number, allowed=number), events)
            if number < AHEAD:
                await asyncio.sleep(0.01)
                due = perf_counter()
            else:  # by the clock: what making a batch takes is no pause
                due += 1 / BATCHES
                await asyncio.sleep(max(0.0, due - perf_counter()))

    async def send(self, command: port.Command) -> port.Reply:
        """Nothing is known of any call."""
        del command
        return port.Refused("a benchmark")


def row(number: int) -> port_calls.Row:
    """A call like many."""
    return port_calls.Row(
        number, int(time() * 1000), "s1", "claude-code#1", "claude-code", "postgres", "tools/call",
        "query", Risk.READ, f'{{"sql":"SELECT * FROM orders WHERE id = {number}"}}', 44,
        f"{number:064x}", _ALLOW, port_calls.State.DONE, 12_000 + number % 900,
    )  # fmt: skip


@contextlib.contextmanager
def on_terminal(
    command: list[str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A program on a pty of 120x36, with its bytecode on disk as installed ones have it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    environment = {**environment, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    program = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    try:
        yield program, ours
    finally:
        program.terminate()
        program.wait()
        os.close(ours)


def drain(terminal: int) -> None:
    """Read all that is written, as a terminal does."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 1 << 16):
            pass


def flood(seconds: float) -> dict[str, float]:
    """The app's figures under the flood."""
    with tempfile.TemporaryDirectory(prefix="wall") as scratch:
        path, result = f"{scratch}/s", Path(scratch) / "figures"

        async def serve() -> None:
            server = Server(Flood())
            listener = Listener(path, on_stdio=lambda *_: None, on_control=server.take)
            listener.open()
            command = [sys.executable, "-m", "benchmarks.flood", path, str(seconds), str(result)]
            with on_terminal(command, dict(os.environ)) as (program, terminal):
                threading.Thread(target=drain, args=(terminal,), daemon=True).start()
                await asyncio.to_thread(program.wait)
            listener.close()
            await server.close()

        asyncio.run(serve())
        figures: dict[str, float] = json.loads(result.read_text())
        return figures


@contextlib.contextmanager
def attached(ours: Variant) -> Iterator[float]:
    """The app beside the wall; how long it took to its first frame, in milliseconds."""
    start = perf_counter()
    command = [sys.executable, "-m", "mcpwall"]
    with on_terminal(command, dict(ours.environment)) as (_, terminal):
        shown = b""
        while READY not in shown:
            if not select.select([terminal], [], [], 30)[0]:
                raise TimeoutError(f"the app does not come: {shown[-500:]!r}")
            try:
                shown += os.read(terminal, 1 << 16)
            except OSError as error:
                if error.errno == errno.EIO:
                    raise RuntimeError(f"the app ended: {shown[-500:]!r}") from error
                raise
        took = (perf_counter() - start) * 1e3
        threading.Thread(target=drain, args=(terminal,), daemon=True).start()
        yield took


def beside(rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Median call times in µs without and with an app attached, and first paints in ms."""
    alone, watched, paints = [], [], []
    with (
        tempfile.TemporaryDirectory(prefix="wall") as scratch,
        wall(Path(scratch) / "h") as ours,
        Session(ours.command, ours.environment) as session,
    ):
        session.open()
        session.sequential(CALLS)
        with attached(ours):
            pass  # the first start after a change writes bytecode
        for number in range(rounds):
            alone.append(statistics.median(session.sequential(CALLS)) / 1e3)
            with attached(ours) as paint:
                paints.append(paint)
                session.sequential(CALLS // 4)  # it has settled
                watched.append(statistics.median(session.sequential(CALLS)) / 1e3)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return alone, watched, paints


def main() -> int:
    """Run, print, and with `--write` file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    options = parser.parse_args()
    under = flood(options.seconds)
    alone, watched, paints = beside(options.rounds)
    rows = [
        ("calls a second over rows", f"{under['per_second']:,.0f} over {under['rows']:,.0f}", ""),
        ("app's share of a core", f"{under['core']:.2f}", "at most 0.25"),
        ("lag of the app's loop, p50, ms", f"{under['lag_p50']:.1f}", ""),
        ("… p99, ms", f"{under['lag_p99']:.1f}", "at most 50"),
        ("call, p50, no app attached, µs", f"{statistics.median(alone):.1f}", ""),
        ("… one app attached, µs", f"{statistics.median(watched):.1f}", "no slower"),
        ("`mcpwall` to the first paint, ms", f"{statistics.median(paints):.0f}", "at most 400"),
    ]
    lines = ["| | measured | target |", "| --- | ---: | ---: |"]
    lines += [f"| {what} | {value} | {target} |" for what, value, target in rows]
    how = f"{report.machine()}; {options.seconds:g} s of flood, {options.rounds} rounds, medians."
    text = "\n".join([*lines, "", how, ""])
    print(text)
    if options.write:
        report.write(text, Path(__file__).with_name("README.md"), "app")
    return 0


if __name__ == "__main__":
    sys.exit(main())
