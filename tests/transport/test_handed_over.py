"""What a shim hands over is taken whole, or closed whole."""

import os
import socket

import pytest

from mcpwall.transport.handed_over import HandedOver
from mcpwall.transport.journal import SIZE


def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.fixture
def came():
    """Descriptors as they come along: of a pipe, a socket, a file, a device, a journal."""
    ours, theirs = os.pipe()
    one, other = socket.socketpair()
    journal = os.memfd_create("journal")
    os.ftruncate(journal, SIZE)
    device = os.open(os.devnull, os.O_WRONLY)
    with one:
        yield [theirs, other.detach(), os.memfd_create("file"), device, journal]
    os.close(ours)


def take_another_way(handed):
    """Take them as a shim of another version would have given them; the journal is none."""
    handed.end(writes=True)
    handed.journal()


def test_p13_nothing_stays_open_of_what_could_not_be_taken(came):
    with pytest.raises(OSError, match="No such device"), HandedOver(list(came)) as handed:
        take_another_way(handed)
    assert not any(is_open(descriptor) for descriptor in came)


def test_what_was_taken_stays_open(came):
    with HandedOver(list(came)) as handed:
        ends = [handed.end(writes=True) for _ in range(3)]
        ends.append(handed.stderr())
        handed.journal()
        assert len(handed) == 0
    assert all(is_open(end.fileno) for end in ends)
    assert not is_open(came[-1])  # a journal is mapped
    handed.close()
    assert all(end.fileno < 0 for end in ends)


def test_what_is_no_descriptor_is_nothing_to_close():
    with pytest.raises(OSError, match="Bad file descriptor"), HandedOver([9_999]) as handed:
        handed.end(writes=False)
