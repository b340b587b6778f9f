import os
import socket

import pytest

from mcpwall.link.peer import ForeignPeerError, check_peer
from mcpwall.starter import peer_uid


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


def test_the_kernel_says_whose_process_it_is(pair):
    assert peer_uid(pair) == os.geteuid()
    check_peer(pair)


def test_p17_a_process_of_another_user_is_foreign(pair, monkeypatch):
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(ForeignPeerError, match=f"user {uid}, not of user {uid + 1}"):
        check_peer(pair)


def test_p17_a_socket_without_an_owner_is_foreign():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(ForeignPeerError):
            check_peer(sock)
