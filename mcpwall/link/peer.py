"""Who is at the other end of a unix socket, as the kernel says."""

from __future__ import annotations

import os
import socket
import struct
import sys

_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1  # macOS: <sys/un.h>
_XUCRED = struct.Struct("@IIh16I")  # macOS: version, uid, count of groups, groups
_UCRED = struct.Struct("@iII")  # Linux: pid, uid, gid


class ForeignPeerError(Exception):
    """The process at the other end belongs to another user."""


def peer_uid(sock: socket.socket) -> int:
    """The user id of the process that connected to, or listens at, the other end of `sock`.

    Raises OSError where the platform cannot tell.
    """
    if sys.platform == "darwin":
        raw = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size)
        return int(struct.unpack_from("@II", raw)[1])
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])


def check_peer(sock: socket.socket) -> None:
    """Raise ForeignPeerError unless the other end is a process of this very user."""
    try:
        uid = peer_uid(sock)
    except OSError as error:
        raise ForeignPeerError(f"the system does not say whose process it is: {error}") from error
    if uid != os.geteuid():
        raise ForeignPeerError(f"it is a process of user {uid}, not of user {os.geteuid()}")
