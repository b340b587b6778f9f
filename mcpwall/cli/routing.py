"""What `init` works on: agents' files, the names given, config.toml and the ledger together."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mcpwall import home
from mcpwall.cli import program
from mcpwall.cli.errors import FAILED, USAGE, CliError
from mcpwall.clients import backup, document, ledger, plan, route, tables
from mcpwall.clients.agents import AGENTS, BY_ID, Agent
from mcpwall.clients.document import DocumentError
from mcpwall.clients.entries import Entry
from mcpwall.clients.launcher import launcher
from mcpwall.clients.ledger import Backup
from mcpwall.clients.naming import Names
from mcpwall.clients.places import Places
from mcpwall.clients.survey import Found, survey
from mcpwall.store import difference, files
from mcpwall.store.config import Config, ConfigError, load_text
from mcpwall.store.config_file import TEMPLATE, ConfigFile
from mcpwall.store.schema import ServerConfig

RAISED_S: Final = 900  # what --raise-timeouts gives an agent
RAISED_HOLD: Final = "14m"
SHORT_S: Final = 60  # an agent that waits less leaves a person no time


@dataclass(slots=True)
class FilePlan:
    """What happens to one file; `done` once it has happened, `copy` says where it is as it was."""

    found: Found
    entries: list[Entry]
    change: plan.Change
    done: bool = False
    copy: str = ""

    @property
    def agent(self) -> Agent:
        """Whose file it is."""
        return self.found.agent

    @property
    def path(self) -> Path:
        """The file."""
        return self.found.place.file


@dataclass(slots=True)
class Work:
    """All that was found, and what is to be done. `problems` say which files are left alone."""

    places: Places
    found: list[Found]
    problems: dict[Path, str]
    wall: tuple[str, ...]
    config: Config
    ledger: ledger.Ledger
    raise_timeouts: bool
    plans: list[FilePlan] = field(default_factory=list)
    names: dict[tuple[Path, tuple[str, ...], str], str] = field(default_factory=dict)

    @classmethod
    def prepare(
        cls,
        agents: Sequence[str] | None,
        servers: Sequence[str] | None,
        *,
        raise_timeouts: bool = False,
    ) -> Work:
        """Look at everything; change nothing. Raises CliError."""
        at = here()
        everything = list(survey(at))
        chosen = wanted_agents(agents)
        config, known = _as_they_are()
        wall = launcher(program.installed(), os.environ)
        mine = [found for found in everything if found.agent in chosen]
        work = cls(
            at,
            [found for found in mine if found.document is not None],
            {found.place.file: found.problem for found in mine if found.problem},
            wall,
            config,
            known,
            raise_timeouts,
        )
        work._name(everything)
        work._plan(servers)
        return work

    def standing(self, found: Found, entry: Entry) -> str:
        """How an entry stands, in a few words."""
        if entry.routed:
            return f"goes through the wall as {entry.routed.name}"
        if entry.why_not:
            return f"left alone: {entry.why_not}"
        what = entry.url or " ".join(entry.words[:1])
        notes = [note for note in (entry.note, _short_patience(entry)) if note]
        as_name = self.names[found.place.file, entry.keys, entry.name]
        renamed = f" (the wall calls it {as_name})" if as_name != entry.name else ""
        return f"{what}{renamed}" + "".join(f"; {note}" for note in notes)

    def impatient(self) -> list[tuple[Agent, str]]:
        """Agents that could wait longer for a tool, each with the line that would say so."""
        if self.raise_timeouts:
            return []
        lines: dict[Agent, str] = {}
        for one in self.plans:
            if raisable(one.agent) and one.found.document is not None:
                for entry in one.entries:
                    for splice in route.raising(one.found.document, entry, RAISED_S):
                        lines.setdefault(one.agent, splice.text.strip(", \r\n\t"))
        return list(lines.items())

    def only(self, whole: FilePlan, entries: Iterable[Entry]) -> FilePlan:
        """The plan for some of a file's entries. Raises CliError."""
        wanted = list(entries)
        if len(wanted) == len(whole.entries):
            return whole
        try:
            return self._file_plan(whole.found, wanted)
        except DocumentError as error:
            raise CliError(str(error)) from None

    def config_diff(self, plans: Sequence[FilePlan]) -> str:
        """What config.toml gets, as a unified diff."""
        return difference.diff(self.config, self._new_config(plans)[0])

    def carry_out(self, plans: Sequence[FilePlan]) -> list[str]:
        """Write: what could not be written, a line each.

        The copies of the files come first, then the ledger, so that nothing is ever changed that it
        does not know. Raises CliError when config.toml or the ledger cannot be written, or is not
        as it was when this was prepared; then nothing was changed.
        """
        self._check_that_nothing_moved()
        failures: list[str] = []
        kept: dict[str, Backup] = {}
        plans = [one for one in plans if self._has_copy(one, kept, failures)]
        records = [record for one in plans for record in one.change.records]
        if not records:
            return failures
        config, added = self._new_config(plans)
        known = self.ledger.with_records(records).with_tables(added).with_backups(kept)
        try:
            files.private_dir(home.config_dir())  # the state directory may be inside it
            if config.text != self.config.text:
                files.write_atomic(home.config_file(), config.text)
            ledger.write(home.clients_file(), known)
        except (files.UnsafeFileError, OSError, ledger.LedgerError) as error:
            for made in kept.values():
                backup.remove(made)
            raise CliError(f"{error}; no agent's file was changed", FAILED) from None
        failed: list[FilePlan] = []
        for one in plans:
            try:
                document.write(one.change.after, one.change.before)
                one.done = True
            except DocumentError as error:
                failures.append(str(error))
                failed.append(one)
        for one in failed:
            known = known.without(one.change.records)
            if (copy := kept.get(str(one.path))) and backup.remove(copy):
                known = known.without_backup(str(one.path))
        if failed:
            try:
                ledger.write(home.clients_file(), known)
            except ledger.LedgerError as error:
                failures.append(
                    f"{error}; it names entries that were not changed, which is harmless"
                )
        return failures

    def _check_that_nothing_moved(self) -> None:
        """A person may have thought for minutes, and the app and other commands write too."""
        config, known = _as_they_are()
        if (config.text, known) != (self.config.text, self.ledger):
            raise CliError(
                f"{self.config.file} or {home.clients_file()} changed in the meantime; nothing was "
                "changed; run the command again"
            )

    def _has_copy(self, one: FilePlan, kept: dict[str, Backup], failures: list[str]) -> bool:
        """Keep a copy of a file that `init` changes for the first time; False: it cannot be."""
        file = str(one.path)
        if file in self.ledger.files:
            one.copy = self.ledger.backups[file].path if file in self.ledger.backups else ""
            return True
        try:
            kept[file] = backup.keep(one.change.before)
        except DocumentError as error:
            failures.append(str(error))
            return False
        one.copy = kept[file].path
        return True

    # --- planning -------------------------------------------------------------------------------

    def _name(self, everything: Iterable[Found]) -> None:
        """Names for all that can be routed: those in use stay what they are."""
        names = Names()
        for name, server in self.config.servers.items():
            if isinstance(server, ServerConfig):
                names.take(name, server.command)
            else:
                names.take(name, ("url", server.url))
        all_entries = [(found, entry) for found in everything for entry in found.entries]
        for _, entry in all_entries:
            if entry.routed and entry.routed.command:
                names.take(entry.routed.name, entry.routed.command)
        for found, entry in all_entries:
            if not entry.routed and not entry.why_not:
                what = ("url", entry.url) if entry.url else entry.words
                name = names.give(entry.name, found.agent.id, what)
                self.names[found.place.file, entry.keys, entry.name] = name

    def _plan(self, servers: Sequence[str] | None) -> None:
        for found in self.found:
            entries = [
                entry
                for entry in found.entries
                if not entry.routed and not entry.why_not and self._is_wanted(found, entry, servers)
            ]
            if entries:
                try:
                    self.plans.append(self._file_plan(found, entries))
                except DocumentError as error:
                    self.problems[found.place.file] = str(error)
        missing = set(servers or ()) - {
            name
            for found in self.found
            for entry in found.entries
            for name in (entry.name, self._server(found, entry))
        }
        if missing:
            raise CliError(f"no agent has a server {min(missing)!r}", USAGE)

    def _server(self, found: Found, entry: Entry) -> str:
        if entry.routed:
            return entry.routed.name
        return self.names.get((found.place.file, entry.keys, entry.name), "")

    def _is_wanted(self, found: Found, entry: Entry, servers: Sequence[str] | None) -> bool:
        return servers is None or bool({entry.name, self._server(found, entry)} & set(servers))

    def _file_plan(self, found: Found, entries: list[Entry]) -> FilePlan:
        if found.document is None:
            raise DocumentError(found.problem)
        document.require_writable(found.place.file)
        longer = RAISED_S if self.raise_timeouts and raisable(found.agent) else 0
        routings = [plan.Routing(entry, self._server(found, entry), longer) for entry in entries]
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return FilePlan(found, entries, plan.change(found.document, routings, self.wall, now))

    def _new_config(self, plans: Sequence[FilePlan]) -> tuple[Config, dict[str, str]]:
        """config.toml with what the plans need, and the tables that were added, by their heads."""
        text, added = self.config.text, {}
        for one in plans:
            for entry in one.entries:
                name = self._server(one.found, entry)
                if entry.url and name not in self.config.servers:
                    added[f"servers.{name}"] = tables.server(name, entry.url, entry.sent)
            if self.raise_timeouts and raisable(one.agent) and self._all_wait(one.agent):
                key = f"agents.{one.agent.client}"
                if one.agent.client not in self.config.agents:
                    added[key] = tables.agent(one.agent.client, RAISED_HOLD)
        if added and not text:
            text = TEMPLATE.rstrip("\n") + "\n"
        for table in added.values():
            text = tables.added(text, table)
        try:
            return load_text(text, self.config.file), added
        except ConfigError as error:
            raise CliError(f"{error}; nothing was changed", USAGE) from None

    def _all_wait(self, agent: Agent) -> bool:
        """No server of this agent has a time-out of its own, which a longer hold would miss."""
        setting = agent.timeout
        return setting is not None and not any(
            setting.key in entry.node.members
            for found in self.found
            if found.agent is agent
            for entry in found.entries
        )


