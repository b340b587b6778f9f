"""What the app does about its terminal besides drawing on it."""

from __future__ import annotations

import signal
import traceback

from mcpwall.text import visible


def ignore_stray_continue(driver: object) -> None:
    """Resume on SIGCONT only after a suspension.

    Textual's driver starts a second reader of keys on any SIGCONT, and keys that are shared out
    among readers arrive late or never.
    """
    resume = getattr(driver, "_sigcont_application", None)
    if resume is not None:
        signal.signal(
            signal.SIGCONT,
            lambda *_: resume() if getattr(driver, "_must_signal_resume", True) else None,
        )


def last_words(error: BaseException | None) -> str:
    """What a failed app leaves on the terminal: where it failed, and that the wall stands.

    No values of variables: arguments of calls and secrets that were shown are among them.
    """
    where = "".join(traceback.format_exception(error)) if error is not None else ""
    told = "\n".join(visible(line) for line in where.rstrip("\n").split("\n"))
    return (
        f"{told}\nmcpwall: the app failed, as shown above; the wall stands without it. "
        "Open it again with: mcpwall"
    )
