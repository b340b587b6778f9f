"""Who is at the other end of a unix socket, as the kernel says."""

from __future__ import annotations

import os
import socket

from mcpwall.starter import peer_uid


class ForeignPeerError(Exception):
    """The process at the other end belongs to another user."""


def check_peer(sock: socket.socket) -> None:
    """Raise ForeignPeerError unless the other end is a process of this very user."""
    try:
        uid = peer_uid(sock)
    except OSError as error:
        raise ForeignPeerError(f"the system does not say whose process it is: {error}") from error
    if uid != os.geteuid():
        raise ForeignPeerError(f"it is a process of user {uid}, not of user {os.geteuid()}")
