from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.model import Charge, Per
from mcpwall.policy.limits import (
    SWEEP_EVERY,
    Limits,
    countable,
    limit_key,
    parse_amount,
    subtract,
)
from tests.policy.build import SECOND, Desk, budget, call, limit, policy, rule

MINUTE = 60 * SECOND


def booked(*times_s: float, amount: str = "1") -> Limits:
    limits = Limits()
    for at in times_s:
        limits.wait_ns("k", 10**9, MINUTE, round(at * SECOND))
        limits.book([Charge("r", "k", amount)], round(at * SECOND))
    return limits


def spent(limits: Limits, key: str, window_ns: int, now_ns: int) -> Any:
    """The sum over the window that ends now, by the entries that are left in it."""
    log = limits._logs.get(key)
    if log is None:
        return 0
    start = sum(at <= now_ns - window_ns for at in log.times)
    return subtract(log.total(len(log.times)), log.total(start))


@pytest.mark.parametrize(
    ("per", "same", "other"),
    [
        (Per.TOOL, {"session": "two", "agent": "codex#1", "client": "codex"}, {"server": "web"}),
        (Per.SERVER, {"session": "two", "agent": "codex#1", "client": "codex"}, {"server": "web"}),
        (Per.AGENT, {"session": "two", "server": "web"}, {"agent": "codex#1", "client": "codex"}),
        (Per.SESSION, {"server": "web"}, {"session": "two"}),
    ],
)
def test_p09_each_of_what_a_limit_counts_apart_has_a_quota_of_its_own(per, same, other) -> None:
    desk = Desk(policy(rule("r", rate_limit=limit(1, per=per))))
    asked = [{}, {}, same, other, other]
    actions = [desk.ask(call("search", **fields)).action for fields in asked]
    assert actions == ["allow", "deny", "deny", "allow", "deny"]


def test_there_is_room_until_the_window_is_full_and_again_when_the_oldest_leaves() -> None:
    limits = booked(0, 10, 20)
    assert limits.wait_ns("k", 4, MINUTE, 30 * SECOND) == 0
    assert limits.wait_ns("k", 3, MINUTE, 30 * SECOND) == 30 * SECOND
    assert limits.wait_ns("k", 3, MINUTE, 60 * SECOND - 1) == 1
    assert limits.wait_ns("k", 3, MINUTE, 60 * SECOND) == 0
    assert limits.wait_ns("other", 3, MINUTE, 30 * SECOND) == 0


def test_a_smaller_maximum_waits_for_as_many_to_leave_as_it_takes() -> None:
    assert booked(0, 10, 20).wait_ns("k", 1, MINUTE, 30 * SECOND) == 50 * SECOND


def test_what_is_spent_is_the_sum_over_the_window_that_ends_now() -> None:
    limits = booked(0, 10, amount="2.5")
    assert spent(limits, "k", MINUTE, 30 * SECOND) == Decimal("5.0")
    assert spent(limits, "k", MINUTE, 65 * SECOND) == Decimal("2.5")
    assert spent(limits, "k", MINUTE, 80 * SECOND) == 0
    assert spent(limits, "other", MINUTE, 0) == 0


def test_sums_are_exact() -> None:
    limits = booked(*range(10), amount="0.1")
    assert spent(limits, "k", MINUTE, 10 * SECOND) == 1
    assert limits.wait_ns("k", 1, MINUTE, 10 * SECOND, Decimal("1e-30")) > 0
    limits.book([Charge("r", "k", "9" * 30), Charge("r", "k", "1e-30")], 10 * SECOND)
    expected = Decimal("1" + "0" * 30 + "." + "0" * 29 + "1")
    assert spent(limits, "k", MINUTE, 10 * SECOND) == expected


def test_the_last_booking_can_be_taken_back() -> None:
    limits = booked(0, 1)
    limits.unbook([Charge("r", "k"), Charge("r", "unknown")])
    assert spent(limits, "k", MINUTE, 2 * SECOND) == 1


def test_rows_from_the_audit_count_in_whatever_order_they_come() -> None:
    limits = Limits()
    for at in (20, 0, 10, -500):
        limits.restore("k", "1", at * SECOND)
    assert limits.wait_ns("k", 3, MINUTE, 30 * SECOND) == 30 * SECOND
    assert spent(limits, "k", MINUTE, 65 * SECOND) == 2


