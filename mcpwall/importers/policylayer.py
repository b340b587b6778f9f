"""PolicyLayer's JSON policies, with the short forms of its FAQ: `action`, `reason`, `rate_limit`.

Its order is hide > default > require > deny_if > limits. All of these only deny, so the order
makes no difference to what passes; a rule of ours stands for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcpwall.importers import shapes
from mcpwall.importers.conditions import ARGS, denies_if, denies_unless
from mcpwall.importers.draft import EVERY_TOOL, Draft
from mcpwall.importers.outcome import Imported, PolicyError
from mcpwall.model import JsonObject
from mcpwall.policy.match import escape_glob
from mcpwall.store import forms, quantities

_RESTRAINING: Final = {"deny": "deny", "require_approval": "ask"}


def _seconds(value: Any) -> Any:
    if isinstance(value, str):
        raise forms.bad("must be a number of seconds, such as 60")
    quantities.duration(value)
    return value


def _requirement(value: Any) -> JsonObject:
    """An entry of `require`: `{conditions, on_deny}`, or a bare condition with or without the text.

    The published pages show both uses of the words and no form of it, and neither can be mistaken
    for the other.
    """
    if not isinstance(value, dict) or "conditions" in value:
        return _ENTRY(value)
    condition = dict(value)
    told = condition.pop("on_deny", "")
    return {"conditions": [shapes.CONDITION(condition)], "on_deny": forms.text(told)}


_CONDITIONS: Final = shapes.list_of(shapes.CONDITION)
_ENTRY: Final = forms.table(
    {"conditions": _CONDITIONS, "on_deny": forms.text}, "an entry", required=("conditions",)
)
_LIMITS: Final = shapes.list_of(
    forms.table(
        {
            "counter": shapes.name,
            "window": shapes.WINDOW,
            "max": quantities.count,
            "scope": forms.choice(["grant"]),
        },
        "a limit",
        required=("counter", "window", "max"),
    )
)
_TOOL: Final = forms.table(
    {
        "require": shapes.list_of(_requirement),
        "deny_if": shapes.list_of(_ENTRY),
        "limits": _LIMITS,
        "action": forms.choice(["allow", *_RESTRAINING]),
        "reason": forms.text,
        "rate_limit": forms.table(
            {"max": quantities.count, "window": _seconds}, "rate_limit", required=("max", "window")
        ),
    },
    "a tool",
)


def _tool_name(value: str) -> str:
    if value == EVERY_TOOL:
        raise forms.bad("is not the name of one tool", "limits for every tool stand in all_tools")
    return shapes.name(value)


_POLICY: Final = forms.table(
    {
        "version": shapes.VERSION,
        "default": shapes.DEFAULT,
        "hide": shapes.list_of(shapes.name),
        "all_tools": forms.table({"limits": _LIMITS}, "all_tools"),
        "tools": forms.named(_tool_name, _TOOL),
    },
    "the policy",
    required=("version", "default"),
)


def rules(document: Any, file: str, server: str) -> Imported:
    """The rules that a policy means for `server`. Raises PolicyError."""
    policy = shapes.read(_POLICY, document)
    tools: Mapping[str, JsonObject] = policy.get("tools", {})
    draft = Draft(file, server)
    draft.posture(
        policy["default"],
        listed=list(tools),
        hidden=policy.get("hide", []),
        restrained=[name for name, tool in tools.items() if tool.get("action") in _RESTRAINING],
    )
    for name, tool in tools.items():
        if any(sign in name for sign in "*?["):
            draft.note(f"tools.{name}: read as the name of one tool, not as a pattern")
        _add_tool(draft, name, tool)
    _add_limits(draft, tools, policy.get("all_tools", {}).get("limits", []))
    _add_rate_limits(draft, tools)
    return draft.finished()


def _add_tool(draft: Draft, name: str, tool: JsonObject) -> None:
    """All that one tool's entry says but its limits, which may be shared."""
    where, tools, reason = f"tools.{name}", [escape_glob(name)], tool.get("reason", "")
    action = tool.get("action")
    if action in _RESTRAINING:
        draft.add(f"{where}.action", f"{name}.{action}", tools, reason, action=_RESTRAINING[action])
        if action == "require_approval":
            draft.note(
                "action require_approval: the call waits for you in the app, and is denied when "
                "nobody answers in time"
            )
    elif reason and "rate_limit" not in tool:
        draft.note(f"{where}.reason: nothing here refuses or asks, so it is told to nobody")
    for number, entry in enumerate(tool.get("require", [])):
        place = f"{where}.require.{number}"
        if not entry["conditions"]:
            raise PolicyError(
                f"{place}: requires nothing; leave the entry out, or give a condition"
            )
        draft.note("require: every condition must hold; a missing or odd value does not hold")
        for condition in entry["conditions"]:
            _note_path(draft, condition)
            when = denies_unless(condition, place)
            draft.add(
                place, f"{name}.require", tools, entry.get("on_deny", ""), when=when, action="deny"
            )
    if tool.get("deny_if") == []:
        draft.note("deny_if: an empty list denies nothing; an entry without conditions denies all")
    for number, entry in enumerate(tool.get("deny_if", [])):
        place = f"{where}.deny_if.{number}"
        fields: JsonObject = {"action": "deny"}
        for condition in entry["conditions"]:
            _note_path(draft, condition)
        if entry["conditions"]:
            fields["when"] = denies_if(entry["conditions"], f"{place}.conditions")
            draft.note(
                "deny_if: a missing argument meets no condition except exists = false, neq and "
                "not_in; a null or a value of another type than the policy's meets it (stricter)"
            )
        draft.add(place, f"{name}.deny_if", tools, entry.get("on_deny", ""), **fields)


