"""How well the risk classifier tells changing tools from reading ones, vendor by vendor.

    python benchmarks/risk.py FILE…

A FILE is a set of labelled tools (`rows` with `server`, `tool`, `description`, `params` or a whole
`input_schema`, and `read_only`, the claim of each tool's author) or a listing (`server` and
`tools`, of which those with a `readOnlyHint` count). The claim is a claim, not a truth, and is not
shown to the classifier.

What is tuned in the classifier are its word lists, so the second half of the table is a
vendor-disjoint cross-validation of them: the tools of one vendor are judged with lists from which
each word is struck that only this vendor's tools attest. That is stricter than a vendor who was
never seen, because the lists come from a dictionary more than from tools.

Every tool that differs from its claim is listed; `*` marks those that differ only with such lists.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from mcpwall.model import Risk
from mcpwall.policy import verbs
from mcpwall.policy.findings import words_of
from mcpwall.policy.risk import classify

EVERY_SERVER = {"ai", "api", "livemcpbench", "mcp", "npm", "official", "server"}
REFERENCE = {"everything", "fetch", "filesystem", "git", "memory", "sequential-thinking", "time"}
LINE = "{:28} {:>5} {:>7} {:>7.3f} {:>9.3f} {:>7.3f}   {:>7.3f} {:>9.3f} {:>7.3f}"


class Labelled(NamedTuple):
    """A tool and its author's claim."""

    server: str
    name: str
    description: str
    schema: dict[str, Any]
    reads: bool

    def found(self) -> tuple[Risk, str]:
        """What the classifier says, with no hints."""
        return classify(self.name, self.description, self.schema, {})

    def words(self) -> set[str]:
        """Every word of the definition, and what may be its base form."""
        names = words_of(f"{self.name} {' '.join(self.schema.get('properties', {}))}")
        text = re.findall(r"[a-z]+", self.description.lower())
        found = {*names, *text, *(word.lower() for word in self.name.split())}
        stems = {word[:-cut] for word in found for cut in (1, 2, 3, 4)}
        return found | stems | {f"{stem}e" for stem in stems} | {f"{stem}y" for stem in stems}


class Score(NamedTuple):
    """How many tools were told right and wrong; "alarms" are reading tools that were flagged."""

    right: int = 0
    missed: int = 0
    alarms: int = 0
    quiet: int = 0

    def plus(self, other: Score) -> Score:
        """Both together."""
        return Score(*(a + b for a, b in zip(self, other, strict=True)))

    def figures(self) -> tuple[float, float, float]:
        """Recall and precision of "changes things", and the share of reading tools flagged."""
        return (
            self.right / max(1, self.right + self.missed),
            self.right / max(1, self.right + self.alarms),
            self.alarms / max(1, self.alarms + self.quiet),
        )


def main() -> None:
    """Print the figures of every vendor, and the tools that differ from their claim."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    tools = [tool for path in parser.parse_args().files for tool in read(path)]
    vendors = by_vendor(tools)
    words = {vendor: set[str]().union(*(t.words() for t in own)) for vendor, own in vendors.items()}
    print(f"{'':28} {'tools':>5} {'change':>7}  recall precision flagged | without its own words")
    total = total_struck = Score()
    differ: list[str] = []
    for vendor, own in sorted(vendors.items()):
        others = set[str]().union(*(words[other] for other in words if other != vendor))
        whole, whole_differ = judge(own)
        with struck(words[vendor] - others):
            less, less_differ = judge(own)
        print(line(vendor, whole, less))
        differ += whole_differ.values()
        differ += [f"* {less_differ[tool]}" for tool in less_differ if tool not in whole_differ]
        total, total_struck = total.plus(whole), total_struck.plus(less)
    print(line("all", total, total_struck))
    print(*("", *differ), sep="\n")


def line(title: str, score: Score, less: Score) -> str:
    """One line of the table."""
    changing = score.right + score.missed
    return LINE.format(title[:28], sum(score), changing, *score.figures(), *less.figures())


def read(path: Path) -> list[Labelled]:
    """The labelled tools of a file."""
    data = json.loads(path.read_text())
    if "rows" in data:
        return [
            Labelled(
                row["server"],
                row["tool"],
                row["description"] or "",
                row.get("input_schema")
                or {"properties": {name: {} for name in row["params"] or []}},
                bool(row["read_only"]),
            )
            for row in data["rows"]
        ]
    return [
        Labelled(
            data["server"], tool["name"], tool.get("description") or "", tool["inputSchema"], claim
        )
        for tool in data["tools"]
        if (claim := (tool.get("annotations") or {}).get("readOnlyHint")) is not None
    ]


def by_vendor(tools: list[Labelled]) -> dict[str, list[Labelled]]:
    """Tools by vendor: servers whose names share a word (`kubernetes`) are one.

    The reference servers, which are called after what they do, are one too.
    """
    vendors: dict[frozenset[str], list[Labelled]] = {}
    for tool in tools:
        server = "reference" if tool.server in REFERENCE else tool.server
        words = frozenset(words_of(server)) - EVERY_SERVER
        same = [known for known in vendors if known & words]
        own = [other for known in same for other in vendors.pop(known)]
        vendors[words.union(*same)] = [*own, tool]
    return {min(tool.server for tool in own): own for own in vendors.values()}


def judge(tools: list[Labelled]) -> tuple[Score, dict[tuple[str, str], str]]:
    """The score of these tools, and a line for each that differs from its claim."""
    score, differ = Score(), dict[tuple[str, str], str]()
    for tool in tools:
        risk, why = tool.found()
        flagged = risk is not Risk.READ
        score = score.plus(
            Score(
                right=flagged and not tool.reads,
                missed=not flagged and not tool.reads,
                alarms=flagged and tool.reads,
                quiet=not flagged and tool.reads,
            )
        )
        if flagged is tool.reads:
            what = "alarm" if flagged else "MISS"
            text = f"{what:6} {tool.server[:24]:24} {tool.name[:36]:36} {risk:11} {why}"
            differ[tool.server, tool.name] = text
    return score, differ


@contextlib.contextmanager
def struck(words: set[str]) -> Iterator[None]:
    """The word lists without these words."""
    with contextlib.ExitStack() as stack:
        for name, value in vars(verbs).items():
            if isinstance(value, frozenset):
                stack.enter_context(mock.patch.object(verbs, name, value - words))
        stack.enter_context(mock.patch.dict(verbs.VERBS))
        for word in words & verbs.VERBS.keys():
            del verbs.VERBS[word]
        yield


if __name__ == "__main__":
    main()
