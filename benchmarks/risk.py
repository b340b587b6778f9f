"""How well the risk classifier tells changing tools from reading ones.

    python benchmarks/risk.py DATA.json

DATA has `rows` with `tool`, `description`, `params` and `read_only`, the claim of each tool's
author, which is not shown to the classifier. Prints recall and precision of "changes things".
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mcpwall.model import JsonObject, Risk
from mcpwall.policy.risk import classify


def main() -> None:
    """Classify every row and print the figures and the rows that differ from their claim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="print the rows that differ")
    arguments = parser.parse_args()
    rows = json.loads(arguments.data.read_text())["rows"]
    right = missed = alarms = 0
    for row in rows:
        schema: JsonObject = {"properties": {name: {} for name in row["params"] or []}}
        risk, why = classify(row["tool"], row["description"] or "", schema, {})
        changes = risk is not Risk.READ
        right += changes and not row["read_only"]
        missed += not changes and not row["read_only"]
        alarms += changes and bool(row["read_only"])
        if arguments.verbose and changes is bool(row["read_only"]):
            claim = "reads" if row["read_only"] else "changes"
            print(f"{row['tool']:45} claimed {claim:8} found {risk:12} {why}")
    print(f"{len(rows)} tools, {right + missed} of them change things")
    print(f"recall    {right / (right + missed):.3f}  ({missed} missed)")
    print(f"precision {right / (right + alarms):.3f}  ({alarms} false alarms)")


if __name__ == "__main__":
    main()
