"""A project's files, which a stranger may have written: what it may cost to look at them."""

from __future__ import annotations

import json

import pytest

from mcpwall.clients.agents import FILES_MAX
from mcpwall.clients.document import PROJECT_KIB
from mcpwall.clients.survey import survey
from tests.clients.machine import places

SERVERS = {"mcpServers": {"fs": {"command": "npx", "args": ["x"]}}}


def test_p13_a_project_s_file_that_is_too_large_is_left_alone_and_the_users_own_is_not(tmp_path):
    at = places(tmp_path)
    text = json.dumps({**SERVERS, "history": "x" * PROJECT_KIB * 1024})
    for file in (at.project / ".mcp.json", at.home / ".claude.json"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    own, foreign = survey(at)
    assert [entry.name for entry in own.entries] == ["fs"]
    assert "is larger than" in foreign.problem


@pytest.mark.parametrize("key", ["a" + ".a" * 30_000, "[" + "a." * 30_000 + "a]\na"])
def test_p13_a_key_of_countless_parts_is_not_parsed(tmp_path, key):
    at = places(tmp_path)
    file = at.project / ".codex" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f"{key} = 1\n")
    (found,) = survey(at)
    assert "too many parts" in found.problem


def test_p13_so_many_files_of_a_project_are_looked_at(tmp_path):
    at = places(tmp_path)
    folder = at.project / ".continue" / "mcpServers"
    folder.mkdir(parents=True)
    for number in range(FILES_MAX + 5):
        (folder / f"{number}.json").write_text(json.dumps(SERVERS))
    assert len(list(survey(at))) == FILES_MAX
