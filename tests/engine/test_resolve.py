"""Paths as the judge sees them: one file for one text, or no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcpwall.engine.resolve import PARTS_MAX, resolve


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "src" / "app" / "now").mkdir(parents=True)
    (tmp_path / "current").symlink_to(tmp_path / "src" / "app" / "now")
    return tmp_path.resolve()


def test_links_and_dots_are_followed(home: Path) -> None:
    assert resolve("current/x", str(home)) == f"{home}/src/app/now/x"
    assert resolve("src/../gone/./x", str(home)) == f"{home}/gone/x"
    assert resolve(f"file://{home}/a%20b", "/") == f"{home}/a b"
    assert resolve(f"file://localhost{home}/x", "/") == f"{home}/x"


@pytest.mark.parametrize(
    "text",
    [
        "current/../../secret",  # the kernel: src/secret; Node's path.resolve: secret
        "current/../gone/x",
        "file:///etc/x?/../../secret",  # who strips "file://" does not end at the "?"
        "file:///etc/x#/../../secret",
        "file://host/etc",
        "file:///etc/%2e%2e/secret",
        "file:///etc/..%2Fsecret",
        "a/" * (PARTS_MAX + 1),
        "a\0b",
    ],
)
def test_p04_what_programs_take_for_different_files_has_no_answer(home: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"path|URL|\.\."):
        resolve(text, str(home))
