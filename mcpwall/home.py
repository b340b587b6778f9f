"""Where things live on this machine. Standard library only: the shim reads it too.

`MCPWALL_HOME=DIR` puts everything under DIR (tests, the demo, a second wall). Without it the
platform decides: config where people look for it, and state, with the control socket, beside other
programs' state.
"""

import os
import sys

SOCKET_PATH_MAX = 103 if sys.platform == "darwin" else 107  # sun_path, less its closing NUL


def _join(*parts: str) -> str:
    return "/".join(parts) if os.sep == "/" else os.path.join(*parts)


def _base(variable: str, *fallback: str) -> str:
    """The directory that an XDG variable names if it is absolute, else one below the home."""
    value = os.environ.get(variable, "")
    return value if value.startswith("/") else _join(os.path.expanduser("~"), *fallback)


def _own() -> str:
    return os.environ.get("MCPWALL_HOME", "")


def config_dir() -> str:
    """The directory of config.toml."""
    if own := _own():
        return os.path.abspath(own)
    if sys.platform == "darwin":
        return _base("", "Library", "Application Support", "mcpwall")
    if sys.platform == "win32":
        return _join(os.environ.get("LOCALAPPDATA", os.path.expanduser("~")), "mcpwall")
    return _join(_base("XDG_CONFIG_HOME", ".config"), "mcpwall")


def state_dir() -> str:
    """The directory of the audit, the engine's log and its locks."""
    if own := _own():
        return _join(os.path.abspath(own), "state")
    if sys.platform == "darwin":
        return _join(config_dir(), "state")
    if sys.platform == "win32":
        return _join(config_dir(), "state")
    return _join(_base("XDG_STATE_HOME", ".local", "state"), "mcpwall")


def config_file() -> str:
    """config.toml."""
    return _join(config_dir(), "config.toml")


def audit_file() -> str:
    """The audit, an SQLite file."""
    return _join(state_dir(), "audit.db")


def intake_file() -> str:
    """What is recorded and not yet filed in the audit."""
    return _join(state_dir(), "audit.intake")


def accepted_file() -> str:
    """A copy of config.toml as it was last in force."""
    return _join(state_dir(), "config.accepted.toml")


def http_token_file() -> str:
    """What lets agents in that come by URL."""
    return _join(state_dir(), "http.token")


def clients_file() -> str:
    """What `mcpwall init` changed in agents' files."""
    return _join(state_dir(), "clients.json")


def tools_file() -> str:
    """Every tool that was seen, and what it is pinned as; an SQLite file."""
    return _join(state_dir(), "tools.db")


def lockdown_file() -> str:
    """There while the wall is locked down."""
    return _join(state_dir(), "lockdown")


def theme_file() -> str:
    """The app's colours, as last chosen in it."""
    return _join(state_dir(), "theme")


def logins_dir() -> str:
    """The directory of logins at remote servers that no keyring keeps."""
    return _join(state_dir(), "logins")


def wall_file() -> str:
    """What this wall is called in a store that it shares with others."""
    return _join(state_dir(), "wall")


def mask_key_file() -> str:
    """What keeps others from trying values against the marks of hidden secrets."""
    return _join(state_dir(), "mask.key")


def log_file() -> str:
    """What a background engine says on stderr."""
    return _join(state_dir(), "engine.log")


def servers_log_dir() -> str:
    """What servers say on stderr, a file each."""
    return _join(state_dir(), "servers")


def lock_file() -> str:
    """Held by the engine as long as it lives."""
    return _join(state_dir(), "engine.lock")


def start_lock_file() -> str:
    """Held by whoever is starting an engine."""
    return _join(state_dir(), "start.lock")


def socket_file() -> str:
    """The control socket. Raises ValueError when the path is too long for the platform."""
    # not in XDG_RUNTIME_DIR: most agents start servers without that variable, and a shim that
    # looks elsewhere than the app finds no engine
    path = _join(state_dir(), "engine.sock")
    if len(os.fsencode(path)) > SOCKET_PATH_MAX:
        raise ValueError(
            f"the socket's path is {len(os.fsencode(path))} bytes, the system takes "
            f"{SOCKET_PATH_MAX}: {path}; set MCPWALL_HOME to a shorter directory"
        )
    return path
