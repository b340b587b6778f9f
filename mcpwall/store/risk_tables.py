"""The text of one class of risk in a config: set, changed, or taken out again.

Like a rule (see `rule_tables`) it is changed in the lines of its own table alone, and what stands
around stays as it is. Pure: text in, text out; the text is valid TOML.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import tomlkit
from tomlkit.items import InlineTable

from mcpwall.store import toml_values
from mcpwall.store.rule_tables import Block, above, below, remove, splice
from mcpwall.store.toml_lines import Header, Path, Positions, positions
from mcpwall.store.toml_values import TableError

if TYPE_CHECKING:
    from mcpwall.model import JsonObject


def set_class(text: str, server: str, key: str, risk: str | None) -> str:
    """The text with class `risk` for the tool of `key` in `[servers.SERVER.risk]`; None: with none.

    The key is written as that table has it. Raises TableError for tables that have to be edited by
    hand.
    """
    places = positions(text)
    table: Path = ("servers", server, "risk")
    header = _header(places, table)
    if header is None and table in places.lines:
        header = _header(places, table[:2])
    if header is not None:
        return _in_place(text, _block(places, header), server, key, risk)
    for path in (table[:1], table[:2]):
        if path in places.lines and not any(h.path[: len(path)] == path for h in places.headers):
            raise TableError("its servers have no tables of their own; head each with [servers.…]")
    if risk is None:
        raise TableError(f"there is no class under [servers.{server}.risk] to take out")
    return _added(text, places, server, key, risk)


def _header(places: Positions, path: Path) -> Header | None:
    return next((header for header in places.headers if header.path == path), None)


def _block(places: Positions, header: Header) -> Block:
    """The lines of a table, from its header to its last key."""
    following = next((other for other in places.headers if other.line > header.line), None)
    return Block(header.line - 1, following.after if following else places.end)


def _in_place(text: str, block: Block, server: str, key: str, risk: str | None) -> str:
    empty = False

    def edit(lines: str) -> str:
        nonlocal empty
        document = tomlkit.parse(lines)
        table = document["servers"][server]
        if risk is None:
            del table["risk"][key]
            if not table["risk"]:
                del table["risk"]
        elif isinstance(table["risk"], InlineTable):
            table["risk"] = toml_values.item({**table["risk"].unwrap(), key: risk})
        else:
            place = key if key in table["risk"] else toml_values.key(key)
            table["risk"][place] = toml_values.item(risk)
        edited = tomlkit.dumps(document)
        empty = not tomllib.loads(edited).get("servers", {}).get(server)
        return edited

    changed = splice(text, block, edit)
    if not empty:
        return changed
    lines = text.split("\n")
    return remove(text, Block(above(lines, block.start, 0), below(lines, block.end, len(lines))))


def _added(text: str, places: Positions, server: str, key: str, risk: str) -> str:
    """The text with a table of its own, below the server's others, else below all servers."""
    newline = "\r\n" if "\r\n" in text else "\n"
    name = ".".join(toml_values.key(part).as_string() for part in ("servers", server, "risk"))
    pair = f"{toml_values.key(key).as_string()} = {toml_values.item(risk).as_string()}"
    lines = text.split("\n")
    at = _place(lines, places, server)
    before, after = "\n".join(lines[:at]), "\n".join(lines[at:])
    if before:
        before += "\n"
    if before.strip() and not before.endswith(("\n\n", "\n\r\n")):
        before += newline
    gap = newline if after.strip() and after.lstrip(" \t")[:1] not in ("\n", "\r") else ""
    return f"{before}[{name}]{newline}{pair}{newline}{gap}{after}"


def _place(lines: list[str], places: Positions, server: str) -> int:
    """The line, counted from 0, before which a new table goes."""
    for path in (("servers", server), ("servers",)):
        found = [header for header in places.headers if header.path[: len(path)] == path]
        if found:
            return below(lines, _block(places, found[-1]).end, len(lines))
    rules = next((header for header in places.headers if header.path[0] == "rules"), None)
    if rules is not None:
        start = rules.line - 1  # what comes before may be a heading of the rules, or of the file
        return below(lines, rules.after, start) if rules.after else above(lines, start, 0)
    return len(lines) - (not lines[-1])


def changed_data(data: JsonObject, server: str, key: str, risk: str | None) -> JsonObject:
    """What a config's data are with that class: what an edit of its text must come to."""
    servers = {name: dict(table) for name, table in data.get("servers", {}).items()}
    table = servers.setdefault(server, {})
    classes = {**table.get("risk", {}), key: risk}
    if risk is None:
        del classes[key]
    table["risk"] = classes
    if not classes:
        del table["risk"]
    if not table:
        del servers[server]
    return {**{name: data[name] for name in data if name != "servers"}, **_some(servers)}


def _some(servers: JsonObject) -> JsonObject:
    return {"servers": servers} if servers else {}
