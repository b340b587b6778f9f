"""The one door from foreign text to a screen, a log or an export.

Tool names, arguments, answers, errors and client names are written by strangers. A terminal obeys
what it is sent, so nothing foreign is printed before it has passed `visible`, which lets through
only characters that have one shape, one width and no effect; every other one is spelled out, like
`‹ESC›` or `‹U+202E›`. Pure: no I/O, no terminal, no markup.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_C0 = (
    *("NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR"),
    *("SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB"),
    *("ESC", "FS", "GS", "RS", "US"),
)
_LINE_END, _TAB = "␊", "␉"
_SAID_OPENLY = "\n\t‹›␊␉"  # replaced so that the text stays readable and exact, hidden by nobody
_MARKS_MAX = 2  # combining marks on one character: scripts in use need no more

# Drawn by some terminals as nothing, or with a width that depends on the neighbour.
_UNCERTAIN = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x1100, 0x11FF),  # Hangul jamo join to syllables, which have characters of their own
    (0x17B4, 0x17B5),  # Khmer vowels that are not drawn
    (0x180B, 0x180F),  # Mongolian variation selectors
    (0x2800, 0x2800),  # the empty Braille pattern
    (0x3164, 0x3164),  # Hangul filler
    (0xA960, 0xA97F),  # more jamo
    (0xD7B0, 0xD7FF),
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFFC, 0xFFFC),  # stands for an object that is not there
    (0x1F1E6, 0x1F1FF),  # regional indicators pair up to flags
    (0x1F3FB, 0x1F3FF),  # skin tones melt into the emoji before
    (0xE0000, 0xE0FFF),  # tags, more variation selectors
)
# Other, other spaces than U+0020, separators, enclosing marks.
_NEVER = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Me"))


def _spelled(code: int) -> str:
    """The name of a character that is not shown as itself."""
    if code < len(_C0):
        return f"‹{_C0[code]}›"
    return "‹DEL›" if code == 0x7F else f"‹U+{code:04X}›"  # noqa: PLR2004 - DEL has no escape


def _shown(code: int) -> str:
    """One character as `visible` shows it where no combining mark is involved."""
    char = chr(code)
    if char == "\n":
        return _LINE_END
    if char == "\t":
        return _TAB
    if char == " ":
        return char
    if (
        char in _SAID_OPENLY
        or unicodedata.category(char) in _NEVER
        or any(first <= code <= last for first, last in _UNCERTAIN)
        or not unicodedata.is_normalized("NFC", char)  # looks exactly like another character
    ):
        return _spelled(code)
    return char


class _Table(dict[int, str]):
    """`_shown`, remembered for the characters of the first scripts that came by."""

    def __missing__(self, code: int) -> str:
        shown = _shown(code)
        if len(self) < 8192:  # noqa: PLR2004 - the bound of a cache
            self[code] = shown
        return shown


_TABLE = _Table()
_HIDDEN_ASCII = {
    code: None for code in range(0x80) if len(_shown(code)) > 1 and chr(code) not in _SAID_OPENLY
}
_COMBINING = ("Mn", "Mc")


def _combines(characters: Iterable[str]) -> bool:
    """Whether any of these changes how the character before it looks."""
    return any(unicodedata.category(char) in _COMBINING for char in characters)


def _pieces(text: str) -> Iterator[str]:
    """Each character as shown, one piece each."""
    cluster, marks = "", 0  # what a further mark would sit on, as it is on screen
    for char in text:
        if unicodedata.category(char) in _COMBINING:
            marks += 1
            shown = _TABLE[ord(char)]
            # A mark that melts into its letter makes it look like the composed letter.
            stands = cluster and marks <= _MARKS_MAX and shown == char
            if stands and unicodedata.is_normalized("NFC", cluster + char):
                cluster += char
                yield char
            else:
                cluster = ""
                yield _spelled(ord(char))
        else:
            shown = _TABLE[ord(char)]
            cluster, marks = (char if shown == char and char != " " else ""), 0
            yield shown


def visible(text: str) -> str:
    """`text` on one line, safe to print, and still saying exactly what it is.

    Control, escape, bidi, zero-width, tag, variation-selector, surrogate, private and unassigned
    characters, odd spaces and separators come out as `‹ESC›` or `‹U+202E›`, a line end as `␊`, a
    tab as `␉`. Genuine `‹ › ␊ ␉` are spelled out too, so two different texts never look the same.
    At most two combining marks stay on one character.
    """
    if text.isascii():
        return text if text.isprintable() else text.translate(_TABLE)
    return "".join(_pieces(text)) if _combines(set(text)) else text.translate(_TABLE)


def cut_at(text: str, at: int) -> int:
    """The place at or behind `at` where a text can be cut and both parts look as they did in it.

    At most three characters behind: so many marks cannot stand on the character before.
    """
    for _ in range(_MARKS_MAX + 1):
        if at < len(text) and _combines(text[at]):
            at += 1
    return at


def ascii_json(value: Any, *, indent: int | None = None) -> str:
    """Plain JSON data in printable ASCII, on one line unless indented: for programs to read."""
    separators = (",", ":") if indent is None else None
    return json.dumps(value, indent=indent, separators=separators).replace("\x7f", "\\u007f")


def masked(text: str) -> str:
    """`text` character by character, safe to print: for an input, where each has its place.

    What `visible` spells out is one sign here: a control picture such as `␛`, or `�`.
    """
    if text.isascii() and text.isprintable():
        return text
    pairs = zip(text, _pieces(text), strict=True)
    return "".join(char if char == shown else _sign(ord(char)) for char, shown in pairs)


def _sign(code: int) -> str:
    if code < len(_C0):
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "�"  # noqa: PLR2004 - DEL


def count_hidden(text: str) -> int:
    """How many characters `visible` spells out because a terminal would hide or obey them.

    Line ends, tabs and genuine `‹ › ␊ ␉` are not counted.
    """
    if text.isascii():
        return 0 if text.isprintable() else len(text) - len(text.translate(_HIDDEN_ASCII))
    counts = Counter(text)
    if not _combines(counts):
        alike = ((_TABLE[ord(char)] == char, char, many) for char, many in counts.items())
        return sum(many for same, char, many in alike if not same and char not in _SAID_OPENLY)
    pairs = zip(text, _pieces(text), strict=True)
    return sum(shown != char and char not in _SAID_OPENLY for char, shown in pairs)


def width(safe: str) -> int:
    """Terminal cells that text takes which is safe already (ours, or out of `visible`)."""
    if safe.isascii():
        return len(safe)
    from rich.cells import cell_len  # noqa: PLC0415 - the engine uses this module without a screen

    return cell_len(safe)


def clip(safe: str, cells: int) -> str:
    """Text that is safe already, cut to at most `cells` terminal cells, the cut shown as `…`."""
    if cells <= 0:
        return ""
    if len(safe) <= cells // 2 or width(safe) <= cells:
        return safe
    used, end = 1, 0  # one cell for the ellipsis
    for char in safe:
        used += width(char)
        if used > cells:
            break
        end += 1
    return safe[:end] + "…"


def fit(text: str, cells: int) -> str:
    """Foreign text, made visible and cut to at most `cells` terminal cells, the cut shown as `…`.

    Costs no more for a long text than for a short one.
    """
    enough = (cells + 1) * (_MARKS_MAX + 1)  # each character takes a cell, but for bounded marks
    return clip(visible(text[:enough]), cells)


def column(text: str, cells: int) -> str:
    """`fit`, filled up with spaces to exactly `cells` terminal cells."""
    fitted = fit(text, cells)
    return fitted + " " * (cells - width(fitted))


# --- arguments in one line ----------------------------------------------------------------------

_LONG, _START = 100, 24  # characters: a longer string is shown by its start and its size
_JSON_STRING = re.compile(r'"((?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)')
_PLAIN_KEY = re.compile(r"[^\s=\"]+")
_decode = json.JSONDecoder(strict=False).raw_decode


def summary(preview: str, cells: int) -> str:
    """A call's arguments in at most `cells` cells: `path=src/app.py content=(4,182 chars)`.

    `preview` is the compact JSON of an object, possibly cut; anything else is shown as it is.
    A string with blanks and `=` is quoted, so that one value never looks like two fields. Of a path
    that has no room, the end says most: `path=…/src/app.py`.
    """
    if not preview.startswith("{"):
        return fit(preview, cells)
    fields, left = [], cells
    for field in _fields(preview):
        fields.append(field if left <= 0 else _path_within(field, left))
        left -= len(fields[-1]) + 1
    return fit(" ".join(fields), cells)


def _path_within(field: str, cells: int) -> str:
    """A field that has no room for its path: without as many of the first parts as need be."""
    name, found, tail = field.partition("=/")
    if not found or " " in tail or visible(field) != field or width(field) <= cells:
        return field
    room = cells - width(f"{name}=…/")
    while tail and width(tail) > room:
        tail = tail.partition("/")[2]
    return f"{name}=…/{tail}" if tail else field


def _fields(preview: str) -> Iterator[str]:
    at = 1
    while at < len(preview) and preview[at] != "}":
        try:
            key, at = _decode(preview, at)
            name = key if _PLAIN_KEY.fullmatch(key) else _quoted(key)
            at += 1  # the colon
            if at >= len(preview):
                yield f"{name}=…"
                return
        except (ValueError, TypeError, RecursionError):  # cut within the name, or no JSON at all
            yield "…"
            return
        try:
            value, at = _decode(preview, at)
        except (ValueError, RecursionError):
            yield f"{name}={_cut_value(preview[at:])}"
            return
        yield f"{name}={_value(value)}"
        at += 1  # the comma
    if not preview.endswith("}"):
        yield "…"


def _value(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(value) > _LONG:
        return f"{value[:_START]}…({len(value):,} chars)"
    return _unmistakable(value)


def _cut_value(rest: str) -> str:
    """What is left of a value that the end of the preview cut."""
    if not (start := _JSON_STRING.match(rest)):
        return rest + "…"
    text = json.loads(f'"{start[1]}"', strict=False)
    if len(text) > _LONG:
        return f"{text[:_START]}…(over {len(text):,} chars)"
    return _unmistakable(text) + "…"


def _unmistakable(text: str) -> str:
    return _quoted(text) if "=" in text and re.search(r"\s", text) else text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
