"""Calls that wait until the server's tools are known, and the wall's own questions for them. Pure.

A client that calls before it lists has the wall ask in its name; what waits is judged once the
list is complete, or once it is plain that none comes.
"""

from __future__ import annotations

from typing import Final

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import codec, refusals
from mcpwall.protocol.codec import Malformed
from mcpwall.protocol.commands import Command, Judge, Note
from mcpwall.protocol.definitions import BYTES_MAX, TOOLS_MAX, Page, read_page
from mcpwall.protocol.forms import Envelope
from mcpwall.protocol.requests import Request, Stage
from mcpwall.protocol.tool_list import ToolList
from mcpwall.protocol.under_way import UnderWay

TOO_MANY: Final = (
    f"the server's list of tools is too long: what is beyond {TOOLS_MAX:,} tools, or "
    f"{BYTES_MAX >> 20} MiB, is left out and cannot be called"
)


class ToolWait:
    """The list of tools as far as it is known (`list`), and the calls that depend on it."""

    def __init__(self, asked: int, under_way: UnderWay) -> None:
        """`asked`: the number of the wall's last question, by the engine before this one."""
        self.list = ToolList(asked)
        self.calls: list[Request] = []  # stage LISTING, in order
        self._under_way = under_way
        self._meta: JsonObject = {}  # the client's _meta, to ask in its name

    def wait(self, request: Request, meta: JsonObject | None) -> list[Command]:
        """Have a call wait, and ask for the list if nobody has."""
        request.stage = Stage.LISTING
        self.calls.append(request)
        self._meta = {k: v for k, v in (meta or {}).items() if k.startswith("io.model")}
        return [] if self.list.asking else self.list.ask(self._meta)

    def changed(self) -> list[Command]:
        """The server's tools are others now: ask for them at once if a call depends on it."""
        if self.list.changed():
            return []
        stages = {request.stage for request in self._under_way.values()}
        return self.list.ask(self._meta) if stages & {Stage.LISTING, Stage.HELD} else []

    def failed(self, number: int) -> list[Command]:
        """No list came to the wall's question `number`: judge what waits by what is known."""
        if not self.list.give_up(number) or not self.calls:
            return []
        self.list.complete = True
        return [Note("the server does not list its tools"), *self._judge()]

    def answered(self, request_id: RequestId, envelope: Envelope) -> list[Command]:
        """The server answers a question of the wall's."""
        if not self.list.is_awaited(request_id):
            return []  # nobody asked, or it was asked anew since
        if self.list.ask_again:
            return self.list.ask(self._meta)
        if not envelope.result:
            return self.failed(self.list.first)
        page = read_page(envelope.result)
        commands = self.page(page, first=self.list.asked == self.list.first)
        if not self.list.complete and page.cursor is not None:
            commands += self.list.ask(self._meta, page.cursor)
        return commands

    def unreadable(self, ids: list[RequestId]) -> list[Command]:
        """The answers with these ids cannot be read; one may be to a question of the wall's."""
        awaited = any(self.list.is_awaited(each) for each in ids)
        return self.failed(self.list.first) if awaited else []

    def learn(self, request: Request, envelope: Envelope) -> list[Command]:
        """The server answers a question of the client's, who goes through the pages itself."""
        if request.changes != self.list.changes:
            return []
        return self.page(read_page(envelope.result), first=request.arguments.get("cursor") is None)

    def page(self, page: Page, *, first: bool) -> list[Command]:
        """A page of the list has come, whoever asked for it."""
        listed = self.list.take(page, first=first)
        if listed is None:
            return []
        cut = [Note(TOO_MANY)] if page.cut else []
        return [listed, *cut, *(self._judge() if listed.last else [])]

    def _judge(self) -> list[Command]:
        waiting, self.calls = self.calls, []
        commands: list[Command] = []
        for request in waiting:
            names = self.list.argument_names(request.subject)
            try:
                codec.check_keys(request.arguments, names, request.id)
            except Malformed as error:
                self._under_way.over(request)
                commands += refusals.malformed(error)
            else:
                request.stage = Stage.NEW
                commands.append(Judge(request))
        return commands
