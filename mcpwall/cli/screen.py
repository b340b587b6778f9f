"""Whether the app can be shown here: on a terminal that can be drawn on, in UTF-8."""

from __future__ import annotations

import os
import sys


def lack() -> str:
    """What the app needs and there is not, in words; "" where it can be shown."""
    for name in ("stdin", "stdout", "stderr"):  # keys come from the first, all is drawn on the last
        if not getattr(sys, name).isatty():
            return f"a terminal, and {name} is none"
    if os.environ.get("TERM") == "dumb":
        return "a terminal that it can draw on, and TERM is dumb"
    if "utf" not in sys.stderr.encoding.lower():  # its signs would be cut, and what they stand by
        return f"a UTF-8 locale, and this is {sys.stderr.encoding}; set LANG=C.UTF-8 or the like"
    return ""
