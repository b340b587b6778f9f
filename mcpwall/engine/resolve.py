"""The real path behind a text that names one: the only place where judging meets the file system."""

from __future__ import annotations

import os
import sys
from urllib.parse import unquote, urlsplit

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
    path = os.path.realpath(os.path.join(directory or "/", os.path.expanduser(text)))  # noqa: PTH111, PTH118
    return path.casefold() if _CASELESS else path
