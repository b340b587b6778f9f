"""The real path behind a text that names one: the one place where judging meets the disk."""

from __future__ import annotations

import os
import sys
from urllib.parse import unquote, urlsplit

_LOOK = getattr(os, "O_PATH", 0)  # opens nothing: only says what is there
_CASELESS = sys.platform in ("darwin", "win32")


def resolve(text: str, directory: str) -> str:
    """The absolute path that `text` means to a program in `directory`.

    `~`, `..`, `file:` URLs and symlinks are resolved; what does not exist keeps its name. Where
    file systems ignore letter case, so does the result. Raises ValueError for what no file can
    be called (a NUL byte).
    """
    if "\0" in text:
        raise ValueError("a path has no NUL byte")
    if text[:5].lower() == "file:":
        text = unquote(urlsplit(text).path)
    if text.startswith("~"):
        text = os.path.expanduser(text)  # noqa: PTH111
    path = _real(os.path.join(directory or "/", text))  # noqa: PTH118
    return path.casefold() if _CASELESS else path


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
        return os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115 - on every call
    except OSError:
        return os.path.realpath(path)
    finally:
        os.close(fd)


def _real_parent(path: str) -> str:
    """The same for a path whose last part, at least, does not exist."""
    parent, name = os.path.split(path)
    if name in ("", ".") or os.path.islink(path):  # noqa: PTH114
        return os.path.realpath(path)
    return os.path.join(_real(parent), name)  # noqa: PTH118
