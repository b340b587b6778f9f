"""One word for what happens where no rule decides: how strict the defaults are. Pure.

The classes of risk are the rungs of a ladder, in their order. Where all below one rung pass and
all from it on meet the same, the word names that rung: `ask-on-write`. Anything else is `custom`.
"""

from __future__ import annotations

from typing import Final

from mcpwall.model import Action, Defaults, Risk

ALLOW_ALL: Final = "allow-all"
CUSTOM: Final = "custom"
_FROM: Final = {  # what meets the same from this rung on
    Risk.READ: "all",
    Risk.WRITE: "on-write",
    Risk.EXECUTE: "on-execute",
    Risk.DESTRUCTIVE: "on-destroy",
    Risk.FINANCIAL: "on-money",
    Risk.UNKNOWN: "on-unknown",
}


def mode(defaults: Defaults) -> str:
    """`ask-on-write`, `deny-all`, `allow-all` and so on; `custom` where there is no such rung."""
    met: list[Action] = [getattr(defaults, risk) for risk in _FROM]
    first = next((at for at, action in enumerate(met) if action is not Action.ALLOW), None)
    if first is None:
        return ALLOW_ALL
    if len(set(met[first:])) > 1:
        return CUSTOM
    return f"{met[first].value}-{list(_FROM.values())[first]}"
