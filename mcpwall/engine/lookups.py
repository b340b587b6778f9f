"""Where paths led when a verdict was made: `resolve`, with a note of it for the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcpwall.policy.operators import Resolve


class Lookups:
    """A `resolve` for one verdict. `found`: text and directory, and where that led, if anywhere."""

    __slots__ = ("_resolve", "found")

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self.found: dict[tuple[str, str], str | None] = {}

    def __call__(self, text: str, directory: str) -> str:
        """The absolute path; raises what `resolve` raises."""
        self.found[text, directory] = None
        path = self.found[text, directory] = self._resolve(text, directory)
        return path

    def noted(self) -> tuple[tuple[str, str, str | None], ...]:
        """All that was looked up, in order."""
        if not self.found:  # most verdicts
            return ()
        return tuple((text, place, led) for (text, place), led in self.found.items())
