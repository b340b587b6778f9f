"""The forms of numbers in the config: counts, amounts and durations, as readers like `store.forms`.

Apart from the other forms since their bounds are the policy's, whose weight the app does not need.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from mcpwall.policy.compiled import COUNT_MAX, WINDOW_MAX_S
from mcpwall.store.forms import bad, kind, shown

_MAX_DIGITS: Final = 20
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([smhdw])", re.ASCII)


def count(value: Any) -> int:
    """A whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad(f"must be a whole number, not {kind(value)}")
    if value < 1:
        raise bad("must be at least 1", 'to refuse every call write action = "deny"')
    if value > COUNT_MAX:
        raise bad(f"must be at most {COUNT_MAX}")
    return value


def amount(value: Any) -> str:
    """A positive decimal, as a number or as a string, in plain digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise bad(f"must be a number, not {kind(value)}")
    try:
        # the shortest text of a float is what the person wrote
        number = Decimal(value if isinstance(value, int) else str(value))
    except InvalidOperation:
        raise bad(f"must be a number, not {shown(str(value))}") from None
    if not number.is_finite() or number <= 0:
        raise bad("must be a number above 0", 'to refuse every call write action = "deny"')
    exponent = number.as_tuple().exponent
    if number.adjusted() > _MAX_DIGITS or int(exponent) < -_MAX_DIGITS:
        raise bad(f"must have at most {_MAX_DIGITS} digits on each side of the point")
    return f"{number:f}"


def duration(value: Any) -> float:
    """Seconds, from a number of seconds or "50s", "10m", "2h", "1d", "1w"."""
    fix = 'write seconds, or "50s", "10m", "2h", "1d", "1w"'
    if isinstance(value, str):
        found = _DURATION.fullmatch(value)
        if not found:
            raise bad(f"must be a duration, not {shown(value)}", fix)
        seconds = float(found[1]) * _UNITS[found[2]]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if abs(value) <= WINDOW_MAX_S else math.inf
    else:
        raise bad(f"must be a duration, not {kind(value)}", fix)
    if not 0 < seconds <= WINDOW_MAX_S:
        raise bad("must be more than nothing and at most 366 days", fix)
    return seconds
