"""What an agent sends to a remote server, as references that the wall can follow. Pure.

A secret that is written out stays in the agent's file: the wall copies none. A header whose value
comes from the environment is said again in the wall's own form, `${env:NAME}`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from mcpwall.clients.nodes import Node
from mcpwall.store.forms import BadValueError
from mcpwall.store.remotes import REMOTE, remote

# keys of a remote server's entry that say what is sent or how one logs in
HEADERS: Final = ("headers", "http_headers")
FROM_ENVIRONMENT: Final = "env_http_headers"  # Codex: header → variable
BEARER: Final = "bearer_token_env_var"  # Codex: the variable with the token
LOGIN: Final = (
    *(
        "oauth",
        "oauthScopes",
        "auth",
        "authProviderType",
        "authorization",
        "requestOptions",
        "scopes",
    ),
    *("client_id", "oauth_resource", "headersHelper", "apiKey"),
)
KEYS: Final = (*HEADERS, FROM_ENVIRONMENT, BEARER)

_SCHEME: Final = r"(?P<scheme>(?:[A-Za-z]+ )?)"
_NAME: Final = r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
_REFERENCE: Final = re.compile(
    _SCHEME + r"(?:\$\{(?:env:)?" + _NAME + r"\}|\{env:" + _NAME.replace("name", "brace") + r"\}"
    r"|\$" + _NAME.replace("name", "bare") + ")"
)

STAYS: Final = (
    "its headers may hold a secret, which stays where it is; put it into the environment or the "
    "keyring and add [servers.NAME] to config.toml (docs/servers.md)"
)
ODD: Final = "its headers are not of a kind that the wall can send (docs/servers.md)"


def references(node: Node, table: Node) -> tuple[tuple[tuple[str, str], ...], str]:
    """The headers of a remote server's entry, and why the wall cannot send them, or ''.

    `table` is where its URL stands: the entry itself, or a table inside it.
    """
    value = table.value
    sent: list[tuple[str, str]] = []
    if any(value.get(key) or node.value.get(key) for key in LOGIN):
        return (), "it says how to log in; add [servers.NAME] to config.toml (docs/servers.md)"
    for key in HEADERS:
        for name, text in _table(value.get(key)):
            reference = _reference(text)
            if not reference:
                return (), STAYS
            sent.append((name, reference))
    sent += [(name, f"${{env:{text}}}") for name, text in _table(value.get(FROM_ENVIRONMENT))]
    if isinstance(value.get(BEARER), str):
        sent.append(("Authorization", f"Bearer ${{env:{value[BEARER]}}}"))
    return (tuple(sent), "") if _can_be_sent(sent) else ((), ODD)


def _can_be_sent(sent: list[tuple[str, str]]) -> bool:
    """Whether config.toml takes these: one that it does not would keep all agents' servers out."""
    try:
        remote({"url": "https://a.example/", "headers": REMOTE["headers"](dict(sent))})
    except BadValueError:
        return False
    return len(dict(sent)) == len(sent)


def _table(value: Any) -> list[tuple[str, str]]:
    return [(str(k), str(v)) for k, v in value.items()] if isinstance(value, dict) else []


def _reference(text: str) -> str:
    """`Bearer ${TOKEN}` as each agent writes it, in the wall's own form; '' for other texts."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return ""
    name = found["name"] or found["brace"] or found["bare"]
    return f"{found['scheme']}${{env:{name}}}"
