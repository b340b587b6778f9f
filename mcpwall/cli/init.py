"""`mcpwall init`: let agents reach their MCP servers through the wall.

Finds the agents' own config files, shows what would change, and changes what the person chooses.
Secrets stay where they are. `mcpwall uninstall` takes all of it back.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcpwall import home
from mcpwall.cli.errors import FAILED, USAGE, CliError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mcpwall.cli.routing import FilePlan, Work
    from mcpwall.clients.entries import Entry

_QUESTION: Final = "  route them? [y]es, [n]o, [s]elect, [q]uit: "


def register(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add `mcpwall init`."""
    parser = subparsers.add_parser(
        "init",
        help="route agents' servers through the wall",
        description="Find the MCP configs of the agents of this user and of the project in this "
        "directory, show exactly what would change, and let the servers that you choose be reached "
        "through the wall. What an entry says otherwise, secrets included, stays as it is. Before "
        "its first change each file is copied to .mcpwall-backup beside it.",
        epilog="docs/agents.md has the agents, where each is looked for, and how to do it by hand.",
    )
    options(parser)
    parser.add_argument(
        "--raise-timeouts",
        action="store_true",
        help="let agents that have a setting for it wait 15 minutes for a tool",
    )
    parser.set_defaults(func=run)


def options(parser: argparse.ArgumentParser) -> None:
    """The options that `init` and `uninstall` share."""
    parser.add_argument(
        "--agent", action="append", metavar="AGENT", help="only this agent; may be given again"
    )
    parser.add_argument(
        "--server",
        action="append",
        metavar="NAME",
        help="only this server, as its agent or the wall calls it; may be given again",
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, no more")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Route what is chosen. Raises CliError."""
    from mcpwall.cli import routing
    from mcpwall.text import visible

    work = routing.Work.prepare(
        arguments.agent, arguments.server, raise_timeouts=arguments.raise_timeouts
    )
    _list(work)
    if not work.plans:
        return FAILED if work.problems else 0
    asks = can_ask() and not (arguments.dry_run or arguments.yes)
    if _offer_patience(work, asks=asks):
        work = routing.Work.prepare(arguments.agent, arguments.server, raise_timeouts=True)
    if not (arguments.dry_run or arguments.yes or asks):
        _show(work, work.plans)
        raise CliError(
            "nothing was changed: there is no terminal to ask on; give --yes, or --dry-run to "
            "only look"
        )
    chosen: list[FilePlan] = []
    for plan in work.plans:
        _show(work, [plan])
        if asks:
            answer = _answer(plan.entries)
            if answer is None:
                break
            plan = work.only(plan, answer)  # noqa: PLW2901 - the same plan, made smaller
        if plan.entries:
            chosen.append(plan)
    _show_config(work, chosen)
    if arguments.dry_run:
        print("nothing was changed (--dry-run); a copy of each file would be kept beside it first")
        return 0
    failures = work.carry_out(chosen)
    for failure in failures:
        complain(failure)
    for line in what_now(work, [plan for plan in chosen if plan.done]):
        print(visible(line))
    return FAILED if failures or work.problems else 0


def can_ask() -> bool:
    """Whether a person sits at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def complain(text: str) -> None:
    """One line on stderr about something that was left alone."""
    from mcpwall.text import visible

    print(f"mcpwall: left alone: {visible(text)}", file=sys.stderr)


def _list(work: Work) -> None:
    from mcpwall.text import visible

    for problem in work.problems.values():
        complain(problem)
    if not work.found:
        print(
            "no agent's config was found for this user and this directory; docs/agents.md says "
            "where each is looked for, and how to route a server by hand"
        )
        return
    for found in work.found:
        place = work.places.shown(found.place.file)
        shared = "  (the project's: others who share it need mcpwall there too)"
        print(visible(f"{found.agent.title}  {place}{shared * (found.place.scope == 'project')}"))
        for entry in found.entries:
            name = visible(entry.name)
            print(f"  {name:<24}  {visible(work.standing(found, entry))}")
        if not found.entries:
            print("  no servers")
    print()
    if not work.plans:
        some = any(found.entries for found in work.found)
        print("nothing to do: nothing is left that could be routed" if some else "nothing to do")


def _offer_patience(work: Work, *, asks: bool) -> bool:
    """Say which agents give up on a call early, and what would change that; True to do it."""
    from mcpwall.text import visible

    impatient = work.impatient()
    for agent, line in impatient:
        if agent.timeout is not None:
            late = f"{agent.title} gives up on a call after {agent.timeout.usual_s} s"
            print(
                f"{late}, also on one that waits for you. With {visible(line)} in each of its "
                "servers it waits 15 minutes."
            )
    if not impatient:
        return False
    if asks:
        wanted = ask("  add these lines? [y]es, [n]o: ") in ("y", "yes")
        print()
        return wanted
    print("  --raise-timeouts adds these lines")
    print()
    return False


def _show(work: Work, plans: Sequence[FilePlan]) -> None:
    for plan in plans:
        show_diff(plan.change.before.diff(plan.change.after, work.places.shown(plan.path)))


def _show_config(work: Work, plans: Sequence[FilePlan]) -> None:
    diff = work.config_diff(plans)
    if diff:
        show_diff(diff)


def show_diff(diff: str) -> None:
    """Print a diff; text in it is foreign."""
    from mcpwall.text import visible

    for line in diff.splitlines():
        print(visible(line))
    print()


def _answer(entries: Sequence[Entry]) -> list[Entry] | None:
    """The entries that the person wants routed; None to end."""
    from mcpwall.text import visible

    while True:
        match ask(_QUESTION):
            case "y" | "yes":
                return list(entries)
            case "n" | "no":
                return []
            case "q" | "quit":
                return None
            case "s" | "select":
                return [
                    entry
                    for entry in entries
                    if ask(f"    {visible(entry.name)}? [y]es, [n]o: ") in ("y", "yes")
                ]


def ask(question: str) -> str:
    """A person's answer in one word. The end of input is a no to all: raises CliError."""
    try:
        return input(question).strip().lower()
    except EOFError:
        raise CliError("no answer; nothing more was changed", USAGE) from None


def what_now(work: Work, done: Sequence[FilePlan]) -> Iterator[str]:
    """What was done, and what to do next, a line each; names in it are foreign."""
    servers = sum(len(plan.entries) for plan in done)
    if not servers:
        yield "nothing was changed"
        return
    agents = sorted({plan.agent.title for plan in done})
    yield f"routed {servers} server{'s' * (servers != 1)} of {', '.join(agents)}"
    yield "Start these agents again, and open the wall with: mcpwall"
    for plan in done:
        for entry in plan.entries:
            if entry.url:
                name = work.names[plan.path, entry.keys, entry.name]
                yield f"If {name} wants a login: add oauth = true to [servers.{name}] in "
                yield f"  {home.config_file()}, and run: mcpwall login {name}"
    yield "To put everything back: mcpwall uninstall. Each file as it was is kept in"
    for copy in sorted({plan.copy for plan in done if plan.copy}):
        yield f"  {work.places.shown(Path(copy))}"
