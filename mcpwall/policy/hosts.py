r"""The host of a URL, as every parser reads it, or no answer.

Programs disagree on odd URLs (`https://good.example\@evil.example`, `https:/evil.example`,
`http://0x7f.1`), and a rule is worth nothing if the server's library reads another host than the
wall. So a host is named only for a URL in which the known parsers (RFC 3986, WHATWG, curl, Python)
agree, in lower case, without a closing dot, international names in their ASCII form (RFC 3490), IP
addresses in their canonical form. For everything else the answer is None: cannot be evaluated.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from unicodedata import ucd_3_2_0

import re2

HOST_MAX = 253  # characters, RFC 1035 section 2.3.4
URL_MAX = 16_384  # characters of a text that is read as one URL

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_USERINFO = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%-]*")  # RFC 3986 section 3.2.1
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a last label that makes a host an IPv4 address
_PLAIN_IPV4 = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
# Characters that two generations of the standard for international names map differently; of those
# that came after Unicode 3.2 (RFC 3454) the older one knows nothing.
_DEVIANT = re.compile("[ßςẞ\u200c\u200d\u13a0-\u13f5]")
# In URLs of other schemes some programs leave names that are not ASCII as they are.
_INTERNATIONAL = frozenset(("http", "https", "ws", "wss", "ftp"))
# What a program might take for a URL inside other text. Linear in the text, so re2.
_URL = re2.compile(
    r"(?i)(?:[a-z][a-z0-9+.\-]{0,30}:[\\/]{2}|[\\/]{2}|\b(?:https?|wss?|ftps?):)[^\s\"'<>`|(){}]+"
)
_STARTS_AS_URL = re.compile(
    r"\s*(?:(?:[a-z][a-z0-9+.-]{0,30}:)?[\\/]{2}|(?:https?|wss?|ftps?):)", re.IGNORECASE
)
# The same up to the end of the host, to who reads a text as browsers do: in what goes before an "@"
# anything may stand, and at the text's edges what some strip.
_ORIGIN = re.compile(
    r"((?:[a-z][a-z0-9+.-]{0,30}:)?[\\/]{2,}|(?:https?|wss?|ftps?):[\\/]*)([^\\/?#]*)",
    re.IGNORECASE,
)
_EDGES = "".join(map(chr, range(33))) + "\"'\x85\xa0\u2028\u2029\u3000\ufeff"


class HostPatternError(ValueError):
    """A `host` pattern that no host can match as meant; the text says why."""


def host_of(url: str) -> str | None:
    """The host that every parser finds in `url`, or None when they may differ or there is none."""
    if len(url) > URL_MAX or "\\" in url or any(ord(char) < 32 or char == "\x7f" for char in url):  # noqa: PLR2004 - control characters are dropped by some parsers
        return None
    scheme = _SCHEME.match(url)
    if scheme is None:
        return None
    rest = url[scheme.end() :]
    end = next((i for i, char in enumerate(rest) if char in "/?#"), len(rest))
    authority = rest[:end]
    if rest[end : end + 1] in ("?", "#") and "@" in rest[end:]:
        return None  # some parsers read on to the "@"
    userinfo, _, hostport = authority.rpartition("@")
    if not _USERINFO.fullmatch(userinfo) or any(char.isspace() for char in hostport):
        return None
    if hostport.startswith("["):
        literal, closed, port = hostport[1:].partition("]")
        host = _ipv6(literal) if closed else None
    else:
        name, colon, digits = hostport.partition(":")
        port = colon + digits
        if not name.isascii() and scheme[1].lower() not in _INTERNATIONAL:
            return None
        host = canonical_host(name)
    if port and not (port.startswith(":") and (port[1:] == "" or _is_port(port[1:]))):
        return None
    return host


def canonical_host(name: str) -> str | None:
    """A host name or IPv4 address in its one form, or None for what parsers may read apart."""
    if not name.isascii():
        if len(name) > HOST_MAX or _DEVIANT.search(name) or any(map(_is_new, name)):
            return None
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = name.lower().removesuffix(".")
    if len(host) > HOST_MAX or not _HOST.fullmatch(host):
        return None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _ipv4(host)
    return host


def host_pattern(pattern: str) -> str:
    """A glob over hosts as `host_of` writes them. Raises HostPatternError.

    `!` in front stays; IPv6 is written with or without brackets.
    """
    sign, text = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if any(char in text for char in "/\\@ ") or not text:
        raise HostPatternError(f'"{pattern}" is no host: write "example.com" or "*.example.com"')
    if ":" in text:
        literal = _ipv6(text.removeprefix("[").removesuffix("]"))
        if literal is None:
            raise HostPatternError(f'"{pattern}" is no host: a host has no scheme and no port')
        return sign + literal
    labels = []
    for label in text.removesuffix(".").split("."):
        ascii_label = label if label.isascii() else canonical_host(label)
        if ascii_label is None:
            raise HostPatternError(f'"{pattern}": write "{label}" in its ASCII form, "xn--…"')
        labels.append(ascii_label.lower())
    return sign + ".".join(labels)


def urls_in(text: str) -> Iterator[str]:
    """What a program might take for URLs in `text`: the whole of it, or the pieces that look so."""
    if " " not in text and _STARTS_AS_URL.match(text):
        yield text
        return
    if origin := _origin(text):
        yield origin
    yield from (match.group() for match in _URL.finditer(text))


def _origin(text: str) -> str | None:
    """Where a text leads that is one URL to browsers, which drop tabs and line ends; else None.

    Source: WHATWG URL, "URL parsing".
    """
    for dropped in "\t\r\n":
        text = text.replace(dropped, "")
    found = _ORIGIN.match(text.strip(_EDGES))
    if found is None or any(char.isspace() for char in found[2].rpartition("@")[2]):
        return None
    return found[0]


def _is_new(char: str) -> bool:
    return ucd_3_2_0.category(char) == "Cn"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 0xFFFF  # noqa: PLR2004 - RFC 9293, 16 bits


def _ipv4(host: str) -> str | None:
    if not _PLAIN_IPV4.fullmatch(host):
        return None
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        return None


def _ipv6(literal: str) -> str | None:
    if "%" in literal:
        return None
    try:
        address = ipaddress.IPv6Address(literal)
    except ValueError:
        return None
    return str(address.ipv4_mapped or address)
