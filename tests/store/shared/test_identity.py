from pathlib import Path

import pytest

from mcpwall.store.files import UnsafeFileError
from mcpwall.store.shared.identity import wall


def test_a_wall_is_called_the_same_ever_after(tmp_path: Path) -> None:
    path = tmp_path / "wall"
    first = wall(str(path))
    assert wall(str(path)) == first
    assert wall(str(tmp_path / "other")).id != first.id
    assert len(first.id) == 16
    assert "@" in first.who
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_name_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "wall"
    path.write_text("a b\n")
    path.chmod(0o600)
    assert wall(str(path)).id != "a b"


def test_p17_a_name_that_others_could_have_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wall"
    path.write_text("0" * 16)
    path.chmod(0o666)
    with pytest.raises(UnsafeFileError):
        wall(str(path))
