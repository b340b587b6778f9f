from __future__ import annotations

from datetime import UTC

import pytest

from mcpwall.tui.timing import clock, countdown, lasted, took


@pytest.mark.parametrize(
    ("duration_us", "said"),
    [
        (None, "—"),
        (0, "0µs"),
        (999, "999µs"),
        (1_000, "1ms"),
        (38_400, "38ms"),
        (999_499, "999ms"),
        (999_500, "1.0s"),
        (1_200_000, "1.2s"),
        (99_949_999, "99.9s"),
        (99_950_000, "1m39"),
        (3_725_000_000, "1h02m"),
    ],
)
def test_a_duration_has_at_most_five_characters(duration_us: int | None, said: str) -> None:
    assert took(duration_us) == said
    assert len(said) <= 5


@pytest.mark.parametrize(
    ("left_ms", "said"),
    [(41_999, "0:41"), (60_000, "1:00"), (999, "0:00"), (-5_000, "0:00"), (280_000, "4:40")],
)
def test_a_countdown_never_promises_more_than_is_left(left_ms: int, said: str) -> None:
    assert countdown(left_ms) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (59.9, "59s"), (303, "5m03"), (8_040, "2h14m"), (273_600, "3d04h")],
)
def test_a_long_time_is_said_roughly(seconds: float, said: str) -> None:
    assert lasted(seconds) == said


def test_the_time_of_day_is_that_of_the_zone() -> None:
    assert clock(1_772_719_357_000, UTC) == "14:02:37"
