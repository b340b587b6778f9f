"""What the person is told of remote servers: each trouble once, and that it is over. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mcpwall.transport.http.remote import Fault, Trouble

QUIET_S: Final = 60.0  # a trouble that comes back sooner is not told again
# What one request or session met, and nothing about the server as such: its agent is told.
_OF_ONE_REQUEST: Final = frozenset((Trouble.GONE, Trouble.METHOD, Trouble.REFUSED))


class Troubles:
    """The troubles of all servers, by name. `steady_s` is a clock that never jumps.

    `reached(server, trouble)` is told of each answer, with "", and of each trouble, in words.
    """

    def __init__(
        self,
        notice: Callable[[str, str], None],
        reached: Callable[[str, str], None],
        steady_s: Callable[[], float],
    ) -> None:
        self._notice = notice
        self._reached = reached
        self._steady_s = steady_s
        self._now: dict[str, Trouble] = {}  # servers in trouble
        self._told: dict[tuple[str, Trouble], float] = {}  # when

    def met(self, server: str, fault: Fault) -> None:
        """A request came to nothing."""
        if fault.trouble in _OF_ONE_REQUEST:
            return
        self._reached(server, fault.text)
        if self._now.get(server) is fault.trouble:
            return
        key, now = (server, fault.trouble), self._steady_s()
        if key not in self._told or now - self._told[key] >= QUIET_S:
            self._told[key] = now
            self._now[server] = fault.trouble
            self._notice("warning", fault.text)

    def well(self, server: str) -> None:
        """A request was answered."""
        self._reached(server, "")
        if self._now.pop(server, None) is not None:
            self._notice("info", f"{server} answers again")
