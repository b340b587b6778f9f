from __future__ import annotations

from pathlib import Path

from mcpwall.store.mark import Mark


def test_a_mark_outlives_who_made_it(tmp_path: Path) -> None:
    path = str(tmp_path / "lockdown")
    assert not Mark(path).on
    assert Mark(path).set(True) == ""
    assert Mark(path).on
    assert Mark(path).set(False) == ""
    assert not Mark(path).on


def test_a_mark_that_cannot_be_kept_holds_for_now_and_says_so(tmp_path: Path) -> None:
    mark = Mark(str(tmp_path / "gone" / "lockdown"))
    assert "gone" in mark.set(True)
    assert mark.on


def test_a_mark_that_cannot_be_looked_for_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert Mark(str(tmp_path / "file" / "lockdown")).on
