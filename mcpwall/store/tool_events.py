"""What becomes of tools' definitions, as the audit records it: values, and how one becomes a row.

No I/O here. The rows are chained with those of calls and steps (`store.chain`).
"""

from __future__ import annotations

from typing import Any

import msgspec

EVENT_COLUMNS = (
    *("seq", "at_ms", "steady_ns", "boot", "server", "tool", "what", "before", "after", "by"),
)


class ToolEvent(msgspec.Struct, frozen=True):
    """Something that happened to a tool, or with tool "" to its server's instructions.

    `what` is first seen, new, changed, doubled, as pinned again or accepted; or forgotten, which
    happens to a server with all its tools.

    `before` is what was pinned, `after` what the server says now: JSON text, "" where there is
    none or it was too large to keep. `by` is `By.PERSON` where one decided, else "".
    """

    at_ms: int
    steady_ns: int
    server: str
    tool: str
    what: str
    before: str
    after: str
    by: str = ""


def event_values(event: ToolEvent, seq: int, boot: str) -> tuple[Any, ...]:
    """The values of EVENT_COLUMNS."""
    return (
        seq,
        event.at_ms,
        event.steady_ns,
        boot,
        event.server,
        event.tool,
        event.what,
        event.before,
        event.after,
        event.by,
    )


def event_of(values: tuple[Any, ...]) -> ToolEvent:
    """From the values of EVENT_COLUMNS."""
    _, at_ms, steady_ns, _, *rest = values
    return ToolEvent(at_ms, steady_ns, *rest)
