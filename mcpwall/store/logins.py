"""What a login at a remote server left: tokens, and what it takes to renew and revoke them.

Kept in the system's keyring where there is one that keeps secrets safe, else in a file that only
the user can read. The keyring takes its time: the engine calls this in a thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from mcpwall.store import files, keyrings
from mcpwall.store.remotes import origin

SERVICE: Final = "mcpwall login"
EARLY_MS: Final = 60_000  # before its end a token is renewed, a short-lived one in the middle


class LoginStoreError(Exception):
    """A login cannot be read or kept; str() says why, and what to do."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """One login. `url` is the server's, and the only one that its token is sent to.

    `ends_ms` is when the access token ends (wall clock), `renew_ms` when it is time for another;
    None if nobody said. `auth_method` is how the client proves itself at `token_endpoint` (RFC
    7591, `token_endpoint_auth_method`).
    """

    url: str
    access_token: str
    token_endpoint: str
    client_id: str
    refresh_token: str = ""
    renew_ms: int | None = None
    ends_ms: int | None = None
    scope: str = ""
    resource: str = ""
    client_secret: str = ""
    auth_method: str = "none"
    revocation_endpoint: str = ""

    def lasting(self, seconds: float | None, now_ms: int) -> Login:
        """The same with an access token that was given now, for so long (None: nobody said)."""
        if seconds is None:
            return msgspec.structs.replace(self, renew_ms=None, ends_ms=None)
        ends_ms = now_ms + round(max(0.0, seconds) * 1000)
        renew_ms = max(ends_ms - EARLY_MS, (now_ms + ends_ms) // 2)
        return msgspec.structs.replace(self, renew_ms=renew_ms, ends_ms=ends_ms)

    def __repr__(self) -> str:
        return f"Login(at {origin(self.url)})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("at", origin(self.url))]


class Logins:
    """The logins at all servers, by the server's name."""

    def __init__(self, directory: str) -> None:
        """`directory` is where files go; it is this wall's name in the keyring too."""
        self._directory = Path(directory)

    def load(self, server: str) -> Login | None:
        """The login at a server, None where there is none. Raises LoginStoreError."""
        path = self._file(server)
        try:
            if self._directory.exists():
                files.private_dir(str(self._directory))
            text: str | None = files.read_checked(str(path))
        except FileNotFoundError:
            text = self._in_keyring(server)
        except (OSError, UnicodeDecodeError, files.UnsafeFileError) as error:
            raise LoginStoreError(_words(path, error)) from None
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=Login)
        except (msgspec.MsgspecError, ValueError):
            what = f"the login at {server} is damaged"
            raise LoginStoreError(f"{what}; run `mcpwall login {server}`") from None

    def save(self, server: str, login: Login) -> str:
        """Keep a login in place of an older one; returns where it is now, in words.

        Raises LoginStoreError.
        """
        text = msgspec.json.encode(login).decode()
        path = self._file(server)
        try:
            if keyrings.is_usable() and self._keyring_takes(server, text):
                path.unlink(missing_ok=True)
                return "the keyring"
            files.private_dir(str(self._directory))
            files.write_atomic(str(path), text)
        except (OSError, files.UnsafeFileError) as error:
            raise LoginStoreError(_words(path, error)) from None
        return str(path)

    def forget(self, server: str) -> None:
        """Keep nothing of it. Raises LoginStoreError."""
        path = self._file(server)
        try:
            path.unlink(missing_ok=True)
            if keyrings.is_usable():
                keyrings.drop(SERVICE, self._entry(server))
        except OSError as error:
            raise LoginStoreError(_words(path, error)) from None
        except keyrings.KeyringError as error:
            raise LoginStoreError(str(error)) from None

    def _in_keyring(self, server: str) -> str | None:
        try:
            return keyrings.get(SERVICE, self._entry(server)) if keyrings.is_usable() else None
        except keyrings.KeyringError as error:
            raise LoginStoreError(str(error)) from None

    def _keyring_takes(self, server: str, text: str) -> bool:
        try:
            keyrings.put(SERVICE, self._entry(server), text)
        except keyrings.KeyringError:
            return False  # locked, or its service is gone: the file keeps it
        return True

    def _file(self, server: str) -> Path:
        return self._directory / f"{server}.json"

    def _entry(self, server: str) -> str:
        return f"{server} ({self._directory})"


def _words(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{path}: {error.strerror or error}"
    return str(error) if isinstance(error, files.UnsafeFileError) else f"{path}: is not UTF-8"
