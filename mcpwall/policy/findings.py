"""What one look at a tool found, for the rooms in which `risk` looks: name, text, schema.

Pure values; the worst finding decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from mcpwall.model import Risk

_SEVERITY = (Risk.READ, Risk.WRITE, Risk.EXECUTE, Risk.FINANCIAL, Risk.DESTRUCTIVE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_NAME_MAX = 200  # characters of a name that are looked at
_SHOWN_MAX = 60  # characters of a foreign name in a sentence


class Finding(NamedTuple):
    """A risk (never UNKNOWN) and the sentence that says where it was seen.

    `verb` is the verb that was seen, if it was one; `sure` is false where it may as well be a noun.
    """

    risk: Risk
    why: str
    verb: str = ""
    sure: bool = True


def worst(findings: Iterable[Finding | None]) -> Finding | None:
    """The finding of the highest risk, the first of several; None where nothing was found."""
    found = [finding for finding in findings if finding is not None]
    return max(found, key=lambda finding: _SEVERITY.index(finding.risk), default=None)


def words_of(name: str) -> list[str]:
    """The words of an identifier, in small letters: `getHTTPStatus`, `get-http_status`."""
    return [word.lower() for word in _WORD.findall(name[:_NAME_MAX])]


def quoted(name: str) -> str:
    """A foreign name as it stands in a sentence: cut short, in quotes."""
    return f'"{name[:_SHOWN_MAX]}{"…" if len(name) > _SHOWN_MAX else ""}"'
