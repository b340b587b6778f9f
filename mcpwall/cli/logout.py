"""`mcpwall logout NAME`: end the wall's login at a remote server."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from mcpwall import home
from mcpwall.cli.errors import CliError

if TYPE_CHECKING:
    from mcpwall.store.logins import Login


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall logout`."""
    parser = subparsers.add_parser(
        "logout",
        help="end the login at a remote server",
        description="Tell the server that the login has ended, where it takes that, and forget it.",
    )
    parser.add_argument("name", metavar="NAME", help="the server")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Revoke the login and forget it. Raises CliError."""
    from mcpwall.store.logins import Logins, LoginStoreError
    from mcpwall.text import visible

    name, logins = arguments.name, Logins(home.logins_dir())
    unread = ""
    try:
        login = logins.load(name)
    except LoginStoreError as error:
        login, unread = None, f"its server was not told: {error}"
    try:
        logins.forget(name)
    except LoginStoreError as error:
        raise CliError(str(error)) from None
    if login is None and not unread:
        raise CliError(f"there is no login at {name}")
    told = unread if login is None else asyncio.run(_revoke(login))
    print(visible(f"logged out of {name}; {told}"))
    return 0


async def _revoke(login: Login) -> str:
    """Tell the authorization server (RFC 7009); returns how that went, in words."""
    from mcpwall.transport.http import token_requests
    from mcpwall.transport.http.client import Connections
    from mcpwall.transport.http.faults import ConnectionFault

    endpoint = login.revocation_endpoint
    if not endpoint or not token_requests.is_safe(endpoint):
        return "its server takes no revocation: the token ends by itself"
    headers, body = token_requests.revoke(login)
    connections = Connections()
    try:
        status, _ = await connections.fetch("POST", endpoint, headers, body)
    except ConnectionFault as error:
        return f"its server could not be told ({error.what}): the token ends by itself"
    finally:
        await connections.close()
    if status != token_requests.OK:
        return f"its server did not take the revocation (HTTP {status}): the token ends by itself"
    return "its server has ended the login"
