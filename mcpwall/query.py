"""The filter language: which calls a person wants to see. Pure; the time comes in as a value.

The call table, the audit and the previews of rules share it:

    verdict!=allow or risk>=write          tool:delete_* server:git* !agent:codex*
    (state:held or state:error) since:10m  rule:cap-invoke "rm -rf"

A term is a field, an operator (`:` or `=`, `!=`, and for risk `< <= > >=`) and a value; `*` and `?`
stand for any text in names. A word alone is looked for in tool, server, agent, arguments and note.
Terms in a row must all hold; `or` joins alternatives and binds least; `!` or `not` turns a term or
a parenthesis around. Letter case never matters. Quotes make text of anything.

Risks stand in the order read < write < execute < destructive < financial < unknown. Unknown is
last because it may be anything: a search for the dangerous must not pass over it.
"""
# ruff: noqa: D102 - the members of Subject are those of engine.port_calls.Row, which explains them

from __future__ import annotations

import datetime as dt
import fnmatch
import re
from collections.abc import Callable
from operator import eq, ge, gt, le, lt
from typing import NamedTuple, Protocol, TypeAlias

from mcpwall.model import Action, Cause, Risk, Verdict

RISKS = (Risk.READ, Risk.WRITE, Risk.EXECUTE, Risk.DESTRUCTIVE, Risk.FINANCIAL, Risk.UNKNOWN)
VERDICTS = ("allow", "ask", "deny", "limit")
STATES = ("held", "reserving", "running", "done", "error", "refused", "withdrawn", "lost")
DEPTH_MAX = 50  # parentheses and negations within each other

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_TERM = re.compile(r"([A-Za-z_]+)(!=|>=|<=|[:=<>])")
_WORD = re.compile(r'[^\s()"]+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_DURATION = re.compile(r"(\d{1,9})([smhd])")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class Subject(Protocol):
    """What a row must have to be filtered; `engine.port_calls.Row` and the audit's rows have it."""

    @property
    def at_ms(self) -> int: ...
    @property
    def session(self) -> str: ...
    @property
    def agent(self) -> str: ...
    @property
    def client(self) -> str: ...
    @property
    def server(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def tool(self) -> str: ...
    @property
    def risk(self) -> Risk: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def state(self) -> str: ...
    @property
    def preview(self) -> str: ...
    @property
    def note(self) -> str: ...


_Test: TypeAlias = Callable[[Subject, int], bool]


class QueryError(ValueError):
    """A filter that cannot be read. `position` counts characters from 0."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(f"{what} (at character {position + 1})")
        self.what = what
        self.position = position


class Query:
    """A filter that was read; `text` is how it was written."""

    def __init__(self, text: str, test: _Test) -> None:
        self.text = text
        self._test = test

    def matches(self, row: Subject, now_ms: int) -> bool:
        """Whether the filter lets a row through, with `since` and `before` counted from now."""
        return self._test(row, now_ms)


def parse(text: str) -> Query:
    """Read a filter; an empty one matches everything. Raises QueryError."""
    return Query(text, _Parser(text).whole())


def verdict_word(verdict: Verdict) -> str:
    """The one of VERDICTS that a verdict falls under: a refusal by a limit is no `deny`."""
    if verdict.action is Action.DENY and verdict.cause in (Cause.LIMIT, Cause.BUDGET):
        return "limit"
    return str(verdict.action)


def moment(value: str) -> Callable[[int], int]:
    """From now to the moment that a time means, both in ms: `10m`, `14:02`, `2026-11-03T14:02`.

    Local time; a time of day is the last one that has been. Raises ValueError with what to write.
    """
    if found := _DURATION.fullmatch(value):
        span = int(found[1]) * _UNIT_MS[found[2]]
        return lambda now_ms: now_ms - span
    if found := _CLOCK.fullmatch(value):
        hour, minute, second = (int(part or 0) for part in found.groups())
        return lambda now_ms: _last(now_ms, hour, minute, second)
    try:
        fixed = int(dt.datetime.fromisoformat(value).astimezone().timestamp() * 1_000)
    except (ValueError, OverflowError):
        raise ValueError("write a time like 10m, 2h, 14:02 or 2026-11-03T14:02") from None
    return lambda _: fixed


def _last(now_ms: int, hour: int, minute: int, second: int) -> int:
    """The last time that local clocks showed this time of day."""
    now = dt.datetime.fromtimestamp(now_ms / 1_000, dt.UTC).astimezone()
    shown = dt.datetime.combine(now.date(), dt.time(hour, minute, second))
    if shown > now.replace(tzinfo=None):
        shown -= dt.timedelta(days=1)
    return int(shown.astimezone().timestamp() * 1_000)


def complete(text: str, cursor: int) -> list[str]:
    """What the word that ends at `cursor` may become: fields, or the values of its field."""
    before = text[:cursor]
    if before.replace('\\"', "").count('"') % 2:
        return []
    word = re.split(r"[\s(]", before)[-1].lstrip("!")
    if not (term := _TERM.match(word)):
        fields = (f"{name}:" for name in _FIELDS)
        return [field for field in fields if word and field.startswith(word.lower())]
    field = _FIELDS.get(term[1].lower())
    values = field.values if field else ()
    typed = word[term.end() :].lower()
    return [term[0] + value for value in values if value.startswith(typed)]


class _Field(NamedTuple):
    """How a field's term is read. `test` raises ValueError with what to write instead."""

    test: Callable[[str], _Test]
    values: tuple[str, ...] = ()


def _glob(pattern: str) -> Callable[[str], bool]:
    """A test for names: `*`, `?` and `[abc]`, as in rules, but in any letter case."""
    try:
        found = re.compile(fnmatch.translate(pattern), re.IGNORECASE).match
    except re.error:
        raise ValueError("write a name with *, ? or [abc]") from None
    return lambda name: found(name) is not None


def _named(*fields: str) -> _Field:
    """A field that matches when one of these names does."""

    def test(value: str) -> _Test:
        glob = _glob(value)
        return lambda row, _: any(glob(getattr(row, field)) for field in fields)

    return _Field(test)


def _rule(value: str) -> _Test:
    glob = _glob(value)
    return lambda row, _: any(map(glob, row.verdict.rules))


def _one_of(value: str, values: tuple[str, ...]) -> str:
    if value.lower() not in values:
        raise ValueError(f"write one of {', '.join(values)}")
    return value.lower()


def _verdict(value: str) -> _Test:
    word = _one_of(value, VERDICTS)
    return lambda row, _: verdict_word(row.verdict) == word


def _state(value: str) -> _Test:
    word = _one_of(value, STATES)
    return lambda row, _: row.state == word


def _risk(value: str, compare: Callable[[int, int], bool] = eq) -> _Test:
    rank = RISKS.index(Risk(_one_of(value, RISKS)))
    return lambda row, _: compare(RISKS.index(row.risk), rank)


def _since(value: str) -> _Test:
    start = moment(value)
    return lambda row, now_ms: row.at_ms >= start(now_ms)


def _before(value: str) -> _Test:
    end = moment(value)
    return lambda row, now_ms: row.at_ms < end(now_ms)


def _text(value: str) -> _Test:
    wanted = value.casefold()

    def test(row: Subject, _: int) -> bool:
        texts = (row.tool, row.server, row.agent, row.preview, row.note)
        return any(wanted in text.casefold() for text in texts)

    return test


_FIELDS = {
    "tool": _named("tool"),
    "server": _named("server"),
    "agent": _named("agent", "client"),
    "session": _named("session"),
    "method": _named("method"),
    "rule": _Field(_rule),
    "verdict": _Field(_verdict, VERDICTS),
    "risk": _Field(_risk, tuple(map(str, RISKS))),
    "state": _Field(_state, STATES),
    "since": _Field(_since, ("10m", "1h", "1d")),
    "before": _Field(_before, ("10m", "1h", "1d")),
}
_COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge}


def _not(test: _Test) -> _Test:
    return lambda row, now_ms: not test(row, now_ms)


class _Parser:
    """Recursive descent over the text; `at` is the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def whole(self) -> _Test:
        if not self.text.strip():
            return lambda _row, _now_ms: True
        test = self.alternatives()
        if self.at < len(self.text):
            raise QueryError("nothing is open here; take out this ')'", self.at)
        return test

    def alternatives(self) -> _Test:
        tests = [self.together()]
        while self.keyword("or"):
            tests.append(self.together())
        if len(tests) == 1:
            return tests[0]
        return lambda row, now_ms: any(test(row, now_ms) for test in tests)

    def together(self) -> _Test:
        tests = [self.factor()]
        while self.keyword("and") or self.more():
            tests.append(self.factor())
        if len(tests) == 1:
            return tests[0]
        return lambda row, now_ms: all(test(row, now_ms) for test in tests)

    def factor(self) -> _Test:
        start = self.skip()
        if self.taken("!") or self.keyword("not"):
            return _not(self.deeper(self.factor, start))
        if self.taken("("):
            test = self.deeper(self.alternatives, start)
            self.skip()
            if not self.taken(")"):
                raise QueryError("this '(' is never closed; add a ')'", start)
            return test
        return self.term(start)

    def term(self, start: int) -> _Test:
        if not (found := _TERM.match(self.text, start)):
            for word in ("or", "and"):
                if self.keyword(word):
                    raise QueryError(f"{word} stands between two terms; or quote the word", start)
            return _text(self.value(start, "write a term such as tool:read_* or a word"))
        name, operator = found[1].lower(), found[2]
        if not (field := _FIELDS.get(name)):
            what = f"there is no field {name}; write one of {', '.join(_FIELDS)}, or put the "
            raise QueryError(f"{what}text in quotes", start)
        if operator in _COMPARE and name != "risk":
            raise QueryError(f"{name} has no order; write {name}: instead", start)
        self.at = found.end()
        value = self.value(self.at, f"{name} needs a value after {operator}")
        try:
            if compare := _COMPARE.get(operator):
                return _risk(value, compare)
            test = field.test(value)
        except ValueError as error:
            raise QueryError(f"{name} cannot be {value!r}; {error}", found.end()) from None
        return _not(test) if operator == "!=" else test

    def value(self, start: int, missing: str) -> str:
        """A word or a quoted text."""
        if found := _QUOTED.match(self.text, start):
            self.at = found.end()
            return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)
        if self.text.startswith('"', start):
            raise QueryError("this quote is never closed; add a '\"'", start)
        if not (found := _WORD.match(self.text, start)):
            raise QueryError(missing, start)
        self.at = found.end()
        return found[0]

    def deeper(self, inner: Callable[[], _Test], start: int) -> _Test:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise QueryError(f"more than {DEPTH_MAX} levels; write it flatter", start)
        test = inner()
        self.depth -= 1
        return test

    def skip(self) -> int:
        """Pass over blanks; the place of what follows."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at

    def taken(self, sign: str) -> bool:
        if found := self.text.startswith(sign, self.at):
            self.at += len(sign)
        return found

    def keyword(self, word: str) -> bool:
        """Whether the next word is this one; then it is passed."""
        found = _WORD.match(self.text, self.skip())
        if not found or found[0].lower() != word:
            return False
        self.at = found.end()
        return True

    def more(self) -> bool:
        """Whether another term of the same row follows."""
        start = self.skip()
        word = _WORD.match(self.text, start)
        if word and word[0].lower() == "or":
            return False
        return start < len(self.text) and self.text[start] != ")"
