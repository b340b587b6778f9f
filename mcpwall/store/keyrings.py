"""The system's keyring, where there is one: `pip install 'mcpwall[keyring]'`.

The package is imported when it is first needed; both that and a question to the desktop take time,
so the engine asks in a thread.
"""

from __future__ import annotations

import importlib
from typing import Any

from mcpwall.store.references import UnresolvedError

USABLE = 1  # the least priority of a backend that keeps secrets safe


class KeyringError(Exception):
    """The keyring cannot be used; str() says why, and what to do."""


def lookup(service: str, user: str) -> str | None:
    """The value of an entry, None where there is none. Raises UnresolvedError."""
    try:
        return get(service, user)
    except KeyringError as error:
        raise UnresolvedError(str(error)) from None


def is_usable() -> bool:
    """Whether a keyring is there that keeps secrets safe."""
    try:
        return bool(_keyring().get_keyring().priority >= USABLE)
    except KeyringError:
        return False


def get(service: str, user: str) -> str | None:
    """The value of an entry, None where there is none. Raises KeyringError."""
    value = _ask("get_password", service, user)
    return None if value is None else str(value)


def put(service: str, user: str, value: str) -> None:
    """Keep a value. Raises KeyringError."""
    _ask("set_password", service, user, value)


def drop(service: str, user: str) -> None:
    """Forget an entry that is there. Raises KeyringError."""
    if get(service, user) is not None:
        _ask("delete_password", service, user)


def _keyring() -> Any:
    try:
        return importlib.import_module("keyring")
    except ImportError:
        what = "the keyring cannot be read: its package is missing"
        raise KeyringError(f"{what}; run: pip install 'mcpwall[keyring]'") from None


def _ask(function: str, *arguments: str) -> Any:
    keyring = _keyring()
    try:
        return getattr(keyring, function)(*arguments)
    except Exception as error:  # noqa: BLE001 - a backend may raise what it likes; its words stay out
        raise KeyringError(
            f"the keyring cannot be used ({type(error).__name__}); see whether it is unlocked, "
            "with: keyring diagnose"
        ) from None
