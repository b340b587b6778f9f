"""Files that belong to the user alone: checked before they are believed, replaced as a whole.

The wall obeys its config, so whoever can write there can open it. What another user could have
put in place (a foreign owner, a shared mode, a link through a foreign directory, a FIFO that
never ends) is refused with the command that mends it. The checks are made on the file that was
opened, not on a name that may mean something else a moment later.

Root counts as the user: it could do anything anyway, and some systems link configs from a store
that root owns.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_KIB = 4096
MAX_FOREIGN_KIB = 64  # what a stranger wrote should not cost much to read
_MAX_LINKS = 8
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_PLAIN_FILE = "put a plain file in its place"
_CHOWN = "make it your own with chown, or use another one"
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class UnsafeFileError(Exception):
    """A file or directory that the wall does not use.

    `what` is wrong, `where` (a path), and the `fix`; str() is the three in one line.
    """

    def __init__(self, what: str, where: str, fix: str) -> None:
        super().__init__(f"{where}: {what}; {fix}")
        self.what = what
        self.where = where
        self.fix = fix


def private_dir(path: str) -> None:
    """Make the directory with mode 0700, or check that it is the user's own and has that mode.

    Missing parents are made too. Raises UnsafeFileError; OSError when it cannot be made.
    """
    directory = Path(path)
    try:
        directory.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        real = _follow_links(directory)
        _check_private_dir(real.lstat(), real)


def private_file(path: str) -> None:
    """Make an empty file with mode 0600, or check that it is the user's alone.

    An existing file is looked at, not opened: closing it would end SQLite's locks on it, should
    this process have it open elsewhere (https://sqlite.org/howtocorrupt.html, section 2.2).
    Raises OSError, UnsafeFileError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        os.close(os.open(path, flags, 0o600))
    except FileExistsError:
        info = os.lstat(path)
        if not stat.S_ISREG(info.st_mode) or info.st_nlink != 1:
            raise UnsafeFileError("is not a plain file of its own", path, "move it away") from None
        if os.name == "posix" and (info.st_uid != os.geteuid() or info.st_mode & 0o077):
            fix = f"run: chmod 600 {path}"
            raise UnsafeFileError("is not yours alone", path, fix) from None


def read_checked(path: str) -> str:
    """The text of a file of the user's own that nobody else may write to, line ends as they are.

    Raises UnsafeFileError for an unsafe or too large file; UnicodeDecodeError when it is not
    UTF-8; OSError (FileNotFoundError too) when it cannot be read.
    """
    real = _follow_links(Path(path))
    with _opened(real) as descriptor:
        _check_own(os.fstat(descriptor), real)
        return _text(descriptor, real, MAX_KIB)


def read_own(path: str, limit_kib: int) -> str:
    """The text of a plain file of the user's own, to which others may perhaps write as well.

    For files of other programs, which make them as they like. Raises UnsafeFileError for what is
    no plain file, belongs to somebody else, has several names (they would part when it is
    replaced) or is too large; UnicodeDecodeError; OSError (FileNotFoundError too).
    """
    real = _follow_links(Path(path))
    with _opened(real) as descriptor:
        _check_mine(os.fstat(descriptor), real)
        return _text(descriptor, real, limit_kib)


def read_foreign(path: str) -> str:
    """The text of a plain file that anybody may own, such as one in a cloned project.

    Raises UnsafeFileError for a link, what is no plain file, or one that is too large;
    UnicodeDecodeError; OSError (FileNotFoundError too).
    """
    with _opened(Path(path)) as descriptor:
        _check_plain(os.fstat(descriptor), Path(path))
        return _text(descriptor, Path(path), MAX_FOREIGN_KIB)


def open_private(path: str) -> int:
    """A descriptor for reading and writing of a file that only the user may read; made if missing.

    Raises UnsafeFileError when somebody else may have put it there or may read it; OSError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | _NOFOLLOW | _NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise UnsafeFileError("is no plain file", path, "move it away") from error
        raise
    try:
        _check_secret(os.fstat(descriptor), Path(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_atomic(path: str, text: str) -> None:
    """Replace a file's content: afterwards it holds the old text or the new one, never a part.

    A new file is the user's alone; one that exists keeps its mode, and a symbolic link stays one.
    Raises UnsafeFileError for links through foreign directories; OSError when it cannot be
    written (then nothing has changed).
    """
    real = _follow_links(Path(path))
    mode = 0o600
    with suppress(FileNotFoundError):
        mode = stat.S_IMODE(real.lstat().st_mode)
    descriptor, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            temporary.chmod(mode)
            os.fsync(file.fileno())
        temporary.replace(real)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(real.parent)


def _follow_links(path: Path) -> Path:
    """The path behind symbolic links, each of them the user's own, in a directory of their own."""
    start = path
    for _ in range(_MAX_LINKS):
        try:
            info = path.lstat()
        except FileNotFoundError:
            return path
        if not stat.S_ISLNK(info.st_mode):
            return path
        if _is_foreign(info):
            what = f"is a symbolic link made by user {info.st_uid}"
            raise UnsafeFileError(what, str(path), "replace it with your own file")
        check_directory_of(path)
        path = path.parent / path.readlink()
    raise UnsafeFileError("is a chain of symbolic links", str(start), "link the file itself")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor for reading, opened without following a link or waiting for a FIFO's writer."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | _NOFOLLOW | _NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafeFileError("is a symbolic link", str(path), _PLAIN_FILE) from error
        if error.errno in (errno.ENXIO, errno.ENODEV):
            raise UnsafeFileError("is no plain file", str(path), _PLAIN_FILE) from error
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _check_plain(info: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(info.st_mode):
        kind = _KINDS.get(stat.S_IFMT(info.st_mode), "something else")
        raise UnsafeFileError(f"is {kind}, not a plain file", str(path), _PLAIN_FILE)


def _check_own(info: os.stat_result, path: Path) -> None:
    """A plain file, the user's, under one name, that nobody else may change or exchange."""
    _check_mine(info, path)
    if _mode(info) & _OTHERS_WRITE:
        what = f"others may write to it (mode {_mode(info):04o})"
        raise UnsafeFileError(what, str(path), f"run: chmod go-w {path}")
    check_directory_of(path)


def _check_mine(info: os.stat_result, path: Path) -> None:
    """A plain file, the user's, under one name."""
    _check_plain(info, path)
    if _is_foreign(info):
        raise UnsafeFileError(f"belongs to user {info.st_uid}", str(path), _CHOWN)
    if info.st_nlink > 1:
        what = f"has {info.st_nlink} names (hard links)"
        raise UnsafeFileError(what, str(path), "copy it and put the copy in its place")


def _check_secret(info: os.stat_result, path: Path) -> None:
    """The user's own file, that nobody else may read either."""
    _check_own(info, path)
    if _mode(info) & 0o077:
        what = f"others may read it (mode {_mode(info):04o})"
        raise UnsafeFileError(what, str(path), "delete it, since they may know what it holds")


def check_directory_of(path: Path) -> None:
    """Nobody else may put another file in this one's place (a sticky directory prevents it).

    Raises UnsafeFileError; OSError.
    """
    directory = path.parent
    info = directory.stat()
    if _is_foreign(info):
        what = f"is in a directory of user {info.st_uid}"
        raise UnsafeFileError(what, str(path), "move it into a directory of your own")
    if _mode(info) & _OTHERS_WRITE and not info.st_mode & stat.S_ISVTX:
        what = f"others may exchange its files (mode {_mode(info):04o})"
        raise UnsafeFileError(what, str(directory), f"run: chmod go-w {directory}")


def _check_private_dir(info: os.stat_result, path: Path) -> None:
    if not stat.S_ISDIR(info.st_mode):
        raise UnsafeFileError("is not a directory", str(path), "move it away")
    if _is_foreign(info):
        raise UnsafeFileError(f"belongs to user {info.st_uid}", str(path), _CHOWN)
    if _mode(info) & 0o077:
        what = f"others may look into it (mode {_mode(info):04o})"
        raise UnsafeFileError(what, str(path), f"run: chmod 700 {path}")


def _mode(info: os.stat_result) -> int:
    """The permission bits; none where the system's modes say nothing about other users."""
    return 0 if sys.platform == "win32" else stat.S_IMODE(info.st_mode)


def _is_foreign(info: os.stat_result) -> bool:
    return sys.platform != "win32" and info.st_uid not in (0, os.geteuid())


def _text(descriptor: int, path: Path, limit_kib: int) -> str:
    with open(descriptor, "rb", closefd=False) as file:
        data = file.read(limit_kib * 1024 + 1)
    if len(data) > limit_kib * 1024:
        what = f"is larger than {limit_kib} KiB"
        raise UnsafeFileError(what, str(path), "see whether it is the right file")
    return data.decode("utf-8")


def _sync_directory(path: Path) -> None:
    """Make a rename last through a power cut, where the system lets one open a directory."""
    if sys.platform == "win32":
        return
    with _opened(path) as descriptor:
        os.fsync(descriptor)
