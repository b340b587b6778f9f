"""A resource's URI as programs that tidy it up read it, beside the text that an agent wrote. Pure.

`new URL()` of JavaScript strips white space and control characters, lowers the scheme, and goes up
at `..`; servers decode what is percent-coded, and of a `file:` URI take the path alone. So
`FILE:///etc/./passwd` and `file:///%65tc/passwd` are the same file as `file:///etc/passwd`.

Sources: RFC 3986 section 6.2; RFC 8089; WHATWG URL, "URL parsing".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

METHODS: Final = frozenset({"resources/read", "resources/subscribe"})  # which are about a URI

_EDGE: Final = "".join(map(chr, range(0x21)))  # C0 controls and space
_DROPPED: Final = str.maketrans("", "", "\t\r\n")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_QUERY: Final = re.compile(r"[?#].*", re.DOTALL)
# Schemes that browsers know, and the ports that they leave out.
_PORTS: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}


def readings(uri: str) -> tuple[str, ...]:
    """The other forms in which programs find a URI, each once: mostly none.

    Its plain form, and another one where `..` stands behind a doubled slash: to programs that
    open files it takes a directory back, to those that read URLs the nothing between two slashes.
    """
    text = uri.strip(_EDGE).translate(_DROPPED)
    forms = (_plain(text, _up), _plain(text, _up_as_browsers))
    return tuple(form for form in dict.fromkeys(forms) if form != uri)


def _plain(text: str, up: Callable[[str], str]) -> str:
    """The URI in its plain form; what is none, as it is."""
    scheme, colon, rest = text.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        return text
    scheme = scheme.lower()
    query = _QUERY.search(rest)
    if query is not None:
        rest = rest[: query.start()]
    path = unquote(rest).replace("\\", "/")
    if scheme == "file":
        if path.startswith("//"):
            path = path[2:].partition("/")[2]  # behind the host
        return f"file://{up(path)}"
    tail = query[0] if query else ""
    if port := _PORTS.get(scheme):
        path = f"//{path.lstrip('/')}"  # to browsers a host follows, after however many slashes
    if path.startswith("//"):
        host, slash, path = path[2:].partition("/")
        host = host.lower().removesuffix(f":{port}") if port else host.lower()
        return f"{scheme}://{host}{up(path) if slash else ''}{tail}"
    return f"{scheme}:{up(path) if path.startswith('/') else path}{tail}"


def _up(path: str) -> str:
    """An absolute path without `.`, `..` and doubled slashes; a slash at its end stays."""
    tidy = posixpath.normpath(f"/{path.lstrip('/')}")
    return f"{tidy}/" if path.endswith("/") and tidy != "/" else tidy


def _up_as_browsers(path: str) -> str:
    """The same, but a `..` goes up before doubled slashes become one."""
    parts: list[str] = []
    for part in path.removeprefix("/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part != ".":
            parts.append(part)
    if path.endswith(("/.", "/..")):
        parts.append("")  # what is left is a directory
    return _up("/".join(parts))
