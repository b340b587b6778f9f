"""The servers in an agent's file: where each stands, what it starts, whether the wall is there.

Pure: a parsed document in, entries out. An entry that cannot be routed says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from mcpwall.clients import headers, launcher
from mcpwall.clients.agents import ANY, Agent, Shape
from mcpwall.clients.nodes import Member, Node

_HTTP: Final = frozenset(("http", "streamable-http", "streamableHttp", "streamable_http", "remote"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One server in a file. `keys` lead to the container, `name` to the entry in it.

    `table` is where command and arguments stand, in the way of `shape`: the entry, or a table
    inside it. `words` are the command and its arguments, `url` is set instead for a server that is
    not started.
    `why_not` says why the entry cannot be routed; `note` is worth knowing. `stray`: the wall that
    it starts is not this one.
    """

    agent: Agent
    keys: tuple[str, ...]
    name: str
    node: Node
    table: Node
    shape: Shape
    words: tuple[str, ...] = ()
    url: str = ""
    sent: tuple[tuple[str, str], ...] = ()  # headers, with references in the wall's own form
    why_not: str = ""
    note: str = ""
    stray: bool = False

    @property
    def routed(self) -> launcher.Routed | None:
        """What the entry says to the wall, if the wall is what it starts."""
        return None if self.stray else launcher.routed(self.words)

    def as_seen_from(self, variables: Mapping[str, str]) -> Entry:
        """The entry where these variables are in force: a wall in it may be another one."""
        if self.routed is None:
            return self
        why = launcher.another(self.words, self.environment, variables)
        return replace(self, stray=True, why_not=why) if why else self

    @property
    def command(self) -> tuple[str, ...]:
        """What starts the server itself, behind the wall or without it."""
        routed = self.routed
        return self.words if routed is None else routed.command

    @property
    def starts_nothing(self) -> bool:
        """Whether it does not even try to say how a server is reached."""
        return not {self.shape.command, *self.shape.urls} & self.table.members.keys()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the agent adds for this server."""
        found = self.node.value.get(self.shape.env)
        if not isinstance(found, dict):
            found = self.table.value.get(self.shape.env)
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def entries(agent: Agent, root: Node, keys: tuple[str, ...]) -> Iterator[Entry]:
    """All servers of an agent under these keys of a document."""
    for path, container, twice in _containers(root, keys, ()):
        if container.items:
            named = [(item.value.get("name"), item) for item in container.items if item.members]
        else:
            named = [(name, member.node) for name, member in container.members.items()]
        names = [name for name, _ in named]
        for name, node in named:
            if isinstance(name, str) and isinstance(node.value, dict):
                why = f"{twice} is written twice in the file; take one out" if twice else ""
                if name in container.doubled or names.count(name) > 1:
                    why = "there are two entries of this name; take one out"
                yield _entry(agent, path, name, node, why)


def find(root: Node, agent: Agent, keys: tuple[str, ...], name: str) -> Entry | None:
    """The entry of this name under these very keys."""
    return next((entry for entry in entries(agent, root, keys) if entry.name == name), None)


def _containers(
    node: Node, keys: tuple[str, ...], path: tuple[str, ...], twice: str = ""
) -> Iterator[tuple[tuple[str, ...], Node, str]]:
    """Each container with the keys that lead to it, and one of these that is written twice."""
    if not keys:
        yield path, node, twice
        return
    for name in node.members if keys[0] == ANY else keys[:1]:
        if name in node.members:
            again = name if name in node.doubled else twice
            yield from _containers(node.members[name].node, keys[1:], (*path, name), again)


def _entry(agent: Agent, keys: tuple[str, ...], name: str, node: Node, why: str) -> Entry:
    shape, table = _shape(agent, node)
    entry = Entry(agent, keys, name, node, table, shape)
    why = why or _unlike(node, table)
    key = next((key for key in shape.urls if key in table.members), "")
    if shape.command in table.members and not key:
        words = _words(table, shape)
        why = why or ("" if words else f"its {shape.command} is not a command with arguments")
        via = launcher.proxy(words)
        note = f"runs {via}, itself a proxy: the wall stands in front of it" if via else ""
        return replace(entry, words=words, why_not=why, note=note)
    if shape.command not in table.members and isinstance(url := table.value.get(key), str):
        sent, unsafe = headers.references(node, table)
        kind = table.value.get("type") or table.value.get("transportType")
        kind = kind or ("sse" if key == shape.older else "http")
        why = why or _why_not_remote(kind, url) or unsafe
        if shape.args and shape.args in table.members:
            why = why or f"it has both a URL and {shape.args}"
        return replace(entry, url=url, sent=sent, why_not=why)
    both = shape.command in table.members and key
    what = (
        f"it has both a {shape.command} and a {key}" if both else "it has neither command nor URL"
    )
    return replace(entry, why_not=why or what)


def _shape(agent: Agent, node: Node) -> tuple[Shape, Node]:
    """In which of the agent's ways an entry is written, and where its command or URL stands."""
    other = agent.other
    if other is not None and other.inside in node.members:
        inner = node.members[other.inside].node
        if any(key in inner.members for key in (other.command, *other.urls)):
            return other, inner
    return agent.shape, node


def _unlike(node: Node, table: Node) -> str:
    """Why an entry cannot be edited as it is written."""
    if node.doubled or table.doubled:
        return "a key is written twice in it; take one out"
    inside = all(node.start <= m.start and m.node.end <= node.end for m in table.members.values())
    if table is not node and not inside:
        return "it is written in several places of the file"
    return ""


def _words(table: Node, shape: Shape) -> tuple[str, ...]:
    """Program and arguments; none when they are no strings, or stand elsewhere (a YAML alias)."""
    command = table.members[shape.command].node
    parts = [] if shape.args else [command]
    if shape.args and shape.args in table.members:
        parts = [table.members[shape.args].node]
    values = [command.value] if shape.args else []
    for part in parts:
        if not isinstance(part.value, list):
            return ()
        values += part.value
    within = all(table.start <= node.start and node.end <= table.end for node in (command, *parts))
    good = within and values and all(isinstance(value, str) for value in values) and values[0]
    return tuple(values) if good else ()


def _why_not_remote(kind: object, url: str) -> str:
    if kind == "sse":
        return "it is reached by the older HTTP+SSE transport, which the wall does not speak"
    if not isinstance(kind, str) or kind not in _HTTP:
        return f"its type is {kind}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "its URL cannot be read"
    if parts.scheme not in ("http", "https") or not host or "$" in url or "{" in url:
        return "its URL is not written out"
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "its URL cannot be read"  # config.toml would not take it
    if parts.username or parts.password or parts.query:
        return "its URL may hold a secret, which stays where it is"
    if "#" in url:
        return "its URL has a fragment"
    if parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        return "its URL is plain http; see `insecure` in docs/servers.md"
    return ""


def url_member(entry: Entry) -> tuple[str, Member]:
    """The key under which the URL stands, and its place."""
    key = next(key for key in entry.shape.urls if key in entry.table.members)
    return key, entry.table.members[key]
