"""The splices that put the wall in front of a server, and those that take it away again. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mcpwall.clients import headers
from mcpwall.clients.document import Document
from mcpwall.clients.entries import Entry, url_member
from mcpwall.clients.nodes import Member, Node, Splice


def routing(document: Document, entry: Entry, wall: Sequence[str]) -> list[Splice]:
    """Let the agent start `wall`, which ends with the server's name, in place of the server."""
    if entry.url:
        return _in_place_of_url(document, entry, wall)
    syntax, text, table = document.syntax, document.text, entry.table
    command, args_key, args = _command(entry)
    lead = [*wall, "--"]
    if not args_key:
        return [syntax.prepend(text, command.node, lead)]
    starts = Splice(command.node.start, command.node.end, syntax.string(lead[0]))
    rest = [*lead[1:], command.node.value]
    if args is None:
        return [starts, syntax.add(text, table, command, args_key, syntax.array(rest))]
    return [starts, syntax.prepend(text, args.node, rest)]


def unrouting(document: Document, entry: Entry) -> list[Splice]:
    """Let the agent start the server itself again, whatever else was edited in the entry.

    Empty when the entry does not hold the server's command.
    """
    routed = entry.routed
    if routed is None or not routed.command:
        return []
    text = document.text
    command, args_key, args = _command(entry)
    first = len(entry.words) - len(routed.command)  # of the server's own words
    if not args_key:
        return [_without(text, command.node, first)]
    if args is None:
        return []
    own = args.node.items[first - 1]
    starts = Splice(command.node.start, command.node.end, text[own.start : own.end])
    return [starts, _without(text, args.node, first)]


def raising(document: Document, entry: Entry, seconds: int) -> list[Splice]:
    """Let the agent wait longer for this server's tools; empty where that is said already."""
    setting = entry.agent.timeout
    if setting is None or setting.key in entry.node.members:
        return []
    if entry.shape.inside:
        neighbour = entry.node.members[entry.shape.inside]
    else:
        neighbour = url_member(entry)[1] if entry.url else _command(entry)[0]
    value = str(seconds * setting.unit)
    return [document.syntax.add(document.text, entry.node, neighbour, setting.key, value)]


def _command(entry: Entry) -> tuple[Member, str, Member | None]:
    """Where the command stands, the key of its arguments ('' when they are with it), and they."""
    shape, members = entry.shape, entry.table.members
    return members[shape.command], shape.args, members.get(shape.args)


def _in_place_of_url(document: Document, entry: Entry, wall: Sequence[str]) -> list[Splice]:
    syntax, text, shape, table = document.syntax, document.text, entry.shape, entry.table
    _, url = url_member(entry)
    if shape.args:
        pairs = [
            (shape.command, syntax.string(wall[0])),
            (shape.args, syntax.array(wall[1:])),
        ]
    else:
        pairs = [(shape.command, syntax.array(wall))]
    splices = [syntax.replace(text, table, url, pairs)]
    kind = table.members.get("type")
    if kind is not None:
        new = syntax.string(shape.stdio)
        splices.append(Splice(kind.node.start, kind.node.end, new))
    order = list(table.members)
    return splices + [_gone(table, order, key) for key in order if key in headers.KEYS]


def _gone(table: Node, order: list[str], key: str) -> Splice:
    """Take a member out, with what separates it from its neighbour."""
    at, member = order.index(key), table.members[key]
    if at:
        return Splice(table.members[order[at - 1]].node.end, member.node.end, "")
    return Splice(member.start, table.members[order[1]].start, "")


def _without(text: str, array: Node, count: int) -> Splice:
    """Take the first items out of a list."""
    if count >= len(array.items):
        return Splice(array.start, array.end, "[]")
    to = array.items[count].start
    if array.block:
        return Splice(array.start, text.rindex("-", 0, to), "")
    return Splice(array.items[0].start, to, "")
