"""One client's conversation with one server, as a state machine. Pure: no I/O, no clock.

Lines go in by `from_client` and `from_server`; commands come out, to be carried out in order.
What is known of a conversation stands in parts of its own: `under_way` (the client's requests),
`questions` (the server's), `tool_wait` (its tools), `tasks`, `parties` (who speaks); what a message
does to them stands here, and what is said where one cannot go on in `refusals`. A `Judge` command
asks the engine for a verdict on a request; the engine answers by `forwarded`, `held` or `refused`,
and the request then takes its course.

Sources: MCP lifecycle, cancellation and progress pages of 2024-11-05 … 2026-07-28.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import asked, asking, codec, envelopes, methods, refusals
from mcpwall.protocol.codec import INVALID_PARAMS, INVALID_REQUEST, Malformed
from mcpwall.protocol.commands import (
    Answered,
    Command,
    Described,
    Inputs,
    Judge,
    Memory,
    Note,
    Opened,
    Subscribes,
    ToClient,
    ToServer,
    Withdrawn,
)
from mcpwall.protocol.envelopes import Unreadable
from mcpwall.protocol.forms import Envelope
from mcpwall.protocol.methods import Way
from mcpwall.protocol.parties import Parties
from mcpwall.protocol.questions import Questions
from mcpwall.protocol.requests import FORWARDED, NOTICE, QUESTION, REQUEST, Request, Stage
from mcpwall.protocol.results import instructions
from mcpwall.protocol.tasks import Tasks
from mcpwall.protocol.tool_list import is_own
from mcpwall.protocol.tool_wait import ToolWait
from mcpwall.protocol.under_way import UnderWay


class Session:
    """The conversation. `changed` is set when `memory` would differ; who stores that clears it."""

    def __init__(self, memory: Memory | None = None) -> None:
        known = memory or Memory()
        self.parties = Parties(known)
        self.changed = False
        self.requests = UnderWay(known.open)
        self.opened = known.opened
        self._questions = Questions(known.from_server)
        self._tools = ToolWait(known.lists, self.requests)
        self._tasks = Tasks()

    def memory(self) -> Memory:
        """What must outlive this engine."""
        who = self.parties
        return Memory(
            who.client,
            who.client_version,
            who.server_version,
            who.version,
            who.stateless,
            self.opened,
            self._tools.list.asked,
            self.requests.memory(),
            self._questions.memory(),
        )

    # --- from the client ------------------------------------------------------------------------

    def from_client(self, line: bytes) -> list[Command]:
        """Take one line of the client's, without its end."""
        try:
            messages = codec.decode_client(line)
        except Malformed as error:
            return refusals.malformed(error)
        return self.take(messages, batch=codec.is_batch(line))

    def take(self, messages: list[JsonObject], *, batch: bool = False) -> list[Command]:
        """Take what `codec.decode_client` has read of the client's: one message, or a batch."""
        if batch and self.parties.version != methods.BATCH_VERSION:
            return self.malformed(f"batches exist in protocol {methods.BATCH_VERSION} alone")
        commands: list[Command] = []
        for message in messages:
            try:
                commands += self._client_message(message)
            except Malformed as error:
                commands += refusals.malformed(error)
        return commands

    def take_back(self, line: bytes) -> set[RequestId]:
        """The ids of the requests in a line of the client's, to be taken once more or left out.

        What another engine had noted of requests that were not judged is forgotten: it may not
        have come as far as to pass them on.
        """
        try:
            messages = codec.decode_client(line)
        except Malformed:
            return set()
        return self.requests.take_back(messages)

    def malformed(self, text: str) -> list[Command]:
        """Refuse something of the client's that is no message at all."""
        return refusals.malformed(Malformed(INVALID_REQUEST, text))

    def _client_message(self, message: JsonObject) -> list[Command]:
        codec.check_client(message)
        if "method" not in message:
            self.changed = True
            return self._questions.answer(message)
        if fault := methods.fault(message["method"]):
            raise Malformed(INVALID_REQUEST, fault, message.get("id"))
        if "id" in message:
            return self._client_request(message)
        return self._client_notification(message)

    def _client_request(self, message: JsonObject) -> list[Command]:
        request_id: RequestId = message["id"]
        method: str = message["method"]
        self.requests.check(request_id)
        params: JsonObject = message.get("params", {})
        meta = params.get("_meta")
        if meta is not None and type(meta) is not dict:
            raise Malformed(INVALID_PARAMS, "_meta must be an object", request_id)
        commands: list[Command] = []
        if meta and self.parties.learn_from_meta(meta):
            self.opened = self.changed = True
            commands.append(Opened())
        request = Request(request_id, method, message=message)
        if meta and codec.is_id(token := meta.get("progressToken")):
            request.token = token
        way = methods.way(method)
        if way is methods.JUDGE or (way is Way.TASK and not self._tasks.knows(params)):
            request.subject = asked.subject_of(request, params)
            names = self._tools.list.argument_names(request.subject)
            request.arguments = asked.arguments_of(request, params, names)
            self.requests.begin(request)
            if method == "tools/call" and not self._tools.list.complete:
                self.changed = True
                return commands + self._tools.wait(request, meta)
            commands.append(Judge(request))
            return commands
        if method == "initialize":
            self.parties.learn_client(params.get("clientInfo"))
            commands.append(Opened())
        elif method == "subscriptions/listen":
            if things := asked.things_of(request, params, self._tasks):
                self.requests.begin(request)
                self.changed = True
                return [*commands, Subscribes(request, things)]
        elif method == "tools/list":
            request.arguments = {"cursor": params.get("cursor")}
            request.changes = self._tools.list.changes
        request.message = None
        request.stage = FORWARDED
        self.requests.begin(request)
        self.changed = True
        commands.append(ToServer(codec.encode(message), request_id))
        return commands

    def awaits(self, request_id: RequestId) -> bool:
        """Whether a request of the client's or of the wall's has no answer yet."""
        return request_id in self.requests or self._tools.list.awaits(request_id)

    def token_in_use(self, token: Any) -> bool:
        """Whether a request under way has this progress token."""
        return codec.is_id(token) and self.requests.progress.knows(token)

    def _client_notification(self, message: JsonObject) -> list[Command]:
        method: str = message["method"]
        if not method.startswith("notifications/"):
            raise Malformed(INVALID_REQUEST, f"{method[:80]!r} needs an id")
        if method == "notifications/cancelled":
            return self._cancelled_by_client(message)
        if method == "notifications/initialized":
            self.opened = True
            self.changed = True
        if methods.way(method) is methods.JUDGE:
            notice = Request("", method, message=message, sort=NOTICE)
            params: JsonObject = message.get("params", {})
            notice.arguments = asked.arguments_of(notice, params, frozenset())
            return [Judge(notice)]
        return [ToServer(codec.encode(message))]

    def _cancelled_by_client(self, message: JsonObject) -> list[Command]:
        cancelled = self.requests.cancel(message.get("params", {}).get("requestId"))
        if cancelled is None:
            return []  # some clients cancel every finished call
        request, was = cancelled
        commands: list[Command] = []
        if was is Stage.LISTING:
            self._tools.calls.remove(request)
        elif was is FORWARDED:
            commands.append(ToServer(codec.encode(message)))
        if request.call:
            commands.append(Withdrawn(request))
        else:
            self.changed = True
        return commands

    # --- what the engine decided ----------------------------------------------------------------

    def forwarded(self, request: Request) -> bytes:
        """The engine lets the request go: returns the line for who answers it."""
        question = request.sort is QUESTION
        line = request.line if question else codec.encode(request.message)
        request.line = b""
        request.message = None
        request.stage = FORWARDED
        return line

    def held(self, request: Request) -> None:
        """The engine holds the request for a person."""
        request.stage = Stage.HELD

    def unknown_tool(self, request: Request) -> bytes:
        """The client asked for a tool that it does not get to see: returns the line for it."""
        self.drop(request)
        return refusals.unknown_tool(request)

    def refused(self, request: Request, text: str, verdict: JsonObject) -> bytes:
        """The engine refuses the request: returns the line for who sent it, b'' for a notice."""
        self.drop(request)
        return refusals.refused(request, text, verdict, stateless=self.parties.stateless)

    def again(self, request: Request, state: str) -> bytes:
        """The client is to make its request once more, with this state: the line that says so."""
        self.drop(request)
        return refusals.again(request, state)

    def drop(self, request: Request) -> None:
        """Forget a request that needs no answer any more."""
        if request.sort is QUESTION:
            self._questions.drop(request)
        elif request.sort is REQUEST:
            self.requests.over(request)

    def adopt(self, request: Request) -> None:
        """Take over a request that another engine recorded and did not finish."""
        if request.sort is QUESTION:
            self._questions.adopt(request)
        else:
            self.requests[request.id] = request

    def has(self, request: Request) -> bool:
        """Whether this very request is under way."""
        return self.requests.get(request.id) is request or self._questions.has(request)

    def unanswered(self, request_id: RequestId) -> Request | None:
        """No answer to this request can come any more. Returns it, unless it was cancelled."""
        request = self.requests.get(request_id)
        gone = request or self.requests.late(request_id)
        if gone is not None:
            self.drop(gone)
        return request

    def server_gone(self) -> list[Request]:
        """All requests that can get no answer any more; they are forgotten."""
        lost = [*self.requests.values(), *self._questions.clear()]
        self.requests.clear()
        self._tools.calls.clear()
        return lost

    # --- from the server ------------------------------------------------------------------------

    def from_server(self, line: bytes) -> list[Command]:
        """Take one line of the server's, without its end."""
        try:
            messages = envelopes.read(line)
        except Unreadable as error:
            self.changed = True
            answered = self.requests.answered_by(error.ids)
            return refusals.dropped(line, error, answered) + self._tools.unreadable(error.ids)
        line = codec.tidy_server_line(line)
        commands: list[Command] = []
        about: RequestId | None = None
        keep, method = True, ""
        answers: list[RequestId | None] = []
        for envelope in messages:
            passes, concerns, more, changing = self._server_message(envelope, line)
            keep = keep and passes
            if passes and envelope.method is None:
                answers.append(concerns)
            about = concerns if about is None else about
            method = method or changing
            commands += more
        if keep:
            return [ToClient(line, about, method), *commands]
        return commands + refusals.in_bad_company(answers)

    def _server_message(self, envelope: Envelope, line: bytes) -> _Taken:
        if envelope.method is not None:
            if envelope.result or envelope.error:
                return _drop("dropped a message of the server that both asks and answers")
            if codec.has_too_many(envelope.params):
                return _drop("dropped a message of the server that is too large to be read")
            if not (envelope.id or envelope.method.startswith("notifications/")):
                return _drop("dropped a request of the server that has no id")
            return self._server_speaks(envelope, line)
        request_id = envelopes.server_id(envelope.id)
        if request_id is None:
            # an error to a line that the server could not read: nobody waits for it
            return bool(envelope.error), None, [], ""
        if is_own(request_id):
            self.changed = True
            return False, None, self._tools.answered(request_id, envelope), ""
        read = asking.in_answer(envelope, line, stateless=self.parties.stateless)
        request = self.requests.pop(request_id, None)
        if request is None:
            cancelled = self.requests.late(request_id)
            if cancelled is None:
                return _drop("dropped an answer of the server to a request that nobody made")
            if read is None or read[1]:
                return _drop("dropped a question of the server within a cancelled request")
            return True, request_id, [], methods.changing(cancelled.method)
        if request.stage is not FORWARDED:
            self.requests[request_id] = request
            return _drop("dropped an answer of the server to a request that it never got")
        self.requests.progress.forget(request)
        if read is None:
            self.changed = True
            return False, request_id, refusals.unreadable(request), ""
        said, questions = read
        failed = bool(envelope.error) or said.is_error is True
        if questions:
            return False, request_id, [Inputs(request, questions, line, request_id, failed)], ""
        if request.call:
            self._tasks.learn(said)
            return True, request_id, [Answered(request, failed, line)], ""
        self.changed = True
        learned = self._housekeeping(request, envelope) if envelope.result else []
        return True, request_id, learned, methods.changing(request.method)

    def _housekeeping(self, request: Request, envelope: Envelope) -> list[Command]:
        """Learn from the result of a request that was not judged."""
        if request.method in ("initialize", "server/discover"):
            result = codec.object_of(envelope.result)
            self.parties.learn_server(result)
            return [Described(instructions(envelope.result)), Opened()]
        return self._tools.learn(request, envelope) if request.method == "tools/list" else []

    def _server_speaks(self, envelope: Envelope, line: bytes) -> _Taken:
        if envelope.id:
            self.changed = True
            passes, commands = self._questions.ask(envelope, line)
            return passes, None, commands, ""
        if envelope.method == "notifications/tools/list_changed":
            return True, self.parties.subscription(envelope), self._tools.changed(), ""
        if envelope.method == "notifications/progress":
            passes, about = self.requests.progress.take(codec.object_of(envelope.params))
            return passes, about, [], ""
        if envelope.method == "notifications/cancelled":
            request_id = codec.object_of(envelope.params).get("requestId")
            if codec.is_id(request_id):
                self.changed = True
                passes, commands = self._questions.take_back(request_id)
                return passes, None, commands, ""
        about = self.parties.subscription(envelope)
        passes, commands = asking.in_notice(envelope, line, about)
        return passes, about, commands, ""

    # --- the server's tools ---------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Requests wait for the server's list of tools."""
        return bool(self._tools.calls)

    def knows(self, tool: str) -> bool:
        """Whether what the server has listed so far says all there is to say of a tool."""
        return self._tools.list.knows(tool)

    def listing_failed(self, number: int) -> list[Command]:
        """No list came to the wall's question `number`: judge what waits by what is known."""
        self.changed = True
        return self._tools.failed(number)


# passes on, the client's request that it is about, what follows from it, and the method of a
# result that the wall may have to change
_Taken: TypeAlias = tuple[bool, RequestId | None, list[Command], str]


def _drop(why: str) -> _Taken:
    return False, None, [Note(why)], ""
