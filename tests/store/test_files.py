"""P17: files and directories that others could have prepared are refused, with what to do."""

import errno
import os
import socket
import stat

import pytest

from mcpwall.store import files
from mcpwall.store.files import UnsafeFileError


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("a = 1\n")
    path.chmod(0o600)
    return path


def stranger(monkeypatch, *, but=()):
    """Make every file look like another user's, except those with these inodes."""
    own = {path.lstat().st_ino for path in but}
    monkeypatch.setattr(files, "_is_foreign", lambda info: info.st_ino not in own)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def refusal(path, call=files.read_checked):
    with pytest.raises(UnsafeFileError) as caught:
        call(str(path))
    error = caught.value
    assert error.where in str(error)
    assert error.what in str(error)
    assert error.fix in str(error)
    assert "\n" not in str(error)
    return str(error)


def test_own_file_is_read_as_it_is(config):
    config.write_bytes("ä = 1\r\n".encode())
    assert files.read_checked(str(config)) == "ä = 1\r\n"


def test_missing_file_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.read_checked(str(tmp_path / "none"))


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_p17_file_that_others_may_write_is_refused(config, mode):
    config.chmod(mode)
    assert refusal(config).endswith(f"run: chmod go-w {config}")


def test_file_that_others_may_only_read_is_accepted(config):
    config.chmod(0o644)
    assert files.read_checked(str(config)) == "a = 1\n"


def test_p17_hard_link_is_refused(config, tmp_path):
    os.link(config, tmp_path / "other")
    assert "2 names (hard links)" in refusal(config)


def test_p17_fifo_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert "is a FIFO" in refusal(tmp_path / "fifo")


