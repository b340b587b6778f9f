"""What the app does about its terminal besides drawing on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import traceback
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from mcpwall.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from textual.app import App
    from textual.driver import Driver


class Lasting:
    """A terminal to write to that may go away: `gone()` is called then, and nothing is written."""

    def __init__(self, file: IO[str], gone: Callable[[], None]) -> None:
        self._file = file
        self._gone = gone
        self.fileno = file.fileno

    def write(self, text: str) -> None:
        """Write it, if there still is a terminal."""
        try:
            self._file.write(text)
        except OSError:
            self._gone()

    def flush(self) -> None:
        """Have it shown, if there still is a terminal."""
        try:
            self._file.flush()
        except OSError:
            self._gone()


def lasting(driver: type[Driver]) -> type[Driver]:
    """The driver for an app that ends in order when its terminal goes away.

    An error would end the thread that writes for Textual's driver: the app would wait for ever for
    room in that one's queue, and read from a terminal that is gone without a pause.
    """

    class LastingDriver(driver):  # type: ignore[misc, valid-type] # the platform's choice
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            if (file := getattr(self, "_file", None)) is not None:
                self._file = Lasting(file, self._gone)

        def _gone(self) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended too
                self._loop.call_soon_threadsafe(self._end)

        def _end(self) -> None:
            if self._app.is_running:
                self._app.exit()

    return LastingDriver


def take_back_on_continue(driver: Any) -> None:
    """Set the terminal up again whenever the app goes on after it was stopped.

    A shell may have had the terminal meanwhile, and left it so that keys come a line at a time.
    Textual's driver sees to that after its own suspension alone; on any other SIGCONT it starts a
    second reader of keys beside the first, and keys that are shared out arrive late or never.
    """
    resume = getattr(driver, "_sigcont_application", None)
    if resume is None:  # not a terminal of this kind
        return

    going_on = again = False

    def go_on(*_: object) -> None:
        nonlocal going_on, again
        again = True
        if going_on:  # stopped once more on the way, for want of the terminal
            return
        going_on = True
        while again:
            again = False
            suspended = driver._must_signal_resume  # noqa: SLF001 - Textual says it nowhere else
            if driver._auto_restart and not suspended:  # noqa: SLF001 - nor whether it was lent
                driver.suspend_application_mode()  # what a suspension would have done before
                driver._must_signal_resume = True  # noqa: SLF001 - then the app is told
            resume()
        going_on = False

    signal.signal(signal.SIGCONT, go_on)


def end_in_order(app: App[Any], *numbers: signal.Signals) -> None:
    """Let these signals end the app as a key does, with the terminal as it was before."""
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        if app.is_running:  # a later signal finds it ending anyway
            loop.call_soon_threadsafe(app.exit)

    for number in numbers:
        signal.signal(number, end)


def suspend(app: App[Any]) -> str:
    """Stop the app until a shell lets it go on (`fg`); says why not, where no shell could."""
    shell = os.getppid()
    try:
        can = os.getsid(shell) == os.getsid(0) and os.getpgid(shell) != os.getpgrp()
    except OSError:
        can = False
    if not can:
        return "no shell started the app, so nothing would bring it back"
    app.action_suspend_process()
    return ""


def lend(app: App[Any], run: Callable[[], str]) -> str:
    """Let `run` have the terminal until it ends; what it says, or why it cannot have it."""
    try:
        with app.suspend():
            return run()
    except SuspendNotSupported:
        return "the app cannot lend this terminal to another program"


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
