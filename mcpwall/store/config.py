"""Loading config.toml and a project's .mcpwall.toml: text in, `Config` or `ConfigError` out.

All that is wrong in a file is reported at once, each with its line. A file that does not load
has no effect at all. Reading checks that nobody else could have written the file; everything
else here is pure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

import msgspec

from mcpwall.model import Defaults, JsonObject, Origin, Rest, Risk, Rule, SetRisk
from mcpwall.policy.compile import Policy, compile_policy
from mcpwall.policy.compiled import RuleError
from mcpwall.policy.match import literal_text
from mcpwall.policy.never import why_never
from mcpwall.policy.operators import expressions_size
from mcpwall.policy.set_risk import Risks, Word
from mcpwall.store import files, rule_config, rule_ids, schema, toml_lines
from mcpwall.store.app import AppConfig
from mcpwall.store.audit_config import AuditConfig
from mcpwall.store.forms import BadValueError, Problem, kind
from mcpwall.store.http import HttpConfig
from mcpwall.store.shared.setting import StoreConfig
from mcpwall.store.toml_lines import Path, Positions

_MAX_ERRORS: Final = 100
PROJECT_RULES_MAX: Final = 200  # a stranger's file holds up every call while it is compiled
EXPRESSIONS_MAX: Final = 400_000  # of a project's file, together, as `expressions_size` counts
_AT: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class ConfigError(Exception):
    """A config that does not load: `file`, `line` (0: the file as a whole), `what`, `fix`.

    str() is one line. `errors` are all that was found in the file, this one first.
    """

    def __init__(
        self, file: str, line: int, what: str, fix: str = "", rest: Sequence[ConfigError] = ()
    ) -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {what}; {fix}" if fix else f"{place}: {what}")
        self.file = file
        self.line = line
        self.what = what
        self.fix = fix
        self.errors: tuple[ConfigError, ...] = (self, *rest)
        self.text = ""  # of the file, where it could be read


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable:
    """One `[[rules]]` table as written, and the id of the rule that it makes."""

    id: str
    fields: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A config file that loads.

    `tables` has each `[[rules]]` table in the order of the file; a rule that is written twice is
    there twice and in `rules` once. `set_defaults` are the keys that `[defaults]` really has.
    """

    file: str  # as the person knows it
    text: str = field(repr=False)  # the environments of servers may hold secrets
    rules: tuple[Rule, ...] = ()
    tables: tuple[RuleTable, ...] = ()
    defaults: Defaults = field(default_factory=Defaults)
    set_defaults: frozenset[str] = frozenset()
    servers: Mapping[str, schema.AnyServer] = field(default_factory=dict)
    rest: Mapping[str, Rest] = field(default_factory=dict)  # servers cut to tools that rules name
    risks: Risks = field(default_factory=dict)  # classes that a person gives to tools
    agents: Mapping[str, schema.AgentConfig] = field(default_factory=dict)
    http: HttpConfig = field(default_factory=HttpConfig)
    audit: AuditConfig = field(default_factory=AuditConfig)
    app: AppConfig = field(default_factory=AppConfig)
    store: StoreConfig | None = None
    keys: Mapping[str, str] = field(default_factory=dict)

    def policy(self) -> Policy:
        """The rules and defaults of this file, ready to judge by."""
        return compile_policy(self.rules, self.defaults, rest=self.rest)

    def word(self, server: str) -> Word:
        """What this file says of a server's tools."""
        known = self.servers.get(server)
        return Word(known is not None and known.trust_hints, self.risks.get(server, {}))

    def written(self) -> list[tuple[Rule, JsonObject]]:
        """Each rule with its table as written."""
        tables = {table.id: table.fields for table in reversed(self.tables)}
        return [(rule, tables[rule.id]) for rule in self.rules]

    def fields(self, rule: str) -> JsonObject:
        """The table of a rule as written. Raises KeyError when there is no such rule."""
        for written in self.tables:
            if written.id == rule:
                return written.fields
        raise KeyError(rule)

    def defaults_over(self, base: Defaults) -> Defaults:
        """`base` with what this file sets: how a project's file changes the user's defaults."""
        changes = {key: getattr(self.defaults, key) for key in self.set_defaults}
        return msgspec.structs.replace(base, **changes)


