"""Changes of the rules in config.toml, from a config that loads to one that loads. Pure.

Every change is loaded and compared, so it says exactly what was asked, or there is none. What the
person wrote around it stays as it is, to the byte. `store.config_file` writes.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from mcpwall.policy.match import escape_glob, literal_text
from mcpwall.store import risk_tables, rule_tables
from mcpwall.store.config import Config, RuleTable, load_text
from mcpwall.store.difference import content
from mcpwall.store.toml_values import TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mcpwall.model import JsonObject, Risk


class EditError(Exception):
    """A change that was not made; nothing was written. The text says why and what to do."""


def put_rule(config: Config, fields: Mapping[str, Any], replaces: str = "") -> Config:
    """The config with one more rule at its end, or with other `fields` for the rule `replaces`.

    `fields` is a `[[rules]]` table as plain data. A rule that was written without an id stays
    without one. Raises EditError; ConfigError when the result would not load.
    """
    fields = dict(fields)
    if replaces:
        if fields.get("id") == replaces and "id" not in _written(config, replaces):
            del fields["id"]
        return _changed(config, replaces, lambda _: fields)
    _blocks(config)  # refuses a file that no table can be added to
    try:
        text = rule_tables.add(config.text, fields)
    except TableError as error:
        raise EditError(str(error)) from error
    new = _checked(config, text, [*_tables(config), fields])
    if len(new.rules) == len(config.rules):
        raise EditError(f"the rule {new.tables[-1].id} says the same already; nothing was added")
    return new


def put_rules(config: Config, rules: Sequence[Mapping[str, Any]]) -> Config:
    """The config with these rules, which have ids; each replaces the rule of its id.

    The very same config comes back when all are there already. Raises as `put_rule` does.
    """
    for fields in rules:
        known = {table.id: table.fields for table in config.tables}
        if fields["id"] not in known:
            config = put_rule(config, fields)
        elif not rule_tables.same(known[fields["id"]], dict(fields)):
            config = put_rule(config, fields, fields["id"])
    return config


def add_rules(config: Config, rules: Sequence[tuple[Mapping[str, Any], str]]) -> Config:
    """The config with more rules at its end, each a table that has an id and one line of comment.

    Rules that are there already are left out; the very same config comes back when all are.
    Raises EditError, also when an id is taken by a rule that says something else; ConfigError
    when the result would not load.
    """
    _blocks(config)  # refuses a file that no table can be added to
    known = {rule.id: content(rule) for rule in config.rules}
    text, tables = config.text, _tables(config)
    try:
        for fields, comment in rules:
            (rule,) = load_text(rule_tables.render(fields), config.file).rules
            if rule.id not in known:
                known[rule.id] = content(rule)
                text = rule_tables.add(text, fields, comment)
                tables.append(dict(fields))
            elif known[rule.id] != content(rule):
                raise EditError(
                    f"{config.file} has a rule {rule.id} already, which says something else; "
                    "take it out first, or give it another id"
                )
    except TableError as error:
        raise EditError(str(error)) from error
    return config if text == config.text else _checked(config, text, tables)


def drop_rule(config: Config, rule: str) -> Config:
    """The config without a rule. Raises EditError; ConfigError when the rest would not load."""
    _written(config, rule)
    text = config.text
    for written, block in reversed(_blocks(config)):
        if written.id == rule:
            text = rule_tables.remove(text, block)
    return _checked(config, text, [table.fields for table in config.tables if table.id != rule])


def toggle_rule(config: Config, rule: str, *, enabled: bool) -> Config:
    """The config with a rule turned on or off. Raises EditError, ConfigError."""
    if _written(config, rule).get("enabled", True) == enabled:
        return config
    return _changed(config, rule, lambda fields: {**fields, "enabled": enabled})


def set_risk(config: Config, server: str, tool: str, risk: Risk | None) -> Config:
    """The config with this class for one tool, or with none (None).

    The very same config comes back when that is so already. Raises EditError; ConfigError when the
    result would not load.
    """
    said = config.risks.get(server, {}).get(tool)
    if (said.risk if said else None) is risk:
        return config
    data = tomllib.loads(config.text)
    written = data.get("servers", {}).get(server, {}).get("risk", {})
    key = next((key for key in written if literal_text(key) == tool), escape_glob(tool))
    try:
        text = risk_tables.set_class(config.text, server, key, risk)
    except TableError as error:
        raise EditError(f"{config.file} has to be edited by hand: {error}") from error
    return _loaded(config, text, risk_tables.changed_data(data, server, key, risk))


def _tables(config: Config) -> list[JsonObject]:
    return [table.fields for table in config.tables]


def _written(config: Config, rule: str) -> JsonObject:
    try:
        return config.fields(rule)
    except KeyError:
        raise EditError(f"{config.file} has no rule {rule!r} any more") from None


def _blocks(config: Config) -> list[tuple[RuleTable, rule_tables.Block]]:
    try:
        return list(zip(config.tables, rule_tables.blocks(config.text), strict=True))
    except TableError as error:
        raise EditError(f"{config.file} has to be edited by hand: {error}") from error


def _changed(config: Config, rule: str, change: Callable[[JsonObject], JsonObject]) -> Config:
    """The config with other fields in each table of a rule (it may be written twice)."""
    _written(config, rule)
    text, tables = config.text, _tables(config)
    blocks = _blocks(config)
    for number in reversed(range(len(tables))):
        written, block = blocks[number]
        if written.id == rule:
            tables[number] = change(written.fields)
            try:
                text = rule_tables.change(text, block, tables[number])
            except TableError as error:
                raise EditError(str(error)) from error
    return _checked(config, text, tables)


def _checked(config: Config, text: str, tables: list[JsonObject]) -> Config:
    """Load the new text, which must hold these rules and else the same as before."""
    wanted = {**tomllib.loads(config.text), "rules": tables}
    if not tables:
        del wanted["rules"]
    return _loaded(config, text, wanted)


def _loaded(config: Config, text: str, wanted: JsonObject) -> Config:
    """Load the new text, which must say this."""
    new = load_text(text, config.file)
    if not rule_tables.same(tomllib.loads(text), wanted):
        raise EditError(f"this cannot be written into {config.file} safely; edit it by hand")
    return new
