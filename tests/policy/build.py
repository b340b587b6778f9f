"""Short ways to say a call, a rule and a state in the tests of the judge."""

from __future__ import annotations

import posixpath
from typing import Any

from mcpwall.model import Action, Budget, Call, Condition, Defaults, RateLimit, Risk, Rule, Verdict
from mcpwall.policy.answers import Answers
from mcpwall.policy.compile import Policy, compile_policy
from mcpwall.policy.flow import Flows
from mcpwall.policy.judge import judge
from mcpwall.policy.limits import Limits
from mcpwall.policy.state import State, ToolState

SECOND = 1_000_000_000
HOME = "/home/dev"
PROJECT = "/home/dev/src/acme"
LINKS = {"/home/dev/src/acme/escape": "/etc"}


def resolve(text: str, directory: str) -> str:
    """A file system of the tests: `~`, `..` and one symbolic link; "loop" cannot be resolved."""
    if "loop" in text:
        raise OSError("too many levels of symbolic links")
    path = text.removeprefix("file://")
    if path == "~" or path.startswith("~/"):
        path = HOME + path[1:]
    path = posixpath.normpath(posixpath.join(directory, path))
    for link, target in LINKS.items():
        if path == link or path.startswith(f"{link}/"):
            path = target + path[len(link) :]
    return path


def call(tool: str = "search", /, **fields: Any) -> Call:
    """A tools/call by claude-code#1 on server `files`; arguments are given as `arguments`."""
    values: dict[str, Any] = {
        "id": 1,
        "at_ms": 1_000,
        "session": "one",
        "agent": "claude-code#1",
        "client": "claude-code",
        "server": "files",
        "method": "tools/call",
        "arguments": {},
        "risk": Risk.READ,
        "digest": "d1",
        "directory": PROJECT,
    }
    return Call(**{**values, **fields, "tool": tool})


def rule(name: str = "r", /, **fields: Any) -> Rule:
    """A rule; `tool` and the like may be one string, `when` a table as in TOML."""
    values = dict(fields)
    for key in ("server", "tool", "agent", "method"):
        if key in values:
            values[key] = (values[key],) if isinstance(values[key], str) else tuple(values[key])
    if isinstance(values.get("action"), str):
        values["action"] = Action(values["action"])
    if isinstance(values.get("when"), dict):
        values["when"] = conditions(values["when"])
    return Rule(name, **values)


def conditions(when: dict[str, Any]) -> tuple[Condition, ...]:
    """The conditions of a `when` table: a plain value is short for equals."""
    tables = {key: v if isinstance(v, dict) else {"equals": v} for key, v in when.items()}
    return tuple(Condition(key, op, v) for key, ops in tables.items() for op, v in ops.items())


def limit(maximum: int, window_s: float = 60, **fields: Any) -> RateLimit:
    return RateLimit(maximum, window_s, **fields)


def budget(name: str, maximum: str, window_s: float = 60, **fields: Any) -> Budget:
    return Budget(name, maximum, window_s, **fields)


def policy(*rules: Rule, **defaults: str) -> Policy:
    return compile_policy(rules, Defaults(**{k: Action(v) for k, v in defaults.items()}))


def state(**fields: Any) -> State:
    values: dict[str, Any] = {
        "now_ns": 0,
        "limits": Limits(),
        "flows": Flows(),
        "answers": Answers(),
        "lockdown": False,
        "tool": ToolState.LISTED,
        "approved": False,
        "resolve": resolve,
    }
    return State(**{**values, **fields})


def verdict(what: Call, *rules: Rule, **defaults: str) -> Verdict:
    """The verdict on one call by some rules and nothing else."""
    return judge(what, policy(*rules, **defaults), state())


class Desk:
    """Judges calls one after the other as an engine does: books what it forwards."""

    def __init__(self, rules: Policy) -> None:
        self.policy = rules
        self.limits = Limits()
        self.flows = Flows()

    def ask(self, what: Call, at_s: float = 0, **fields: Any) -> Verdict:
        now_ns = round(at_s * SECOND)
        past = {"limits": self.limits, "flows": self.flows}
        given = judge(what, self.policy, state(now_ns=now_ns, **past, **fields))
        if given.action is Action.ALLOW:
            self.limits.book(given.charges, now_ns)
            self.flows.forwarded(what, now_ns)
        return given
