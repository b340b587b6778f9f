"""A visit to a server: both eras, every page, and every way in which it can go wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mcpwall.cli import scan as module
from mcpwall.cli.scan import scan

# Answers each request by the next reply in a list; appends what it reads to a file.
SCRIPT = """\
import json, sys
log = open(sys.argv[2], "w")
for reply in json.loads(sys.argv[1]):
    while True:
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        log.write(line); log.flush()
        request = json.loads(line)
        if "id" in request and "method" in request:
            break
    for message in reply if isinstance(reply, list) else [reply]:
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **message}), flush=True)
sys.stdin.read()
"""
CHANGED = {"id": None, "method": "notifications/tools/list_changed"}
WELCOME = {"result": {"protocolVersion": "2025-11-25", "capabilities": {}}}
UNKNOWN = {"error": {"code": -32601, "message": "no such method"}}

AWAY = {"error": {"code": -32000, "message": "mcpwall: x cannot be reached: no network"}}


def page(*names: str, cursor: str = "") -> dict[str, object]:
    more = {"nextCursor": cursor} if cursor else {}
    return {"result": {"tools": [{"name": name} for name in names], **more}}


@pytest.fixture
def visit(tmp_path: Path):
    """Visit a server that answers so; returns what the visit says and what the server read."""

    def run(*replies: object) -> tuple[str, list[dict]]:
        log = tmp_path / "log"
        said = scan("x", [sys.executable, "-c", SCRIPT, json.dumps(replies), str(log)])
        return said, [json.loads(line) for line in log.read_text().splitlines()]

    return run


def test_every_page_is_read_and_then_the_visitor_leaves(visit) -> None:
    said, read = visit(WELCOME, page("a", cursor="2"), page(cursor="3"), page("b"))
    assert said == ""
    assert [message["method"] for message in read] == [
        "initialize",
        "notifications/initialized",
        *["tools/list"] * 3,
    ]
    assert [message["params"] for message in read[2:]] == [{}, {"cursor": "2"}, {"cursor": "3"}]


def test_a_server_without_a_handshake_is_met_in_its_own_era(visit) -> None:
    said, read = visit(UNKNOWN, {"result": {"capabilities": {}}}, page("a"))
    assert said == ""
    assert [message["method"] for message in read] == [
        "initialize",
        "server/discover",
        "tools/list",
    ]
    meta = read[2]["params"]["_meta"]
    assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"


def test_what_the_server_asks_meanwhile_is_declined(visit) -> None:
    asks = {"id": "mine", "method": "roots/list"}
    note = {"id": None, "method": "notifications/message"}
    said, read = visit([asks, note, WELCOME], page("a"))
    assert said == ""
    assert {"id": "mine", "error": read[1]["error"], "jsonrpc": "2.0"} == read[1]


def test_a_list_that_changes_while_it_is_read_is_read_again(visit) -> None:
    said, read = visit(WELCOME, [CHANGED, page("a", cursor="2")], page("b"), page("a", "b"))
    assert said == ""
    assert [message["params"] for message in read[2:]] == [{}, {"cursor": "2"}, {}]


def test_a_list_that_never_keeps_still_is_given_up(visit) -> None:
    said, _ = visit(WELCOME, *[[CHANGED, page("a")]] * module.READS_MAX)
    assert said == "its list of tools changed during each of 5 readings"


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([UNKNOWN, UNKNOWN], "it answered with an error: no such method"),
        ([AWAY, AWAY], "x cannot be reached: no network"),
        ([WELCOME, {"error": {"code": 1, "message": "log in first"}}], "log in first"),
        ([WELCOME, page(cursor="1"), page(cursor="1"), page(cursor="1")], "more than 3 pages"),
    ],
)
def test_what_went_wrong_is_said(visit, monkeypatch, replies, says) -> None:
    monkeypatch.setattr(module, "PAGES_MAX", 3)
    said, _ = visit(*replies)
    assert says in said
    assert "mcpwall" not in said


def test_a_server_that_ends_is_quoted() -> None:
    end = "import sys; print('loading', file=sys.stderr); sys.exit('no key is set')"
    said = scan("x", [sys.executable, "-c", end])
    assert said == "it ended before it answered (its last words: no key is set)"


SHIM = "mcpwall stdio: the server exited with code 3"


@pytest.mark.parametrize(
    ("lines", "added"),
    [
        (["no key is set", SHIM], " (its last words: no key is set)"),
        ([SHIM], ": the server exited with code 3"),
        ([], ""),
    ],
)
def test_what_the_server_says_counts_before_what_the_shim_says_of_it(lines, added):
    end = f"import sys; sys.exit({chr(10).join(lines)!r} or 3)"
    assert scan("x", [sys.executable, "-c", end]) == f"it ended before it answered{added}"


def test_a_program_that_is_not_there_is_said() -> None:
    assert "cannot be started" in scan("x", ["/no/such/program"])


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.05)
    monkeypatch.setattr(module, "LEAVE_S", 0.05)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
    assert "no answer to initialize within" in scan("x", [sys.executable, "-c", deaf])
