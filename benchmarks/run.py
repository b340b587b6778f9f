"""Measure direct, a bare asyncio relay and mcpwall in one interleaved run.

    python -m benchmarks.run [--rounds N] [--calls N] [--also NAME=COMMAND] [--write] [--check]

Each round opens a session of every variant in turn, so that whatever else the machine does falls
on all of them alike. `--write` puts the table into benchmarks/README.md; `--check` exits 1 when a
target is missed.
"""

import argparse
import gc
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter_ns

from benchmarks import report, targets
from benchmarks.client import Session, deadline
from benchmarks.figures import Measured, Round, figures, resident
from benchmarks.variants import DIRECT, RELAY, Variant, compiled, engine_pid, extra, wall

WARM_UP, BLOBS, IN_FLIGHT = 200, 10, 64
PATIENCE_S = 120


def measure(variant: Variant, calls: int) -> Round:
    """One round of one variant, with a session of its own."""
    with Session(variant.command, variant.environment) as session:
        start = session.open()
        session.sequential(WARM_UP)
        times = session.sequential(calls)
        saves = session.sequential(calls // 4, b"save")
        session.sequential(2, b"blob")
        blobs = session.sequential(BLOBS, b"blob")
        took = session.in_flight(4 * calls, IN_FLIGHT)
        engine = engine_pid(variant)
        return Round(
            start=start,
            calls=times,
            saves=saves,
            blobs=blobs,
            per_second=4 * calls / (took / 1e9),
            memory=resident(session.process.pid),
            engine=resident(engine) if engine else 0,
        )


def crowd(variant: Variant, measured: Measured) -> None:
    """Open many sessions at once and make a call on each while all are open."""
    start = perf_counter_ns()
    with ExitStack() as stack:
        sessions = [
            stack.enter_context(Session(variant.command, variant.environment))
            for _ in range(targets.SESSIONS)
        ]
        for session in sessions:
            session.open()
        for session in sessions:
            session.sequential(1)
            measured.sessions += 1
        measured.sessions_took = perf_counter_ns() - start
        if (engine := engine_pid(variant)) is not None:
            measured.crowd = resident(engine)


def run(variants: list[Variant], rounds: int, calls: int) -> dict[str, Measured]:
    """All rounds of all variants, each round starting with another one."""
    measured = {variant.name: Measured() for variant in variants}
    gc.disable()
    for number in range(rounds):
        shift = number % len(variants)
        for variant in variants[shift:] + variants[:shift]:
            with deadline(PATIENCE_S, variant.name):
                measured[variant.name].rounds.append(measure(variant, calls))
        gc.collect()
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    for variant in variants:
        with deadline(PATIENCE_S, f"{variant.name}, {targets.SESSIONS} sessions"):
            crowd(variant, measured[variant.name])
    return measured


def main() -> int:
    """Run, print, and with `--check` judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--calls", type=int, default=1000, help="sequential calls a round")
    parser.add_argument("--also", type=extra, action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wall") as scratch, wall(Path(scratch) / "h") as ours:
        # This session starts the engine; the rounds after it find one.
        with deadline(PATIENCE_S, "first start"), Session(ours.command, ours.environment) as first:
            print(f"first start, engine included: {first.open() / 1e6:.0f} ms", file=sys.stderr)
        measured = run([DIRECT, RELAY, ours, *options.also], options.rounds, options.calls)
    direct = measured[DIRECT.name]
    made = {name: figures(one, direct) for name, one in measured.items()}
    text = report.report(made, options.rounds, options.calls)
    print(text)
    if options.write:
        place = "compiled" if compiled() else "figures"
        report.write(text, Path(__file__).with_name("README.md"), place)
    missed = [
        target
        for target, value in targets.checked(made[ours.name], made[RELAY.name])
        if not target.met(value)
    ]
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
