"""The rules of a policy while it is read: checked one by one, named, commented, with the points.

Ids are made from the server, the tool and the policy's own names, so reading a policy again gives
the same ids, and its limits go on with what they have counted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from typing import Any, Final

from mcpwall.importers.outcome import Imported, NewRule, PolicyError
from mcpwall.model import Defaults, Rule
from mcpwall.policy.compile import compile_policy
from mcpwall.policy.compiled import RuleError
from mcpwall.policy.match import escape_glob
from mcpwall.policy.never import why_never
from mcpwall.store.forms import BadValueError
from mcpwall.store.rule_config import RULE_TABLE
from mcpwall.text import visible

EVERY_TOOL: Final = "*"
_REASON_MAX: Final = 500
_ID_MAX: Final = 64
_ID_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_HASH: Final = 6


class Draft:
    """Collects the rules for one server; `server` "" means every server.

    `file` is how comments call the policy.
    """

    def __init__(self, file: str, server: str) -> None:
        self._file = file
        self._server = server
        self._rules: list[NewRule] = []
        self._points: list[str] = []
        self._ids: set[str] = set()

    def note(self, point: str) -> None:
        """Something that the policy leaves open, and how it was read; the same is said once."""
        if point not in self._points:
            self._points.append(point)

    def add(
        self, where: str, part: str, tools: Sequence[str] = (), reason: str = "", **fields: Any
    ) -> None:
        """Add a rule for these tools, patterns of our own; none means every tool.

        `where` is the place in the policy, `part` what the id says after the server.
        Raises PolicyError when no rule can say this.
        """
        selects: dict[str, Any] = {"id": self._id(part)}
        if self._server:
            selects["server"] = escape_glob(self._server)
        if tools:
            selects["tool"] = list(tools) if len(tools) > 1 else tools[0]
        if len(reason) > _REASON_MAX:
            reason = reason[: _REASON_MAX - 1] + "…"
            self.note(f"{where}: the text for the model is cut to {_REASON_MAX} characters")
        table = {**selects, **fields, **({"reason": reason} if reason else {})}
        _check(table, where)
        self._rules.append(NewRule(table, visible(f"{where} of {self._file}")))

    def posture(
        self,
        default: str,
        *,
        listed: Sequence[str],
        hidden: Collection[str],
        restrained: Collection[str],
    ) -> None:
        """Add what holds for whole tools: which are hidden, and which are called unasked.

        `restrained` are listed tools that are always denied or asked. Raises PolicyError.
        """
        if default == "allow" and not self._server:
            raise PolicyError(
                'default "allow" would allow every tool of every server; name one: --server NAME'
            )
        if hidden:
            names = () if EVERY_TOOL in hidden else [escape_glob(name) for name in hidden]
            self.add("hide", "hide", names, hide=True)
            self.note(
                "hide: hidden tools are out of the list, and a call to one is answered as for a "
                "tool that the server does not have"
            )
        if default == "deny":
            others = [f"!{escape_glob(name)}" for name in listed]
            reason = "the policy does not list this tool"
            self.add("default", "default", [EVERY_TOOL, *others], reason, action="deny")
        if EVERY_TOOL in hidden or EVERY_TOOL in restrained:
            return
        if default == "allow":
            asked = dict.fromkeys((*hidden, *(name for name in listed if name in restrained)))
            others = [f"!{escape_glob(name)}" for name in asked]
            self.add("default", "allowed", [EVERY_TOOL, *others] if others else (), action="allow")
            self.note(
                'default "allow": what the policy does not restrict is called without a question, '
                "whatever the tool's risk class; your own rules that ask or deny still hold"
            )
            return
        free = [name for name in listed if name not in hidden and name not in restrained]
        if free:
            self.add("tools", "allowed", [escape_glob(name) for name in free], action="allow")
            self.note(
                "tools: listed tools are called without a question, whatever their risk class; "
                "your own rules that ask or deny still hold"
            )

    def finished(self) -> Imported:
        """What was collected."""
        if not self._server:
            self.note("no --server was named: the rules are about the tools of every server")
        return Imported(tuple(self._rules), tuple(self._points))

    def _id(self, part: str) -> str:
        """An id that no other rule here has: `aws.sam_local_invoke_rate`."""
        name = f"{self._server or 'policy'}.{part}"
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name)
        if not _ID_PLAIN.fullmatch(plain):
            plain = f"p{plain}"
        if plain != name or len(plain) > _ID_MAX - 4:
            digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
            plain = f"{plain[: _ID_MAX - _HASH - 5]}-{digest}"
        numbered = (plain if number == 1 else f"{plain}-{number}" for number in range(1, 1_000))
        for found in numbered:
            if found not in self._ids:
                self._ids.add(found)
                return found
        raise PolicyError(f"more than 999 rules would be called {plain}")


def _check(table: dict[str, Any], where: str) -> None:
    """Refuse what is no rule, what cannot be compiled, and what can never match."""
    try:
        rule = Rule(**RULE_TABLE(table))
        compile_policy((rule,), Defaults())
    except BadValueError as error:
        problem = error.problems[0]
        advice = f"; {problem.fix}" if problem.fix else ""
        raise PolicyError(f"{where}: {problem.text()}{advice}") from None
    except RuleError as error:
        raise PolicyError(f"{where}: {error.key}: {error.message}") from None
    if reason := why_never(rule):
        raise PolicyError(f"{where}: this can never do anything: {reason}")
