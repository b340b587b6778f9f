"""The part of the port that is about rules: what an app sees of them, and may order.

Rules of config.toml and remembered answers are shown in one list. A change is previewed on the last
calls before it is made. Text in these values is foreign and raw: it passes `mcpwall.text` before a
screen.
"""

from __future__ import annotations

import msgspec

from mcpwall.engine.port_answers import Remember
from mcpwall.model import JsonObject, Rule


class RuleRow(msgspec.Struct, frozen=True):
    """A rule on the rules screen. `fields` is the TOML table as written (plain data)."""

    rule: Rule
    fields: JsonObject
    hits: int
    last_ms: int | None
    expires_ms: int | None = None  # remembered answers only
    session: str = ""  # remembered answers for one session only
    remembered: bool = False  # a remembered answer: lives in memory, and only DropRule changes it


class Hits(msgspec.Struct, frozen=True):
    """How often a rule, or a remembered answer, has made a verdict by now, and when last."""

    rule: str
    hits: int
    last_ms: int


class Mistake(msgspec.Struct, frozen=True):
    """Something wrong in a rules file, which has no effect as a whole until it is mended.

    `file` is how it is called, `path` where it is; `line` counts from 1, 0 means all of it. `rule`
    is the id of the rule in force whose table the line stands in, "" if it stands in none. A
    `project`'s file that does not load denies all calls of agents there.
    """

    file: str
    path: str
    line: int
    what: str
    fix: str = ""
    rule: str = ""
    project: bool = False


class OutsideEdit(msgspec.Struct, frozen=True):
    """An edit of config.toml from outside that loosens the rules and waits for a key."""

    hash: str  # quote it to accept exactly this text
    diff: str  # unified diff
    what: tuple[str, ...]  # what it would loosen, a sentence each


class PutRule(msgspec.Struct, frozen=True, tag="put_rule"):
    """Add a rule, or replace the one with id `replaces`. `fields` is a TOML table as plain data."""

    fields: JsonObject
    replaces: str = ""


class DropRule(msgspec.Struct, frozen=True, tag="drop_rule"):
    id: str  # a rule of config.toml, or a remembered answer


class ToggleRule(msgspec.Struct, frozen=True, tag="toggle_rule"):
    id: str
    enabled: bool


class Undo(msgspec.Struct, frozen=True, tag="undo"):
    redo: bool = False


class AcceptEdit(msgspec.Struct, frozen=True, tag="accept_edit"):
    """Put an outside edit in force, or write the rules in force back over it."""

    hash: str
    accept: bool


class Preview(msgspec.Struct, frozen=True, tag="preview"):
    """What a rule change would have done to the last calls; changes nothing. -> Previewed"""

    fields: JsonObject | None = None  # a rule to put in
    replaces: str = ""  # the rule that it replaces; alone: the rule that is dropped
    remember: Remember | None = None  # or: an answer to remember
    call: int = 0  # for this call


class Previewed(msgspec.Struct, frozen=True, tag="previewed"):
    """`checked` calls were judged again; ids of those whose verdict changes, by the new one."""

    checked: int
    matched: tuple[int, ...] = ()
    denied: tuple[int, ...] = ()
    limited: tuple[int, ...] = ()
    asked: tuple[int, ...] = ()
    allowed: tuple[int, ...] = ()
    diff: str = ""  # of config.toml
