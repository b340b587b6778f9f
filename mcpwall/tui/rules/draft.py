"""A rule as the form shows it, made from its TOML table and turned back into one. Pure.

What the form does not show (id, agent, risk, method, enabled, what else `after` names) and what the
person did not touch stays exactly as it was written.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mcpwall.model import Risk
from mcpwall.text import visible
from mcpwall.tui.globs import literal
from mcpwall.tui.rules.values import (
    OPERATORS,
    TypedError,
    read_names,
    read_rate,
    read_value,
    read_window,
    write_names,
    write_rate,
    write_value,
    write_window,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpwall.engine.port_calls import Row
    from mcpwall.model import JsonObject

DEEDS = ("deny", "ask", "allow", "approve", "limit", "hide")
_NO_ACTION = ("limit", "hide")
_DOING = {"action", "rate_limit", "budget", "hide"}  # a rule has one of these
_HOLDING = {"more_than"}
PER = ("tool", "server", "agent", "session")
WAIT, HOLD = "tell the agent to wait", "hold it for you"
HITS = (WAIT, HOLD)  # what becomes of a call that is over a limit
_A_MINUTE = {Risk.READ: 60}  # calls a minute that `r` suggests; others
_A_MINUTE_ELSE = 10
_SPELLED = "‹›␊␉"  # signs by which `text.visible` shows what cannot be typed
_UNSHOWN = ("id", "agent", "method", "risk", "reach", "reads", "enabled")
_SELECTING = ("method", "risk", "reach", "reads")
_UNSHOWN_AFTER = ("method", "risk", "reach", "reads")


@dataclass(frozen=True)
class ArgumentTest:
    """One condition as typed."""

    argument: str = ""
    op: str = ""
    value: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was typed."""
        return not (self.argument or self.op or self.value)


@dataclass(frozen=True)
class Draft:
    """What stands in the form, all of it safe text. Limits are like "10 per 60s".

    A limit that holds is `more_than` with `action = "ask"` in the language of rules.
    """

    do: str = "deny"
    server: str = ""
    tool: str = ""
    tests: tuple[ArgumentTest, ...] = ()
    after_server: str = ""
    after_tool: str = ""
    after_within: str = ""
    repeat: str = ""
    limit: str = ""
    per: str = "tool"
    hit: str = WAIT
    sum: str = ""
    budget: str = ""
    reason: str = ""
    kept: JsonObject = field(default_factory=dict)  # keys that the form does not show
    also: JsonObject = field(default_factory=dict)  # and those of `after`

    @property
    def holds(self) -> bool:
        """Whether calls over the limit are held for a person."""
        return self.do == "limit" and self.hit == HOLD


