"""Entries of the shared record, which others write: what cannot be shown is passed over."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mcpwall.cli.log import as_json, as_line
from mcpwall.model import Action, Cause, Risk, Verdict
from mcpwall.store.records import AuditRow
from mcpwall.store.shared.entries import Entry, Folder

VERDICT = Verdict(Action.ALLOW, Cause.DEFAULT)
ROW = AuditRow(
    *(1, 1_793_707_357_000, "s1", "a#1", "a", "notes", "tools/call", "look", Risk.READ, "/", 1),
    *(2, "d", VERDICT, VERDICT, "done", "{}", ""),
)


def entry(**fields: Any) -> bytes:
    row = msgspec.structs.replace(ROW, **fields)
    return msgspec.json.encode(Entry("w1", "ann", 1, row=row))


@pytest.mark.parametrize(
    "fields",
    [
        {"at_ms": 1 << 62},
        {"at_ms": -(1 << 62)},
        {"arguments": "no JSON"},
        {"arguments": "[" * 100_000},
        {"arguments": "9" * 5_000},
        {"edited": "\x1b[2J"},
        {"edited": "[]"},
    ],
)
def test_what_cannot_be_shown_hides_nobody_elses_calls(fields: dict[str, Any]) -> None:
    other = msgspec.json.encode(Entry("w2", "bob", 1, row=ROW))
    found = list(Folder().take([entry(**fields), b"junk", b"{}", other]))
    assert [shared.who for shared in found] == ["bob"]


def test_what_can_be_shown_is() -> None:
    odd = {"tool": "\x1b[2J", "arguments": None, "excerpt": '{"a', "at_ms": 0, "took_us": -5}
    for shared in Folder().take([entry(), entry(**odd)]):
        assert "\x1b" not in as_line(shared.row, shared.who) + as_json(shared.row)
