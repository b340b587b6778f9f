"""The rules in force: the user's file, the projects' files, and edits to them from both sides.

A file that does not load leaves the last good rules in force and says so. An edit from outside
that could permit more than the rules in force waits for a person; one that only tightens is in
force at once. An edit made while no engine ran is an edit from outside like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from mcpwall.engine import patience
from mcpwall.engine.mistakes import mistakes
from mcpwall.engine.port_rules import Mistake, OutsideEdit
from mcpwall.engine.projects import Projects
from mcpwall.model import JsonObject, Risk, Rule
from mcpwall.policy.compile import Policy, Windows
from mcpwall.policy.set_risk import lowered
from mcpwall.store.accepted import Accepted
from mcpwall.store.config import Config, ConfigError
from mcpwall.store.config_file import ConfigFile
from mcpwall.store.difference import diff
from mcpwall.store.edit import EditError
from mcpwall.store.schema import AnyServer
from mcpwall.store.watch import Watch, signature

POLL_S: Final = 0.25


class Rulebook:
    """Which policy applies where. `on_change(text)` is called after the rules in force changed."""

    def __init__(self, path: str, accepted: Accepted | None = None) -> None:
        """Read the config, and what `accepted` remembers of it; without that nothing is.

        Raises ConfigError when it does not load and there were no rules before; UnsafeFileError
        when somebody else could have written what is remembered.
        """
        self.path = path
        self._accepted = accepted
        self._watch = Watch(signature(path))
        before = accepted.config(Path(path).name) if accepted else None
        self._file = ConfigFile.open(path) if before is None else ConfigFile(path, before)
        self._policy = self._file.config.policy()
        self._projects = Projects(self._file.config)
        self._file.also = self._in_projects
        self._waiting: Config | None = None  # an outside edit that loosens
        self._trouble: ConfigError | None = None  # why the file does not load
        self._outside_edit: OutsideEdit | None = None
        self.on_change: Callable[[str], None] = lambda _: None
        if before is None:
            self._keep()
        else:
            self._look()

    # --- what is in force -----------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The user's config in force."""
        return self._file.config

    @property
    def own(self) -> Policy:
        """The user's rules in force, without any project's."""
        return self._policy

    @property
    def hash(self) -> str:
        """The hash of the user's rules in force."""
        return self._policy.hash

    @property
    def windows(self) -> Windows:
        """The widest window of each rule's limits in force, wherever it stands."""
        widest: Windows = {}
        for policy in (self._policy, *self._projects.policies):
            for name, window_ns in policy.windows.items():
                widest[name] = max(widest.get(name, 0), window_ns)
        return widest

    @property
    def undo_steps(self) -> int:
        """How many changes made here can be undone."""
        return self._file.undo_steps

    @property
    def redo_steps(self) -> int:
        """How many undone changes can be made again."""
        return self._file.redo_steps

    def policy(self, directory: str) -> tuple[Policy, str]:
        """The policy for an agent in this directory, and why everything is denied, or ''."""
        return self._projects.policy(directory)

    def hold_s(self, client: str) -> float:
        """How long a call of this client waits for a person, in seconds.

        What the config says of this agent; else what is known of it, but no longer than the
        config's own default, if that is written.
        """
        agent = self.config.agents.get(client)
        if agent is not None and agent.hold_s is not None:
            return agent.hold_s
        default, known = self.config.defaults.hold_s, patience.hold_s(client)
        if known is None:
            return default
        return min(default, known) if "hold_s" in self.config.set_defaults else known

    def wait_s(self, client: str) -> float:
        """How long a call of this client waits in all, in seconds, where it can come back."""
        agent = self.config.agents.get(client)
        if "hold_s" in self.config.set_defaults and (agent is None or agent.hold_s is None):
            return self.config.defaults.hold_s
        return self.hold_s(client)

    def round_s(self, client: str) -> float:
        """How long it waits before it may be told to come back, in seconds."""
        return min(self.wait_s(client), patience.hold_s(client) or patience.STRANGER_S)

    def server(self, name: str) -> AnyServer | None:
        """How to start or reach a configured server."""
        return self.config.servers.get(name)

    def rules(self) -> list[tuple[Rule, JsonObject]]:
        """All rules with their tables as written, the user's first."""
        return self.config.written() + self._projects.rules()

    @property
    def error(self) -> str:
        """What is wrong with the file, in one line; "" when it loads."""
        return str(self._trouble or "")

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """All that is wrong with it, and with the projects' files."""
        own = mistakes(self._trouble, self.path, self.config) if self._trouble else ()
        return (*own, *self._projects.mistakes)

    @property
    def outside_edit(self) -> OutsideEdit | None:
        """An edit from outside that loosens the rules and waits for a person."""
        return self._outside_edit or self._projects.outside_edit

    # --- edits by the person at the app ---------------------------------------------------------

    def put(self, fields: JsonObject, replaces: str) -> None:
        """Add a rule, or replace one. Raises EditError, ConfigError."""
        self._in_force(self._file.put(fields, replaces))

    def put_all(self, rules: Sequence[JsonObject]) -> None:
        """Put in rules, each in place of the one of its id. Raises EditError, ConfigError."""
        self._in_force(self._file.put_all(rules))

    def drop(self, rule: str) -> None:
        """Take a rule out. Raises EditError, ConfigError."""
        self._in_force(self._file.drop(rule))

    def set_risk(self, server: str, tool: str, risk: Risk | None) -> None:
        """Set the class of a tool, or None. Raises EditError, ConfigError."""
        self._in_force(self._file.set_risk(server, tool, risk))

    def toggle(self, rule: str, *, enabled: bool) -> None:
        """Turn a rule on or off. Raises EditError, ConfigError."""
        self._in_force(self._file.toggle(rule, enabled=enabled))

    def undo(self, *, redo: bool) -> None:
        """Take the last change back, or make it again. Raises EditError."""
        self._in_force(self._file.redo() if redo else self._file.undo())

    def answer_outside_edit(self, text_hash: str, *, accept: bool) -> None:
        """Put the waiting edit in force, or write the rules in force over it. Raises EditError."""
        if self._projects.answer(text_hash, accept=accept):
            self.on_change("")
            return
        waiting, told = self._waiting, self._outside_edit
        if waiting is None or told is None or told.hash != text_hash:
            raise EditError("the file has changed since; look at it again")
        if not accept:
            self._file.put_back()
            self._in_force(self.config)
            return
        self._file.accept(waiting)
        self._in_force(waiting)

    def _in_force(self, config: Config) -> None:
        self._policy = config.policy()
        self._waiting = self._outside_edit = self._trouble = None
        self._watch = Watch(signature(self.path))
        self._projects.user_changed(config)
        self.on_change(self._keep())

    def _keep(self) -> str:
        """Remember what is in force for the next engine; returns '' or why that failed."""
        return self._accepted.keep(self.config.text) if self._accepted else ""

    # --- edits from outside ---------------------------------------------------------------------

    def poll(self) -> None:
        """Look whether a file has changed. Called a few times a second."""
        if self._watch.look(signature(self.path)):
            self._look()
        if said := self._projects.poll():
            self.on_change(said)

    def _in_projects(self, outside: Config) -> Iterator[str]:
        """What other classes of tools could newly permit by the projects' rules."""
        for policy in self._projects.policies:
            yield from lowered(policy, self.config.risks, outside.risks)

    def _look(self) -> None:
        try:
            outside = self._file.outside()
        except ConfigError as error:
            before = self._trouble
            self._trouble = error
            if before is None or list(map(str, before.errors)) != list(map(str, error.errors)):
                self.on_change(f"{error}; the last good rules stay in force")
            return
        if outside is None:
            if self.error or self._waiting:
                self._in_force(self.config)
            return
        if self._waiting is not None and self._waiting.text == outside.text and not self.error:
            return
        if what := self._file.loosens(outside):
            self._trouble = None
            self._waiting = outside
            self._outside_edit = OutsideEdit(_hash(outside.text), diff(self.config, outside), what)
            self.on_change(f"{outside.file} was loosened outside mcpwall; it waits for a person")
            return
        self._file.accept(outside)
        self._in_force(outside)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