def test_a_charge_that_seems_to_lie_in_the_future_counts() -> None:
    limits = Limits()
    limits.restore("k", "1", 100 * SECOND)
    assert limits.wait_ns("k", 1, MINUTE, 0) == 160 * SECOND


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "", "1e40", "1e-40", "x", "١" * 31])
def test_an_amount_that_cannot_be_counted_is_refused(amount: str) -> None:
    assert parse_amount(amount) is None
    with pytest.raises(ValueError, match="cannot be counted"):
        Limits().restore("k", amount, 0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (0, 0),
        (0.1, Decimal("0.1")),
        (Decimal("2.50"), Decimal("2.50")),
        (-0.01, None),
        (-1, None),
        (True, None),
        ("5", None),
        (None, None),
        (float("inf"), None),
        (float("nan"), None),
        (10**30, None),
        (1e300, None),
        (5e-324, None),
    ],
)
def test_what_counts_as_an_amount(value: Any, expected: Any) -> None:
    assert countable(value) == expected


def test_p13_a_log_forgets_what_no_window_can_see() -> None:
    limits = Limits()
    for i in range(10_000):
        now = i * SECOND
        limits.wait_ns("k", 10**9, 10 * SECOND, now)
        limits.book([Charge("r", "k")], now)
    assert len(limits._logs["k"].times) <= 20
    assert spent(limits, "k", 10 * SECOND, 9_999 * SECOND) == 10


def test_p13_logs_of_sessions_long_gone_are_dropped() -> None:
    limits = Limits()
    for i in range(SWEEP_EVERY * 3):
        now, key = i * SECOND, f"session {i}"
        limits.wait_ns(key, 5, 10 * SECOND, now)
        limits.book([Charge("r", key)], now)
        limits.wait_ns(key, 5, 10 * SECOND, now)
    assert len(limits._logs) <= SWEEP_EVERY + 10


@pytest.mark.parametrize(
    ("per", "same", "other"),
    [
        (Per.TOOL, {"session": "two", "agent": "codex#1", "client": "codex"}, {"server": "s2"}),
        (Per.SERVER, {"session": "two", "client": "codex"}, {"server": "s2"}),
        (Per.AGENT, {"session": "two", "agent": "claude-code#2", "server": "s2"}, {"client": "c"}),
        (Per.SESSION, {"server": "s2", "client": "codex"}, {"session": "two"}),
    ],
)
def test_what_a_limit_counts_apart(per: Per, same: dict[str, str], other: dict[str, str]) -> None:
    one = rule("cap", rate_limit=limit(3, per=per))
    assert one.rate_limit is not None
    key = limit_key(one, one.rate_limit, call())
    assert limit_key(one, one.rate_limit, call(**same)) == key
    assert limit_key(one, one.rate_limit, call(**other)) != key


def test_only_tools_are_counted_apart_by_name() -> None:
    cap = limit(3)
    one = rule("cap")
    assert limit_key(one, cap, call("a")) != limit_key(one, cap, call("b"))
    read = {"method": "resources/read"}
    assert limit_key(one, cap, call("file:///a", **read)) == limit_key(
        one, cap, call("file:///b", **read)
    )


names = st.text("ab|\\", max_size=4)


@given(st.tuples(names, names, names), st.tuples(names, names, names))
def test_keys_cannot_collide(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    keys = [
        limit_key(rule(name), limit(3), call(tool, server=server))
        for name, server, tool in (one, other)
    ]
    assert (keys[0] == keys[1]) is (one == other)


def test_a_limit_and_a_budget_of_one_rule_count_apart() -> None:
    both = rule("r", rate_limit=limit(3), budget=budget("amount", "10"))
    assert both.rate_limit is not None
    assert both.budget is not None
    assert limit_key(both, both.rate_limit, call()) != limit_key(both, both.budget, call())


def test_parts_of_a_key_that_are_joined_stay_apart() -> None:
    one = rule("r")
    names = [("a|b", "c"), ("a", "b|c"), ("a\\", "|b|c"), ("a\\|b", "c"), ("a|", "b|c")]
    keys = {limit_key(one, limit(3), call(tool, server=server)) for server, tool in names}
    assert len(keys) == len(names)
    to, by = (limit(3, per_argument=name) for name in ("to", "by"))
    same = call(arguments={"to": 1, "by": 1})
    assert limit_key(one, to, same) != limit_key(one, by, same)


def test_p09_a_window_that_was_narrower_for_a_while_has_forgotten_nothing() -> None:
    limits = booked(0, 1)
    limits.wait_ns("k", 10**9, SECOND, SECOND)
    for at in range(2, 40):
        limits.book([Charge("r", "k", "1")], at * SECOND)
        limits.wait_ns("k", 10**9, SECOND, at * SECOND)
    assert spent(limits, "k", MINUTE, 40 * SECOND) == 40


def test_what_cost_nothing_is_taken_back_without_touching_the_rest() -> None:
    limits = booked(0, amount="5")
    free = [Charge("r", "k", "0")]
    limits.book(free, SECOND)
    limits.unbook(free)
    assert spent(limits, "k", MINUTE, SECOND) == 5
