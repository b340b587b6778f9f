"""Agents' config files for the app: found as `doctor` finds them, changed as `init` does."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mcpwall.cli.errors import CliError
from mcpwall.tui.guarding import AgentFile, AgentServer, GuardingError, Offer, Stand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcpwall.cli.routing import FilePlan, Work
    from mcpwall.clients.entries import Entry
    from mcpwall.clients.places import Places
    from mcpwall.clients.survey import Found


class AgentFiles:
    """Answers the app; see `tui.guarding.Agents`. Reads and writes files on the caller's thread."""

    def files(self) -> Sequence[AgentFile]:
        """Every config file of an agent that there is; none where there is no home."""
        from mcpwall.cli.routing import here
        from mcpwall.clients.survey import survey

        try:
            at = here()
            return [_file(at, found) for found in survey(at)]
        except (OSError, RuntimeError):  # no home, or a directory that is gone
            return []

    def offer(self, file: AgentFile, server: AgentServer | None) -> Offer:
        """What `init` would do to this file, or to one server in it. Raises GuardingError."""
        with _told():
            work, plan = _plan(file, server)
            shown, entries = _diff(work, plan), _entries(plan)

        def write() -> Sequence[str]:
            from mcpwall.cli.init import what_now

            with _told():
                work, plan = _plan(file, server)  # anew: what `init` knows may have grown since
                if (_diff(work, plan), _entries(plan)) != (shown, entries):
                    raise GuardingError(f"{file.path}: changed in the meantime; look again")
                failures = work.carry_out([plan])
            if failures:
                raise GuardingError(failures[0])
            return list(what_now(work, [plan]))

        return Offer(shown, write)


@contextmanager
def _told() -> Iterator[None]:
    """Errors of a command, as the app knows them."""
    try:
        yield
    except CliError as error:
        raise GuardingError(str(error)) from None
    except (OSError, RuntimeError) as error:
        raise GuardingError(f"agents' files cannot be looked at: {error}") from error


def _file(at: Places, found: Found) -> AgentFile:
    from mcpwall.clients.agents import PROJECT

    shared = "The project's file: others who share it need mcpwall there too."
    return AgentFile(
        path=at.shown(found.place.file),
        agent=found.agent.title,
        servers=tuple(map(_server, found.entries)),
        note=shared if found.place.scope == PROJECT else "",
        problem=found.problem,
    )


def _server(entry: Entry) -> AgentServer:
    at = (*entry.keys, entry.name)
    if entry.routed:
        why = f"goes through the wall as {entry.routed.name}"
        return AgentServer(entry.name, at, Stand.GUARDED, why)
    if entry.why_not:
        return AgentServer(entry.name, at, Stand.LEFT, f"left alone: {entry.why_not}")
    why = "not guarded" + (f"; {entry.note}" if entry.note else "")
    return AgentServer(entry.name, at, Stand.OPEN, why, _command(entry))


def _command(entry: Entry) -> str:
    """What starts the entry's server behind the wall; '' where it might show a secret."""
    from mcpwall.clients.naming import plain
    from mcpwall.policy.masking import Mask

    if not entry.words:
        return ""
    text = shlex.join(("mcpwall", "stdio", plain(entry.name), "--", *entry.words))
    return text if Mask().text(text) == text else ""


def _plan(file: AgentFile, server: AgentServer | None) -> tuple[Work, FilePlan]:
    """Everything as it is now, and what is to be done to this file. Raises CliError."""
    from mcpwall.cli.routing import Work

    work = Work.prepare(None, None)
    for plan in work.plans:
        if (work.places.shown(plan.path), plan.agent.title) == (file.path, file.agent):
            wanted = [e for e in plan.entries if server is None or (*e.keys, e.name) == server.at]
            if wanted:
                return work, work.only(plan, wanted)
    for path, why in work.problems.items():
        if work.places.shown(path) == file.path:
            raise CliError(why)
    raise CliError(f"{file.path}: nothing is left that can be routed")


def _diff(work: Work, plan: FilePlan) -> tuple[str, ...]:
    """What changes in the file, and in config.toml."""
    own = plan.change.before.diff(plan.change.after, work.places.shown(plan.path))
    return (*own.splitlines(), *work.config_diff([plan]).splitlines())


def _entries(plan: FilePlan) -> list[str]:
    """Hashes of the entries as they stand in the file."""
    return [record.before for record in plan.change.records]
