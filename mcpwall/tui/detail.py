"""All that the app can say of one call, as safe lines of a given width. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from mcpwall.model import Cause
from mcpwall.text import summary, visible, width
from mcpwall.tui.review.compare import compare_rows
from mcpwall.tui.review.layout import flowing, prose, wrap
from mcpwall.tui.review.pieces import count, field_pieces, raw_pieces
from mcpwall.tui.review.rows import Rows
from mcpwall.tui.timing import clock, took
from mcpwall.tui.widgets.fields import row_parts
from mcpwall.tui.widgets.lines import Line, Part, cells, spread
from mcpwall.tui.words import called, many, risk, standing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from mcpwall.engine.port_calls import CallDetails, Row
    from mcpwall.model import JsonObject

_BROAD = 70  # cells
_PIECES = 4  # of arguments that are shown
_STAGES = (
    ("judged", "judged by the wall"),
    ("waited", "waited to be decided on"),
    ("sent", "written down and sent on"),
    ("server", "server, there and back"),
)
_CAUSES = {
    Cause.LOCKDOWN: "the wall is locked down",
    Cause.PAUSED: "its session was paused",
    Cause.UNLISTED: "its server does not list this tool, or changed it",
    Cause.HIDDEN: "a rule hides this tool",
    Cause.DEFAULT: "no rule decides: the default for its risk",
    Cause.ANSWER: "answered by a remembered answer",
    Cause.PERSON: "answered by you",
    Cause.UNATTENDED: "nobody answered in time",
    Cause.FULL: "as many calls waited for you as may",
    Cause.FAULT: "the wall could not do its work",
}


class Known(msgspec.Struct, frozen=True):
    """What is known of a call. `arguments` is None when only the row's preview is.

    `before` is the previous call like it with its arguments, if both are known. `asked` says that
    the engine was asked and that there is no more to know.
    """

    row: Row
    arguments: JsonObject | None = None
    details: CallDetails | None = None
    before: tuple[int, JsonObject] | None = None
    asked: bool = False


def head(known: Known, room: int, zone: tzinfo | None) -> list[Line]:
    """Which call, whose, and how it stands; in few lines where there is room for long ones."""
    row = known.row
    stands, (word, style) = standing(row), risk(row)
    number: Part = (f" CALL {row.id}", "title")
    name, stood = visible(called(row)), (f"{stands} ", stands.style)
    whose, spent = f"{row.agent} · {clock(row.at_ms, zone)}", _spent(known)
    beside = spent and width(visible(whose)) + len(spent) + 5 <= room
    if beside:
        whose, spent = f"{whose} · {spent}", ""
    first: list[Line] = []
    if room >= _BROAD and width(name) <= room // 2:
        left: list[Part] = [number, (f"  {name}  ", "strong"), (word, style)]
        first.append(spread(left, [stood], room))
    else:
        first.append(spread([number], [stood], room))
        first += _ends(name, "strong", word, style, room)
    told = [*_prose(whose, "dim", room), *_prose(spent, "dim", room)]
    return [*first, *told, *why(row, room)]


def why(row: Row, room: int) -> list[Line]:
    """Which rules made the verdict, and the reason given."""
    verdict = row.verdict
    rules = ", ".join(verdict.rules)
    said = verdict.reason or _CAUSES.get(verdict.cause, "")
    sentence = _prose(f"{rules}  {said}" if rules else said, "", room)
    return sentence + _prose(row.note, "warn", room)


def arguments(known: Known, room: int, *, raw: bool) -> list[Line]:
    """The arguments, a field a line or as JSON, and what is hidden in them."""
    row = known.row
    if known.arguments is None:
        size = f"{row.size:,} bytes "
        title = spread([(" ARGUMENTS", "dim")], [(size, "dim")], room)
        text = known.details.excerpt if known.details else row.preview
        if raw:
            return [title, *_wrapped(text, "", room)]
        return [title, *_wrapped_safe(summary(text, 600), "", room)]
    rows = Rows((raw_pieces if raw else field_pieces)(known.arguments, room - 2))
    rows.lay_out(_PIECES)
    shown = ([(" ", ""), *row_parts(rows[at])] for at in range(len(rows)))
    if not rows.whole:  # such a call waits for a person: what is over keeps its start alone
        title = spread([(" ARGUMENTS", "dim")], [(f"{row.size:,} bytes ", "dim")], room)
        return [title, *shown, [(" … and more, all of it in Review", "warn")]]
    counts = count(known.arguments)
    sizes = f"{many(counts.fields, 'field')} · {row.size:,} bytes "
    title = spread([(" ARGUMENTS", "dim")], [(sizes, "dim")], room)
    lines: list[Line] = [title, *shown]
    if counts.hidden:
        said = f"▲ {many(counts.hidden, 'hidden character')}, shown as ‹ ›"
        lines += _wrapped_safe(said, "warn", room)
    return lines


def changes(known: Known, room: int) -> list[Line]:
    """What differs from the previous call like it."""
    if known.before is None or known.arguments is None:
        return []
    id_, before = known.before
    rows = compare_rows(before, known.arguments, room - 2)
    title: Line = [(f" CHANGED SINCE CALL {id_}", "dim")]
    return [title, *([(" ", ""), *row_parts(row)] for row in rows)]


def edit(known: Known, room: int) -> list[Line]:
    """What a person changed before the call ran."""
    if known.details is None or known.details.original is None or known.arguments is None:
        return []
    rows = compare_rows(known.details.original, known.arguments, room - 2)
    title: Line = [(" EDITED BY YOU: - AS THE AGENT SENT IT, + AS IT RAN", "warn")]
    return [title, *([(" ", ""), *row_parts(row)] for row in rows)]


def answer(known: Known, room: int) -> list[Line]:
    """What the agent got."""
    if known.details is None or not known.details.answer:
        return []
    size = known.details.answer_size
    title: Line = spread([(" ANSWER THE AGENT GOT", "dim")], [(f"{size:,} bytes ", "dim")], room)
    lines: list[Line] = [title]
    for line in known.details.answer.removesuffix("\n").split("\n"):
        lines += _flowing(line, "", room)
    if rest := known.details.answer_left:
        lines.append([(f" … {rest:,} bytes more, not kept", "warn")])
    return lines


def tool(known: Known, room: int) -> list[Line]:
    """What the server says of the tool."""
    if known.details is None or (found := known.details.tool) is None:
        return []
    lines: list[Line] = [[(" THE TOOL, IN ITS SERVER'S WORDS", "dim")]]
    for line in found.description.strip("\n").split("\n") if found.description else ():
        lines += _flowing(line, "", room)
    if found.why:
        lines += _prose(f"risk {found.risk}: {found.why}", "dim", room)
    return lines


def papers(row: Row, room: int) -> list[Line]:
    """What a record of the call quotes."""
    return [
        [(" RECORDED AS", "dim")],
        *_prose(f"session {row.session} · {row.method} · policy {row.verdict.policy}", "", room),
        *_wrapped(f"sha256 {row.digest}", "", room),
    ]


def as_json(known: Known) -> str:
    """The arguments as JSON for the clipboard, ASCII alone: what is pasted hides nothing."""
    if known.arguments is None:
        return known.row.preview.encode("ascii", "backslashreplace").decode()
    return json.dumps(known.arguments, indent=2)


def timing(known: Known, room: int) -> list[Line]:
    """Where the call's time went, a stage a line."""
    lines: list[Line] = []
    for (_, words), spent_us in zip(_STAGES, _stages(known), strict=True):
        if spent_us is not None:
            parts: list[Part] = [(f"  {words:26}", ""), (f"{took(spent_us):>6}", "strong")]
            lines.append(spread(parts, [], room))
    return [[(" WHERE ITS TIME WENT", "dim")], *lines] if lines else []


