"""What a change of the rules would do, as lines: calls judged again, and the lines of the file.

Pure. What comes from files and from the engine's messages may be foreign and passes `safe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.tui.review.layout import prose, safe, wrap

if TYPE_CHECKING:
    from mcpwall.engine.port_rules import Previewed
    from mcpwall.tui.widgets.lines import Line, Part

_MARKS = {"+": "ok", "-": "bad"}


def effect(previewed: Previewed, room: int) -> list[Line]:
    """The whole effect of a change."""
    counts = (
        (previewed.allowed, "newly allowed", "warn"),
        (previewed.asked, "would be asked", "waiting"),
        (previewed.limited, "would be limited", "warn"),
        (previewed.denied, "would be denied", "bad"),
    )
    matched = f"matches {len(previewed.matched):,} of the last {previewed.checked:,} calls"
    parts: list[Part] = [(f" {matched}", "strong")]
    for calls, words, style in counts:
        if calls:
            parts.append((f"   {len(calls):,} {words}", style))
    if not any(calls for calls, _, _ in counts):
        parts.append(("   the verdict on none of them would change", "dim"))
    return [parts, *diff_lines(previewed.diff, room)]


def diff_lines(diff: str, room: int) -> list[Line]:
    """A unified diff without its header, nothing cut."""
    lines: list[Line] = []
    for text in diff.splitlines():
        if text.startswith(("---", "+++", "@@")):
            continue
        style = _MARKS.get(text[:1], "dim")
        lines += [[(f" {part}", style)] for part in wrap(safe(text), room - 2)]
    return lines


def trouble(text: str, room: int) -> list[Line]:
    """What is wrong, nothing cut."""
    return [[(" ▲ " if at == 0 else "   ", "alarm"), (part, "alarm")]
            for at, part in enumerate(prose(safe(text), room - 4))]  # fmt: skip
