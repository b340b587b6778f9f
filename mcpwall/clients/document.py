"""An agent's file: read with its places, and written back as a whole or not at all.

The file is the user's own, wherever a link of theirs leads to it; others may be allowed to write to
it (many systems make files so), which is the agent's affair. What is read-only stays as it is.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from mcpwall.clients import syntax
from mcpwall.clients.nodes import Node, UnreadableError
from mcpwall.store import files

BOM = "\ufeff"
MAX_KIB = 64 * 1024  # some agents keep their history in the same file
PROJECT_KIB = files.MAX_FOREIGN_KIB  # a stranger may have written it, and reading takes time


class DocumentError(Exception):
    """A file that is left alone: str() says which, what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that parses. `text` is without a byte-order mark; `root` has the places in it."""

    path: Path
    bom: bool
    text: str
    root: Node

    @property
    def syntax(self) -> syntax.Syntax:
        """How this file is written."""
        return syntax.of(self.path.name)

    @property
    def whole(self) -> str:
        """The text as it is in the file."""
        return BOM * self.bom + self.text

    def changed(self, text: str) -> Document:
        """The same file with another text. Raises DocumentError when that does not parse."""
        return _document(self.path, self.bom, text)

    def diff(self, new: Document, name: str) -> str:
        """What changes, as a unified diff without context: the lines around may hold secrets."""
        lines = difflib.unified_diff(
            self.text.splitlines(keepends=True), new.text.splitlines(keepends=True), name, name, n=0
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def read(path: Path, limit_kib: int = MAX_KIB) -> Document | None:
    """A file that exists, None for one that does not. Raises DocumentError."""
    try:
        text = files.read_own(str(path), limit_kib)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except files.UnsafeFileError as error:
        raise DocumentError(str(error)) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DocumentError(f"{path}:{line}: this is not UTF-8; save the file as UTF-8") from error
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from error
    return _document(path, text.startswith(BOM), text.removeprefix(BOM))


def require_writable(path: Path) -> None:
    """Raise DocumentError if a file is read-only: by its mode too, which does not hold root up."""
    real = path.resolve()
    try:
        writable = real.stat().st_mode & stat.S_IWUSR and os.access(real, os.W_OK)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written: {error.strerror}") from error
    if not writable:
        raise DocumentError(f"{path}: is read-only; run: chmod u+w {real}")


def write(document: Document, before: Document) -> None:
    """Put a document in the place of what was read before. Raises DocumentError."""
    path = document.path
    require_writable(path)
    try:
        now = read(path)
        if now is None or now.whole != before.whole:
            raise DocumentError(f"{path}: changed in the meantime; run the command again")
        files.write_atomic(str(path), document.whole)
    except files.UnsafeFileError as error:
        raise DocumentError(str(error)) from error
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written: {error.strerror}") from error


def digest(text: str) -> str:
    """The SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _document(path: Path, bom: bool, text: str) -> Document:
    if not text.strip():
        return Document(path, bom, text, Node({}, 0, 0))
    try:
        return Document(path, bom, text, syntax.of(path.name).parse(text))
    except UnreadableError as error:
        raise DocumentError(f"{path}:{error.line}: {error.what}; mend the file") from error
