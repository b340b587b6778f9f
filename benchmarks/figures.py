"""What was measured, and the figures made of it."""

import os
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20


@dataclass
class Round:
    """What one round measured of one variant. Times in nanoseconds, memory in bytes."""

    start: int
    calls: list[int]
    saves: list[int]  # calls that a rule with a path condition judges
    blobs: list[int]
    per_second: float
    memory: int  # of the process that the agent starts
    engine: int  # of the engine behind it, 0 where there is none


@dataclass
class Measured:
    """All rounds of one variant, and the run with many sessions at once."""

    rounds: list[Round] = field(default_factory=list)
    sessions: int = 0  # how many of them answered
    sessions_took: int = 0
    crowd: int = 0  # the engine's memory with all of them open


@dataclass(frozen=True)
class Figures:
    """The figures of one variant; `added_…` and `…_ratio` compare with direct, round by round."""

    start_ms: float
    added_start_ms: float
    p50_us: float
    p95_us: float
    p99_us: float
    added_us: float
    added_path_us: float
    blob_ms: float
    blob_ratio: float
    per_second: float
    sessions: int
    sessions_s: float
    process_mb: float
    engine_mb: float
    crowd_mb: float


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that `share` of all samples do not exceed."""
    return sorted(samples)[max(0, int(len(samples) * share + 0.999999) - 1)]


def figures(measured: Measured, direct: Measured) -> Figures:
    """Figures of `measured`; each round is compared with the same round of `direct`."""
    rounds, median = measured.rounds, statistics.median
    pairs = list(zip(rounds, direct.rounds, strict=True))
    calls = [time for one in rounds for time in one.calls]
    return Figures(
        start_ms=median(one.start for one in rounds) / 1e6,
        added_start_ms=median(one.start - base.start for one, base in pairs) / 1e6,
        p50_us=percentile(calls, 0.5) / 1e3,
        p95_us=percentile(calls, 0.95) / 1e3,
        p99_us=percentile(calls, 0.99) / 1e3,
        added_us=median(median(one.calls) - median(base.calls) for one, base in pairs) / 1e3,
        added_path_us=median(median(one.saves) - median(base.saves) for one, base in pairs) / 1e3,
        blob_ms=median(time for one in rounds for time in one.blobs) / 1e6,
        blob_ratio=median(median(one.blobs) / median(base.blobs) for one, base in pairs),
        per_second=median(one.per_second for one in rounds),
        sessions=measured.sessions,
        sessions_s=measured.sessions_took / 1e9,
        process_mb=max(one.memory for one in rounds) / MIB,
        engine_mb=max(one.engine for one in rounds) / MIB,
        crowd_mb=measured.crowd / MIB,
    )


def resident(pid: int) -> int:
    """The resident memory of a process in bytes."""
    statm = Path(f"/proc/{pid}/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    run = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True, text=True
    )
    return int(run.stdout) * 1024
