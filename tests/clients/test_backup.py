"""The copy of an agent's file as it was: where it lies, who reads it, and when it goes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mcpwall.clients import backup, document
from mcpwall.clients.ledger import Backup
from mcpwall.clients.survey import survey
from tests.clients.machine import FILES, install, places

TEXT = '{"mcpServers": {"fs": {"command": "x"}}}\r\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "agent" / "mcp.json"
    path.parent.mkdir()
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    return path


def copied(file: Path) -> Backup:
    return backup.keep(document.read(file))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o600, 0o600), (0o400, 0o400)])
def test_p14_it_is_the_same_bytes_for_the_user_alone(file, before, after):
    file.chmod(before)
    kept = Path(copied(file).path)
    assert kept.parent == file.parent / ".mcpwall-backup"
    assert kept.read_bytes() == file.read_bytes()
    assert (mode(kept), mode(kept.parent)) == (after, 0o700)


def test_p14_git_does_not_see_it(file):
    def git(*arguments):
        done = subprocess.run(
            ["git", "-C", str(file.parent), *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout

    git("init", "-q")
    copied(file)
    git("add", "-A")
    assert git("ls-files").splitlines() == ["mcp.json"]


def test_no_agent_takes_it_for_a_config(tmp_path):
    at = places(tmp_path)
    for agent in FILES:
        install(agent, at)
    blocks = at.home / ".continue" / "mcpServers"
    blocks.mkdir(exist_ok=True)
    (blocks / "one.yaml").write_text("mcpServers:\n  - name: one\n    command: x\n")
    before = [found.place.file for found in survey(at)]
    for found in survey(at):
        copied(found.place.file)
    assert [found.place.file for found in survey(at)] == before
    kept = [path for path in tmp_path.rglob(".mcpwall-backup/*") if path.name != ".gitignore"]
    assert len(kept) == len(before)
    assert {path.suffix for path in kept} == {".orig"}


def test_it_is_never_written_again(file):
    first = copied(file)
    assert copied(file) == first
    file.write_text("{}")
    second = copied(file)
    assert Path(second.path).name == "mcp.json.orig-2"
    assert Path(first.path).read_bytes() == b"\xef\xbb\xbf" + TEXT.encode()


def test_it_goes_with_its_directory_when_the_file_is_the_same_again(file):
    kept = copied(file)
    assert backup.settle(kept, document.read(file))
    assert [path.name for path in file.parent.iterdir()] == ["mcp.json"]


@pytest.mark.parametrize("now", ["{}", None])
def test_it_stays_when_the_file_says_otherwise_or_is_gone(file, now):
    kept = copied(file)
    file.unlink() if now is None else file.write_text(now)
    assert not backup.settle(kept, document.read(file))
    assert Path(kept.path).exists()


def test_one_that_somebody_changed_stays(file):
    kept = copied(file)
    Path(kept.path).write_text("mine")
    assert not backup.settle(kept, document.read(file))
    assert Path(kept.path).read_text() == "mine"


def test_what_else_lies_there_stays(file):
    kept = copied(file)
    Path(kept.path).with_name("note").touch()
    assert backup.settle(kept, document.read(file))
    assert sorted(p.name for p in Path(kept.path).parent.iterdir()) == [".gitignore", "note"]


def test_one_that_is_gone_is_no_trouble(file):
    kept = copied(file)
    Path(kept.path).unlink()
    file.write_text("{}")
    assert backup.settle(kept, document.read(file))


def test_behind_a_link_it_lies_beside_the_file_itself(file, tmp_path):
    link = tmp_path / "elsewhere" / "mcp.json"
    link.parent.mkdir()
    link.symlink_to(file)
    assert Path(copied(link).path).parent.parent == file.parent


def a_link(folder: Path) -> None:
    (folder.parent / "public").mkdir(mode=0o700)
    folder.symlink_to("public")


def open_to_others(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)


def a_file(folder: Path) -> None:
    folder.touch()


def of_another_repository(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / ".gitignore").write_text("!*\n")


def one_whose_gitignore_leads_elsewhere(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / ".gitignore").symlink_to("../made")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (a_link, "is a symbolic link; move it away"),
        (open_to_others, "others may look into it (mode 0755)"),
        (a_file, "is not a directory"),
        (one_whose_gitignore_leads_elsewhere, "is a symbolic link"),
        (of_another_repository, "would let git take copies; move it away"),
    ],
)
def test_p17_a_directory_that_is_not_the_users_alone_gets_no_copy(file, made, says):
    folder = file.parent / ".mcpwall-backup"
    made(folder)
    before = sorted(file.parent.iterdir())
    with pytest.raises(document.DocumentError, match="no copy can be kept beside it") as raised:
        copied(file)
    assert says in str(raised.value)
    assert sorted(file.parent.iterdir()) == before
    assert not list(file.parent.rglob("*.orig"))


def test_a_link_to_the_file_itself_is_no_copy(file):
    folder = file.parent / ".mcpwall-backup"
    folder.mkdir(mode=0o700)
    (folder / "mcp.json.orig").symlink_to("../mcp.json")
    kept = Path(copied(file).path)
    assert kept.name == "mcp.json.orig-2"
    assert not kept.is_symlink()


def test_where_nothing_can_be_written_it_says_so(file, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    folder = file.parent / ".mcpwall-backup"
    folder.mkdir(mode=0o700)
    (folder / ".gitignore").write_text("*\n")
    monkeypatch.setattr("mcpwall.clients.backup.os.fsync", full)
    with pytest.raises(document.DocumentError, match="No space left on device"):
        copied(file)
    assert [path.name for path in folder.iterdir()] == [".gitignore"]
