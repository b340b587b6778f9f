"""Answers that a person gave and wants remembered: each can answer an ask, and nothing else.

They live in memory, for one session or fifteen minutes; one for always is a rule instead, whose
table `rule_fields` makes. An answer covers no more than the person saw: the same server and
method, for an allow the same client, and then exactly this call, one argument by pattern, this
tool, or this server.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, Self

import msgspec

from mcpwall.model import TOOLS_CALL, Call, Condition, JsonObject
from mcpwall.policy.conditions import Clause
from mcpwall.policy.match import escape_glob

MATCHES = ("exact", "argument", "tool", "server")
QUARTER_NS = 15 * 60 * 1_000_000_000
INT64 = 1 << 63  # TOML readers need not carry larger integers, TOML 1.0 "Integer"


class Answer(msgspec.Struct, frozen=True):
    """One remembered answer, and which calls it covers.

    `match` is "exact", "argument", "tool" or "server"; empty fields do not restrict.
    """

    id: str
    allow: bool
    match: str
    server: str
    method: str
    made_ms: int
    tool: str = ""
    client: str = ""
    digest: str = ""
    argument: str = ""
    pattern: str = ""
    session: str = ""
    expires_ns: int | None = None  # steady clock; None lives as long as its session
    reason: str = ""
    asked: tuple[str, ...] = ()  # the rules that asked when it was given


class Answers:
    """The remembered answers at one moment; every change makes a new collection."""

    __slots__ = ("_items", "_made")

    def __init__(self, items: tuple[tuple[Answer, Clause | None], ...] = (), made: int = 0) -> None:
        self._items = items
        self._made = made  # how many there ever were: ids are not used twice

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """A collection of one answer, from a record."""
        return cls(((answer, _clause(answer)),), 1)

    def __len__(self) -> int:
        return len(self._items)

    def list(self) -> tuple[Answer, ...]:
        """All answers, oldest first, expired ones too."""
        return tuple(answer for answer, _ in self._items)

    def remember(
        self,
        call: Call,
        *,
        allow: bool,
        match: str,
        scope: str,
        now_ns: int,
        made_ms: int,
        argument: str = "",
        pattern: str = "",
        reason: str = "",
        asked: tuple[str, ...] = (),
    ) -> tuple[Answers, Answer]:
        """The collection with a new answer, made on `call`, and that answer.

        `asked` are the rules that asked. `scope` is "session" or "15m". Raises ValueError for
        another scope or match, and ConditionError (a ValueError) for an argument path or pattern
        that cannot be read.
        """
        if scope not in ("session", "15m"):
            raise ValueError(f'an answer is remembered for "session" or "15m", not "{scope}"')
        made = self._made + 1
        answer = Answer(
            id=f"s{made:02}",
            allow=allow,
            match=match,
            server=call.server,
            method=call.method,
            made_ms=made_ms,
            tool="" if match == "server" else call.tool,
            client=call.client if allow else "",
            digest=call.digest if match == "exact" else "",
            argument=argument if match == "argument" else "",
            pattern=pattern if match == "argument" else "",
            session=call.session if scope == "session" else "",
            expires_ns=None if scope == "session" else now_ns + QUARTER_NS,
            reason=reason,
            asked=asked,
        )
        return Answers((*self._items, (answer, _clause(answer))), made), answer

    def find(self, call: Call, now_ns: int, asked: AbstractSet[str] = frozenset()) -> Answer | None:
        """The answer to an ask on this call, a deny before any allow; None when there is none.

        An allow must have been given when all rules in `asked` asked.
        """
        found = None
        for answer, clause in self._items:
            if answer.expires_ns is not None and answer.expires_ns <= now_ns:
                continue
            if _covers(answer, clause, call):
                if not answer.allow:
                    return answer
                if asked <= set(answer.asked):
                    found = found or answer
        return found

    def without(self, answer_id: str) -> Answers:
        """The collection without the answer of this id."""
        return self._keeping(lambda answer: answer.id != answer_id)

    def without_session(self, session: str) -> Answers:
        """The collection without the answers for one session, which has ended."""
        return self._keeping(lambda answer: answer.session != session)

    def without_tool(self, server: str, tool: str) -> Answers:
        """The collection without the answers that a definition of this tool was seen for.

        Those for any tool of the server are among them. With tool "" all answers for the server.
        """
        return self._keeping(
            lambda answer: answer.server != server or (tool != "" and answer.tool not in ("", tool))
        )

    def without_expired(self, now_ns: int) -> Answers:
        """The collection without the answers whose time is up."""
        return self._keeping(lambda answer: answer.expires_ns is None or answer.expires_ns > now_ns)

    def _keeping(self, keep: Callable[[Answer], bool]) -> Answers:
        return Answers(tuple(item for item in self._items if keep(item[0])), self._made)


def is_answer_id(name: str) -> bool:
    """Whether a name in a verdict is a remembered answer's; no rule may be called so."""
    return name.startswith("s") and len(name) > 2 and name[1:].isdecimal()  # noqa: PLR2004 - "s01"


