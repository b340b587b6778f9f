"""The app as the demo opens it: it says where one is, and ends in good order on a signal."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

from mcpwall.tui.app import WallApp

_WELCOME: Final = (
    "A demo: two pretend agents at work, nothing real is touched. Some calls will wait for you: "
    "p answers them. 3 shows the rules, ? every key, q ends the demo."
)
_WELCOME_S: Final = 20


class DemoApp(WallApp):
    """The app with a word of welcome."""

    def on_mount(self) -> None:
        """Greet; the app's own on_mount runs as well."""
        # Textual starts a second reader of keys on a SIGCONT that it did not wait for
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.exit)
        self.notify(_WELCOME, timeout=_WELCOME_S, markup=False)
