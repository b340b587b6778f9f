"""Changing the rules in config.toml from inside: what the rules screen and its undo stand on.

The functions work on text; `ConfigFile` holds the file that is in force and writes. Every change
is loaded and compared before anything is written, so a change says exactly what was asked, or
nothing happens. What the person wrote around it stays as it is, to the byte.
"""

from __future__ import annotations

import tomllib
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcpwall.policy.loosening import loosened
from mcpwall.policy.match import escape_glob, literal_text
from mcpwall.policy.set_risk import lowered
from mcpwall.store import audit_config, files, http, risk_tables, rule_tables
from mcpwall.store.config import Config, ConfigError, RuleTable, load, load_text
from mcpwall.store.difference import content
from mcpwall.store.shared import setting
from mcpwall.store.toml_values import TableError
from mcpwall.store.watch import signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mcpwall.model import JsonObject, Risk

UNDO_STEPS: Final = 50

TEMPLATE: Final = """\
# The rules of mcpwall. Edit this file by hand or in the app: both keep what the other wrote.
# Every key is explained in config.example.toml and docs/rules.md; `mcpwall rules check` checks.

"""


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


class ConfigFile:
    """config.toml on disk and the config in force, which is the last one that was accepted.

    Each change is made on what the file says now. An edit from outside that nobody has seen yet
    is kept when it loads and loosens nothing; else the change is refused. Undo goes back through
    changes made here, not past an edit from outside.
    """

    def __init__(self, path: str, config: Config) -> None:
        self.path = path
        self._config = config
        self._undo: deque[str] = deque(maxlen=UNDO_STEPS)
        self._redo: deque[str] = deque(maxlen=UNDO_STEPS)

    @classmethod
    def open(cls, path: str) -> ConfigFile:
        """The file as it is; one that does not exist counts as empty. Raises ConfigError."""
        return cls(path, _on_disk(path))

    @property
    def config(self) -> Config:
        """The config in force."""
        return self._config

    @property
    def undo_steps(self) -> int:
        """How many changes can be undone."""
        return len(self._undo)

    @property
    def redo_steps(self) -> int:
        """How many undone changes can be made again."""
        return len(self._redo)

    def put(self, fields: Mapping[str, Any], replaces: str = "") -> Config:
        """Add a rule or replace one, see `put_rule`. Raises EditError, ConfigError."""
        return self._change(lambda config: put_rule(config, fields, replaces))

    def add(self, rules: Sequence[tuple[Mapping[str, Any], str]]) -> Config:
        """Add rules with their comments in one step, see `add_rules`. Raises as that does."""
        return self._change(lambda config: add_rules(config, rules))

    def put_all(self, rules: Sequence[Mapping[str, Any]]) -> Config:
        """Put in several rules in one step, see `put_rules`. Raises EditError, ConfigError."""
        return self._change(lambda config: put_rules(config, rules))

    def drop(self, rule: str) -> Config:
        """Take a rule out, see `drop_rule`. Raises EditError, ConfigError."""
        return self._change(lambda config: drop_rule(config, rule))

    def toggle(self, rule: str, *, enabled: bool) -> Config:
        """Turn a rule on or off, see `toggle_rule`. Raises EditError, ConfigError."""
        return self._change(lambda config: toggle_rule(config, rule, enabled=enabled))

    def set_risk(self, server: str, tool: str, risk: Risk | None) -> Config:
        """Set the class of one tool, see `set_risk`. Raises EditError, ConfigError."""
        return self._change(lambda config: set_risk(config, server, tool, risk))

    def undo(self) -> Config:
        """Take the last change back. Raises EditError."""
        return self._step(self._undo, self._redo, "undo")

    def redo(self) -> Config:
        """Make the change again that was undone last. Raises EditError."""
        return self._step(self._redo, self._undo, "redo")

    def outside(self) -> Config | None:
        """What an edit from outside made of the file; None when it is what is in force.

        Raises ConfigError when the file does not load now.
        """
        config = _on_disk(self.path)
        return None if config.text == self._config.text else config

    def accept(self, config: Config) -> None:
        """Put in force what `outside` found."""
        self._config = config
        self._undo.clear()
        self._redo.clear()

    def put_back(self) -> None:
        """Write the config in force over an edit from outside. Raises EditError."""
        self._write(self._config.text)

    def _change(self, change: Callable[[Config], Config]) -> Config:
        before = self._config
        seen = self._newest()
        base = load_text(TEMPLATE, seen.file) if not seen.text else seen
        changed = change(base)
        if changed.text == base.text:
            return before
        self._write(changed.text)
        if seen is not before:
            self._undo.clear()
        self._undo.append(seen.text)
        self._redo.clear()
        self._config = changed
        return changed

    def _newest(self) -> Config:
        """The config in force, or an edit from outside that may come in without a question."""
        try:
            outside = self.outside()
        except ConfigError as error:
            raise EditError(f"{error} (the file was edited outside; mend it first)") from error
        if outside is None:
            return self._config
        if what := loosens(self._config, outside):
            raise EditError(
                f"{self._config.file} was edited outside and would permit more now ({what[0]}); "
                "accept or refuse that edit first"
            )
        return outside

    def _step(self, source: deque[str], target: deque[str], name: str) -> Config:
        if not source:
            raise EditError(f"there is nothing to {name}")
        try:
            edited = self.outside() is not None
        except ConfigError:
            edited = True
        if edited:
            raise EditError(
                f"{self._config.file} was edited outside since; {name} would take that back too"
            )
        config = load_text(source[-1], self._config.file)
        self._write(config.text)
        target.append(self._config.text)
        source.pop()
        self._config = config
        return config

    def _write(self, text: str) -> None:
        try:
            if not Path(self.path).parent.exists():
                files.private_dir(str(Path(self.path).parent))
            files.write_atomic(self.path, text)
        except files.UnsafeFileError as error:
            raise EditError(f"nothing was saved: {error}") from error
        except OSError as error:
            raise EditError(
                f"nothing was saved: {self.path} cannot be written: {error.strerror}; the rules "
                "in force stay as they were"
            ) from error


def loosens(old: Config, new: Config) -> tuple[str, ...]:
    """Sentences for all that `new` could permit and `old` does not; see `policy.loosening`."""
    trusted = [
        f"the hints of server {name} may lower the risk of its tools"
        for name, server in new.servers.items()
        if server.trust_hints and not (name in old.servers and old.servers[name].trust_hints)
    ]
    policy = new.policy()
    rules = (*loosened(old.policy(), policy), *lowered(policy, old.risks, new.risks))
    stores = setting.loosened(old.store, new.store)
    kept = audit_config.loosened(old.audit, new.audit)
    return (*rules, *trusted, *http.loosened(old.http, new.http), *stores, *kept)


def _on_disk(path: str) -> Config:
    if signature(path) is None and not Path(path).is_symlink():
        return load_text("", Path(path).name)
    return load(path)


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
