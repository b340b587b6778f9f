"""What recording costs: one call a commit, calls in batches, and a checkpoint at the same time.

Run: python benchmarks/audit.py [DIRECTORY]   (a directory on the disk to measure)
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from mcpwall.model import Action, Call, Cause, Charge, Risk, Verdict
from mcpwall.store.audit import Audit
from mcpwall.store.records import Intent, Kind, Step

N = 5_000
BATCH = 64
ARGUMENTS = b'{"path":"/home/dev/acme/src/app.py","head":100}'


def intent(number: int) -> Intent:
    """A usual call: 47 bytes of arguments, one rule, one booking."""
    call = Call(
        id=number,
        at_ms=1_700_000_000_000 + number,
        session="s1",
        agent="claude-code#1",
        client="claude-code",
        server="filesystem",
        method="tools/call",
        tool="read_file",
        arguments={},
        risk=Risk.READ,
        digest="9f" * 32,
        directory="/home/dev/acme",
    )
    verdict = Verdict(
        Action.ALLOW,
        Cause.RULE,
        rules=("reads",),
        charges=(Charge("cap", "cap|filesystem|read_file"),),
        policy="ab" * 32,
    )
    return Intent(call, verdict, "running", number, ARGUMENTS, number * 1_000)


def step(number: int) -> Step:
    """The answer to call `number`."""
    return Step(number, Kind.ANSWERED, 1_700_000_000_000, 1, None, 1_200, False, 3_000)


def show(what: str, times_us: list[float]) -> None:
    """One line: median, 95th and 99th percentile, worst."""
    cuts = statistics.quantiles(times_us, n=100)
    worst = max(times_us)
    print(
        f"{what:34} p50 {cuts[49]:7.2f}  p95 {cuts[94]:7.2f}  p99 {cuts[98]:7.2f}  max {worst:8.1f}"
    )


def single(audit: Audit, numbers: range) -> list[float]:
    """Microseconds of each commit of one intent, values made beforehand."""
    times = []
    for made in [intent(number) for number in numbers]:
        start = time.perf_counter_ns()
        audit.write((made,))
        times.append((time.perf_counter_ns() - start) / 1_000)
    return times


def batched(audit: Audit, numbers: range) -> list[float]:
    """Microseconds for each intent in commits of BATCH intents and as many answers."""
    times = []
    for first in numbers[::BATCH]:
        intents = [intent(number) for number in range(first, first + BATCH)]
        steps = [step(number) for number in range(first, first + BATCH)]
        start = time.perf_counter_ns()
        audit.write(intents, steps)
        times.append((time.perf_counter_ns() - start) / 1_000 / BATCH)
    return times


def main() -> None:
    """Print the table, microseconds."""
    where = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=where) as directory:
        path = str(Path(directory) / "audit.db")
        audit = Audit.open(path, boot="0b8b5b0e-2b5a-4d0f-9f39-6d8a40c0a8f1")
        single(audit, range(1, N))
        start = time.perf_counter()
        audit.checkpoint()
        print(f"checkpoint of {N} commits: {(time.perf_counter() - start) * 1e3:.1f} ms")
        show("one intent a commit", single(audit, range(N, 2 * N)))
        audit.checkpoint()
        show(f"{BATCH} intents and answers, per call", batched(audit, range(2 * N, 4 * N)))
        thread = threading.Thread(target=audit.checkpoint)
        thread.start()
        show("one intent, beside a checkpoint", single(audit, range(5 * N, 5 * N + 300)))
        thread.join()
        wal = Path(path + "-wal").stat().st_size
        print(f"write-ahead log {wal / 2**20:.1f} MiB")
        start = time.perf_counter()
        rows = audit.verify().rows
        print(f"verify: {(time.perf_counter() - start) / rows * 1e6:.1f} us per row")
        audit.close()


if __name__ == "__main__":
    main()
