"""Which texts programs take for paths, and for which they take them apart. Pure.

Programs tidy a path up before they open it: they strip white space at its ends, and take out `./`,
doubled slashes and what a `..` takes back, line ends and thousands of characters with it. So what
looks like prose, or is longer than any path, may be one to them.

Sources: POSIX.1 "Pathname Resolution"; `path.resolve` of Node; WHATWG URL, "URL parsing".
"""

from __future__ import annotations

import posixpath
import re
from typing import Final

PATH_MAX: Final = 4_096  # characters of a path, Linux's limit
TIDIED_MAX: Final = 262_144  # characters of a text that is tidied up here
_TRIMMED: Final = "\"'\ufeff"  # what some take off a path's ends besides space, and others do not
_VARIABLE: Final = re.compile(r"\$[A-Za-z_{]")  # at its start: some put a variable's value in
# `file:` to who reads URLs as browsers do, and a name to everybody else.
_ODD_URL: Final = re.compile(
    r"(?!file:[^\t\r\n]*\Z)[\0-\x20]*f[\t\r\n]*i[\t\r\n]*l[\t\r\n]*e[\t\r\n]*:", re.IGNORECASE
)


def is_read_apart(text: str) -> bool:
    """Whether programs take a text for different paths by how it begins or ends."""
    return (
        text.strip() != text
        or text.strip(_TRIMMED) != text
        or _VARIABLE.match(text) is not None
        or _ODD_URL.match(text) is not None
    )


def path_in(text: str) -> str | None:
    """What of a text can be a path; None where it is prose, or the content of a file.

    It is the whole text, but for white space at its ends where it has line ends there.
    """
    if len(text) <= PATH_MAX and "\n" not in text:
        return text
    if text[:5].lower() == "file:" or _ODD_URL.match(text):
        return text
    text = text.strip()
    if "\n" in text:  # a path only if a `..` takes the last of them back
        return text if text.find("/..", text.rfind("\n")) >= 0 else None
    return text if len(text) <= PATH_MAX or _may_be_short(text) else None


def _may_be_short(text: str) -> bool:
    """Whether a long text without line ends may be a path once it is tidied up."""
    if "/.." not in text:
        return len(text) - 2 * (text.count("./") + text.count("//")) <= PATH_MAX
    return len(text) > TIDIED_MAX or len(posixpath.normpath(text)) <= PATH_MAX