def test_p17_directory_device_and_socket_are_refused(tmp_path):
    assert "is a directory" in refusal(tmp_path)
    assert "is a device" in refusal("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert "no plain file" in refusal(tmp_path / "s")


def test_p17_foreign_owner_is_refused(config, monkeypatch):
    stranger(monkeypatch)
    assert "belongs to user" in refusal(config)


def test_p17_root_and_the_user_are_the_owners_that_count(config, monkeypatch):
    me = os.geteuid()
    info = config.stat()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert files._is_foreign(info) == (me != 0)
    as_stranger = os.stat_result((info.st_mode, 1, 1, 1, me + 2, 0, 1, 0, 0, 0))
    assert files._is_foreign(as_stranger)


def test_p17_directory_where_others_may_exchange_files_is_refused(config, tmp_path):
    tmp_path.chmod(0o777)
    assert refusal(config).endswith(f"chmod go-w {tmp_path}")
    tmp_path.chmod(0o1777)  # sticky: others cannot rename what is ours
    assert files.read_checked(str(config)) == "a = 1\n"


def test_own_symbolic_link_to_own_file_is_followed(config, tmp_path):
    (tmp_path / "dotfiles").mkdir()
    target = tmp_path / "dotfiles" / "mcpwall.toml"
    config.rename(target)
    config.symlink_to("dotfiles/mcpwall.toml")
    assert files.read_checked(str(config)) == "a = 1\n"


def test_p17_link_or_target_of_somebody_else_is_refused(config, tmp_path, monkeypatch):
    link = tmp_path / "link.toml"
    link.symlink_to(config)
    with monkeypatch.context() as patch:
        stranger(patch, but=[config, tmp_path])
        assert "symbolic link made by user" in refusal(link)
    with monkeypatch.context() as patch:
        stranger(patch, but=[link, tmp_path])
        assert "belongs to user" in refusal(link)


def test_p17_target_in_a_directory_that_others_may_write_is_refused(config, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    config.rename(shared / "mcpwall.toml")
    shared.chmod(0o770)
    config.symlink_to("shared/mcpwall.toml")
    assert f"chmod go-w {shared}" in refusal(config)


def test_p17_link_in_a_directory_that_others_may_write_is_refused(config, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "link.toml").symlink_to(config)
    shared.chmod(0o770)
    assert f"chmod go-w {shared}" in refusal(shared / "link.toml")
    with pytest.raises(UnsafeFileError):
        files.write_atomic(str(shared / "link.toml"), "a = 2\n")
    assert config.read_text() == "a = 1\n"


def test_link_that_leads_in_a_circle_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert "chain of symbolic links" in refusal(tmp_path / "a")


def test_p17_file_exchanged_for_a_link_after_the_look_is_refused(config, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.write_text("secret")
    config.unlink()
    config.symlink_to(other)
    monkeypatch.setattr(files, "_follow_links", lambda path: path)
    assert "is a symbolic link" in refusal(config)


def test_p13_file_without_end_is_not_read_to_its_end(config, monkeypatch):
    for limit, read in (
        (files.MAX_KIB, files.read_checked),
        (files.MAX_FOREIGN_KIB, files.read_foreign),
    ):
        config.write_bytes(b"#" * (limit * 1024))
        assert len(read(str(config))) == limit * 1024
        config.write_bytes(b"#" * (limit * 1024 + 1))
        assert f"larger than {limit} KiB" in refusal(config, read)


def test_foreign_file_may_belong_to_anybody_but_is_a_plain_file(config, tmp_path, monkeypatch):
    config.chmod(0o666)
    (tmp_path / "link").symlink_to(config)
    os.mkfifo(tmp_path / "fifo")
    stranger(monkeypatch)
    assert files.read_foreign(str(config)) == "a = 1\n"
    assert "is a symbolic link" in refusal(tmp_path / "link", files.read_foreign)
    assert "is a FIFO" in refusal(tmp_path / "fifo", files.read_foreign)


def test_file_of_another_program_may_be_writable_to_others_but_is_the_users(
    config, tmp_path, monkeypatch
):
    config.chmod(0o664)
    assert files.read_own(str(config), 1) == "a = 1\n"
    os.link(config, tmp_path / "other")
    with pytest.raises(UnsafeFileError, match="2 names"):
        files.read_own(str(config), 1)
    (tmp_path / "other").unlink()
    config.write_text("x" * 1025)
    with pytest.raises(UnsafeFileError, match="larger than 1 KiB"):
        files.read_own(str(config), 1)
    stranger(monkeypatch)
    with pytest.raises(UnsafeFileError, match="belongs to user"):
        files.read_own(str(config), 1)


def test_p17_private_dir_is_made_for_the_user_alone(tmp_path):
    files.private_dir(str(tmp_path / "a" / "b"))
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    files.private_dir(str(tmp_path / "a" / "b"))


def test_p17_private_dir_that_is_not_private_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "d"
    path.mkdir()
    path.chmod(0o750)
    assert refusal(path, files.private_dir).endswith(f"run: chmod 700 {path}")
    path.chmod(0o700)
    stranger(monkeypatch)
    assert "belongs to user" in refusal(path, files.private_dir)
    (tmp_path / "f").write_text("")
    assert "not a directory" in refusal(tmp_path / "f", files.private_dir)


def test_written_file_is_the_users_alone_and_keeps_its_mode_later(tmp_path):
    path = tmp_path / "config.toml"
    files.write_atomic(str(path), "a = 1\r\n")
    assert path.read_bytes() == b"a = 1\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    files.write_atomic(str(path), "a = 2\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(tmp_path) == ["config.toml"]


def test_writing_through_a_link_keeps_the_link(config, tmp_path):
    (tmp_path / "dotfiles").mkdir()
    target = tmp_path / "dotfiles" / "mcpwall.toml"
    config.rename(target)
    config.symlink_to(target)
    files.write_atomic(str(config), "a = 2\n")
    assert config.is_symlink()
    assert target.read_text() == "a = 2\n"
    assert names(target.parent) == ["mcpwall.toml"]


@pytest.mark.parametrize("step", ["write", "fsync", "chmod", "replace"])
def test_disk_that_is_full_at_any_step_loses_nothing(config, tmp_path, monkeypatch, step):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "write":
        opened = os.fdopen
        monkeypatch.setattr(os, "fdopen", lambda fd, mode: _Full(opened(fd, mode)))
    elif step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(type(config), step, full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(str(config), "b = 2\n" * 10_000)
    monkeypatch.undo()
    assert config.read_text() == "a = 1\n"
    assert names(tmp_path) == ["config.toml"]


class _Full:
    """A file on a device that takes half of what it is given."""

    def __init__(self, file):
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, data):
        self._file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")
