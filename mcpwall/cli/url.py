"""`mcpwall url NAME`: what an agent needs that takes URLs and headers."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from mcpwall import home
from mcpwall.cli.errors import FAILED, USAGE, CliError

if TYPE_CHECKING:
    from mcpwall.store.config import Config


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall url`."""
    parser = subparsers.add_parser(
        "url",
        help="the URL and header for agents that take URLs",
        description="Print the URL at which the wall serves a configured server, and the header "
        "that lets an agent in. Keep the header to yourself: it is this wall's key.",
    )
    parser.add_argument("name", metavar="NAME", help="the server, as in [servers.NAME]")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print URL and header. Raises CliError."""
    from mcpwall.store.files import UnsafeFileError, private_dir
    from mcpwall.store.token import token
    from mcpwall.text import ascii_json, visible
    from mcpwall.transport.http.gate import endpoint

    config = _config()
    if arguments.name not in config.servers:
        raise CliError(_unknown(arguments.name, config), USAGE)
    where, trouble = _where(config)
    try:
        private_dir(home.state_dir())
        header = f"Bearer {token(home.http_token_file())}"
    except UnsafeFileError as error:
        raise CliError(str(error), FAILED) from error
    except OSError as error:
        raise CliError(f"{home.http_token_file()}: {error.strerror}", FAILED) from error
    url = f"http://{where}{endpoint(arguments.name)}"
    if arguments.json:
        told = {"url": url, "headers": {"Authorization": header}, "listening": not trouble}
        print(ascii_json(told | ({"error": trouble} if trouble else {}), indent=2))
    else:
        print(f"{url}\nAuthorization: {header}")
        if trouble:
            print(f"mcpwall url: {visible(trouble)}", file=sys.stderr)
    return 0


def _config() -> Config:
    from mcpwall.store.config import ConfigError, load, load_text

    try:
        return load(home.config_file())
    except ConfigError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return load_text("", home.config_file())
        raise CliError("; ".join(str(each) for each in error.errors), USAGE) from error


def _unknown(name: str, config: Config) -> str:
    known = ", ".join(config.servers)
    has = f"it has {known}" if known else "it has none"
    return f"{home.config_file()} has no server {name!r} ({has}); add [servers.NAME] first"


def _where(config: Config) -> tuple[str, str]:
    """Host and port of the URL, and why nobody would answer there now, or ''. Raises CliError."""
    from mcpwall.engine.port import EngineGoneError, Snapshot
    from mcpwall.link.sync import ask
    from mcpwall.transport.http.listener import shown

    if not config.http.listen:
        raise CliError('[http] listen is "off": agents cannot come by URL', FAILED)
    configured = shown(config.http.listen[0])
    try:
        snapshot: Snapshot = ask("snapshot", None, Snapshot)
    except EngineGoneError as error:
        return configured, str(error)
    http = snapshot.status.http
    if http.addresses:
        return http.addresses[0], ""
    return configured, http.error or "the engine does not listen; see `mcpwall status`"