def covers(answer: Answer, call: Call) -> bool:
    """Whether an answer is about this call, whatever the time."""
    return _covers(answer, _clause(answer), call)


def rule_fields(
    call: Call, *, match: str, allow: bool, argument: str = "", pattern: str = "", reason: str = ""
) -> JsonObject:
    """The `[[rules]]` table, without an id, that gives this answer always.

    An exact match compares the arguments object as a whole, so no argument can be left out or
    slip in. Raises ValueError for an unknown match.
    """
    fields: JsonObject = {"server": escape_glob(call.server)}
    if match != "server" and call.tool:
        fields["tool"] = escape_glob(call.tool)
    if allow and call.client:
        fields["agent"] = escape_glob(call.client)
    if call.method != TOOLS_CALL:
        fields["method"] = escape_glob(call.method)
    if _known(match) == "exact":
        fields["when"] = {"": _exactly(call.arguments)}
    elif match == "argument":
        fields["when"] = {argument: {"glob": pattern}}
    fields["action"] = "approve" if allow else "deny"
    if reason:
        fields["reason"] = reason
    return fields


def _known(match: str) -> str:
    if match not in MATCHES:
        raise ValueError(f'an answer matches one of {", ".join(MATCHES)}, not "{match}"')
    return match


def _clause(answer: Answer) -> Clause | None:
    if _known(answer.match) != "argument":
        return None
    return Clause(Condition(answer.argument, "glob", answer.pattern))


def _covers(answer: Answer, clause: Clause | None, call: Call) -> bool:
    if (answer.server, answer.method) != (call.server, call.method):
        return False
    if answer.match != "server" and answer.tool != call.tool:
        return False
    if answer.allow and answer.client != call.client:
        return False
    if answer.session and answer.session != call.session:
        return False
    if answer.match == "exact":
        return answer.digest == call.digest
    if clause is None:
        return True
    holds = clause.surely_holds if answer.allow else clause.may_hold
    return holds(call.arguments, call.directory, _no_paths)


def _no_paths(_path: str, _directory: str) -> str:
    raise ValueError("a glob looks up no path")


def _exactly(arguments: JsonObject) -> JsonObject:
    if _fits_toml(arguments):
        return {"equals": arguments}
    return {"equals_json": msgspec.json.encode(arguments).decode()}


def _fits_toml(value: Any) -> bool:
    """Whether TOML has a form for a JSON value: it has no null and no integers beyond 64 bits."""
    if isinstance(value, dict):
        return all(_fits_toml(item) for item in value.values())
    if isinstance(value, list):
        return all(_fits_toml(item) for item in value)
    if isinstance(value, int):
        return -INT64 <= value < INT64
    return value is not None
