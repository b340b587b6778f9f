"""The real path behind a text that names one: the one place where judging meets the disk."""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import Final
from urllib.parse import unquote, urlsplit

_LOOK = getattr(os, "O_PATH", 0)  # opens nothing: only says what is there
PARTS_MAX: Final = 256
LINKS_MAX: Final = 40  # as many as Linux follows
_CODED_SIGN: Final = re.compile("%(2e|2f|5c|00)", re.IGNORECASE)
_READ_APART: Final = re.compile(r"[\\\t\r\n]|^.{5}(?!/)", re.DOTALL)
_PROC = os.stat("/proc").st_dev if sys.platform == "linux" and os.path.isdir("/proc/self") else 0
_CASELESS = sys.platform in ("darwin", "win32")


def resolve(text: str, directory: str) -> str:
    """The absolute path that `text` means to a program in `directory`.

    `~`, `..`, `file:` URLs and symlinks are resolved; what does not exist keeps its name. Where
    file systems ignore letter case, so does the result. Raises ValueError for what no file can
    be called (a NUL byte), for what programs take for different files, for links that lead each
    process elsewhere (`/proc/self/cwd`), and for too many parts.
    """
    if "\0" in text:
        raise ValueError("a path has no NUL byte")
    here = directory or "/"
    if text[:5].lower() == "file:":
        text = _of_url(text, here)
    if text.startswith("~") and (meant := os.path.expanduser(text)) != text:
        _check_as_written(text, here)
        text = meant
    path = os.path.join(here, text)
    if path.count("/") > PARTS_MAX:
        raise ValueError(f"a path has at most {PARTS_MAX} parts")
    real = _real(path)
    if real != path and _PROC:
        _check_links(path)
    if "/.." in path and _real(os.path.normpath(path)) != real:
        raise ValueError("a .. behind a link: some programs follow the link first, others do not")
    return real.casefold() if _CASELESS else real


def _check_as_written(text: str, directory: str) -> None:
    """Raise ValueError where programs that take a text as it stands find something by its name.

    A project can bring a directory called `~` or `file:`, with links in it that lead anywhere.
    """
    if os.path.lexists(os.path.join(directory, text.partition("/")[0])):
        raise ValueError("a path that is also one as it is written")


def _of_url(url: str, directory: str) -> str:
    """The path in a `file:` URL (RFC 8089). Raises ValueError where programs differ.

    Many strip `file://` and decode nothing: a host, a query or a coded sign is another path then.
    Those that read it as browsers do take a backslash for a slash, drop tabs and line ends, start
    at the root, and have `..` take back what stands between two slashes, though it be nothing.
    """
    _check_as_written(url, directory)
    if _READ_APART.search(url):
        raise ValueError("a file: URL has no backslash and no line end, and starts with a slash")
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or "?" in url or "#" in url:
        raise ValueError("a file: URL has a path and nothing else")
    if _CODED_SIGN.search(url) or ("//" in parts.path and "/.." in parts.path):
        raise ValueError("a file: URL writes dots and slashes as they are, and each slash once")
    plain, coded, rest = parts.path.partition("%")
    if coded and os.path.lexists(os.path.join(directory, plain + coded + rest.partition("/")[0])):
        raise ValueError("a path that is also one as it is written")
    return unquote(parts.path, errors="strict")


def _check_links(path: str) -> None:
    """Raise ValueError where a path goes through a link of procfs, as it stands there or by others.

    There `self`, `cwd` and the like mean the process that looks: not the engine, but the server.
    """
    at, left, links = "/", path.split("/")[::-1], 0
    while left:
        part = left.pop()
        if part in ("", "."):
            continue
        here = os.path.dirname(at) if part == ".." else os.path.join(at, part)
        target = _target(here)
        if target is None:
            at = here
            continue
        links += 1
        if links > LINKS_MAX:
            raise ValueError("a path leads through too many links")
        at = "/" if target.startswith("/") else at
        left += target.split("/")[::-1]


def _target(path: str) -> str | None:
    """Where a link leads, None for what is none. Raises ValueError for one of procfs."""
    try:
        info = os.lstat(path)
        if not stat.S_ISLNK(info.st_mode):
            return None
        if info.st_dev == _PROC:
            raise ValueError("a link in this path leads each process elsewhere")
        return os.readlink(path)
    except OSError:
        return None  # it is not there, or nobody may look


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
