from __future__ import annotations

import json
import re
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from mcpwall.text import (
    ascii_json,
    column,
    count_hidden,
    cut_at,
    fit,
    masked,
    summary,
    visible,
    width,
)

_NAMES = {
    "NUL": 0, "SOH": 1, "STX": 2, "ETX": 3, "EOT": 4, "ENQ": 5, "ACK": 6, "BEL": 7, "BS": 8,
    "VT": 11, "FF": 12, "CR": 13, "SO": 14, "SI": 15, "DLE": 16, "DC1": 17, "DC2": 18, "DC3": 19,
    "DC4": 20, "NAK": 21, "SYN": 22, "ETB": 23, "CAN": 24, "EM": 25, "SUB": 26, "ESC": 27,
    "FS": 28, "GS": 29, "RS": 30, "US": 31, "DEL": 127,
}  # fmt: skip

ANY = st.text(st.characters(exclude_categories=()))  # surrogates too
NASTY = st.text(
    st.sampled_from("a\x1b\x07\n\r\t\x9b\u202e\u200d\u0301\u0323‹›␊é\ue000\ufe0f 漢🙂\ud800")
)


def read_back(shown: str) -> str:
    """What `visible` was given: it can be read back, so nothing was lost or confused."""

    def character(match: re.Match[str]) -> str:
        name = match[1]
        return chr(int(name.replace("U+", "0x"), 0)) if name[:2] == "U+" else chr(_NAMES[name])

    plain = shown.replace("␊", "\n").replace("␉", "\t")
    return re.sub("‹([^‹›]*)›", character, plain)


@given(ANY | NASTY)
def test_p10_visible_lets_through_only_what_a_terminal_neither_obeys_nor_hides(text: str) -> None:
    for char in visible(text):
        assert char.isprintable()
        assert unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Me"}
        assert char == " " or unicodedata.category(char) != "Zs"


@given(ANY | NASTY)
@example("e\u0301")
@example("‹U+0301›")
@example("\u212b")
def test_p10_two_texts_never_look_the_same(text: str) -> None:
    shown = visible(text)
    assert read_back(shown) == text
    assert unicodedata.is_normalized("NFC", shown)


def test_p10_every_single_character_is_safe_and_takes_room() -> None:
    """Alone, each code point shows at least a cell, or it is a combining mark spelled out."""
    for code in range(sys.maxunicode + 1):
        shown = visible(chr(code))
        assert shown.isprintable(), hex(code)
        assert cell_len(shown) >= 1, hex(code)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, nothing odd", "plain text, nothing odd"),
        ("\x1b]52;c;SEVJTA==\x07", "‹ESC›]52;c;SEVJTA==‹BEL›"),
        ("\x9b31m", "‹U+009B›31m"),
        ("a\nb\tc\r", "a␊b␉c‹CR›"),
        ("\u202egnp.exe", "‹U+202E›gnp.exe"),
        ("pass\u200bword", "pass‹U+200B›word"),
        ("\U000e0041", "‹U+E0041›"),
        ("❤\ufe0f", "❤‹U+FE0F›"),
        ("\ud83d", "‹U+D83D›"),
        ("no\u00a0break", "no‹U+00A0›break"),
        ("genuine ‹ESC› ␊", "genuine ‹U+2039›ESC‹U+203A› ‹U+240A›"),
        ("x\u0301\u0302\u0303\u0304", "x\u0301\u0302‹U+0303›‹U+0304›"),
        ("\u0301alone", "‹U+0301›alone"),
        ("नमस्ते, 漢字, 🙂, é", "नमस्ते, 漢字, 🙂, é"),
    ],
)
def test_visible_spells_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY | NASTY, st.integers(0, 60))
def test_fit_never_takes_more_cells_than_it_may(text: str, cells: int) -> None:
    assert cell_len(fit(text, cells)) <= cells
    assert cell_len(column(text, cells)) == cells


@given(ANY | NASTY)
def test_fit_cuts_only_what_does_not_fit_and_says_so(text: str) -> None:
    whole = visible(text)
    assert fit(text, width(whole)) == whole
    if width(whole) > 1:
        assert fit(text, width(whole) - 1).endswith("…")


def test_fit_of_a_long_text_looks_only_at_its_start() -> None:
    class Watched(str):
        __slots__ = ()
        cuts: list[int] = []  # noqa: RUF012 - one test's record

        def __getitem__(self, index: object) -> str:
            assert isinstance(index, slice)
            self.cuts.append(index.stop)
            return str.__getitem__(self, index)

    assert width(fit(Watched("漢" * 1_000_000), 40)) <= 40
    assert Watched.cuts
    assert max(Watched.cuts) < 200