def _as_they_are() -> tuple[Config, ledger.Ledger]:
    """config.toml and the ledger, now. Raises CliError."""
    try:
        return ConfigFile.open(home.config_file()).config, ledger.read(home.clients_file())
    except (ConfigError, ledger.LedgerError) as error:
        raise CliError(f"{error}; nothing was changed", USAGE) from None


def here() -> Places:
    """This machine, this user, and the project in this directory."""
    return Places(sys.platform, Path.home(), Path.cwd(), os.environ)


def wanted_agents(ids: Sequence[str] | None) -> list[Agent]:
    """The agents of these ids, all without any. Raises CliError."""
    unknown = [one for one in ids or () if one not in BY_ID]
    if unknown:
        known = ", ".join(BY_ID)
        raise CliError(f"no agent {unknown[0]!r} is known; known are {known}", USAGE)
    return [BY_ID[one] for one in ids] if ids else list(AGENTS)


def raisable(agent: Agent) -> bool:
    """Whether --raise-timeouts has something to do for this agent."""
    return agent.timeout is not None and agent.timeout.usual_s < RAISED_S and bool(agent.client)


def _short_patience(entry: Entry) -> str:
    setting = entry.agent.timeout
    value = entry.node.value.get(setting.key) if setting else None
    if setting is None or not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    seconds = value / setting.unit
    if seconds >= SHORT_S:
        return ""
    return f"its {setting.key} ends a call after {seconds:g} s, too soon for a person to answer"
