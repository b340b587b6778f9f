"""The filter language, against a naive evaluation of the same tree and by example."""

from __future__ import annotations

import datetime as dt
import fnmatch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.engine.port_calls import Row, State
from mcpwall.model import Action, Cause, Risk, Verdict
from mcpwall.query import RISKS, STATES, QueryError, complete, parse, verdict_word

NOW = 1_793_707_357_000
MINUTE = 60_000

NAMES = ("read_file", "write_file", "delete_all", "Run")
ROW = Row(
    id=1,
    at_ms=NOW - 5 * MINUTE,
    session="s1",
    agent="codex#1",
    client="codex",
    server="filesystem",
    method="tools/call",
    tool="write_file",
    risk=Risk.WRITE,
    preview='{"path":"src/App.py"}',
    size=21,
    digest="",
    verdict=Verdict(Action.ASK, Cause.RULE, rules=("r04", "ask-writes")),
    state=State.HELD,
    note="waits",
)


def row(**changes: object) -> Row:
    return msgspec.structs.replace(ROW, **changes)


def matches(text: str, subject: Row = ROW) -> bool:
    return parse(text).matches(subject, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "tool:write_file",
        "tool=write_*",
        "TOOL:WRITE_*",
        "tool:[vw]rite_file",
        "server:file* tool:*_file",
        "server:file* and tool:*_file",
        "agent:codex",
        "agent:codex#1",
        "session:s1",
        "method:tools/*",
        "rule:r04",
        "rule:ask-*",
        "verdict:ask",
        "verdict!=allow or risk>=execute",
        "risk:write",
        "risk>=write",
        "risk<execute",
        "risk>read risk<=write",
        "state:held",
        "since:10m",
        "since:1h before:1m",
        "app.py",
        '"src/app"',
        "WAITS",
        "!tool:read_file",
        "not tool:read_file",
        "!(tool:read_file or state:done)",
        "(tool:read_file or state:held) write",
        "tool:nothing tool:nothing or server:filesystem",
        "not not tool:write_file",
    ],
)
def test_it_matches(text: str) -> None:
    assert matches(text)
    if text.strip():
        assert not matches(f"!({text})")


@pytest.mark.parametrize(
    "text",
    [
        "tool:write",
        "tool:file",
        "agent:claude*",
        "risk>write",
        "risk<write",
        "verdict:deny",
        "since:1m",
        "before:10m",
        "tool!=write_file",
        "!write_file",
        "tool:write_file state:done",
        "rule:r0",
        "missing",
        '"or"',
    ],
)
def test_it_does_not_match(text: str) -> None:
    assert not matches(text)


def test_or_binds_less_than_a_row_of_terms() -> None:
    assert matches("state:held tool:write_file or state:done tool:nothing")
    assert matches("tool:nothing state:done or state:held")
    assert not matches("state:held (tool:nothing or state:done)")


@pytest.mark.parametrize(
    ("risk", "expected"),
    [(Risk.READ, False), (Risk.WRITE, False)]
    + [(risk, True) for risk in (Risk.EXECUTE, Risk.DESTRUCTIVE, Risk.FINANCIAL, Risk.UNKNOWN)],
)
def test_what_is_unknown_or_moves_money_is_among_the_dangerous(risk: Risk, expected: bool) -> None:
    assert matches("risk>=execute", row(risk=risk)) is expected


@pytest.mark.parametrize("cause", [Cause.LIMIT, Cause.BUDGET])
def test_a_limit_is_no_deny(cause: Cause) -> None:
    limited = row(verdict=Verdict(Action.DENY, cause))
    assert matches("verdict:limit", limited)
    assert not matches("verdict:deny", limited)
    assert matches("verdict!=allow", limited)
    assert verdict_word(Verdict(Action.DENY, Cause.RULE)) == "deny"


def test_a_time_of_day_is_the_last_one_that_has_been() -> None:
    now = dt.datetime.fromtimestamp(NOW / 1000).astimezone()
    earlier, later = now - dt.timedelta(hours=1), now + dt.timedelta(hours=1)
    an_hour_ago = row(at_ms=NOW - 61 * MINUTE)
    assert not matches(f"since:{earlier:%H:%M:%S}", an_hour_ago)
    assert matches(f"since:{earlier:%H:%M:%S}", row(at_ms=NOW - 59 * MINUTE))
    assert matches(f"since:{later:%H:%M:%S}", an_hour_ago)  # yesterday's
    assert matches(f"before:{later:%H:%M:%S}", row(at_ms=NOW - 24 * 60 * MINUTE))