@given(ANY | NASTY)
def test_p10_masked_text_is_safe_and_keeps_each_place(text: str) -> None:
    shown = masked(text)
    assert shown.isprintable()
    assert len(shown) == len(text)
    for char, sign in zip(text, shown, strict=True):
        assert sign in (char, "�") or "\u2400" <= sign <= "\u2421"
        assert sign == char or not char.isascii() or not char.isprintable()


def test_masked_text_has_a_sign_for_each_hidden_character() -> None:
    assert masked("a\x1b[2J\x7f\u202eé\n") == "a␛[2J␡�é␊"


@given(ANY | NASTY)
def test_p10_a_mark_elsewhere_changes_nothing(text: str) -> None:
    assert visible(f"{text} e\u0301").startswith(visible(text))


@given(ANY | NASTY, st.integers(0, 40))
def test_a_text_that_is_cut_looks_as_it_did(text: str, wanted: int) -> None:
    at = cut_at(text, min(wanted, len(text)))
    assert at <= wanted + 3
    assert visible(text[:at]) + visible(text[at:]) == visible(text)


@given(ANY | NASTY)
def test_hidden_characters_are_those_that_are_spelled_out(text: str) -> None:
    spelled = re.findall("‹([^‹›]*)›", visible(text))
    genuine = sum(text.count(char) for char in "‹›␊␉")
    assert count_hidden(text) == len(spelled) - genuine


@pytest.mark.parametrize(
    ("preview", "shown"),
    [
        ("{}", ""),
        ('{"path":"src/app.py","lines":[1,2],"dry":true}', "path=src/app.py lines=[1,2] dry=true"),
        ('{"a":{"b":null}}', 'a={"b":null}'),
        ('{"q":"x path=/etc"}', 'q="x path=/etc"'),
        ('{"url":"http://h/?a=b"}', "url=http://h/?a=b"),
        ('{"two words":"x"}', '"two words"=x'),
        ('{"text":"a\\u001b[2J"}', "text=a‹ESC›[2J"),
        ('{"path":"src/ap', "path=src/ap…"),
        ('{"path":"src/a\\u00', "path=src/a…"),
        ('{"path":"a","li', "path=a …"),
        ('{"path":"a","list":[1,2', "path=a list=[1,2…"),
        ("not json", "not json"),
        ("{not json", "…"),
    ],
)
def test_a_summary_names_each_field(preview: str, shown: str) -> None:
    assert summary(preview, 100) == shown


def test_a_summary_gives_the_size_of_a_long_text() -> None:
    text = json.dumps({"path": "a", "content": "x" * 4182}, separators=(",", ":"))
    assert summary(text, 100) == "path=a content=xxxxxxxxxxxxxxxxxxxxxxxx…(4,182 chars)"
    assert "…(over 5" in summary(text[:600], 100)


@pytest.mark.parametrize(
    ("field", "cells", "shown"),
    [
        ("/home/dev/acme/src/app.py", 30, "path=/home/dev/acme/src/app.py"),
        ("/home/dev/acme/src/app.py", 29, "path=…/dev/acme/src/app.py"),
        ("/home/dev/acme/src/app.py", 17, "path=…/src/app.py"),
        ("/home/dev/acme/src/app.py", 16, "path=…/app.py"),
        ("/home/dev/acme/src/app.py", 12, "path=/home/…"),
        ("/主页/文件/一.txt", 18, "path=…/文件/一.txt"),
        ("/bin/rm -rf /home/dev/acme", 17, "path=/bin/rm -rf…"),
        ("/home/dev/\u202eacme/src/app.py", 17, "path=/home/dev/‹…"),
        ("acme/src/deep/down/app.py", 17, "path=acme/src/de…"),
    ],
)
def test_a_path_without_room_is_told_by_its_end(field: str, cells: int, shown: str) -> None:
    assert summary(f'{{"path":"{field}"}}', cells) == shown


def test_a_path_has_the_room_that_the_fields_before_it_leave() -> None:
    assert summary('{"head":5,"path":"/home/dev/acme/a.py"}', 25) == "head=5 path=…/acme/a.py"


@given(st.dictionaries(ANY | NASTY, ANY | NASTY))
def test_p10_json_for_programs_is_printable_and_says_the_same(value: dict[str, str]) -> None:
    line = ascii_json(value)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == json.loads(ascii_json(value, indent=2)) == value


@given(ANY | NASTY, st.integers(0, 80))
def test_a_summary_of_anything_fits_and_is_safe(preview: str, cells: int) -> None:
    for shown in (summary(preview, cells), summary("{" + preview, cells)):
        assert cell_len(shown) <= cells
        assert shown.isprintable()


@given(st.dictionaries(ANY, ANY | st.integers() | st.none()), st.integers(0, 700))
def test_a_summary_of_a_cut_preview_never_fails(arguments: dict[str, object], cut: int) -> None:
    text = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))[:cut]
    assert summary(text, 60).isprintable()
