"""The app as the demo opens it: it says where one is, and ends in good order on a signal."""

from __future__ import annotations

import signal
from typing import Final

from mcpwall.engine import port
from mcpwall.tui.app import WallApp
from mcpwall.tui.terminal import end_in_order

_WELCOME: Final = "A demo: pretend agents, nothing real. p answers calls that wait, q ends it all."
_WELCOME_S: Final = 10


class DemoApp(WallApp):
    """The app with a word of welcome; `stopped` once the person has stopped the wall in it."""

    stopped = False

    async def on_mount(self) -> None:
        """Greet; the app's own on_mount runs as well."""
        end_in_order(self, signal.SIGTERM, signal.SIGHUP)
        self.call_later(self.notify, _WELCOME, timeout=_WELCOME_S, markup=False)

    async def send(self, command: port.Command) -> port.Reply:
        """See WallApp."""
        reply = await super().send(command)
        self.stopped |= isinstance(command, port.Stop) and isinstance(reply, port.Done)
        return reply
