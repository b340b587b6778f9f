"""The figures as a markdown table, and its place in benchmarks/README.md."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.targets import SESSIONS, checked
from benchmarks.variants import compiled


def machine() -> str:
    """The machine and the interpreter, in one line."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    python = ".".join(map(str, sys.version_info[:3]))
    built = "mcpwall compiled" if compiled() else "mcpwall not compiled"
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {python}, {built}"


def table(all_figures: Mapping[str, Figures]) -> str:
    """One row a measure, one column a variant, in markdown."""
    rows: list[tuple[str, list[str]]] = []

    def row(label: str, cells: list[str]) -> None:
        rows.append((label, cells))

    each = list(all_figures.values())
    row("start to first `tools/list`, ms", [f"{one.start_ms:.1f}" for one in each])
    row("… added to direct, ms", [f"{one.added_start_ms:.1f}" for one in each])
    row("call, p50 µs", [f"{one.p50_us:.1f}" for one in each])
    row("call, p95 µs", [f"{one.p95_us:.1f}" for one in each])
    row("call, p99 µs", [f"{one.p99_us:.1f}" for one in each])
    row("**added latency, median µs**", [f"**{one.added_us:.1f}**" for one in each])
    row("… of a call with a path condition", [f"{one.added_path_us:.1f}" for one in each])
    row("1 MiB result, ms", [f"{one.blob_ms:.2f}" for one in each])
    row("… times direct", [f"{one.blob_ratio:.2f}" for one in each])
    row("calls a second, 64 in flight", [f"{one.per_second:,.0f}" for one in each])
    row(f"{SESSIONS} sessions: answered", [f"{one.sessions}" for one in each])
    row("… all open and answered, s", [f"{one.sessions_s:.2f}" for one in each])
    row("memory of the started process, MiB", [f"{one.process_mb:.1f}" for one in each])
    row(
        "memory of the engine, MiB",
        [f"{one.engine_mb:.1f}" if one.engine_mb else "–" for one in each],
    )
    row(
        f"… with {SESSIONS} sessions, MiB",
        [f"{one.crowd_mb:.1f}" if one.crowd_mb else "–" for one in each],
    )
    lines = [f"| | {' | '.join(all_figures)} |", f"| --- |{' ---: |' * len(each)}"]
    lines += [f"| {label} | {' | '.join(cells)} |" for label, cells in rows]
    return "\n".join(lines)


def report(all_figures: Mapping[str, Figures], rounds: int, calls: int) -> str:
    """The table with what it was measured on, and the targets."""
    held = checked(all_figures["mcpwall"], all_figures["relay"])
    targets = "\n".join(f"- {target.sentence(value)}" for target, value in held)
    how = f"{machine()}; {rounds} interleaved rounds of {calls:,} calls."
    return f"{table(all_figures)}\n\n{how}\n\n{targets}\n"


def write(text: str, file: Path, name: str = "figures") -> None:
    """Put a text between the markers of this name in a file; raises ValueError without them."""
    first, last = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    old = file.read_text()
    head, begin, rest = old.partition(first)
    _, end, tail = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{file}: the lines {first.strip()} and {last} are missing")
    file.write_text(head + begin + text + end + tail)
