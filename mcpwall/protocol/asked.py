"""What a client's request asks for: the part of its params that rules are held against. Pure."""

from __future__ import annotations

from typing import Final

from mcpwall.model import JsonObject
from mcpwall.protocol import codec, methods
from mcpwall.protocol.codec import INVALID_PARAMS, Malformed
from mcpwall.protocol.commands import Request, Sort

RESOURCES_MAX: Final = 1_000  # that one subscription names
SUBSCRIBE: Final = "resources/subscribe"
_LISTEN_FIELDS: Final = frozenset({"resourceSubscriptions"})
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
_CALL_FIELDS: Final = frozenset({"name", "arguments", "_meta"})


def subject_of(request: Request, params: JsonObject) -> str:
    """The tool, prompt or resource that a request names, '' for none. Raises Malformed.

    A call must name its tool; what else names nothing at all is the server's to refuse.
    """
    key = methods.SUBJECTS.get(request.method)
    needed = request.method == "tools/call" or not params.keys().isdisjoint(("name", "uri"))
    if key is not None and needed and type(params.get(key)) is not str:
        raise Malformed(INVALID_PARAMS, f"{request.method} needs a {key}, a string", request.id)
    return methods.subject(request.method, params)


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


def resources_of(request: Request, params: JsonObject) -> list[Request]:
    """A subscription to each resource that `subscriptions/listen` names. Raises Malformed.

    MCP 2026-07-28, "Subscriptions": `notifications.resourceSubscriptions`, a list of URIs.
    """
    wanted = params.get("notifications", {})
    if type(wanted) is not dict:
        raise Malformed(INVALID_PARAMS, "notifications must be an object", request.id)
    codec.check_keys(wanted, _LISTEN_FIELDS, request.id)
    uris = wanted.get("resourceSubscriptions") or []
    if type(uris) is not list or not all(type(uri) is str for uri in uris):
        text = "resourceSubscriptions must be a list of strings"
        raise Malformed(INVALID_PARAMS, text, request.id)
    if len(uris) > RESOURCES_MAX:
        text = f"a subscription has at most {RESOURCES_MAX} resources"
        raise Malformed(INVALID_PARAMS, text, request.id)
    return [
        Request(request.id, SUBSCRIBE, uri, {"uri": uri}, sort=Sort.NOTICE)
        for uri in dict.fromkeys(uris)
    ]


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