def load(path: str, *, project: bool = False, name: str = "") -> Config:
    """Load a config file that exists, checked to be the user's alone (a project's need not be).

    `name` is how messages call the file; by default its name without the directory.
    Raises ConfigError, also for a file that is missing, unsafe or unreadable.
    """
    name = name or PurePath(path).name
    try:
        text = files.read_foreign(path) if project else files.read_checked(path)
    except files.UnsafeFileError as error:
        raise ConfigError(error.where, 0, error.what, error.fix) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(name, line, "this is not UTF-8", "save the file as UTF-8") from error
    except OSError as error:
        raise ConfigError(path, 0, f"cannot be read: {error.strerror}") from error
    return load_text(text, name, project=project)


def load_text(text: str, file: str, *, project: bool = False) -> Config:
    """Load the text of a config file; `file` is how messages call it.

    Raises ConfigError, and nothing else, on whatever text.
    """
    try:
        return _load_text(text, file, project=project)
    except RecursionError:
        raise ConfigError(file, 0, "lists or tables are nested too deep") from None
    except ConfigError as error:
        error.text = text
        raise


def _load_text(text: str, file: str, *, project: bool) -> Config:
    data = _parse(text, file)
    places = toml_lines.positions(text)
    problems: list[Problem] = []
    sections: dict[str, Any] = {}
    rules: list[Rule] = []
    try:
        sections = (schema.PROJECT_FILE if project else schema.USER_FILE)(data)
    except BadValueError as error:
        problems += error.problems
    try:
        rules = _rules(data.get("rules", []), file, places, project=project)
    except BadValueError as error:
        problems += error.problems
    if problems:
        raise _config_error(file, places, problems)
    defaults, servers = sections.get("defaults", {}), sections.get("servers", {})
    return Config(
        file=file,
        text=text,
        rules=rule_ids.unique(rules),
        tables=tuple(
            RuleTable(id=rule.id, fields=fields)
            for rule, fields in zip(rules, data.get("rules", []), strict=True)
        ),
        defaults=Defaults(**defaults),
        set_defaults=frozenset(defaults),
        servers={name: each for name, each in servers.items() if schema.is_reachable(each)},
        rest={name: each.rest for name, each in servers.items() if each.rest is not None},
        risks=_risks(servers, file, places, project=project),
        agents=sections.get("agents", {}),
        http=sections.get("http", HttpConfig()),
        audit=sections.get("audit", AuditConfig()),
        app=sections.get("app", AppConfig()),
        store=sections.get("store"),
        keys=sections.get("keys", {}),
    )


def _parse(text: str, file: str) -> JsonObject:
    try:
        text.encode()
        if line := toml_lines.deep_key(text):
            raise ConfigError(file, line, "this key has too many parts")
        return tomllib.loads(text)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise ConfigError(file, line, "this holds half a character (a surrogate)") from error
    except tomllib.TOMLDecodeError as error:
        what, line = str(error), text.rstrip("\n").count("\n") + 1
        if found := _AT.search(what):
            what, line = what[: found.start()], int(found[1] or line)
        if text.startswith("\ufeff"):
            what = "the file starts with a byte-order mark"
        if what == "Cannot overwrite a value":
            what = "a key is given twice"
        fix = "see https://toml.io for how TOML is written"
        raise ConfigError(file, line, f"this is not valid TOML: {what}", fix) from error
    except ValueError as error:  # Python's bound on the digits of a whole number
        raise ConfigError(file, 0, "a number has thousands of digits") from error


