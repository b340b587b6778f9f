"""A first guess at what a tool can do at worst, from what its server says about it.

The name weighs most, then the verbs with which the description starts, then arguments that carry
code, choose an action or name a file to write. What a server claims can only raise the risk, unless
the person trusts its hints: `readOnlyHint` and a harmless description never lower what a verb of
the name says, only what may be a noun in it. A tool that says nothing is unknown and counts as one
that changes things.
docs/decisions/0015-risk-from-words.md says why and how well it works.
"""

from __future__ import annotations

from mcpwall.model import JsonObject, Risk
from mcpwall.policy import verbs
from mcpwall.policy.findings import Finding, words_of, worst
from mcpwall.policy.risk_name import about_money, from_name
from mcpwall.policy.risk_schema import Seen, from_schema
from mcpwall.policy.risk_text import (
    from_description,
    promises_reading,
    speaks_of_sql,
    starts_reading,
)


def classify(
    name: str,
    description: str,
    input_schema: JsonObject,
    annotations: JsonObject,
    *,
    trusted: bool = False,
) -> tuple[Risk, str]:
    """The risk of a tool, and one sentence that says why. Never raises, whatever the input.

    `trusted`: the person believes the hints of this server, so they may lower the risk too. The
    work is bounded whatever the size of the definition.
    """
    words = words_of(name)
    named = from_name(words)
    if named is not None and not named.sure and starts_reading(description):
        named = None  # "change" in `vendor_change_colors`, of which it is told that it lists them
    seen = Seen(words, named, speaks_of_sql(description), promises_reading(description))
    # Of findings that are as bad, the first gives the reason: arguments are the most to the point.
    found = worst(
        (from_schema(input_schema, seen), named, from_description(description, words, named))
    )
    if found is None:
        risk, why = Risk.UNKNOWN, "nothing in its name or description says what it does"
    elif _can_charge(found, named) and (money := about_money(words)):
        risk, why = Risk.FINANCIAL, f'{found.why}, and it is about "{money}"'
    else:
        risk, why = found.risk, found.why
    hints = annotations if isinstance(annotations, dict) else {}
    if trusted and (lower := _lowered(risk, hints)):
        return lower
    return _raised(risk, why, hints)


def _can_charge(found: Finding, named: Finding | None) -> bool:
    """Whether a tool moves money if it is about money."""
    if found.risk is Risk.READ:
        return named is not None and named.verb in verbs.TAKES
    return found.risk in (Risk.WRITE, Risk.EXECUTE)


def _raised(risk: Risk, why: str, hints: JsonObject) -> tuple[Risk, str]:
    """A risk, raised by what the server itself says; hints that contradict each other raise too."""
    if hints.get("destructiveHint") is True and risk in (Risk.READ, Risk.WRITE, Risk.UNKNOWN):
        return Risk.DESTRUCTIVE, "its server says that it can destroy things"
    if hints.get("readOnlyHint") is False and risk is Risk.READ:
        return Risk.WRITE, "its server says that it does not only read"
    return risk, why


def _lowered(risk: Risk, hints: JsonObject) -> tuple[Risk, str] | None:
    """A lower risk by the word of a server that is trusted; hints that contradict lower nothing."""
    destroys = hints.get("destructiveHint")
    if hints.get("readOnlyHint") is True and destroys is not True and risk is not Risk.READ:
        return Risk.READ, "its server, whose hints you trust, says that it only reads"
    if destroys is False and risk is Risk.DESTRUCTIVE:
        return Risk.WRITE, "its server, whose hints you trust, says that it destroys nothing"
    return None