def _note_path(draft: Draft, condition: JsonObject) -> None:
    path = condition["path"]
    if not path.startswith(ARGS):
        draft.note(f"path {path!r}: read as the argument {ARGS}{path}; if missing, it denies")


def _add_limits(draft: Draft, tools: Mapping[str, JsonObject], for_all: list[JsonObject]) -> None:
    """The limits of all tools, counters that several tools name put together."""
    counters: dict[str, tuple[JsonObject, list[str]]] = {}
    for name, tool in tools.items():
        for number, limit in enumerate(tool.get("limits", [])):
            known, sharing = counters.setdefault(limit["counter"], (limit, []))
            if known != limit or name in sharing:
                raise PolicyError(
                    f"tools.{name}.limits.{number}: the counter {limit['counter']!r} has another "
                    "limit already; give each limit a counter of its own"
                )
            sharing.append(name)
    for counter, (limit, sharing) in counters.items():
        where = f"tools.{sharing[0]}.limits"
        shared = len(sharing) > 1
        if shared:
            draft.note(
                f"counter {counter!r}: {len(sharing)} tools name it, so their calls are counted "
                "together (stricter)"
            )
        _add_limit(draft, where, limit, [escape_glob(name) for name in sharing], together=shared)
    for number, limit in enumerate(for_all):
        where = f"all_tools.limits.{number}"
        if limit["counter"] in counters:
            raise PolicyError(f"{where}: the counter {limit['counter']!r} is that of a tool")
        counters[limit["counter"]] = limit, []
        _add_limit(draft, where, limit, (), together=True)
        draft.note("all_tools: every call of the server counts, those of all agents together")


def _add_rate_limits(draft: Draft, tools: Mapping[str, JsonObject]) -> None:
    """The limits in their short form, of one tool each."""
    for name, tool in tools.items():
        if "rate_limit" in tool:
            place = f"tools.{name}.rate_limit"
            draft.add(
                place,
                f"{name}.rate_limit",
                [escape_glob(name)],
                "" if tool.get("action") in _RESTRAINING else tool.get("reason", ""),
                rate_limit=dict(tool["rate_limit"]),
            )
            draft.note(
                "rate_limit: counted over all sessions and agents together, so a new session "
                "brings no new quota (stricter)"
            )


def _add_limit(
    draft: Draft, where: str, limit: JsonObject, tools: list[str] | tuple[()], *, together: bool
) -> None:
    rate = {"max": limit["max"], "window": shapes.WINDOWS[limit["window"]]}
    if together:
        rate["per"] = "server"
    draft.add(where, limit["counter"], tools, rate_limit=rate)
    draft.note(
        "window: at most max calls in any minute, hour or day, not in each one of the calendar "
        "(stricter)"
    )
    draft.note(
        'scope "grant": all agents share the quota, since an agent says its own name here '
        '(stricter); per = "agent" would give each name its own'
    )