def _rules(tables: Any, file: str, places: Positions, *, project: bool) -> list[Rule]:
    """One rule for each table, checked by itself and against the others, with an id."""
    if not isinstance(tables, list):
        fix = "head each rule with [[rules]]"
        raise BadValueError(
            Problem(("rules",), f"must be a list, not {kind(tables)}", fix, "rules")
        )
    if project and len(tables) > PROJECT_RULES_MAX:
        what = f"a project's file has at most {PROJECT_RULES_MAX} rules"
        fix = "put more into your own"
        raise BadValueError(Problem(("rules", PROJECT_RULES_MAX), what, fix, None))
    read = rule_config.PROJECT_RULE_TABLE if project else rule_config.RULE_TABLE
    rules: list[Rule] = []
    problems: list[Problem] = []
    for number, fields in enumerate(tables):
        origin = Origin(file, places.line(("rules", number)), project)
        try:
            rules.append(Rule(**{"id": "", **read(fields), "origin": origin}))
        except BadValueError as error:
            problems += [problem.under_rule(number) for problem in error.problems]
    if problems:
        raise BadValueError(*problems)
    try:
        rules = rule_ids.with_ids(rules)
    except rule_ids.SameIdError as error:
        what = f"the id {rules[error.second].id!r} is taken by the rule in line "
        what += str(places.line(("rules", error.first)))
        fix = "give each rule an id of its own"
        raise BadValueError(Problem(("rules", error.second, "id"), what, fix, None)) from error
    if project:
        _check_size(rules)
    _check_meaning(rules, tables)
    return rules


def _risks(
    servers: Mapping[str, schema.AnyServer], file: str, places: Positions, *, project: bool
) -> Risks:
    """The classes that `[servers.NAME.risk]` gives to tools, each with its line."""

    def said(server: str, key: str, risk: Risk) -> SetRisk:
        return SetRisk(risk, Origin(file, places.line(("servers", server, "risk", key)), project))

    return {
        name: {literal_text(key): said(name, key, risk) for key, risk in each.risk.items()}
        for name, each in servers.items()
        if each.risk
    }


def _check_size(rules: Sequence[Rule]) -> None:
    """Refuse more expressions than a stranger's file may cost to compile and to keep."""
    size = 0
    for number, rule in enumerate(rules):
        for condition in rule.when:
            size += expressions_size(condition.op, condition.value, EXPRESSIONS_MAX - size)
            if size > EXPRESSIONS_MAX:
                raise BadValueError(
                    Problem(
                        ("rules", number, "when"),
                        "the regular expressions of this file are too many or too large",
                        "a project's file has room for 200 plain ones; put more into your own",
                    )
                )


def _check_meaning(rules: Sequence[Rule], tables: Sequence[JsonObject]) -> None:
    """Refuse what the judge could not work with, and rules that can never do anything."""
    problems = []
    for number, (rule, fields) in enumerate(zip(rules, tables, strict=True)):
        try:
            compile_policy((rule,), Defaults())
        except RuleError as error:
            key, what = error.key, f"{error.key}: {error.message}"
        else:
            never = why_never(rule)
            if never is None:
                continue
            key, what = never.partition(":")[0], f"this rule can never do anything: {never}"
        problems.append(Problem(("rules", number, *_path_of(key, fields)), what))
    if problems:
        raise BadValueError(*problems)


def _path_of(key: str, value: Any) -> Path:
    """The keys that a dotted name such as `when.user.name.regex` means in a table."""
    if isinstance(value, dict):
        for name in sorted(value, key=len, reverse=True):
            if key == name:
                return (name,)
            if key.startswith(f"{name}."):
                return (name, *_path_of(key[len(name) + 1 :], value[name]))
    return ()


def _config_error(file: str, places: Positions, problems: Sequence[Problem]) -> ConfigError:
    """The first problems in the order of the file, as one error."""
    found = sorted(
        ((places.line(problem.path), problem) for problem in problems), key=lambda item: item[0]
    )
    errors = [
        ConfigError(file, line, problem.text(), problem.advice())
        for line, problem in found[:_MAX_ERRORS]
    ]
    if more := len(found) - len(errors):
        errors.append(ConfigError(file, found[_MAX_ERRORS][0], f"{more} more mistakes from here"))
    return ConfigError(file, errors[0].line, errors[0].what, errors[0].fix, errors[1:])