def test_a_date_is_local() -> None:
    day = dt.datetime.fromtimestamp(NOW / 1000).astimezone()
    assert matches(
        f"since:{day:%Y-%m-%d} before:{day + dt.timedelta(days=1):%Y-%m-%d}", row(at_ms=NOW)
    )
    assert matches(f"before:{day:%Y-%m-%d}", row(at_ms=NOW - 25 * 60 * MINUTE))
    assert matches(
        f"since:{dt.datetime.fromtimestamp(NOW / 1000 - 1, dt.UTC).isoformat()}", row(at_ms=NOW)
    )


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("tool:", 5, "needs a value"),
        ("tool: x", 5, "needs a value"),
        ("path:x", 0, "no field path"),
        ("a path:x", 2, "tool, server"),
        ("verdict:maybe", 8, "allow, ask, deny, limit"),
        ("risk>=high", 6, "read, write"),
        ("state:open", 6, "held"),
        ("tool>=x", 0, "tool:"),
        ("since:soon", 6, "10m"),
        ("since:0001-01-01", 6, "10m"),
        ("since:10", 6, "10m"),
        ("(a or b", 0, "')'"),
        ("a)", 1, "')'"),
        ("()", 1, "term"),
        ('say "hello', 4, "quote"),
        ("a or", 4, "term"),
        ("or a", 0, "between"),
        ("a or or b", 5, "between"),
        ("a and", 5, "term"),
        ("!", 1, "term"),
        ("not", 3, "term"),
        ("(" * 51 + "a" + ")" * 51, 50, "levels"),
        ("!" * 100_000, 50, "levels"),
    ],
)
def test_an_error_says_where_and_what_to_do(text: str, position: int, says: str) -> None:
    with pytest.raises(QueryError, match=r"at character \d+") as raised:
        parse(text)
    assert raised.value.position == position
    assert says in raised.value.what


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("to", ["tool:"]),
        ("s", ["server:", "session:", "state:", "since:"]),
        ("tool:x (ver", ["verdict:"]),
        ("!ris", ["risk:"]),
        ("verdict:", ["verdict:allow", "verdict:ask", "verdict:deny", "verdict:limit"]),
        ("verdict!=a", ["verdict!=allow", "verdict!=ask"]),
        ("risk>=w", ["risk>=write"]),
        ("state:HE", ["state:held"]),
        ("tool:", []),
        ("nothing:", []),
        ('"to', []),
    ],
)
def test_completion(text: str, expected: list[str]) -> None:
    assert complete(text, len(text)) == expected
    assert complete(text + " tool:x", len(text)) == expected


# --- against a naive evaluation -----------------------------------------------------------------

TERMS = st.one_of(
    st.tuples(
        st.just("tool"),
        st.sampled_from((":", "=", "!=")),
        st.sampled_from((*NAMES, "*_file", "r?n", "*")),
    ),
    st.tuples(st.just("state"), st.sampled_from((":", "!=")), st.sampled_from(STATES)),
    st.tuples(
        st.just("risk"),
        st.sampled_from((":", "!=", "<", "<=", ">", ">=")),
        st.sampled_from(list(map(str, RISKS))),
    ),
    st.tuples(
        st.just("word"), st.just(""), st.sampled_from(("file", "APP", "codex", "or", 'a"b\\', ""))
    ),
)
TREES = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(("and", "or")), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=12,
)
ROWS = st.builds(
    row,
    tool=st.sampled_from(NAMES),
    state=st.sampled_from(State),
    risk=st.sampled_from(Risk),
    preview=st.sampled_from(("", '{"a"b\\":1}', "src/App.py for")),
)


def written(tree: tuple) -> str:
    match tree:
        case ("not", inner):
            return f"!({written(inner)})" if len(str(inner)) % 2 else f"not ({written(inner)})"
        case ("and", parts):
            return "(" + (" and " if len(parts) == 2 else " ").join(map(written, parts)) + ")"
        case ("or", parts):
            return "(" + " or ".join(map(written, parts)) + ")"
        case ("word", _, text):
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case (field, operator, value):
            return f"{field}{operator}{value}"


def holds(tree: tuple, subject: Row) -> bool:
    match tree:
        case ("not", inner):
            return not holds(inner, subject)
        case ("and", parts):
            return all(holds(part, subject) for part in parts)
        case ("or", parts):
            return any(holds(part, subject) for part in parts)
        case ("word", _, text):
            fields = (subject.tool, subject.server, subject.agent, subject.preview, subject.note)
            return any(text.lower() in field.lower() for field in fields)
        case ("tool", operator, value):
            found = fnmatch.fnmatchcase(subject.tool.lower(), value.lower())
            return found is (operator != "!=")
        case ("state", operator, value):
            return (subject.state == value) is (operator == ":")
        case ("risk", operator, value):
            order = ["read", "write", "execute", "destructive", "financial", "unknown"]
            here, there = order.index(subject.risk), order.index(value)
            return {
                ":": here == there,
                "!=": here != there,
                "<": here < there,
                "<=": here <= there,
                ">": here > there,
                ">=": here >= there,
            }[operator]
    raise AssertionError(tree)


@given(TREES, ROWS)
def test_it_means_what_a_naive_evaluation_means(tree: tuple, subject: Row) -> None:
    text = written(tree)
    assert matches(text, subject) is holds(tree, subject)
    assert matches(f"!!({text})", subject) is holds(tree, subject)
    assert matches(f"not ({text})", subject) is not holds(tree, subject)


@given(st.text() | st.text(alphabet='!()":=<>\\ \tornotadlsiceu:1*[-]', max_size=40))
def test_any_text_is_a_filter_or_an_error_in_place(text: str) -> None:
    position = 0
    try:
        assert matches(text) in (True, False)
    except QueryError as error:
        position = error.position
    assert 0 <= position <= len(text)


@given(st.text(alphabet='to:l!("ris >=verdict', max_size=20), st.integers(0, 20))
def test_a_completion_extends_the_word_at_the_cursor(text: str, cursor: int) -> None:
    for whole in complete(text, cursor):
        name = whole.partition(":")[0]
        assert name
        assert (
            text[:cursor].lower().endswith(tuple(whole[:end] for end in range(1, len(whole) + 1)))
        )
