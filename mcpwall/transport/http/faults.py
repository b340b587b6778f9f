"""Words for what goes wrong with a remote server. Pure; nothing that the server wrote gets in.

`place` is how a text calls the server: its name and origin. A path or query is never shown, since
some servers take it for the credential.
"""

from __future__ import annotations

import email.utils
import math
import re
from typing import Final

from mcpwall.transport.http.remote import Fault, Trouble

RETRY_MAX_S: Final = 86_400.0

_CLIENT_ERRORS: Final = range(400, 500)
_REDIRECTS: Final = range(300, 400)
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_INSUFFICIENT: Final = re.compile(r'error="?insufficient_scope\b')
_SCOPES: Final = re.compile(r'\bscope="([\w:./ -]{1,200})"', re.ASCII)
_NOT_EXECUTED: Final = {  # the server says that it did not take the request up
    401: (Trouble.LOGIN, "does not take the wall's credentials"),
    403: (Trouble.FORBIDDEN, "does not permit this to the wall's credentials"),
    404: (Trouble.GONE, "knows no such session, or nothing is at this address"),
    405: (Trouble.METHOD, "does not take this kind of request at this address"),
    429: (Trouble.BUSY, "gets too many requests"),
}


class ConnectionFault(Exception):  # noqa: N818 - it becomes a Fault
    """A request got no whole answer: `what`, in words.

    `connected`: it may have reached the server.
    """

    def __init__(self, what: str, *, connected: bool) -> None:
        super().__init__(what)
        self.what = what
        self.connected = connected


def status(
    place: str, code: int, *, body: bytes = b"", retry_s: float | None = None, advice: str = ""
) -> Fault:
    """An answer that is no success. `advice`: see `advice`."""
    told = f"{place} answered with HTTP {code}"
    if code in _NOT_EXECUTED:
        trouble, what = _NOT_EXECUTED[code]
        if trouble is Trouble.BUSY and retry_s is not None:
            advice = f"try again in {math.ceil(retry_s)} s"
        text = f"{place} {what} (HTTP {code}){f'; {advice}' if advice else ''}"
        return Fault(trouble, text, status=code, retry_s=retry_s, body=body)
    if code in _CLIENT_ERRORS:
        return Fault(Trouble.REFUSED, f"{told}: it refuses the request", status=code, body=body)
    if code in _REDIRECTS:
        text = f"{told}, which leads nowhere; check its url in the config"
        return Fault(Trouble.REDIRECT, text, status=code)
    text = f"{told}: it is broken or overloaded"
    return Fault(Trouble.BROKEN, text, may_have_run=True, status=code, retry_s=retry_s, body=body)


def advice(name: str, code: int, challenge: str, *, oauth: bool) -> str:
    """What to do against a 401 or 403 of the server `name`; "" where there is nothing to say.

    `challenge` is its WWW-Authenticate (RFC 6750, section 3): of it, only the names of scopes are
    repeated.
    """
    run = f"run `mcpwall login {name}`"
    if code == _UNAUTHORIZED:
        headers = f"check the headers of [servers.{name}], or add oauth = true there and {run}"
        return run if oauth else headers
    if code == _FORBIDDEN and oauth and _INSUFFICIENT.search(challenge):
        found = _SCOPES.search(challenge)
        wanted = f" ({found[1]})" if found else ""
        return f"it wants other scopes{wanted}; name all under [servers.{name}.oauth], and {run}"
    return ""


def elsewhere(place: str, code: int, origin: str) -> Fault:
    """A redirect that is not followed, because it leads to another origin ("": to no URL)."""
    if not origin:
        return status(place, code)
    text = (
        f"{place} redirects to {origin}, where the wall does not follow with its credentials; if "
        "that is right, put the new address into its url in the config"
    )
    return Fault(Trouble.REDIRECT, text, status=code)


def login(place: str, why: str) -> Fault:
    """There is no token to send; `why` says so and what to do."""
    return Fault(Trouble.LOGIN, f"{place} needs a login: {why}")


def setup(place: str, why: str) -> Fault:
    """The wall cannot put the request together: nothing was sent."""
    return Fault(Trouble.SETUP, f"{place} cannot be asked: {why}")


def disconnected(place: str, error: ConnectionFault, *, ran: bool) -> Fault:
    """No connection came about, or it ended too early. `ran`: a request of this kind may act."""
    if error.connected:
        return Fault(Trouble.CUT, f"{place} failed: {error.what}", may_have_run=ran)
    return Fault(Trouble.UNREACHABLE, f"{place} cannot be reached: {error.what}")


def silent(place: str, seconds: float, *, ran: bool) -> Fault:
    """Nothing came in time."""
    text = f"{place} sent nothing for {seconds:g} s"
    return Fault(Trouble.SILENT, text, may_have_run=ran)


def foreign(place: str, what: str, *, ran: bool, code: int = 0) -> Fault:
    """What came is not MCP. `what` says in the wall's own words what it is."""
    told = f" (HTTP {code})" if code else ""
    text = f"{place} sent {what}{told}; check its url in the config"
    return Fault(Trouble.FOREIGN, text, may_have_run=ran, status=code)


def unexpected(place: str, error: Exception, *, ran: bool) -> Fault:
    """The wall itself failed."""
    text = f"the wall failed on an answer of {place} ({type(error).__name__})"
    return Fault(Trouble.FOREIGN, text, may_have_run=ran)


def retry_after(value: str, now_s: float) -> float | None:
    """The seconds that a Retry-After header means, at most a day. RFC 9110, 10.2.3."""
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), RETRY_MAX_S)
    try:
        at = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - now_s, 0.0), RETRY_MAX_S)
