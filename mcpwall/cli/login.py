"""`mcpwall login NAME`: the wall's own login at a remote server, in the person's browser."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

from mcpwall import home
from mcpwall.cli.errors import USAGE, CliError

if TYPE_CHECKING:
    from mcpwall.store.logins import Login
    from mcpwall.store.remotes import RemoteConfig


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall login`."""
    parser = subparsers.add_parser(
        "login",
        help="log in at a remote server that wants it",
        description="Log in at a remote server, in the browser. The engine then sends the token "
        "and renews it; agents never see it. The server needs oauth = true in its table.",
    )
    parser.add_argument("name", metavar="NAME", help="the server: [servers.NAME] in config.toml")
    parser.add_argument(
        "--no-browser",
        action="store_true",
        help="open none; only print the address",
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Log in, and keep what comes of it. Raises CliError."""
    from mcpwall.store.logins import Logins, LoginStoreError
    from mcpwall.text import visible

    config = _server(arguments.name)
    login = asyncio.run(_flow(arguments.name, config, browser=not arguments.no_browser))
    try:
        place = Logins(home.logins_dir()).save(arguments.name, login)
    except LoginStoreError as error:
        raise CliError(f"the login cannot be kept: {error}") from None
    print(visible(f"logged in at {arguments.name}; the login is kept in {place}"))
    return 0


def _server(name: str) -> RemoteConfig:
    from mcpwall.store.config import ConfigError, load
    from mcpwall.store.forms import nearest
    from mcpwall.store.remotes import RemoteConfig

    path = home.config_file()
    try:
        servers = load(path).servers
    except ConfigError as error:
        raise CliError(f"{error} (`mcpwall rules check` says all)", USAGE) from None
    if name not in servers:
        meant = nearest(name, servers) or "add it there, with a url and oauth = true"
        raise CliError(f"{path} has no [servers.{name}]; {meant}", USAGE)
    server = servers[name]
    if not isinstance(server, RemoteConfig):
        raise CliError(f"[servers.{name}] in {path} has no url: there is no login at it", USAGE)
    if server.oauth is None:
        raise CliError(f"[servers.{name}] does not say oauth = true; add it in {path}", USAGE)
    return server


async def _flow(name: str, config: RemoteConfig, *, browser: bool) -> Login:
    """The login from the first question to the token. Raises CliError."""
    from mcpwall.cli.loopback import listening
    from mcpwall.cli.oauth import LoginFailedError, Terms, log_in
    from mcpwall.store.keyrings import lookup
    from mcpwall.store.references import UnresolvedError
    from mcpwall.transport.http.credentials import FixedHeaders

    oauth = config.oauth
    assert oauth is not None  # noqa: S101 - _server has seen to it
    try:
        headers = await FixedHeaders(config, {}).headers()
        secret = oauth.client_secret.resolve(os.environ, lookup) if oauth.client_secret else ""
    except UnresolvedError as error:
        raise CliError(str(error)) from None
    try:
        async with listening(oauth.redirect_port) as loopback:
            if sys.stdin.isatty():
                loopback.take_pasted(sys.stdin)
            terms = Terms(config.url, headers, oauth.scopes, oauth.client_id, secret)
            return await log_in(terms, loopback, lambda url: _show(url, browser=browser))
    except LoginFailedError as error:
        raise CliError(f"no login at {name}: {error}") from None
    except OSError as error:
        raise CliError(
            f"port {oauth.redirect_port} cannot be used ({error.strerror}); free it, or change "
            f"redirect_port in [servers.{name}.oauth]"
        ) from None


async def _show(url: str, *, browser: bool) -> None:
    from mcpwall.text import visible

    opened = browser and await asyncio.to_thread(_open, url)
    print("Log in in the browser. If none opened, go to:" if opened else "Log in at:")
    print(visible(url))
    if sys.stdin.isatty():
        print("If it ends at a page that cannot be shown, paste that page's address here:")
    sys.stdout.flush()


def _open(url: str) -> bool:
    """Open a browser beside the terminal; one that would take the terminal stays closed."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    takes_terminal = type(browser) is webbrowser.GenericBrowser and "BROWSER" not in os.environ
    return not takes_terminal and browser.open(url)
