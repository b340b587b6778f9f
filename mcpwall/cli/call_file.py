"""A call that a person describes in a JSON file, for `mcpwall rules test`: text in, values out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from mcpwall.cli.errors import USAGE, CliError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcpwall.model import Call, JsonObject
    from mcpwall.policy.set_risk import Word


class Described(NamedTuple):
    """A call, why it has its risk, and the calls of the same agent that were forwarded before."""

    call: Call
    why_risk: str
    before: tuple[Call, ...]


def read_call(text: str, file: str, directory: str, word: Callable[[str], Word]) -> Described:
    """The call that a JSON text describes. Raises CliError, which names `file`.

    `word` gives what the person says of a server's tools.
    """
    from mcpwall.model import Reach, Reads, Risk
    from mcpwall.store import forms

    keys = {
        "server": forms.text,
        "tool": forms.text,
        "arguments": forms.json_object,
        "agent": forms.text,
        "method": forms.text,
        "risk": forms.choice([*Risk]),
        "reach": forms.choice([*Reach]),
        "reads": _list_of(forms.choice([*Reads])),
    }
    needed = ("server", "tool")
    earlier = forms.table(keys, "an earlier call", required=needed)
    try:
        told = forms.json_object(json.loads(text))
        read = forms.table({**keys, "before": _list_of(earlier)}, "the call", required=needed)(told)
    except forms.BadValueError as error:
        problem = error.problems[0]
        what = f"the call {problem.what}" if problem.subject == "" else problem.text()
        raise CliError(f"{file}: {what}; {problem.advice()}".removesuffix("; "), USAGE) from None
    except (ValueError, RecursionError) as error:
        raise CliError(f"{file}: this is not JSON: {error}", USAGE) from None
    before = read.get("before", [])
    past = tuple(_call(one, directory, number, word)[0] for number, one in enumerate(before, 1))
    call, why = _call(read, directory, len(past) + 1, word)
    return Described(call, why, past)


def _list_of(reader: Any) -> Any:
    from mcpwall.store import forms

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise forms.bad(f"must be a list, not {forms.kind(value)}")
        return [reader(item) for item in value]

    return read


def _call(
    read: JsonObject, directory: str, number: int, word: Callable[[str], Word]
) -> tuple[Call, str]:
    """A call from what was read of it, and why it has its risk."""
    import msgspec

    from mcpwall.engine import naming
    from mcpwall.model import Call, Reach, Reads, Risk, Tool
    from mcpwall.policy.risk import classify
    from mcpwall.policy.traits import traits_of

    server, tool, arguments = read["server"], read["tool"], read.get("arguments", {})
    method, agent = read.get("method", "tools/call"), read.get("agent", "")
    schema: JsonObject = {"properties": {name: {} for name in arguments}}  # what the call shows
    risk, why = classify(tool, "", schema, {})
    if "risk" in read:
        risk, why = Risk(read["risk"]), "as the call says"
    traits = traits_of(tool, "", schema, {}, risk)
    if "risk" not in read:
        known = word(server).on(Tool(server, tool, risk=risk, why=why))
        risk, why = known.risk, known.why
    json_arguments = msgspec.json.encode(arguments, order="deterministic")
    call = Call(
        id=number,
        at_ms=0,
        session="",
        agent=agent if "#" in agent else f"{agent}#1",
        client=agent.partition("#")[0],
        server=server,
        method=method,
        tool=tool,
        arguments=arguments,
        risk=risk,
        digest=naming.digest(method, server, tool, json_arguments),
        directory=directory,
        reach=Reach(read["reach"]) if "reach" in read else traits.reach,
        reads=tuple(map(Reads, read["reads"])) if "reads" in read else traits.reads,
    )
    return call, why
