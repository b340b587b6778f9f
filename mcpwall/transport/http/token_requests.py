"""What the wall says to the token endpoint of an authorization server, and what it takes back.

Pure. Sources: RFC 6749, sections 2.3.1, 5 and 6; RFC 7009; RFC 8707. The login itself, from
discovery to the first token, is the SDK's (`mcpwall.cli.oauth`).
"""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from mcpwall.store.logins import Login
from mcpwall.store.remotes import is_loopback

FORM: Final = "application/x-www-form-urlencoded"
OK: Final = 200
_CLIENT_ERRORS: Final = (400, 401, 403)
_CODE: Final = re.compile(r"[a-z_]{1,40}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,65536}")
_PASSING: Final = ("temporarily_unavailable", "server_error", "slow_down")


class RefusedError(Exception):
    """No new token; str() says why. `ended`: only a new login helps."""

    def __init__(self, why: str, *, ended: bool) -> None:
        super().__init__(why)
        self.ended = ended


class _Granted(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: float | None = None
    refresh_token: str = ""
    scope: str = ""


class _Error(msgspec.Struct):
    error: str = ""


def refresh(login: Login) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request for a new access token."""
    form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token}
    if login.resource:
        form["resource"] = login.resource
    return _by_client(login, form)


def revoke(login: Login) -> tuple[dict[str, str], bytes]:
    """Headers and body of a request to end a login: its refresh token, else its access token."""
    hint = "refresh_token" if login.refresh_token else "access_token"
    token = login.refresh_token or login.access_token
    return _by_client(login, {"token": token, "token_type_hint": hint})


def renewed(login: Login, status: int, body: bytes, now_ms: int) -> Login:
    """The login with the tokens that a token endpoint answered. Raises RefusedError."""
    if status != OK:
        raise _refused(status, body)
    try:
        granted = msgspec.json.decode(body, type=_Granted, strict=False)
    except msgspec.MsgspecError:
        raise RefusedError("the answer is no token", ended=False) from None
    if granted.token_type.lower() != "bearer" or not _TOKEN.fullmatch(granted.access_token):
        raise RefusedError("the answer is a token of a kind that is not known", ended=False)
    fresh = msgspec.structs.replace(
        login,
        access_token=granted.access_token,
        refresh_token=granted.refresh_token or login.refresh_token,
        scope=granted.scope or login.scope,
    )
    return fresh.lasting(granted.expires_in, now_ms)


def is_safe(url: str) -> bool:
    """Whether a token may be sent there: over TLS, or within this machine."""
    return url.startswith("https://") or (url.startswith("http://") and is_loopback(url))


def _refused(status: int, body: bytes) -> RefusedError:
    """What an error means; only the code that the RFC names is taken from its body."""
    try:
        code = msgspec.json.decode(body, type=_Error).error
    except msgspec.MsgspecError:
        code = ""
    code = code if _CODE.fullmatch(code) else ""
    ended = status in _CLIENT_ERRORS and bool(code) and code not in _PASSING
    return RefusedError(f"HTTP {status}{f', {code}' if code else ''}", ended=ended)


def _by_client(login: Login, form: dict[str, str]) -> tuple[dict[str, str], bytes]:
    headers = {"content-type": FORM, "accept": "application/json"}
    if login.auth_method == "client_secret_basic":
        pair = f"{quote(login.client_id, safe='')}:{quote(login.client_secret, safe='')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form = {**form, "client_id": login.client_id}
        if login.auth_method == "client_secret_post":
            form["client_secret"] = login.client_secret
    return headers, urlencode(form).encode()
