"""Arguments that a person writes in place of a waiting call's: checked, then run exactly so.

`check` takes what the person wrote as strictly as an agent's own message, compares it with the
tool's schema, and asks the rules. Only what passed is kept with the waiting call, by its digest;
a decision quotes that digest, so what runs is what was checked and shown (P2, P8).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from mcpwall.engine import hiding
from mcpwall.engine.port import Refused, Reply
from mcpwall.engine.port_answers import CheckEdit, EditChecked
from mcpwall.engine.schema import SchemaUnusableError, problems
from mcpwall.model import TOOLS_CALL, Action, Call, JsonObject
from mcpwall.policy.flags import flags
from mcpwall.policy.masking import MARK, unmasked
from mcpwall.protocol import codec
from mcpwall.store.records import ARGUMENTS_MAX

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine
    from mcpwall.engine.holds import Hold
    from mcpwall.engine.records import Record

EDITS_MAX: Final = 8  # checked edits that are kept with one waiting call


class Edit(msgspec.Struct, frozen=True):
    """Arguments that were checked. `json` is compact, its keys in order; `shown`: Record.shown."""

    arguments: JsonObject
    json: bytes
    digest: str
    shown: bytes

    def of(self, call: Call) -> Call:
        """The call with these arguments."""
        return msgspec.structs.replace(call, arguments=self.arguments, digest=self.digest)

    def put(self, record: Record) -> None:
        """Make the record, and the message that will be forwarded, say these arguments."""
        record.original, record.sent = record.json, (record.call, record.shown)
        _put(record, self.of(record.call), self.json, self.shown)


def take_back(record: Record) -> None:
    """Make the record say again what the agent sent, if a person edited it."""
    if record.original and record.sent is not None:
        (call, shown), json = record.sent, record.original
        record.original, record.sent = b"", None
        _put(record, call, json, shown)


def _put(record: Record, call: Call, json: bytes, shown: bytes) -> None:
    record.call, record.json, record.size, record.shown = call, json, len(json), shown
    record.request.arguments = call.arguments
    params = {**record.request.message["params"], "arguments": call.arguments}
    record.request.message = {**record.request.message, "params": params}


async def check(engine: Engine, command: CheckEdit) -> Reply:
    """Take an edit of a waiting call, or say what is wrong with it, a line for each thing."""
    hold = engine.holds.as_shown(command)
    if isinstance(hold, Refused):
        return hold
    tool = hold.live.tool_of(hold.record.call)
    if tool is None:
        return Refused("only the arguments of a tool that its server lists can be edited")
    if max(hold.record.size, len(codec.canonical(command.arguments))) > ARGUMENTS_MAX:
        return Refused(f"arguments of more than {ARGUMENTS_MAX // 1024} KiB cannot be edited here")
    written = unmasked(command.arguments, hiding.marks(engine.mask, hold.record))
    if hold.record.shown and MARK in codec.canonical(written).decode():
        return Refused("a mark of a hidden secret was changed: leave it whole, or write all of it")
    try:
        arguments = _strict(written, tool.input_schema)
        found = await asyncio.to_thread(problems, tool.input_schema, arguments)
    except codec.Malformed as error:
        return Refused(error.text)
    except SchemaUnusableError as error:
        return Refused(f"{error}; so an edit cannot be checked, allow the call as it is or deny it")
    if found:
        return Refused("\n".join(found))
    if engine.holds.as_shown(command) is not hold:  # it may have gone while the schema was checked
        return Refused("this call, or the rules for it, changed meanwhile; look again")
    return _take(engine, hold, arguments)


def _take(engine: Engine, hold: Hold, arguments: JsonObject) -> Reply:
    call, json = hold.record.call, codec.canonical(arguments)
    changed, shown = hiding.with_arguments(engine.mask, call, arguments, json)
    edit = Edit(arguments, json, changed.digest, shown)
    if edit.digest == call.digest:
        return Refused("these are the arguments that the agent sent: nothing is edited")
    edited = edit.of(call)
    verdict = engine.verdict(hold.live, edited, approved=True)
    if verdict.action is not Action.ALLOW:
        return Refused(f"it would not run as edited: {verdict.reason}")
    kept = [(digest, known) for digest, known in hold.edits.items() if digest != edit.digest]
    hold.edits = dict([*kept, (edit.digest, edit)][-EDITS_MAX:])
    visible = msgspec.json.decode(shown) if shown else arguments
    return EditChecked(visible, edit.digest, len(json), flags(edited, engine.resolve, engine.mask))


def _strict(arguments: JsonObject, schema: JsonObject) -> JsonObject:
    """The arguments as an agent's message would bring them. Raises codec.Malformed."""
    params = {"name": "", "arguments": arguments}
    line = codec.encode({"jsonrpc": "2.0", "id": 0, "method": TOOLS_CALL, "params": params})
    (message,) = codec.decode_client(line)
    codec.check_client(message)
    named = schema.get("properties")
    known = frozenset(named) if isinstance(named, dict) else frozenset()
    decoded: JsonObject = message["params"]["arguments"]
    codec.check_keys(decoded, known, None)
    return decoded
