"""What a conversation knows of its server's tools, and the wall's own questions for them. Pure.

A client lists the tools, or does not; the wall asks where a call depends on it. Pages of a list
that is out of date are of no use, so each change the server tells of starts anew.

Source: MCP tools page, "Listing Tools" and "List Changed Notification"; pagination page.
"""

from __future__ import annotations

from typing import Final

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import codec
from mcpwall.protocol.commands import Command, Listed, Listing, ToServer
from mcpwall.protocol.definitions import BYTES_MAX, TOOLS_MAX, Page

PAGES_MAX: Final = 1_000  # of one list
OWN_ID: Final = "mcpwall:tools/list:"


def is_own(request_id: RequestId) -> bool:
    """Whether an id is the wall's own."""
    return type(request_id) is str and request_id.startswith(OWN_ID)


class ToolList:
    """The list so far.

    `asked` is the number of the wall's last question, `first` of the one for the first page.
    `complete`: every page of the present list is known. `changes` counts how often the server said
    that its tools are others now. `asking`: it is too early for another question; `ask_again`: the
    tools have changed since the question was put.
    """

    def __init__(self, asked: int = 0) -> None:
        self.asked = self.first = asked
        self.complete = False
        self.changes = 0
        self.asking = False
        self.ask_again = False
        self._awaited = 0  # number of the question that has no answer yet
        self._begun = False  # the first page is known, the last is not
        self._pages = 0
        self._bytes = 0
        self._names: dict[str, frozenset[str]] = {}  # tool → its argument names

    def knows(self, tool: str) -> bool:
        """Whether what was listed so far says all there is to say of a tool."""
        return self.complete or (self._begun and tool in self._names)

    def argument_names(self, tool: str) -> frozenset[str]:
        """The argument names in a tool's schema; none for a tool that is not listed."""
        return self._names.get(tool, frozenset())

    def changed(self) -> bool:
        """The server's tools are others now; whether a question is under way already."""
        self.complete = self._begun = False
        self.changes += 1
        self.ask_again = self.asking  # one question at a time, however often they change
        return self.asking

    def ask(self, meta: JsonObject, cursor: str | None = None) -> list[Command]:
        """The wall's own question, in the client's name, for the first page or the next one."""
        self.asked += 1
        self._awaited = self.asked
        self.asking = True
        self.ask_again = False
        params: JsonObject = {"cursor": cursor} if cursor is not None else {}
        if meta:
            params["_meta"] = meta
        question: JsonObject = {
            "jsonrpc": "2.0",
            "id": f"{OWN_ID}{self.asked}",
            "method": "tools/list",
        }
        if params:
            question["params"] = params
        line = ToServer(codec.encode(question))
        if cursor is not None:
            return [line]
        self.first = self.asked
        return [line, Listing(self.asked)]

    def awaits(self, request_id: RequestId) -> bool:
        """Whether this is the id of the last question, which has no answer yet."""
        return bool(self._awaited) and request_id == f"{OWN_ID}{self._awaited}"

    def is_awaited(self, request_id: RequestId) -> bool:
        """Whether an answer is to the last question; it is asked no more then."""
        if not self.awaits(request_id):
            return False
        self._awaited = 0
        self.asking = False
        return True

    def give_up(self, number: int) -> bool:
        """No list came to question `number`; False when another was asked since."""
        if number != self.first:
            return False
        self.asking = self.ask_again = False
        return True

    def take(self, page: Page, *, first: bool) -> Listed | None:
        """A page of the list; None for one whose start was never seen or is out of date."""
        if not first and not self._begun:
            return None
        if first:
            self._names = {}
            self._pages = self._bytes = 0
        for definition in page.definitions:
            self._names[definition.name] = _argument_names(definition.fields)
            self._bytes += len(definition.raw)
        self._pages += 1
        endless = page.cut or self._pages >= PAGES_MAX
        endless = endless or len(self._names) > TOOLS_MAX or self._bytes > BYTES_MAX
        self.complete = endless or page.cursor is None
        self._begun = not self.complete
        return Listed(page.definitions, first, self.complete)


def _argument_names(fields: JsonObject) -> frozenset[str]:
    """The argument names in the schema of a tool."""
    schema = fields.get("inputSchema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return frozenset(properties) if isinstance(properties, dict) else frozenset()
