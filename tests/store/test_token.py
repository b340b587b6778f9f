"""The token's file: made once, and never one that others could know."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mcpwall.store.files import UnsafeFileError
from mcpwall.store.token import token


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "http.token"


def test_p17_a_token_is_made_for_the_user_alone_and_kept(path):
    first = token(str(path))
    assert len(first) == 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token(str(path)) == first
    path.unlink()
    assert token(str(path)) != first


def test_all_who_ask_at_once_get_the_same(path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(token, [str(path)] * 64))) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_p17_a_token_that_others_may_read_is_not_used(path, mode):
    token(str(path))
    path.chmod(mode)
    with pytest.raises(UnsafeFileError, match=r"http\.token: others may"):
        token(str(path))


def test_p17_a_link_a_fifo_and_a_directory_are_not_used(path, tmp_path):
    path.symlink_to(tmp_path / "other")
    with pytest.raises(UnsafeFileError, match="no plain file"):
        token(str(path))
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(UnsafeFileError, match="not a plain file"):
        token(str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(UnsafeFileError, match="no plain file"):
        token(str(path))


def test_p17_a_file_with_a_second_name_is_not_used(path, tmp_path):
    token(str(path))
    os.link(path, tmp_path / "second")
    with pytest.raises(UnsafeFileError, match="hard links"):
        token(str(path))


@pytest.mark.parametrize("text", ["short\n", "x" * 44, "ü" * 43, "a b" + "x" * 40])
def test_what_is_no_token_is_not_used(path, text):
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UnsafeFileError, match="delete it for a new one"):
        token(str(path))
