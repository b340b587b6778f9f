"""Times and durations in the few characters a table has for them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo


def clock(at_ms: float, zone: tzinfo | None) -> str:
    """Time of day, `14:02:37`. `zone` None means this machine's."""
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%H:%M:%S")


def stamp(at_ms: float, zone: tzinfo | None) -> str:
    """Date and time of day, `03-05 14:02:37`."""
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%m-%d %H:%M:%S")


def took(duration_us: int | None) -> str:
    """How long an answer took, in at most five characters: `380µs`, `38ms`, `1.2s`, `2m05`."""
    if duration_us is None:
        return "—"
    if duration_us < 1_000:  # noqa: PLR2004 - the units below speak for themselves
        return f"{duration_us}µs"
    if duration_us < 999_500:  # noqa: PLR2004 - rounds to 1.0s
        return f"{duration_us / 1e3:.0f}ms"
    if duration_us < 99_950_000:  # noqa: PLR2004 - to 100s
        return f"{duration_us / 1e6:.1f}s"
    return lasted(duration_us / 1e6)


def countdown(left_ms: float) -> str:
    """Time that is left, rounded down so that it never promises more: `0:41`."""
    seconds = max(0, int(left_ms // 1000))
    return f"{seconds // 60}:{seconds % 60:02}"


def lasted(seconds: float) -> str:
    """A long time roughly: `42s`, `5m03`, `2h14m`, `3d04h`."""
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes == 0:
        return f"{whole}s"
    if hours == 0:
        return f"{minutes}m{whole % 60:02}"
    if days == 0:
        return f"{hours}h{minutes % 60:02}m"
    return f"{days}d{hours % 24:02}h"
