"""How long the programs take to start: the shim, and `mcpwall --help`, against a bare interpreter.

    python -m benchmarks.starts [--rounds N] [--write]

Each round starts every program once, in turn. `--write` puts the table into benchmarks/README.md.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter_ns

from benchmarks import report

ROOT = Path(__file__).parents[1]
PROGRAMS = {
    "bare interpreter": ["-c", "pass"],
    "import of the shim (`mcpwall stdio`)": ["-c", "import mcpwall.__main__, mcpwall.shim"],
    "`mcpwall --help`, whole": ["-m", "mcpwall", "--help"],
    "import of the app, for comparison": ["-c", "import mcpwall.tui.app"],
}


def run(rounds: int) -> dict[str, list[float]]:
    """Milliseconds from start to exit of each program, in each round; the first is not counted."""
    took: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for number in range(rounds + 1):
        for name, arguments in PROGRAMS.items():
            start = perf_counter_ns()
            subprocess.run(
                [sys.executable, "-P", *arguments],
                env=environment,
                stdout=subprocess.DEVNULL,
                check=True,
            )
            if number:
                took[name].append((perf_counter_ns() - start) / 1e6)
    return took


def table(took: dict[str, list[float]]) -> str:
    """The medians as a markdown table; each is compared with the bare interpreter's round."""
    base = next(iter(took.values()))
    lines = [
        "| program | start to exit, ms | over a bare interpreter, ms |",
        "| --- | ---: | ---: |",
    ]
    for name, times in took.items():
        added = statistics.median(t - b for t, b in zip(times, base, strict=True))
        lines.append(f"| {name} | {statistics.median(times):.1f} | {added:.1f} |")
    how = f"{report.machine()}; {len(base)} interleaved rounds, medians."
    return "\n".join(lines) + f"\n\n{how}\n"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    options = parser.parse_args()
    text = table(run(options.rounds))
    print(text)
    if options.write:
        report.write(text, Path(__file__).with_name("README.md"), "starts")


if __name__ == "__main__":
    main()
