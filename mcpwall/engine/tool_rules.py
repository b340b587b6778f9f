"""Rules that an app makes for tools with one key: hide, block, and what is recommended.

They become tables of config.toml like every other rule, and can be undone. And the other way: which
tools a rule is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine import tool_views
from mcpwall.engine.port import Done, Refused, Reply
from mcpwall.engine.port_tools import (
    Block,
    Hide,
    MatchTools,
    Recommend,
    Recommended,
    ToolsMatched,
)
from mcpwall.model import TOOLS_CALL, Action, JsonObject, Rule, Tool
from mcpwall.policy.compiled import Compiled
from mcpwall.policy.match import escape_glob
from mcpwall.policy.recommend import for_tool, for_tools
from mcpwall.store.config import load_text
from mcpwall.store.difference import diff
from mcpwall.store.edit import EditError, put_rules
from mcpwall.store.rule_tables import render
from mcpwall.store.toml_values import TableError

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine


def stop(engine: Engine, command: Hide | Block) -> Reply:
    """Hide or block one tool by a rule of its own, or take that rule out again.

    Raises EditError, ConfigError.
    """
    hides = isinstance(command, Hide)
    fields: JsonObject = {
        "server": escape_glob(command.server),
        "tool": escape_glob(command.tool),
        **({"hide": True} if hides else {"action": "deny"}),
    }
    wanted = _rule(fields)
    there = next((rule for rule in engine.rulebook.config.rules if _alike(rule, wanted)), None)
    did = "hidden" if hides else "blocked"
    if command.on:
        if there is not None:
            return Refused(f"rule {there.id} does so already")
        engine.rulebook.put(fields, "")
        return Done(did)
    if there is None:
        return Refused(f"no rule of its own keeps it {did}; see which rule applies")
    engine.rulebook.drop(there.id)
    return Done(f"no longer {did}")


def match(engine: Engine, command: MatchTools) -> ToolsMatched:
    """The tools that a rule with these keys would be about. Raises ConfigError, EditError."""
    try:
        rule = Compiled(_rule({**command.fields, "action": "deny"}))
    except TableError as error:
        raise EditError(str(error)) from error
    narrow = bool(rule.risk or rule.reach or rule.reads)
    known, matched = 0, {}
    for server in engine.inventory.servers.values():
        word = engine.rulebook.config.word(server.name)
        entries = [entry for name, entry in server.entries.items() if name and not entry.gone]
        known += len(entries)
        if not (rule.server.match(server.name) and rule.method.match(TOOLS_CALL)):
            continue
        names = tuple(
            entry.name
            for entry in entries
            if rule.tool.match(entry.name)  # names first: they cost little
            and (not narrow or rule.is_about(engine.inventory.tool(entry, word)))
        )
        if names:
            matched[server.name] = names
    return ToolsMatched(known, matched)


def _rule(fields: JsonObject) -> Rule:
    (rule,) = load_text(render(fields), "the rule").rules
    return rule


def _alike(rule: Rule, wanted: Rule) -> bool:
    """Whether a rule in force does this for this tool and nothing else."""
    return rule.enabled and not rule.when and _what(rule) == _what(wanted)


def _what(rule: Rule) -> tuple[object, ...]:
    does = (rule.action is Action.DENY, rule.hide, rule.rate_limit, rule.budget)
    narrows = (rule.agent, rule.method, rule.risk, rule.reach, rule.reads, rule.looks_back())
    return rule.server, rule.tool, *does, *narrows


def recommend(engine: Engine, command: Recommend) -> Reply:
    """The recommended rules for a tool, a server or all; put in if that is ordered.

    Raises EditError, ConfigError.
    """
    tools = _tools(engine, command)
    if not tools:
        return Refused("no such tool has been seen")
    found = [for_tool(tools[0])] if command.tool else for_tools(tools)
    old = engine.rulebook.config
    new = put_rules(old, [each.fields for each in found])
    if command.apply:
        if new is old:
            return Refused("all recommended rules are there already")
        engine.rulebook.put_all([each.fields for each in found])
    shown = tuple(tool_views.recommendation(each) for each in found)
    return Recommended(shown, diff(old, new), command.apply)


def _tools(engine: Engine, command: Recommend) -> list[Tool]:
    """The tools that an order is about, less those that are gone."""
    return [
        engine.inventory.tool(entry, engine.rulebook.config.word(server.name))
        for server in engine.inventory.servers.values()
        if command.server in ("", server.name)
        for name, entry in server.entries.items()
        if name and not entry.gone and command.tool in ("", name)
    ]
