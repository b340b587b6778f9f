"""Calls and steps to record, each with only what a test cares about."""

from typing import Any

from mcpwall.model import Action, Call, Cause, Charge, Risk, Verdict
from mcpwall.store.records import Intent, Kind, Step

START_MS = 1_793_707_357_000
ALLOW = Verdict(Action.ALLOW, Cause.RULE, rules=("reads",), policy="p1")
ASK = Verdict(Action.ASK, Cause.RULE, rules=("asks",), reason="look first", policy="p1")
DENY = Verdict(Action.DENY, Cause.RULE, rules=("never",), reason="never", policy="p1")


def charged(rule: str = "cap", amount: str = "1") -> Verdict:
    """An allow that books something."""
    return Verdict(Action.ALLOW, Cause.DEFAULT, charges=(Charge(rule, f"{rule}|fs", amount),))


def intent(
    number: int,
    state: str = "running",
    verdict: Verdict | None = None,
    *,
    arguments: bytes = b'{"path":"a"}',
    request_id: str | int | None = None,
    steady_ns: int | None = None,
    **changes: Any,
) -> Intent:
    """Call `number`, a second after the one before; `changes` are of the Call."""
    values: dict[str, Any] = {
        "id": number,
        "at_ms": START_MS + number * 1_000,
        "session": "s1",
        "agent": "claude-code#1",
        "client": "claude-code",
        "server": "fs",
        "method": "tools/call",
        "tool": "read_file",
        "arguments": {},
        "risk": Risk.READ,
        "digest": "9f" * 32,
        "directory": "/home/dev/acme",
    }
    return Intent(
        Call(**(values | changes)),
        verdict or {"running": ALLOW, "held": ASK, "refused": DENY}[state],
        state,
        number if request_id is None else request_id,
        arguments,
        number * 1_000_000_000 if steady_ns is None else steady_ns,
    )


def step(number: int, kind: Kind, verdict: Verdict | None = None, **changes: Any) -> Step:
    """A step of call `number`, ten seconds after it arrived."""
    values: dict[str, Any] = {
        "at_ms": START_MS + number * 1_000 + 10_000,
        "steady_ns": (number + 10) * 1_000_000_000,
    }
    return Step(number, kind, verdict=verdict, **(values | changes))


def answered(number: int, **changes: Any) -> Step:
    """The server's answer to call `number`."""
    values: dict[str, Any] = {"took_us": 1_500, "is_error": False, "result_bytes": 300}
    return step(number, Kind.ANSWERED, **(values | changes))
