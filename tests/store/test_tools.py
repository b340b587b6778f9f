import sqlite3
from pathlib import Path

import pytest

from mcpwall.store.tools import ServerEntry, ToolEntry, ToolsError, ToolStore

SERVER = ServerEntry("notes", 5, "stdio", "notes 1", complete=True)
TOOL = ToolEntry("notes", "look", 6, "aa", b'{"a":1}', "", b"", gone=True, calls=3, last_ms=9)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "tools.db")


def test_what_was_saved_is_there_for_the_next_engine(path: str) -> None:
    store = ToolStore.open(path)
    store.save([SERVER], [TOOL])
    store.save([], [ToolEntry("notes", "", 7)])
    store.close()
    store = ToolStore.open(path)
    assert store.servers() == [SERVER]
    assert store.tools() == [ToolEntry("notes", "", 7), TOOL]
    store.close()


def test_an_entry_is_replaced_as_a_whole(path: str) -> None:
    store = ToolStore.open(path)
    store.save([SERVER], [TOOL])
    other = ToolEntry("notes", "look", 6, "bb", b"{}", "bb", b"{}")
    store.save([ServerEntry("notes", 5, looked=True)], [other])
    assert store.tools() == [other]
    assert store.servers() == [ServerEntry("notes", 5, looked=True)]
    store.close()


def test_all_is_saved_or_nothing(path: str) -> None:
    store = ToolStore.open(path)
    with pytest.raises(ToolsError, match=r"tools\.db: .*disk"):
        store.save([SERVER], [TOOL, ToolEntry("notes", "\ud800", 1)])
    assert store.servers() == []
    store.save([SERVER], [TOOL])
    assert store.tools() == [TOOL]
    store.close()


def test_a_command_reads_while_the_engine_writes(path: str) -> None:
    assert ToolStore.read(path) is None
    store = ToolStore.open(path)
    reader = ToolStore.read(path)
    assert reader is not None
    store.save([SERVER], [TOOL])
    assert reader.tools() == [TOOL]
    with pytest.raises(ToolsError):
        reader.save([SERVER], [])
    reader.close()
    store.close()


def test_p17_the_file_is_the_users_alone(path: str) -> None:
    ToolStore.open(path).close()
    assert Path(path).stat().st_mode & 0o777 == 0o600
    Path(path).chmod(0o644)
    with pytest.raises(ToolsError, match="chmod 600"):
        ToolStore.open(path)
    Path(path).unlink()
    Path(path).symlink_to("elsewhere")
    with pytest.raises(ToolsError, match="not a plain file"):
        ToolStore.open(path)


def test_what_is_no_inventory_is_refused_in_words(path: str) -> None:
    Path(path).parent.mkdir(mode=0o700)
    Path(path).write_bytes(b"no database, and no empty file either" * 100)
    Path(path).chmod(0o600)
    with pytest.raises(ToolsError, match="move the file away"):
        ToolStore.open(path)


def test_a_file_of_a_newer_mcpwall_is_left_alone(path: str) -> None:
    ToolStore.open(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    for opening in (ToolStore.open, ToolStore.read):
        with pytest.raises(ToolsError, match="update mcpwall"):
            opening(path)


def test_a_forgotten_server_takes_its_tools_along_and_no_other(path: str) -> None:
    store = ToolStore.open(path)
    mail = ServerEntry("mail", 7), ToolEntry("mail", "look", 8)
    store.save([SERVER, mail[0]], [TOOL, mail[1]])
    store.forget("notes")
    store.forget("nobody")
    assert (store.servers(), store.tools()) == ([mail[0]], [mail[1]])
    store.close()
