"""Secrets in calls: hidden from files, screens and exports, and put back where a person edits.

The engine holds a call as it is; `Record.shown` is what may leave the engine. A call with a secret
has a keyed digest, so that the record does not let anybody try values against it.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import naming
from mcpwall.model import TOOLS_CALL
from mcpwall.policy.masking import Marks, Mask
from mcpwall.protocol.codec import canonical
from mcpwall.store.audit_config import secrets_of

if TYPE_CHECKING:
    from mcpwall.engine.records import Record
    from mcpwall.model import Call, JsonObject
    from mcpwall.store.config import Config

BESIDE_MAX: Final = 300  # characters of a field that a call sends beside its arguments
FIELDS_MAX: Final = 20  # such fields that are told of

# Which argument of a request is the schema of what is asked for, not what is given.
_SCHEMAS: Final = {"elicitation/create": "requestedSchema"}


def mask_of(config: Config, key: str) -> Mask:
    """What is hidden by a config."""
    audit = config.audit
    values = secrets_of(config.servers)
    return Mask(on=audit.masks, names=audit.names, values=values, key=key.encode())


def hidden(mask: Mask, call: Call, data: bytes) -> tuple[Call, bytes]:
    """The call with the digest that it goes by, and what may be shown of its arguments `data`.

    b"" where nothing is hidden.
    """
    if not mask.may_hide(data):  # most calls
        return call, b""
    shown, marks = _masked(mask, call, data)
    if not marks:
        return call, b""
    return msgspec.structs.replace(call, digest=mask.digest(call.digest)), canonical(shown)


def _masked(mask: Mask, call: Call, data: bytes) -> tuple[JsonObject, Marks]:
    return mask.arguments(call.arguments, data, schema=_SCHEMAS.get(call.method, ""))


def with_arguments(
    mask: Mask, call: Call, arguments: JsonObject, data: bytes
) -> tuple[Call, bytes]:
    """The call with other arguments, `data` as JSON; and what may be shown of them, as `hidden`."""
    digest = naming.digest(call.method, call.server, call.tool, data)
    return hidden(mask, msgspec.structs.replace(call, arguments=arguments, digest=digest), data)


def subject(mask: Mask, call: Call) -> str:
    """The URI or name of a request that is no tool call, if something in it is hidden; else ""."""
    if call.method == TOOLS_CALL or not mask.may_hide(call.tool.encode("utf-8", "replace")):
        return ""
    shown = mask.text(call.tool)
    return "" if shown == call.tool else shown


def marks(mask: Mask, record: Record) -> Marks:
    """What the marks in the arguments of a call stand for."""
    return _masked(mask, record.call, record.json)[1] if record.shown else {}


def beside(mask: Mask, fields: JsonObject) -> tuple[str, ...]:
    """A sentence for each field that a call sends beside its arguments, secrets hidden."""
    data = canonical(fields)
    if fields and mask.may_hide(data):
        fields = mask.arguments(fields, data)[0]
    told = [
        f"also sends {_start(name)}: {_start(canonical(value).decode())}"
        for name, value in itertools.islice(fields.items(), FIELDS_MAX)
    ]
    more = len(fields) - len(told)
    return (*told, f"also sends {more:,} more fields") if more else tuple(told)


def _start(text: str) -> str:
    """A text whole, or its start and how long it is."""
    return text if len(text) <= BESIDE_MAX else f"{text[:BESIDE_MAX]}… ({len(text):,} characters)"


def arguments(record: Record) -> JsonObject:
    """The arguments of a call as they may be shown. Raises msgspec.DecodeError if they were cut."""
    shown: JsonObject = msgspec.json.decode(record.shown) if record.shown else record.call.arguments
    return shown
