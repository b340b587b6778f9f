"""The sliding log behind rate limits and budgets.

For each key the log holds what was forwarded and when, so the sum over any window [t, t+w) can be
held at or under a maximum exactly: nothing is averaged, and no window starts anew on the hour. The
only clock here is the caller's: nanoseconds of a clock that never jumps. A log keeps what the
widest window asked of it can still see; when a rule's window grows, build a new `Limits` and
restore it from the audit.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from typing import Any, TypeAlias

import msgspec

from mcpwall.model import TOOLS_CALL, Budget, Call, Charge, JsonObject, Per, RateLimit, Rule
from mcpwall.policy.arguments import Gap, compile_path
from mcpwall.policy.operators import exact

Amount: TypeAlias = int | Decimal

DIGITS_MAX = 30  # before and after the point of one amount; keeps every sum below exact
PRUNE_EVERY = 16  # entries of a log between two looks for those that nothing can see any more
SWEEP_EVERY = 4_096  # bookings between two looks for logs that nothing can see any more
_EXACT = Context(prec=4 * DIGITS_MAX)


class _Log:
    """One key's past: `totals[i]` is the sum of all amounts up to and including `times[i]`."""

    __slots__ = ("before", "times", "totals", "window_ns")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.totals: list[Amount] = []
        self.before: Amount = 0  # the total of what was pruned
        self.window_ns = 0  # the widest window asked for so far

    def total(self, upto: int) -> Amount:
        """The sum of the first `upto` entries, pruned ones included."""
        return self.totals[upto - 1] if upto else self.before

    def add(self, amount: Amount, at_ns: int) -> None:
        if not self.times or at_ns >= self.times[-1]:
            self.totals.append(add(self.total(len(self.times)), amount))
            self.times.append(at_ns)
            return
        at = bisect_right(self.times, at_ns)  # a row that was restored out of order
        self.times.insert(at, at_ns)
        self.totals.insert(at, add(self.total(at), amount))
        for later in range(at + 1, len(self.totals)):
            self.totals[later] = add(self.totals[later], amount)

    def prune(self, now_ns: int) -> None:
        """Forget what is out of the widest window; halves at a time, so it costs little."""
        gone = bisect_right(self.times, now_ns - self.window_ns)
        if gone > len(self.times) // 2:
            self.before = self.total(gone)
            del self.times[:gone], self.totals[:gone]


class Limits:
    """What every limit has counted. One owner; `judge` only reads, `book` is called on forward."""

    __slots__ = ("_booked", "_forgets", "_logs")

    def __init__(self, *, forgets: bool = True) -> None:
        """`forgets`: drop what no window asked of so far can see; without, windows may grow."""
        self._logs: dict[str, _Log] = {}
        self._booked = 0
        self._forgets = forgets

    def wait_ns(
        self, key: str, maximum: Amount, window_ns: int, now_ns: int, amount: Amount = 1
    ) -> int:
        """Nanoseconds until `amount` fits: 0 when it fits now.

        `amount` must be at most `maximum`: more never fits.
        """
        log = self._logs.get(key)
        if log is None:
            return 0
        log.window_ns = max(log.window_ns, window_ns)
        needed = subtract(add(log.total(len(log.times)), amount), maximum)
        if log.before >= needed:
            return 0  # all that is remembered, however old, leaves room
        start = bisect_right(log.times, now_ns - window_ns)
        if log.total(start) >= needed:
            return 0
        # The first entry whose end of window leaves room.
        last = bisect_left(log.totals, needed, lo=start)
        return log.times[last] + window_ns - now_ns

    def book(self, charges: Sequence[Charge], now_ns: int) -> None:
        """Count what a call that is forwarded now costs. Raises ValueError for a bad amount."""
        for charge in charges:
            self.restore(charge.key, charge.amount, now_ns)
            if not self._forgets:
                continue
            log = self._logs.get(charge.key)
            if log is not None and not len(log.times) % PRUNE_EVERY and log.window_ns:
                log.prune(now_ns)
        self._booked += 1
        if self._forgets and self._booked % SWEEP_EVERY == 0:
            self._sweep(now_ns)

    def unbook(self, charges: Iterable[Charge]) -> None:
        """Take back what was booked last: its call is not forwarded after all."""
        for charge in charges:
            log = self._logs.get(charge.key)
            if log is not None and log.times and parse_amount(charge.amount):
                log.times.pop()
                log.totals.pop()

    def restore(self, key: str, amount: str, at_ns: int) -> None:
        """Count a charge of the past, from the audit. Raises ValueError for a bad amount."""
        number = 1 if amount == "1" else parse_amount(amount)
        if number is None:
            raise ValueError(f'"{amount}" cannot be counted')
        if number:
            log = self._logs.get(key)
            if log is None:
                log = self._logs[key] = _Log()
            log.add(number, at_ns)

    def _sweep(self, now_ns: int) -> None:
        """Drop the logs of sessions and tools that are long gone."""
        for key, log in list(self._logs.items()):
            if log.window_ns and (not log.times or log.times[-1] <= now_ns - log.window_ns):
                del self._logs[key]


def add(one: Amount, other: Amount) -> Amount:
    """An exact sum of amounts."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return _EXACT.add(one, other)


def subtract(one: Amount, other: Amount) -> Amount:
    """An exact difference of amounts."""
    if isinstance(one, int) and isinstance(other, int):
        return one - other
    return _EXACT.subtract(one, other)


def countable(value: Any) -> Amount | None:
    """A JSON number as an amount; None unless it is finite, not negative, within `DIGITS_MAX`."""
    number = exact(value)
    if number is None or number < 0:
        return None
    if isinstance(number, int):
        return number if number < 10**DIGITS_MAX else None
    exponent = number.as_tuple().exponent
    fits = number.adjusted() < DIGITS_MAX and isinstance(exponent, int) and exponent >= -DIGITS_MAX
    return number if fits else None


def parse_amount(text: str) -> Amount | None:
    """An amount from its text, as in `Charge.amount` and `Budget.max`; None for a bad one."""
    if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX:
        return int(text)
    try:
        return countable(Decimal(text))
    except ArithmeticError:
        return None


def limit_key(rule: Rule, limit: RateLimit | Budget, call: Call) -> str:
    """The name of what a limit of `rule` counts: the rule, and what it counts apart.

    Requests other than tools/call have no tool: there, "per tool" is per method, because a name
    or URI is the agent's to vary. Parts are joined so that no two lists of parts can collide.
    """
    match limit.per:
        case Per.TOOL if call.method == TOOLS_CALL:
            apart = ["tool", call.server, call.tool]
        case Per.TOOL:
            apart = ["method", call.server, call.method]
        case Per.SERVER:
            apart = ["server", call.server]
        case Per.AGENT:
            apart = ["agent", call.client]
        case Per.SESSION:
            apart = ["session", call.session]
    if limit.per_argument:
        apart += ["argument", limit.per_argument, _value(call.arguments, limit.per_argument)]
    what = ["sum", limit.sum] if isinstance(limit, Budget) else ["rate"]
    # Two projects may use one id; their counts are their own.
    owner = [rule.origin.file] if rule.origin is not None and rule.origin.project else []
    escaped = (
        p.replace("\\", "\\\\").replace("|", "\\|") for p in [rule.id, *what, *apart, *owner]
    )
    return "|".join(escaped)


def _value(arguments: JsonObject, path: str) -> str:
    """A name for the value of an argument: 5 and 5.0 have one, and no secret can be read in it."""
    (value,) = compile_path(path)(arguments)
    if isinstance(value, Gap):
        return "none"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:32]
