"""What is compared: each variant is a command line put in front of the server's."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
SERVER = (sys.executable, str(HERE / "echo.py"))

RULES = """\
[defaults]
read = "allow"

[[rules]]
id = "never-hit"
tool = "*"
rate_limit = { max = 1_000_000, window = 60 }

[[rules]]
id = "deletions"
tool = ["delete_*", "!delete_draft"]
action = "deny"

[[rules]]
id = "outside"
tool = ["write_*", "save"]
when = { path = { not_under = ["."] } }
action = "deny"

[[rules]]
id = "refunds"
tool = "create_refund"
when = { amount = { gt = 500 } }
action = "ask"

[[rules]]
id = "shells"
tool = ["run_*", "shell.*"]
action = "ask"

[[rules]]
id = "words"
tool = "echo"
when = { text = { regex = "(?i)password|secret" } }
action = "ask"

[[rules]]
id = "reads"
tool = ["echo", "blob", "save", "read_*", "list_*"]
action = "allow"
"""


@dataclass(frozen=True)
class Variant:
    """A name for the table, the prefix, and what it adds to the environment."""

    name: str
    prefix: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command line."""
        return (*self.prefix, *SERVER)

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment."""
        return {**os.environ, **self.env}


DIRECT = Variant("direct")
RELAY = Variant("relay", (sys.executable, str(HERE / "relay.py")))


def wall_command() -> tuple[str, ...]:
    """The installed `mcpwall` beside this interpreter, else the module."""
    installed = shutil.which("mcpwall", path=str(Path(sys.executable).parent))
    return (installed,) if installed else (sys.executable, "-m", "mcpwall")


def compiled() -> bool:
    """Whether the path of a message is machine code in the mcpwall that is measured."""
    run = subprocess.run(
        [*wall_command(), "doctor", "--json"], check=False, capture_output=True, text=True
    )
    return "(compiled)" in run.stdout


@contextmanager
def wall(home: Path) -> Iterator[Variant]:
    """mcpwall with rules, a limit and the audit, in a home of its own; its engine ends after."""
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(RULES)
    (home / "config.toml").chmod(0o600)
    command = wall_command()
    env = {"MCPWALL_HOME": str(home)}
    try:
        yield Variant("mcpwall", (*command, "stdio", "echo", "--"), env)
    finally:
        subprocess.run([*command, "stop"], env={**os.environ, **env}, check=False)


def engine_pid(variant: Variant) -> int | None:
    """The process behind the sessions of mcpwall; None for a variant that has none."""
    if "MCPWALL_HOME" not in variant.env:
        return None
    run = subprocess.run(
        [*wall_command(), "status", "--json"],
        env=variant.environment,
        check=True,
        capture_output=True,
    )
    return int(json.loads(run.stdout)["engine"]["pid"])


def extra(spec: str) -> Variant:
    """A variant from the command line, `NAME=COMMAND PREFIX`; raises ValueError."""
    name, found, prefix = spec.partition("=")
    if not found or not prefix.strip():
        raise ValueError(f"--also {spec!r}: expected NAME=COMMAND")
    return Variant(name, tuple(prefix.split()))
