"""Names as globs of the rule language (docs/rules.md), for rules that the app suggests. Pure."""

from __future__ import annotations


def literal(name: str) -> str:
    """A glob that matches exactly `name`: the signs of the language go into brackets."""
    text = "".join(f"[{char}]" if char in "*?[" else char for char in name)
    return f"[!]{text[1:]}" if text.startswith("!") else text
