"""A pretend agent as a process, behind a wall whose rules are not the story's."""

import subprocess
import sys
from pathlib import Path

import pytest

from mcpwall.demo.story import rules
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment

AGENT = (sys.executable, "-P", "-m", "mcpwall.demo.agent")


def agent(home: Path, name: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*AGENT, name, "--pace", "0", *options],
        env=environment(home),
        cwd=home,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", ["claude-code", "codex"])
def test_a_call_that_comes_to_something_else_is_an_error(home: Path, name: str) -> None:
    (home / "config.toml").write_text('[defaults]\nread = "deny"\n')
    with agent(home, name, "--once") as running:
        assert running.stderr is not None
        told = running.stderr.read()
    assert running.returncode == 1
    assert told.startswith(f"{name}: filesystem.")
    assert "expected done, got default: mcpwall refused this call." in told
    assert told.count("\n") == 1


def test_an_agent_ends_when_nobody_holds_its_stdin(home: Path) -> None:
    (home / "config.toml").write_text(rules(hold_s=50, window_s=15))
    with agent(home, "codex", "--pace", "0.01") as running:
        _, told = running.communicate(timeout=LIMIT_S)  # closes its stdin at once
    assert (running.returncode, told) == (0, "")
