"""The copy of an agent's file as it was before `init` first changed it, kept beside that file.

It lies in a directory of the user's alone, `.mcpwall-backup`, in the file's own directory: what
is secret in the file stays where it was. The directory tells git to ignore it, and no copy's name
ends as a config's does, so nothing commits a copy and no agent reads one. A copy is never written
to again, and goes only when the file has become the same again.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from mcpwall.clients.document import MAX_KIB, Document, DocumentError, digest
from mcpwall.clients.ledger import Backup
from mcpwall.store import files

FOLDER: Final = ".mcpwall-backup"
_IGNORE: Final = ".gitignore"
_EVERYTHING: Final = "*\n"
_COPIES_MAX: Final = 99  # of one file, of which each is from before another first `init`


def keep(document: Document) -> Backup:
    """Copy a file as it is now. Raises DocumentError; then there is no copy."""
    try:
        real = document.path.resolve()
        folder = _folder(real.parent / FOLDER)
        mode = stat.S_IMODE(real.stat().st_mode) & 0o600
        return Backup(str(_copy(document, folder / f"{real.name}.orig", mode)), _hash(document))
    except files.UnsafeFileError as error:
        raise DocumentError(f"{document.path}: no copy can be kept beside it: {error}") from error
    except OSError as error:
        what = f"{document.path}: no copy can be kept beside it: {error.filename}: {error.strerror}"
        raise DocumentError(what) from error


def settle(kept: Backup, document: Document | None) -> bool:
    """Take the copy away if the file is as it was when it was made; whether it has gone."""
    if document is None or _hash(document) != kept.hash:
        return not Path(kept.path).exists()
    return remove(kept)


def remove(kept: Backup) -> bool:
    """Take the copy away unless somebody changed it, and its directory with the last one."""
    path = Path(kept.path)
    with suppress(OSError, UnicodeDecodeError, files.UnsafeFileError):
        if _text_hash(path) == kept.hash:
            path.unlink()
            if [one.name for one in path.parent.iterdir()] == [_IGNORE]:
                (path.parent / _IGNORE).unlink()
                path.parent.rmdir()
    return not path.exists()


def _folder(folder: Path) -> Path:
    """The directory of copies, made or checked. Raises OSError, UnsafeFileError."""
    if folder.is_symlink():
        raise files.UnsafeFileError("is a symbolic link", str(folder), "move it away")
    files.private_dir(str(folder))
    ignore = folder / _IGNORE
    try:
        _write_new(ignore, _EVERYTHING, 0o600)
    except FileExistsError:
        if files.read_foreign(str(ignore)) != _EVERYTHING:
            what = "would let git take copies"
            raise files.UnsafeFileError(what, str(ignore), "move it away") from None
    return folder


def _copy(document: Document, path: Path, mode: int) -> Path:
    """Write the copy under this name, or a later one where an older copy has it."""
    names = [path, *(path.with_name(f"{path.name}-{n}") for n in range(2, _COPIES_MAX + 1))]
    for name in names:
        try:
            _write_new(name, document.whole, mode)
        except FileExistsError:
            with suppress(OSError, UnicodeDecodeError, files.UnsafeFileError):
                if not name.is_symlink() and _text_hash(name) == _hash(document):
                    return name
        else:
            return name
    raise files.UnsafeFileError("holds too many copies", str(path.parent), "move them away")


def _write_new(path: Path, text: str, mode: int) -> None:
    """Make a file where nothing is yet, not even a link.

    Raises FileExistsError where something is; another OSError where nothing was made.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        try:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(descriptor)
        except BaseException:
            path.unlink()
            raise


def _hash(document: Document) -> str:
    return digest(document.whole)


def _text_hash(path: Path) -> str:
    return digest(files.read_own(str(path), MAX_KIB))
