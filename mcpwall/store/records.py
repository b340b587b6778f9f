"""What the audit takes in and gives out. Values alone; how one becomes a row says `store.rows`.

A call has one row for its arrival and one step for each thing that happened to it afterwards;
neither is ever changed. `AuditRow` is the two folded together: a call as it stands.
"""

from __future__ import annotations

import contextlib
import enum
from typing import Final, NamedTuple

import msgspec

from mcpwall.model import Call, JsonObject, Reach, Reads, RequestId, Risk, Verdict

ARGUMENTS_MAX = 64 * 1024  # bytes; longer arguments are kept as an excerpt
EXCERPT = 4 * 1024  # bytes
PREVIEW = 600  # characters of arguments in a table
_LONG = 200  # bytes; the fields that are longer come last in a table

_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_join = msgspec.json.Encoder().encode


class Kind(enum.StrEnum):
    """What happened to a call after its arrival."""

    RELEASED = "released"  # held, then forwarded
    REFUSED = "refused"  # held, then answered by the wall
    ANSWERED = "answered"  # by the server
    WITHDRAWN = "withdrawn"  # cancelled by the agent, or its session ended
    LOST = "lost"  # forwarded, and no answer can come any more


RELEASED: Final = Kind.RELEASED  # by names of their own, as in `model`
ANSWERED: Final = Kind.ANSWERED


class By(enum.StrEnum):
    """Who decided on a call that had waited."""

    PERSON = "person"
    RULES = "rules"  # other ones, or its tool is another now
    TIMER = "timer"  # nobody answered in time
    STORE = "store"  # the one that walls share


class Grounds(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a verdict on arrival was made from, besides the call, the rules and earlier calls.

    `now_ns` is the judge's steady clock, `tool` its `ToolState`. `paths` are the paths that it
    looked up: the text, the directory, and where that led (None: nowhere).
    """

    now_ns: int
    run: str = ""
    reach: Reach = Reach.SERVICE
    reads: tuple[Reads, ...] = ()
    tool: str = "listed"
    paths: tuple[tuple[str, str, str | None], ...] = ()
    masked: bool = False  # something in the arguments was hidden
    found: Risk | None = None  # the class that the wall found, where a person had set another


class Intent(msgspec.Struct, frozen=True, gc=False):
    """A call on its arrival: `state` is "running" (to be forwarded now), "held" or "refused".

    `arguments_json` is the arguments as they will be forwarded, secrets hidden. `steady_ns` is the
    steady clock at `call.at_ms`. A running call books the charges of its verdict.
    """

    call: Call
    verdict: Verdict
    state: str
    request_id: RequestId
    arguments_json: bytes
    steady_ns: int
    grounds: Grounds | None = None
    size: int = 0  # bytes of the arguments as they will be forwarded; 0: of `arguments_json`


class Step(msgspec.Struct, frozen=True, gc=False):
    """What happened to call `call_id`. `verdict` is the new verdict of a held call.

    A released call books the charges of its verdict. `took_us`, `is_error` and `result_bytes`
    belong to an answer, which itself is not kept. `by` is a `By`, "" where nobody decided.
    `arguments_json` and `digest` are those that a person wrote in place of the call's own. `risk`
    is the class that the new verdict went by.
    """

    call_id: int
    kind: str
    at_ms: int
    steady_ns: int
    verdict: Verdict | None = None
    took_us: int | None = None
    is_error: bool | None = None
    result_bytes: int | None = None
    by: str = ""
    note: str = ""
    arguments_json: bytes | None = None
    digest: str | None = None
    risk: Risk | None = None


class Unfinished(msgspec.Struct, frozen=True):
    """A call that the record leaves open: forwarded ("running") or waiting ("held")."""

    id: int
    state: str
    request_id: RequestId
    at_ms: int
    session: str
    agent: str
    client: str
    server: str
    method: str
    tool: str


class Booking(NamedTuple):
    """One charge of a call that was forwarded, with the clocks at that moment."""

    rule: str
    key: str
    amount: str  # a decimal
    at_ms: int
    steady_ns: int  # comparable only within the same boot
    boot: str


class Forwarded(NamedTuple):
    """A call that went to its server: what `after` and `repeat` ask of it, and when that was."""

    call: int
    digest: str
    server: str
    method: str
    tool: str
    risk: Risk
    client: str
    grounds: Grounds
    at_ms: int
    steady_ns: int
    boot: str


class AuditRow(msgspec.Struct, frozen=True):
    """A call as the record has it. Text in it is foreign and raw.

    `judged` is the verdict on arrival, `verdict` the one in force. `arguments` is JSON text, None
    when it was longer than ARGUMENTS_MAX; then `excerpt` has its start. `edited` is what a person
    wrote in place of it, None if nobody did; then this ran, and `digest` is of this.
    """

    id: int
    at_ms: int
    session: str
    agent: str
    client: str
    server: str
    method: str
    tool: str
    risk: Risk
    directory: str
    request_id: RequestId
    size: int  # bytes of the arguments as forwarded
    digest: str
    judged: Verdict
    verdict: Verdict
    state: str  # as in engine.port_calls.State
    arguments: str | None
    excerpt: str
    took_us: int | None = None
    is_error: bool | None = None
    result_bytes: int | None = None
    by: str = ""
    note: str = ""
    edited: str | None = None
    grounds: Grounds | None = None
    judged_us: int | None = None  # until its verdict on arrival
    waited_us: int | None = None  # from then until it waited no more

    def call(self, arguments: JsonObject) -> Call:
        """The call that the row tells of. Its arguments are handed in: those sent, or an edit."""
        grounds = self.grounds or Grounds(0)
        return Call(
            *(self.id, self.at_ms, self.session, self.agent, self.client, self.server),
            *(self.method, self.tool, arguments, self.risk, self.digest, self.directory),
            *(grounds.run, grounds.reach, grounds.reads),
        )

    @property
    def preview(self) -> str:
        """The start of the arguments that ran, as in engine.port_calls.Row."""
        text = self.excerpt if self.arguments is None else self.arguments
        return preview((self.edited or text).encode())


def preview(arguments: bytes) -> str:
    """The start of arguments for a table, of their compact JSON or of what is left of it.

    Long fields come last, so that none of them hides a short one such as the path of a file.
    """
    if _LONG < len(arguments) <= ARGUMENTS_MAX:
        with contextlib.suppress(msgspec.MsgspecError):  # cut already
            fields = _split(arguments).items()
            arguments = _join(dict(sorted(fields, key=lambda field: len(field[1]) > _LONG)))
    return arguments[: PREVIEW * 4].decode("utf-8", "replace")[:PREVIEW]
