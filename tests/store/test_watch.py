"""Outside edits are noticed: in place, by atomic replacement, by deletion and re-creation."""

import os

import pytest

from mcpwall.store.watch import SETTLE_POLLS, Signature, Watch, signature


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("a = 1\n")
    return path


def settled(path):
    """A watch that has read the file often enough to believe its time stamps."""
    watch = Watch(signature(str(path)))
    while watch.look(signature(str(path))):
        pass
    return watch


def test_file_that_rests_is_not_read(file):
    watch = settled(file)
    assert not watch.look(signature(str(file)))


def test_edit_in_place_is_noticed(file):
    watch = settled(file)
    file.write_text("a = 1000\n")
    assert watch.look(signature(str(file)))


def test_atomic_replacement_with_forged_times_is_noticed(file, tmp_path):
    watch = settled(file)
    old = file.stat()
    new = tmp_path / "new"
    new.write_text("a = 2\n")
    os.utime(new, ns=(old.st_atime_ns, old.st_mtime_ns))
    new.replace(file)
    assert watch.look(signature(str(file)))


def test_edit_in_place_with_forged_times_is_noticed_by_the_change_time(file):
    old = Signature(1, 2, 6, 100, 100)
    watch = Watch(old)
    while watch.look(old):
        pass
    assert watch.look(old._replace(changed_ns=101))


def test_deletion_and_return_are_both_noticed(file):
    watch = settled(file)
    text = file.read_text()
    file.unlink()
    assert signature(str(file)) is None
    assert watch.look(signature(str(file)))
    assert not watch.look(signature(str(file)))
    file.write_text(text)
    assert watch.look(signature(str(file)))


def test_link_that_points_elsewhere_is_noticed(file, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(file)
    watch = settled(link)
    (tmp_path / "other").write_text("a = 1\n")
    link.unlink()
    link.symlink_to(tmp_path / "other")
    assert watch.look(signature(str(link)))


def test_same_size_edit_within_one_tick_is_not_missed():
    """The second edit leaves no trace in the signature: the file is read anyway for a while."""
    stamp = Signature(1, 2, 6, 100, 100)
    watch = Watch(None)
    reads = [watch.look(stamp) for _ in range(SETTLE_POLLS + 3)]
    assert reads == [True] * (SETTLE_POLLS + 1) + [False] * 2


def test_first_look_at_a_file_just_written_is_not_believed_either(file):
    watch = Watch(signature(str(file)))
    assert watch.look(signature(str(file)))
