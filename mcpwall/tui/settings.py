"""How the app looks and how it calls for a person: what the config says of it, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def _forget(_theme: str) -> None:
    """A theme that nobody remembers."""


def _no_editor(_path: str) -> str:
    return "there is no editor here"


def _nothing() -> int:
    return 0


@dataclass(frozen=True)
class Settings:
    """`theme` is the name to begin with; `notify` is "osc9", "osc777" or "off".

    `remember` is told which theme the person chose; `edit` opens a file in their editor and says
    what went wrong. `unguarded` counts the agents' servers that `mcpwall init` would route; it
    reads files, so it is asked in a thread.
    """

    theme: str = "dark"
    bell: bool = True
    notify: str = "off"
    remember: Callable[[str], None] = _forget
    edit: Callable[[str], str] = _no_editor
    unguarded: Callable[[], int] = _nothing
