"""What a client's request asks for: the part of its params that rules are held against. Pure."""

from __future__ import annotations

from typing import Final

from mcpwall.model import JsonObject
from mcpwall.protocol import codec, methods
from mcpwall.protocol.codec import INVALID_PARAMS, Malformed
from mcpwall.protocol.requests import Request, Sort
from mcpwall.protocol.tasks import Tasks

SUBJECT_MAX: Final = 16_384  # characters of a name or a URI: it is recorded whole, and shown
THINGS_MAX: Final = 1_000  # that one subscription names
SUBSCRIBE: Final = "resources/subscribe"
TASK: Final = "tasks/get"
_LISTEN_FIELDS: Final = frozenset({"resourceSubscriptions", "taskIds"})
_META: Final = frozenset(
    {
        "progressToken",
        methods.META_VERSION,
        methods.META_CLIENT,
        "io.modelcontextprotocol/clientCapabilities",
        "io.modelcontextprotocol/logLevel",
        *("traceparent", "tracestate"),  # W3C Trace Context
        # by what agents name their own conversations and calls: most are others each time
        "claudecode/toolUseId",
        *("vscode.conversationId", "vscode.requestId"),
        *("threadId", "callId", "x-codex-turn-metadata"),
        "ai.opencode/sessionID",
        "antigravity.google/conversation_id",
    }
)
_TOO_LONG: Final = f"a name or URI has at most {SUBJECT_MAX:,} characters"
_CALL_FIELDS: Final = frozenset({"name", "arguments", "_meta"})


def subject_of(request: Request, params: JsonObject) -> str:
    """The tool, prompt or resource that a request names, '' for none. Raises Malformed.

    A call must name its tool; what else names nothing at all is the server's to refuse.
    """
    key = methods.SUBJECTS.get(request.method)
    needed = request.method == "tools/call" or not params.keys().isdisjoint(("name", "uri"))
    if key is not None and needed and type(params.get(key)) is not str:
        raise Malformed(INVALID_PARAMS, f"{request.method} needs a {key}, a string", request.id)
    subject = methods.subject(request.method, params)
    if len(subject) > SUBJECT_MAX:
        raise Malformed(INVALID_PARAMS, _TOO_LONG, request.id)
    return subject


def arguments_of(request: Request, params: JsonObject, known: frozenset[str]) -> JsonObject:
    """The arguments as judged; `known` are the names in the tool's schema. Raises Malformed."""
    found = params.get("arguments", {}) if request.method == "tools/call" else all_of(params)
    if type(found) is not dict:
        raise Malformed(INVALID_PARAMS, "arguments must be an object", request.id)
    arguments: JsonObject = found
    codec.check_keys(arguments, known, request.id)
    return arguments


def all_of(params: JsonObject) -> JsonObject:
    """The arguments of a request that is no tool call: its params, less what is about the call."""
    return {key: value for key, value in params.items() if key != "_meta"}


def things_of(request: Request, params: JsonObject, tasks: Tasks) -> list[Request]:
    """What `subscriptions/listen` names and rules may be about. Raises Malformed.

    A subscription to each resource, and a look at each task that no allowed call has made: what is
    told of a task holds its output. MCP 2026-07-28, "Subscriptions", and its tasks extension:
    `notifications.resourceSubscriptions` and `notifications.taskIds`, lists of texts.
    """
    wanted = params.get("notifications", {})
    if type(wanted) is not dict:
        raise Malformed(INVALID_PARAMS, "notifications must be an object", request.id)
    codec.check_keys(wanted, _LISTEN_FIELDS, request.id)
    things = [
        Request(request.id, SUBSCRIBE, uri, {"uri": uri}, sort=Sort.NOTICE)
        for uri in _texts(request, wanted, "resourceSubscriptions")
    ]
    for task in _texts(request, wanted, "taskIds"):
        asks = {"taskId": task}
        if not tasks.knows(asks):
            things.append(Request(request.id, TASK, "", asks, sort=Sort.NOTICE))
    return things


def _texts(request: Request, wanted: JsonObject, key: str) -> list[str]:
    """The texts in a list, each once."""
    texts = wanted.get(key) or []
    if type(texts) is not list or not all(type(text) is str for text in texts):
        raise Malformed(INVALID_PARAMS, f"{key} must be a list of strings", request.id)
    if len(texts) > THINGS_MAX:
        raise Malformed(INVALID_PARAMS, f"{key} has at most {THINGS_MAX} strings", request.id)
    if any(len(text) > SUBJECT_MAX for text in texts):
        raise Malformed(INVALID_PARAMS, _TOO_LONG, request.id)
    return list(dict.fromkeys(texts))


def beside(request: Request) -> JsonObject:
    """What a request sends that is no argument of it: a task, answers, what nobody knows.

    Of `_meta` it is what neither the protocol nor tracing nor a known agent puts there: a server
    may act on it.
    """
    if request.message is None:
        return {}
    params: JsonObject = request.message.get("params", {})
    call = request.method == "tools/call"
    fields = {key: value for key, value in params.items() if call and key not in _CALL_FIELDS}
    meta = params.get("_meta") or {}
    if unknown := {key: value for key, value in meta.items() if key not in _META}:
        fields["_meta"] = unknown
    return fields
