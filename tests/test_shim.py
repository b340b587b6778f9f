"""How `mcpwall stdio` reads its command line; what it does then, `processes` and `system` test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mcpwall import shim

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "usage: mcpwall stdio NAME"),
        (["", "--", "true"], "usage: mcpwall stdio NAME"),
        (["--bogus"], "usage: mcpwall stdio NAME"),
        (["git", "--"], "a command must follow --"),
        (["git", "uvx", "mcp-server-git"], "put -- before the server's command"),
        (["git"], "no [servers.git] in"),
    ],
)
def test_a_command_line_that_starts_nothing_says_why(
    arguments: list[str],
    says: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    assert shim.main(arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)  # nothing but MCP goes to stdout
    assert err.startswith("mcpwall stdio: ")
    assert says in err
