"""What `mcpwall doctor` looks at of the agents: their files, their servers, whether these start."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mcpwall import home
from mcpwall.cli.finding import Finding, note, ok, wrong
from mcpwall.cli.probe import probe
from mcpwall.clients import ledger
from mcpwall.clients.agents import PROJECT
from mcpwall.clients.entries import Entry
from mcpwall.clients.places import Places
from mcpwall.clients.survey import Found
from mcpwall.store.config import Config
from mcpwall.store.schema import ServerConfig

AT_ONCE: Final = 4  # servers started at the same time
UNGUARDED: Final = "not guarded"  # and could be
_BY_NAME: Final = re.compile(r"\$\{(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_ELSEWHERE: Final = re.compile(r"\$\{[^}]*\}|\{(?:env|file):[^}]*\}")


@dataclass(frozen=True, slots=True)
class Start:
    """A server to be started: who has it, and how."""

    topic: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str


def routed(at: Places, found: Sequence[Found], config: Config | None) -> Iterator[Finding]:
    """Which servers go through the wall, and entries that lead nowhere."""
    if not any(one.entries for one in found):
        yield note("agents", "no agent with MCP servers was found", "see docs/agents.md")
    for one in found:
        if one.problem:
            yield wrong("agents", one.problem, "it is left alone until then")
        for entry in one.entries:
            yield _standing(topic(at, one, entry), entry, config)
    yield from _forgotten(at, found)


def topic(at: Places, found: Found, entry: Entry) -> str:
    """What a finding about an entry is headed with."""
    return f"{found.agent.title} {at.shown(found.place.file)} {entry.name}"


def _standing(topic: str, entry: Entry, config: Config | None) -> Finding:
    told = entry.routed
    if told is None and entry.why_not:
        return note(topic, f"not guarded: {entry.why_not}")
    if told is None:
        return note(topic, UNGUARDED, f"run: mcpwall init --server {entry.name}")
    program = next((word for word in entry.words if word.endswith("mcpwall")), entry.words[0])
    if not shutil.which(program):
        return wrong(
            topic,
            f"starts {program}, which is not there",
            "run `mcpwall uninstall`, then `mcpwall init`",
        )
    if not told.command and config is not None and told.name not in config.servers:
        return wrong(
            topic,
            f"goes through the wall as {told.name}, which config.toml does not know",
            f"add [servers.{told.name}], or run: mcpwall uninstall --server {told.name}",
        )
    return ok(topic, f"guarded, as {told.name}")


def _forgotten(at: Places, found: Sequence[Found]) -> Iterator[Finding]:
    """Entries that init routed and that are gone, or were routed away by hand."""
    try:
        known = ledger.read(home.clients_file()).records
    except ledger.LedgerError as error:
        yield wrong("agents", str(error), "nothing can be put back until then")
        return
    entries = {
        (str(one.place.file), entry.keys, entry.name): entry
        for one in found
        for entry in one.entries
    }
    seen = {str(one.place.file) for one in found}
    for record in known:
        entry = entries.get(record.where)
        shown = f"{at.shown(Path(record.file))}: {record.name}"
        if record.file in seen and entry is None:
            yield note("agents", f"{shown} was routed and is gone", _TIDY)
        elif entry is not None and entry.routed is None:
            yield note("agents", f"{shown} was routed and is not any more", _TIDY)


_TRUSTED: Final = "if you trust the project, run: mcpwall doctor --project"
_TIDY: Final = "run `mcpwall uninstall` to forget it, or `mcpwall init` to route it again"


def starting(
    at: Places,
    found: Sequence[Found],
    config: Config | None,
    variables: Mapping[str, str],
    answer_s: float,
    *,
    project: bool,
) -> Iterator[Finding]:
    """Start each server of the agents and of config.toml for a moment, the same command once.

    A project's files come with a clone, so what they name is started for `project` alone.
    """
    starts: dict[object, Start] = {}
    for one in found:
        foreign = one.place.scope == PROJECT
        base = at.project if foreign else at.home
        for entry in one.entries:
            if foreign and not project and entry.command:
                yield note(topic(at, one, entry), "not started: this project names it", _TRUSTED)
                continue
            start = _start(base, topic(at, one, entry), entry, variables)
            if isinstance(start, Finding):
                yield start
            elif start is not None:
                starts.setdefault(_same(start), start)
    for name, server in (config.servers if config is not None else {}).items():
        if isinstance(server, ServerConfig):
            directory = Path(server.cwd or at.home).expanduser()
            if not directory.is_dir():
                fault = f"its directory {directory} is not there"
                yield wrong(f"server {name}", fault, f"mend cwd in [servers.{name}]")
                continue
            told = {**variables, **server.env}
            start = Start(f"server {name}", server.command, told, str(directory))
            starts.setdefault(_same(start), start)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(lambda start: _try(start, answer_s), starts.values())


def _same(start: Start) -> object:
    """What two starts of one server have in common."""
    return (start.command, tuple(sorted(start.environment.items())), start.directory)


def _start(
    base: Path, topic: str, entry: Entry, variables: Mapping[str, str]
) -> Start | Finding | None:
    """How to start an entry's server; a finding when that cannot be known, None when it is off.

    `base` is where it is started if the entry does not say.
    """
    value = {**entry.table.value, **entry.node.value}
    if not entry.command or value.get("disabled") is True or value.get("enabled") is False:
        return None
    scope = entry.keys[1] if entry.keys[:1] == ("projects",) else ""
    directory = str(value.get("cwd") or scope or base)
    texts = [*entry.command, directory, *entry.environment.values()]
    filled = [_BY_NAME.sub(lambda m: variables.get(m["name"], m[0]), text) for text in texts]
    unknown = next((m[0] for text in filled if (m := _ELSEWHERE.search(text))), "")
    if unknown:
        return note(topic, f"not started: only its agent knows what {unknown} is")
    size = len(entry.command)
    path = base / Path(filled[size]).expanduser()
    if not path.is_dir():
        return note(topic, f"not started: its directory {path} is not there")
    added = dict(zip(entry.environment, filled[size + 1 :], strict=True))
    return Start(topic, tuple(filled[:size]), {**variables, **added}, str(path))


def _try(start: Start, answer_s: float) -> Finding:
    answer = probe(start.command, start.environment, start.directory, answer_s)
    if not answer.failure:
        return ok(start.topic, "starts")
    words = list(start.command[:2])  # the rest may hold secrets
    shown = " ".join(words) + " …" * (len(start.command) > len(words))
    return wrong(start.topic, answer.failure, f"try it in a terminal: {shown}", answer.said)
