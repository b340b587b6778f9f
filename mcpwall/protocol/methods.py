"""The methods of MCP, in every version, and what the wall does with a client's request. A table.

Source: the schemas of 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25 and 2026-07-28.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from typing import Final

from mcpwall.protocol.requests import Sort

HANDSHAKE_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS_VERSION: Final = "2026-07-28"
BATCH_VERSION: Final = "2025-03-26"

META_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
META_CLIENT: Final = "io.modelcontextprotocol/clientInfo"
META_SUBSCRIPTION: Final = "io.modelcontextprotocol/subscriptionId"
META_VERDICT: Final = "mcpwall/verdict"


class Way(enum.Enum):
    """What happens to a message of a client's."""

    HAND_ON = "hand on"  # housekeeping: goes on, nothing is recorded
    TASK = "task"  # handed on where an allowed call made the task, else judged
    JUDGE = "judge"  # judged, recorded, then forwarded, held or answered


JUDGE: Final = Way.JUDGE  # by a name of its own, as in `model`


CLIENT_METHODS: Final = {
    "initialize": Way.HAND_ON,
    "server/discover": Way.HAND_ON,
    "ping": Way.HAND_ON,
    "tools/list": Way.HAND_ON,
    "tools/call": Way.JUDGE,
    "prompts/list": Way.HAND_ON,
    "prompts/get": Way.JUDGE,
    "resources/list": Way.HAND_ON,
    "resources/templates/list": Way.HAND_ON,
    "resources/read": Way.JUDGE,
    "resources/subscribe": Way.JUDGE,
    "resources/unsubscribe": Way.HAND_ON,
    "completion/complete": Way.JUDGE,
    "logging/setLevel": Way.HAND_ON,
    "subscriptions/listen": Way.HAND_ON,
    "tasks/get": Way.TASK,
    "tasks/result": Way.TASK,
    "tasks/update": Way.TASK,
    "tasks/list": Way.HAND_ON,
    "tasks/cancel": Way.TASK,
    "notifications/initialized": Way.HAND_ON,
    "notifications/cancelled": Way.HAND_ON,
    "notifications/progress": Way.HAND_ON,
    "notifications/roots/list_changed": Way.HAND_ON,
    "notifications/tasks/status": Way.HAND_ON,
}


# What servers ask of clients, and rules may forbid.
QUESTIONS: Final = frozenset({"sampling/createMessage", "elicitation/create", "roots/list"})


def sort_of(method: str) -> Sort:
    """What a judged message of this method is."""
    if method in QUESTIONS:
        return Sort.QUESTION
    return Sort.NOTICE if method.startswith("notifications/") else Sort.REQUEST


def way(method: str) -> Way:
    """What to do with a client's method; an unknown one is judged by the rules that name it."""
    return CLIENT_METHODS.get(method, Way.JUDGE)


# Methods whose results the wall may have to change on their way to the client.
CHANGED: Final = frozenset({"initialize", "server/discover", "tools/list"})


def changing(method: str) -> str:
    """The method of a request whose result the wall may have to change, else ''."""
    return method if method in CHANGED else ""


METHOD_MAX: Final = 200
WRITTEN: Final = "letters and digits of ASCII and _ - . : / $ @ +"
_WRITTEN: Final = re.compile(r"[\w.:/$@+-]+", re.ASCII)
_KNOWN: Final = CLIENT_METHODS.keys() | QUESTIONS


def _letters(method: str) -> str:
    plain = unicodedata.normalize("NFKC", method[:METHOD_MAX])
    return "".join(filter(str.isalpha, plain.casefold()))


_BY_LETTERS: Final = {_letters(method): method for method in _KNOWN}


def meant(method: str) -> str:
    """The known method that a lax reader might take this one for; '' for none.

    Readers are known to fold case, to strip, to join or split at signs, and to route as by path.
    """
    return "" if method in _KNOWN else _BY_LETTERS.get(_letters(method), "")


def fault(method: str) -> str:
    """Why a client's method is refused, since lax servers could take it for another; '' if not."""
    if method in _KNOWN:
        return ""
    if len(method) > METHOD_MAX or not _WRITTEN.fullmatch(method):
        return f"a method has at most {METHOD_MAX} signs: {WRITTEN}"
    known = meant(method)
    return f"the method is written {known!r}" if known else ""


SUBJECTS: Final = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "resources/subscribe": "uri",
}


def subject(method: str, params: dict[str, object]) -> str:
    """What a request is about: a tool's or prompt's name, or a resource's URI; else ''.

    A known method is about the one field that servers look at, whatever stands beside it.
    """
    for key in (SUBJECTS[method],) if method in SUBJECTS else ("name", "uri"):
        if isinstance(value := params.get(key), str):
            return value
    return ""
