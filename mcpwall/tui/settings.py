"""How the app looks and how it calls for a person: what the config says of it, as a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mcpwall.tui.guarding import Agents, NoAgents

if TYPE_CHECKING:
    from collections.abc import Callable


def _forget(_theme: str) -> None:
    """A theme that nobody remembers."""


def _no_editor(_path: str, _line: int) -> str:
    return "there is no editor here"


def _no_demo() -> str:
    return "there is no demo here"


class Settings(msgspec.Struct, frozen=True):
    """`theme` is the name to begin with; `notify` is "osc9", "osc777" or "off".

    `remember` is told which theme the person chose; `edit` opens a file in their editor at a
    line (0: anywhere) and says what went wrong; `demo` runs the demo on this terminal until it
    ends, and says that too. `agents` answers for the agents' own config files.
    """

    theme: str = "dark"
    bell: bool = True
    notify: str = "off"
    remember: Callable[[str], None] = _forget
    edit: Callable[[str, int], str] = _no_editor
    demo: Callable[[], str] = _no_demo
    agents: Agents = msgspec.field(default_factory=NoAgents)
