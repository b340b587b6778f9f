"""Intercept's YAML policies: per tool, or for "*", rules that state what must hold.

A rule either denies, asks, or is evaluated: each of its conditions must hold, and a condition on
`state.TOOL.COUNTER` bounds what the rule's `state` counts, which makes a limit or a budget.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mcpwall.importers import shapes
from mcpwall.importers.conditions import ARGS, argument, denies_unless
from mcpwall.importers.draft import EVERY_TOOL, Draft
from mcpwall.importers.outcome import Imported, PolicyError
from mcpwall.model import JsonObject
from mcpwall.policy.match import escape_glob
from mcpwall.store import forms, quantities

_STATE: Final = "state."
_RESTRAINING: Final = {"deny": "deny", "require_approval": "ask"}
_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/(minute|hour|day)", re.ASCII)


def _rate(value: Any) -> JsonObject:
    found = _RATE.fullmatch(forms.text(value))
    if not found:
        raise forms.bad(f"is {forms.shown(value)}", 'write N/minute, N/hour or N/day: "5/hour"')
    return {"max": int(found[1]), "window": shapes.WINDOWS[found[2]]}


_RULE: Final = forms.table(
    {
        "name": shapes.name,
        "action": forms.choice(["evaluate", *_RESTRAINING]),
        "rate_limit": _rate,
        "conditions": shapes.list_of(shapes.CONDITION),
        "on_deny": forms.text,
        "state": forms.table(
            {
                "counter": shapes.name,
                "window": shapes.WINDOW,
                "increment": quantities.count,
                "increment_from": shapes.name,
            },
            "state",
            required=("counter", "window"),
        ),
    },
    "a rule",
    required=("name",),
)
_POLICY: Final = forms.table(
    {
        "version": shapes.VERSION,
        "description": forms.text,
        "default": shapes.DEFAULT,
        "hide": shapes.list_of(shapes.name),
        "tools": forms.named(shapes.name, forms.table({"rules": shapes.list_of(_RULE)}, "a tool")),
    },
    "the policy",
    required=("version", "tools"),
)


def rules(document: Any, file: str, server: str) -> Imported:
    """The rules that a policy means for `server`. Raises PolicyError."""
    policy = shapes.read(_POLICY, document)
    tools = {name: tool.get("rules", []) for name, tool in policy["tools"].items()}
    draft = Draft(file, server)
    if "default" not in policy:
        draft.note('default: not given, which means "allow" to Intercept')
    draft.posture(
        policy.get("default", "allow"),
        listed=[name for name in tools if name != EVERY_TOOL],
        hidden=policy.get("hide", []),
        restrained=[
            name
            for name, its in tools.items()
            if any(rule.get("action") in _RESTRAINING for rule in its)
        ],
    )
    for name, its in tools.items():
        _refuse_shared_counters(name, its)
        for number, rule in enumerate(its):
            _add_rule(draft, name, rule, f"tools.{name}.rules.{number}")
    return draft.finished()


def _refuse_shared_counters(tool: str, its: Sequence[JsonObject]) -> None:
    counters = [rule["state"]["counter"] for rule in its if "state" in rule]
    for counter in counters:
        if counters.count(counter) > 1:
            raise PolicyError(f"tools.{tool}: two rules share the counter {counter!r}")


def _add_rule(draft: Draft, tool: str, rule: JsonObject, where: str) -> None:
    action = rule.get("action", "evaluate")
    tools = () if tool == EVERY_TOOL else (escape_glob(tool),)
    part = f"all.{rule['name']}" if tool == EVERY_TOOL else f"{tool}.{rule['name']}"
    reason = rule.get("on_deny", "")
    counting = [key for key in ("conditions", "rate_limit", "state") if key in rule]
    if action in _RESTRAINING:
        if counting:
            raise PolicyError(
                f"{where}: what {counting[0]} means beside action {action} is not known; "
                "write two rules"
            )
        draft.add(where, part, tools, reason, action=_RESTRAINING[action])
        if action == "require_approval":
            draft.note(
                "action require_approval: the call waits for you in the app, and is denied when "
                "nobody answers in time"
            )
    elif "rate_limit" in rule:
        if len(counting) > 1:
            raise PolicyError(f"{where}: rate_limit stands alone, without conditions and state")
        _add_limit(draft, where, part, tools, reason, rate_limit=rule["rate_limit"])
    else:
        _add_evaluated(draft, tool, rule, where, part)


def _add_evaluated(draft: Draft, tool: str, rule: JsonObject, where: str, part: str) -> None:
    """A rule whose conditions must all hold."""
    tools = () if tool == EVERY_TOOL else (escape_glob(tool),)
    reason = rule.get("on_deny", "")
    conditions = rule.get("conditions", [])
    if not conditions:
        raise PolicyError(f"{where}: a rule that is evaluated needs a condition")
    bounds = [one for one in conditions if one["path"].startswith(_STATE)]
    for number, condition in enumerate(conditions):
        place = f"{where}.conditions.{number}"
        if condition in bounds:
            continue
        if not condition["path"].startswith(ARGS):
            raise PolicyError(f"{place}: path must start with args. or state.")
        when = denies_unless(condition, place)
        draft.add(place, part, tools, reason, when=when, action="deny")
        draft.note("conditions: every condition must hold; a missing or odd value does not hold")
    if not bounds and "state" not in rule:
        return
    if len(bounds) != 1 or "state" not in rule:
        raise PolicyError(f"{where}: a rule with state needs one condition on its counter")
    _add_limit(draft, where, part, tools, reason, **_counted(tool, rule["state"], bounds[0], where))


def _counted(
    tool: str, state: Mapping[str, Any], bound: Mapping[str, Any], where: str
) -> JsonObject:
    """The rate limit or budget that a counter and the condition on it make."""
    path = f"{_STATE}{'_global' if tool == EVERY_TOOL else tool}.{state['counter']}"
    if bound["path"] != path:
        raise PolicyError(f"{where}: {bound['path']!r} is not this rule's counter, {path!r}")
    value = bound["value"]
    if bound["op"] not in ("lt", "lte") or not isinstance(value, int) or isinstance(value, bool):
        raise PolicyError(f"{where}: a counter can be bounded by lt or lte and a whole number")
    most = value if bound["op"] == "lte" else value - 1
    window = shapes.WINDOWS[state["window"]]
    if "increment_from" not in state:
        return {"rate_limit": {"max": most // state.get("increment", 1), "window": window}}
    if "increment" in state:
        raise PolicyError(f"{where}: increment and increment_from exclude each other")
    if not state["increment_from"].startswith(ARGS):
        raise PolicyError(f"{where}: increment_from must start with args.")
    summed = argument(state["increment_from"], where)
    return {"budget": {"sum": summed, "max": most, "window": window}}


def _add_limit(
    draft: Draft, where: str, part: str, tools: Sequence[str], reason: str, **limit: JsonObject
) -> None:
    """Add a limit; one without tools is about all of them, counted together."""
    ((kind, counted),) = limit.items()
    if not tools:
        counted = {**counted, "per": "server"}
    draft.add(where, part, tools, reason, **{kind: counted})
    draft.note(
        "window: at most that much in any minute, hour or day, not in each one of the calendar "
        "(stricter)"
    )
    draft.note(f"{kind}: a call that was forwarded counts, also when it fails (stricter)")
    if kind == "budget":
        draft.note("budget: a call whose amount is missing, negative or no number is denied")
