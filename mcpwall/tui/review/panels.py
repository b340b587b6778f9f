"""The parts of the review screen around the arguments, as styled lines. Pure: values in, lines out.

Foreign text passes `layout.safe` here; what a decision rests on (agent, server, tool, reasons,
flags) is wrapped and never cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mcpwall.engine.port_answers import Match, Scope
from mcpwall.text import clip, column, fit, summary, width
from mcpwall.tui.review.layout import prose, safe, wrap
from mcpwall.tui.review.memory import SCOPES, Memory, Step
from mcpwall.tui.timing import countdown
from mcpwall.tui.widgets.lines import Line, Part, cells, filled, spread
from mcpwall.tui.words import called, many, risk, short_agent, wants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.engine.port_calls import Held
    from mcpwall.engine.port_sessions import SessionRow
    from mcpwall.tui.review.compare import Change
    from mcpwall.tui.review.reading import Reading

SCOPE_WORDS = {
    None: "once",
    Scope.SESSION: "this session",
    Scope.QUARTER: "15 minutes",
    Scope.ALWAYS: "always",
}
_SOON_MS = 10_000
_WORDY = 76  # cells from which there is room for sentences
_QUEUE_MAX = 4
_NAME_MAX = 44  # cells of a tool's name in the queue


def rule(title: str, right: str, room: int, style: str = "dim", right_style: str = "") -> Line:
    """A line across the screen with words at both ends, all safe already."""
    end: list[Part] = [(" ", ""), (right, right_style or style), (" ──", "dim")] if right else []
    shown = clip(title, room - cells(end) - 6)
    start: list[Part] = [("── ", "dim"), (shown, style), (" ", "")] if title else []
    free = room - cells(start) - cells(end)
    return [*start, ("─" * max(0, free), "dim"), *end]


def title(place: tuple[int, int], keys: str, right: Part, room: int) -> Line:
    """Which of the waiting calls this is (0: none of them), and `right` how it stands.

    `keys` say how to come to the others.
    """
    position, waiting = place
    left: list[Part] = [(" REVIEW ", "title")]
    left.append((f"{position} of {waiting}" if position else f"{waiting} waiting", "strong"))
    if waiting > (1 if position else 0):
        left.append((f"   {keys}", "dim"))
    return spread(left, [right], room)


def time_left(held: Held, now_ms: float, room: int) -> Part:
    """When the time of a call is up, and what becomes of it then; in few words in a small room."""
    left_ms = held.deadline_ms - now_ms
    style = "alarm" if left_ms < _SOON_MS else "waiting"
    if room < _WORDY:
        late = f"late: {countdown(left_ms)} to allow "
        return (late, "waiting") if held.late else (f"refused in {countdown(left_ms)} ", style)
    if held.late:
        return (f"its time was up; {countdown(left_ms)} left to allow it for later ", style)
    return (f"{countdown(left_ms)} left, then it is refused ", style)


def head(held: Held, session: SessionRow | None, room: int, *, edited: bool = False) -> list[Line]:
    """Who wants what, and how bad it can be; whether the person changed it."""
    row = held.row
    word, style = risk(row)
    if edited:
        word = f"EDITED BY YOU · {word}"
    who = safe(wants(row))
    top = [rule(who, word, room, "strong", style)]
    if width(who) > room - 20:
        top = [rule("", word, room, "strong", style)]
        top += [[(f" {part}", "strong")] for part in wrap(who, room - 2)]
    name = safe(called(row))
    where = place_words(row.server, session)
    if width(name) + width(where) + 4 <= room:
        return [*top, spread([(f" {name}", "title")], [(f"{where} ", "dim")], room)]
    names: list[Line] = [[(f" {part}", "title")] for part in wrap(name, room - 2)]
    return [*top, *names, *([(f" {part}", "dim")] for part in wrap(where, room - 2))]


def place_words(server: str, session: SessionRow | None) -> str:
    """Which server, and where it runs; safe text."""
    where = f"server {safe(server)}"
    if session:
        where += f" ({safe(session.transport)}, pid {session.pid}) in {safe(session.directory)}"
    return where


def foot(reading: Reading, above: int, below: int, room: int, *, whole: bool) -> Line:
    """How much there is, whether all of it is in the window, and its digest.

    `whole`: `below` counts all rows there are, and not only those that are laid out by now.
    """
    counts, view = reading.counts, reading.view.value
    shown, more = "all shown", below > 0 or not whole
    if not whole:
        shown = f"{below:,} and more lines below"
    elif below:
        shown = f"{many(below, 'more line')} below"
    elif above:
        shown = f"end shown, {many(above, 'line')} above"
    sizes = "being counted"
    if counts:
        sizes = f"{many(counts.fields, 'field')} · {many(counts.lines, 'line')}"
    left: list[Part] = [
        (f" {shown}", "warn" if more else "dim"),
        (f" · {sizes} · {reading.size:,} bytes", "dim"),
    ]
    digest = f"  sha256 {reading.digest[:8]}…"
    end: Part = ("  MORE ▼ ", "warn") if more else ("  END ▪ ", "strong")
    right: list[Part] = [(f"{view}  " if view != "fields" else "", "accent"), (digest, "dim"), end]
    return spread(left, right, room)


def reasons(reading: Reading, room: int) -> list[Line]:
    """Why the person is asked, and what to look at twice."""
    lines: list[Line] = []
    held = reading.held
    if reading.counts and (hidden := reading.counts.hidden):
        words = f"{many(hidden, 'character')} that a terminal would hide or obey, shown as ‹ ›"
        lines += [[(" ▲ ", "warn"), (part, "warn")] for part in prose(words, room - 4)]
    for text in reading.flags:
        lines += _bullet("▲", text, "warn", room)
    for text in held.why:
        lines += _bullet("·", text, "", room)
    return lines


def changes(since: str, changed: Sequence[Change], limit: int, room: int) -> list[Line]:
    """What differs from the previous call like it, the start of each value.

    `since` names that call and the key that shows everything.
    """
    lines: list[Line] = []
    for change in changed:
        for mark, value in (("-", change.old), ("+", change.new)):
            if change.mark in (mark, "~"):
                text = fit(f"{mark} {change.path}  {_start(value, room)}", room - 2)
                lines.append([(f" {text}", {"-": "bad", "+": "ok"}[mark])])
    same = sum(change.mark == "=" for change in changed)
    if len(lines) > limit - 2:
        lines = [*lines[: limit - 3], [(" … and more", "warn")]]
    kept = [[(f" = {many(same, 'field')} the same", "dim")]] if same else []
    return [[(f" {since}", "dim")], *lines, *kept]


def remembered_short(held: Held, memory: Memory, matched: str, room: int) -> list[Line]:
    """The scope and match of the answer in two lines."""
    scope = SCOPES[memory.scope]
    if scope is None:
        return [[(" remember  ", "dim"), ("no, this one call", "")]]
    first: Line = [(" remember  ", "dim"), (SCOPE_WORDS[scope], "waiting")]
    words = clip(step_words(memory.chosen, held), room - 12)
    return [
        spread(first, [(f"{matched} ", "dim")], room),
        [("           ", ""), (words, "waiting")],
    ]


def remembered(held: Held, memory: Memory, matched: str, keys: str, room: int) -> list[Line]:
    """All scopes and the match of the answer; `matched` says what it would have answered."""
    scope = SCOPES[memory.scope]
    style = "" if scope is None else "waiting"
    words = step_words(memory.chosen, held)
    top = rule("IF THIS ANSWER IS REMEMBERED", keys, room)
    options = [(SCOPE_WORDS[s] + _in_config(s), s == scope) for s in SCOPES]
    lines: list[Line] = [top, [("  for       ", "dim"), *_radio(options)]]
    place = f"{memory.step + 1} of {len(memory.steps)}"
    line: list[Part] = [("  matching  ", "dim"), (f"‹{place}› ", "dim")]
    lines.append([*line, (clip(words, room - cells(line) - 1), style)])
    lines.append([(f"            {matched}", "dim")])
    return lines


def queue(waiting: Sequence[Held], shown: int, now_ms: float, room: int) -> list[Line]:
    """Some of the waiting calls: the one on screen, marked, and those next to it."""
    lines: list[Line] = [rule("QUEUE", "", room)]
    at = next((index for index, held in enumerate(waiting) if held.row.id == shown), 0)
    first = max(0, at + 1 - _QUEUE_MAX)
    after = len(waiting) - first - _QUEUE_MAX
    names = min(_NAME_MAX, max((width(safe(called(held.row))) for held in waiting), default=0))
    for held in waiting[first : first + _QUEUE_MAX]:
        row = held.row
        here = row.id == shown
        word, style = risk(row)
        start: list[Part] = [
            ("▌" if here else " ", "accent"),
            (f" {countdown(held.deadline_ms - now_ms):5} ", "waiting"),
            (f"{filled(short_agent(row.agent, 16), 16)}  ", ""),
            (column(called(row), names) + "  ", "strong" if here else ""),
            (f"{word:9}", style),
        ]
        lines.append([*start, (summary(row.preview, max(0, room - cells(start) - 1)), "dim")])
    if first or after > 0:
        more = [f"{first} before"] if first else []
        more += [f"{after} after"] if after > 0 else []
        lines.append([(f"   and {', '.join(more)}", "dim")])
    return lines


def beside(left: Sequence[Line], right: Sequence[Line], at: int, room: int) -> list[Line]:
    """Two columns with a line between them, which stands at cell `at`."""
    lines: list[Line] = []
    for index in range(max(len(left), len(right))):
        one = left[index] if index < len(left) else []
        two = right[index] if index < len(right) else []
        lines.append([*spread(one, [], at), ("│", "dim"), *spread(two, [], room - at - 1)])
    return lines


def capped(lines: list[Line], limit: int) -> list[Line]:
    """At most `limit` lines; where some are left out, the last one says how many."""
    if len(lines) <= limit:
        return lines
    left_out = len(lines) - limit + 1
    return [*lines[: limit - 1], [(f" ▲ {left_out} more lines: make the window taller", "alarm")]]


def step_words(step: Step, held: Held) -> str:
    """Which calls a remembered answer would answer, in words; safe text."""
    tool = safe(called(held.row))
    match step.match:
        case Match.EXACT:
            return f"{tool} with exactly these arguments"
        case Match.ARGUMENT:
            value = held.arguments[step.argument]
            return f'{tool} with {safe(step.argument)} = "{safe(str(value))}", all else free'
        case Match.TOOL:
            return f"any call of {tool}"
        case Match.SERVER:
            method = held.row.method
            kind = "any tool" if method == "tools/call" else f"any {safe(method)}"
            return f"{kind} of {safe(held.row.server)}"


def _bullet(sign: str, text: str, style: str, room: int) -> list[Line]:
    first, *more = prose(safe(text), room - 4)
    return [[(f" {sign} ", style), (first, style)], *([(f"   {part}", style)] for part in more)]


def _radio(options: Sequence[tuple[str, bool]]) -> list[Part]:
    parts: list[Part] = []
    for text, chosen in options:
        parts.append((f"({'•' if chosen else ' '}) {text}     ", "waiting" if chosen else "dim"))
    return parts


def _in_config(scope: Scope | None) -> str:
    return ", as a rule in config.toml" if scope is Scope.ALWAYS else ""


def _start(value: object, cells: int) -> str:
    """As much of a value as can show in a line; raw text."""
    return value[:cells] if isinstance(value, str) else msgspec.json.encode(value).decode()
