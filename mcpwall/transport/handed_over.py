"""The descriptors that a shim hands over: taken one by one, and none left open where that fails.

A shim of another version, or a process that only pretends to be one, must not use up those of the
engine, which every session needs.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Self

from mcpwall.transport.ends import End, open_end
from mcpwall.transport.errors import stderr
from mcpwall.transport.journal import Journal

if TYPE_CHECKING:
    from types import TracebackType


class HandedOver:
    """Descriptors in the order in which they came. As a context, closes all of them on an error."""

    def __init__(self, descriptors: list[int]) -> None:
        self._left = descriptors
        self._taken: list[End] = []

    def __len__(self) -> int:
        """How many have not been taken."""
        return len(self._left)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.close()

    def close(self) -> None:
        """Close what was not taken, and what was."""
        for end in self._taken:
            end.close()
        for descriptor in self._left:
            with contextlib.suppress(OSError):  # it was none
                os.close(descriptor)
        self._taken, self._left = [], []

    def end(self, *, writes: bool) -> End:
        """The next one, as an end to read from or to write to. Raises OSError."""
        return self._take(open_end(self._left[0], writes=writes))

    def stderr(self) -> End:
        """The next one, as the agent's stderr. Raises OSError."""
        return self._take(stderr(self._left[0]))

    def journal(self) -> Journal:
        """The next one, as a session's journal. Raises ValueError or OSError."""
        journal = Journal(self._left[0])
        os.close(self._left.pop(0))
        return journal

    def _take(self, end: End) -> End:
        del self._left[0]
        self._taken.append(end)
        return end
