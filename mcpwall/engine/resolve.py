"""The real path behind a text that names one: the one place where judging meets the disk."""

from __future__ import annotations

import os
import re
import sys
from typing import Final
from urllib.parse import unquote, urlsplit

_LOOK = getattr(os, "O_PATH", 0)  # opens nothing: only says what is there
PARTS_MAX: Final = 256
_CODED_SIGN: Final = re.compile("%(2e|2f|5c|00)", re.IGNORECASE)
_CASELESS = sys.platform in ("darwin", "win32")


def resolve(text: str, directory: str) -> str:
    """The absolute path that `text` means to a program in `directory`.

    `~`, `..`, `file:` URLs and symlinks are resolved; what does not exist keeps its name. Where
    file systems ignore letter case, so does the result. Raises ValueError for what no file can
    be called (a NUL byte), for what programs take for different files, and for too many parts.
    """
    if "\0" in text:
        raise ValueError("a path has no NUL byte")
    if text[:5].lower() == "file:":
        text = _of_url(text)
    if text.startswith("~"):
        text = os.path.expanduser(text)
    path = os.path.join(directory or "/", text)
    if path.count("/") > PARTS_MAX:
        raise ValueError(f"a path has at most {PARTS_MAX} parts")
    real = _real(path)
    if "/.." in path and _real(os.path.normpath(path)) != real:
        raise ValueError("a .. behind a link: some programs follow the link first, others do not")
    return real.casefold() if _CASELESS else real


def _of_url(url: str) -> str:
    """The path in a `file:` URL (RFC 8089). Raises ValueError where programs differ.

    Many strip `file://` and decode nothing: a host, a query or a coded sign is another path then.
    """
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or "?" in url or "#" in url:
        raise ValueError("a file: URL has a path and nothing else")
    if _CODED_SIGN.search(url):
        raise ValueError("a file: URL writes dots and slashes as they are")
    return unquote(parts.path)


def _real(path: str) -> str:
    """What `os.path.realpath` says; by the kernel's own word where it has one."""
    if not _LOOK:
        return os.path.realpath(path)
    try:
        fd = os.open(path, _LOOK | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.path.realpath(path) if "/.." in path else _real_parent(path)
    except OSError:
        return os.path.realpath(path)
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return os.path.realpath(path)
    finally:
        os.close(fd)


def _real_parent(path: str) -> str:
    """The same for a path whose last part, at least, does not exist."""
    parent, name = os.path.split(path)
    if name in ("", ".") or os.path.islink(path):
        return os.path.realpath(path)
    return os.path.join(_real(parent), name)
