"""A resource's URI as programs that tidy it up read it, beside the text that an agent wrote. Pure.

`new URL()` of JavaScript strips white space and control characters, lowers the scheme, and goes up
at `..`; servers decode what is percent-coded, and of a `file:` URI take the path alone. So
`FILE:///etc/./passwd` and `file:///%65tc/passwd` are the same file as `file:///etc/passwd`.

Sources: RFC 3986 section 6.2; RFC 8089; WHATWG URL, "URL parsing".
"""

from __future__ import annotations

import posixpath
import re
from typing import Final
from urllib.parse import unquote

METHODS: Final = frozenset({"resources/read", "resources/subscribe"})  # which are about a URI

_EDGE: Final = "".join(map(chr, range(0x21)))  # C0 controls and space
_DROPPED: Final = str.maketrans("", "", "\t\r\n")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_QUERY: Final = re.compile(r"[?#].*", re.DOTALL)


def plain(uri: str) -> str:
    """The URI in its plain form; what is none, without what is stripped at its edges."""
    text = uri.strip(_EDGE).translate(_DROPPED)
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
        return f"file://{_up(path)}"
    tail = query[0] if query else ""
    if path.startswith("//"):
        host, slash, path = path[2:].partition("/")
        return f"{scheme}://{host.lower()}{_up(path) if slash else ''}{tail}"
    return f"{scheme}:{path}{tail}"


def _up(path: str) -> str:
    """An absolute path without `.`, `..` and doubled slashes; a slash at its end stays."""
    tidy = posixpath.normpath(f"/{path.lstrip('/')}")
    return f"{tidy}/" if path.endswith("/") and tidy != "/" else tidy