class DraftError(ValueError):
    """A field of the form that cannot be read: `field` names it, the text says what to write."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.field = name


def fields_from_call(row: Row) -> JsonObject:
    """A rule about the tool of this call: a limit, to be changed as the person likes."""
    table: JsonObject = {"server": literal(row.server)}
    if row.tool:
        table["tool"] = literal(row.tool)
    if row.method != "tools/call":
        table["method"] = literal(row.method)
    return table | {"rate_limit": {"max": _A_MINUTE.get(row.risk, _A_MINUTE_ELSE), "window": 60}}


def draft_of(table: JsonObject) -> Draft:
    """The form's text for a rule's TOML table."""
    budget, after = table.get("budget") or {}, table.get("after") or {}
    holds = table.get("action") == "ask" and "more_than" in table and "rate_limit" not in table
    limit, per = _shown(table.get("more_than" if holds else "rate_limit"))
    deed = "hide" if table.get("hide") else "limit" if limit or budget else "deny"
    return Draft(
        do="limit" if holds else str(table.get("action", deed)),
        server=write_names(table.get("server")),
        tool=write_names(table.get("tool")),
        tests=tuple(_tests(table.get("when", {}))),
        after_server=write_names(after.get("server")),
        after_tool=write_names(after.get("tool")),
        after_within=write_window(after["within"]) if "within" in after else "",
        repeat=str(table.get("repeat", "")),
        limit=limit,
        per=per,
        hit=HOLD if holds else WAIT,
        sum=visible(budget.get("sum", "")),
        budget=write_rate(budget["max"], budget["window"]) if budget else "",
        reason=visible(table.get("reason", "")),
        kept=_kept(table, *_UNSHOWN, *(() if holds else ("more_than",))),
        also=_kept(after, *_UNSHOWN_AFTER),
    )


def table_of(draft: Draft, written: JsonObject) -> JsonObject:
    """The TOML table of a draft made from the table `written`. Raises DraftError."""
    before = draft_of(written)
    table: JsonObject = dict(draft.kept)

    def put(key: str, names: tuple[str, ...], make: Callable[[], Any], was: str = "") -> None:
        """Keep what was written where the text is still the same, else read the text.

        `was`: under which key it was written, if not under this one.
        """
        if all(getattr(draft, name) == getattr(before, name) for name in names):
            value = written.get(was or key)
        else:
            value = make()
        if value is not None:
            table[key] = value

    put("server", ("server",), lambda: read_names(draft.server))
    put("tool", ("tool",), lambda: read_names(draft.tool))
    put("when", ("tests",), lambda: _when(draft.tests))
    put(
        "after",
        ("after_server", "after_tool", "after_within"),
        lambda: _after(draft, written.get("after")),
    )
    put("repeat", ("repeat",), lambda: _repeat(draft.repeat))
    put("action", ("do", "holds"), lambda: _action(draft))
    put("hide", ("do",), lambda: draft.do == "hide" or None)
    put(_limiting(draft), ("limit", "per"), lambda: _limit(draft, written), _limiting(before))
    put("budget", ("sum", "budget"), lambda: _budget(draft, written.get("budget") or {}))
    put("reason", ("reason",), lambda: _typed("reason", draft.reason) or None)
    if "action" not in table and draft.do not in _NO_ACTION:
        table["action"] = draft.do  # a new rule starts with an action that was never written
    if not table.keys() & (_HOLDING if draft.holds else _DOING):
        raise DraftError("limit", 'write a limit, such as "10 per 60s", or a budget')
    if draft.holds and "budget" in table:
        raise DraftError("budget", "a rule that holds what is over its limit has no budget")
    return table


def selecting(draft: Draft) -> JsonObject:
    """The keys of its table that choose tools."""
    names = {"server": read_names(draft.server), "tool": read_names(draft.tool)}
    typed = {key: value for key, value in names.items() if value is not None}
    return typed | _kept(draft.kept, *_SELECTING)


def unshown(draft: Draft) -> str:
    """What else the rule says, for the person to know; empty for nothing."""
    kept = {key: value for key, value in draft.kept.items() if key != "id"}
    kept |= {f"after {key}": value for key, value in draft.also.items()}
    return "  ".join(f"{key} = {write_value('equals', value)}" for key, value in kept.items())


def _tests(when: JsonObject) -> list[ArgumentTest]:
    tests: list[ArgumentTest] = []
    for argument, test in when.items():
        ops = test if isinstance(test, dict) else {"equals": test}
        tests += [
            ArgumentTest(visible(argument), op, write_value(op, value)) for op, value in ops.items()
        ]
    return tests


def _when(tests: tuple[ArgumentTest, ...]) -> JsonObject | None:
    when: dict[str, JsonObject] = {}
    for number, test in enumerate(tests):
        if test.empty:
            continue
        name = f"test{number}"
        if test.op not in OPERATORS:
            near = difflib.get_close_matches(test.op, OPERATORS, 1, cutoff=0)[0]
            raise DraftError(name, f'"{test.op}" is no operator; did you mean {near}?')
        ops = when.setdefault(_typed(name, test.argument), {})
        if test.op in ops:
            raise DraftError(name, f"{test.argument} is tested with {test.op} twice")
        ops[test.op] = read_value(test.op, test.value)
    return when or None


def _after(draft: Draft, written: Any) -> JsonObject | None:
    """Which earlier calls; what else is said of them stays."""
    after = {"server": read_names(draft.after_server), "tool": read_names(draft.after_tool)}
    told: JsonObject = {key: names for key, names in after.items() if names is not None}
    told |= _kept(written, *_UNSHOWN_AFTER)
    if within := draft.after_within.strip():
        told["within"] = read_window(within)
    return told or None


def _repeat(text: str) -> int | None:
    if not (text := text.strip()):
        return None
    if not text.isdecimal() or not int(text):
        raise DraftError("repeat", "write how many times in a row are allowed, such as 5")
    return int(text)


def _limiting(draft: Draft) -> str:
    """The key of its limit."""
    return "more_than" if draft.holds else "rate_limit"


def _action(draft: Draft) -> str | None:
    if draft.holds:
        return "ask"
    return None if draft.do in _NO_ACTION else draft.do


def _shown(written: Any) -> tuple[str, str]:
    """The text of a limit, and what it counts apart."""
    if isinstance(written, dict):
        return write_rate(written["max"], written["window"]), written.get("per", "tool")
    return written or "", "tool"


def _limit(draft: Draft, written: JsonObject) -> JsonObject | None:
    if not draft.limit.strip():
        return None
    before = written.get("rate_limit", written.get("more_than"))
    limit = _rate("limit", draft.limit) | _kept(before, "per_argument")
    return limit if draft.per == "tool" else limit | {"per": draft.per}


def _budget(draft: Draft, written: JsonObject) -> JsonObject | None:
    if not (draft.sum.strip() or draft.budget.strip()):
        return None
    if not draft.sum.strip():
        raise DraftError("sum", "name the argument that is summed up")
    kept = _kept(written, "per", "per_argument")
    return {"sum": _typed("sum", draft.sum.strip())} | _rate("budget", draft.budget) | kept


def _kept(written: Any, *keys: str) -> JsonObject:
    """What a limit says that the form does not show."""
    return {key: written[key] for key in keys if isinstance(written, dict) and key in written}


def _typed(name: str, text: str) -> str:
    """Text that stands for itself. Raises DraftError when it spells out what nobody can type."""
    if set(text) & set(_SPELLED):
        raise DraftError(name, f"‹…› and ␊ stand for signs that are changed in the file: {text}")
    return text


def _rate(name: str, text: str) -> JsonObject:
    try:
        number, window = read_rate(text)
    except TypedError as error:
        raise DraftError(name, str(error)) from None
    return {"max": number, "window": window}
