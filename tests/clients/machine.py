"""A pretend user's machine: agents' files where each agent keeps them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import yaml

from mcpwall.clients.agents import AGENTS, BY_ID, Place
from mcpwall.clients.places import Places

CONFIGS = Path(__file__).with_name("configs")
FILES = {file.stem: file for file in sorted(CONFIGS.iterdir())}
SECRET = "canary-secret"
WALL = ("/opt/tools/bin/mcpwall",)


def places(home: Path, platform: str = "linux") -> Places:
    """A machine whose user has this home, and works in a project in it."""
    return Places(platform, home, home / "acme")


def place(agent: str, at: Places) -> Place:
    """The file that an agent reads first."""
    return next(BY_ID[agent].places(at))


def install(agent: str, at: Places) -> Path:
    """Put an agent's file where it belongs."""
    file = place(agent, at).file
    if agent == "opencode":
        file = file.with_suffix(".jsonc")
    elif agent == "continue":
        file = file.with_name("config.yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(FILES[agent].read_bytes())
    return file


def own_reading(file: Path) -> object:
    """What a parser of the agent's own kind makes of its file."""
    text = file.read_text("utf-8-sig")
    if file.suffix == ".toml":
        return tomllib.loads(text)
    if file.suffix in (".yaml", ".yml"):
        return yaml.safe_load(text)
    return json.loads(_without_comments(text))


def _without_comments(text: str) -> str:
    """JSON as editors read it: comments and trailing commas go, strings stay."""
    kept = re.sub(
        r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda m: m[1] or "", text, flags=re.DOTALL
    )
    return re.sub(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])', lambda m: m[1] or "", kept)


assert set(FILES) == {agent.id for agent in AGENTS}