def _spent(known: Known) -> str:
    """The same in a few words."""
    told = zip(_STAGES, _stages(known), strict=True)
    return " · ".join(f"{word} {took(us)}" for (word, _), us in told if us is not None)


def _stages(known: Known) -> tuple[int | None, ...]:
    if known.details is None:
        return (None, None, None, known.row.took_us)
    spent = known.details.timing
    return (spent.judged_us, spent.waited_us, spent.sent_us, known.row.took_us)


def _ends(left: str, style: str, right: str, right_style: str, room: int) -> list[Line]:
    """Two words at the ends of a line, or on lines of their own where they do not fit."""
    tail: list[Part] = [(right + " ", right_style)]
    if width(left) + 2 + cells(tail) <= room:
        return [spread([(" " + left, style)], tail, room)]
    return [*_wrapped_safe(left, style, room), [(f" {right}", right_style)]]


def _wrapped(text: str, style: str, room: int) -> list[Line]:
    return _wrapped_safe(visible(text), style, room)


def _wrapped_safe(safe: str, style: str, room: int) -> list[Line]:
    return [[(" " + row, style)] for row in wrap(safe, room - 2)] if safe else []


def _flowing(text: str, style: str, room: int) -> list[Line]:
    """A line of foreign text, broken between words and indented as it is."""
    return [[(" " + row, style)] for row in flowing(visible(text), room - 2)]


def _prose(text: str, style: str, room: int) -> list[Line]:
    """A sentence, broken between words; what has no blanks is broken where the line ends."""
    return [[(" " + row, style)] for row in prose(visible(text), room - 2) if row]


def paragraphs(parts: Iterable[list[Line]], *, airy: bool = True) -> list[Line]:
    """Sections one after the other, with an empty line between them if `airy`."""
    lines: list[Line] = []
    for part in parts:
        if part:
            lines += [[], *part] if lines and airy else part
    return lines
