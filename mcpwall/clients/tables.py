"""What routing adds to config.toml, as text behind the rest of it, and takes out again. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mcpwall.clients.nodes import eol
from mcpwall.clients.syntax import TOML


def server(name: str, url: str, headers: Sequence[tuple[str, str]]) -> str:
    """`[servers.NAME]` of a remote server. Headers' values are references already."""
    lines = [f"[servers.{_key(name)}]", f"url = {TOML.string(url)}"]
    if headers:
        pairs = ", ".join(f"{_key(key)} = {TOML.string(value)}" for key, value in headers)
        lines.append(f"headers = {{ {pairs} }}")
    return "\n".join(lines) + "\n"


def agent(client: str, hold: str) -> str:
    """`[agents.NAME]` with how long a call of this client may wait for a person."""
    return f"[agents.{_key(client)}]\nhold = {TOML.string(hold)}\n"


def added(text: str, table: str) -> str:
    """The text with a table behind it."""
    end = eol(text)
    gap = "" if not text else end if text.endswith("\n") else 2 * end
    return text + gap + table.replace("\n", end)


def removed(text: str, table: str) -> str | None:
    """The text without a table that `added` put in; None when it does not stand there so."""
    end = eol(text)
    table = table.replace("\n", end)
    for piece in (end + table, table):
        if text.count(piece) == 1:
            return text.replace(piece, "")
    return None


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else TOML.string(name)
