"""Short ways to import a policy in a test and to judge by what became of it."""

from __future__ import annotations

import json
from typing import Any

from mcpwall.importers.read import read_policy
from mcpwall.model import Defaults
from mcpwall.policy.compile import Policy, compile_policy
from mcpwall.store.config import load_text
from mcpwall.store.edit import add_rules

SERVER = "files"  # the server of tests.policy.build.call


def policy(tools: Any = None, default: str = "deny", **fields: Any) -> dict[str, Any]:
    """A PolicyLayer document."""
    return {"version": "1", "default": default, "tools": tools or {}, **fields}


def imported(document: Any, server: str = SERVER) -> Any:
    return read_policy(json.dumps(document), "policy.json", server)


def from_yaml(text: str, server: str = SERVER) -> Any:
    return read_policy(text, "policy.yaml", server)


def in_force(found: Any, defaults: Defaults | None = None) -> Policy:
    """The imported rules as config.toml would have them, compiled."""
    config = add_rules(load_text("", "config.toml"), found.rules)
    return compile_policy(config.rules, defaults or Defaults())
