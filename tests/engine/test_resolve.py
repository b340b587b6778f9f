"""Paths as the judge sees them: one file for one text, or no answer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mcpwall.engine.resolve import LINKS_MAX, PARTS_MAX, resolve

OWN_ROOT = "/proc/1/../self/root"  # the root of whoever asks


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


@pytest.mark.skipif(sys.platform != "linux", reason="there is no procfs")
@pytest.mark.parametrize(
    "text",
    [
        "/proc/self/cwd/secret",
        "/proc/./thread-self//cwd/secret/there",
        f"{OWN_ROOT}/etc/passwd",
        "/dev/fd/0",
        "/dev/stdin",
        "cwd/secret",
        "sub/../cwd/secret",
        "far/self/cwd/gone",
        pytest.param(f"/proc/{os.getpid()}/cwd", id="own number"),  # workers call it alike
    ],
)
def test_p04_a_link_that_leads_each_process_elsewhere_has_no_answer(home: Path, text: str) -> None:
    (home / "sub").mkdir()
    (home / "cwd").symlink_to("/proc/self/cwd")
    (home / "far").symlink_to("/proc/")
    with pytest.raises(ValueError, match="leads each process elsewhere"):
        resolve(text, str(home))


def test_a_path_leads_through_so_many_links(home: Path) -> None:
    for number in range(LINKS_MAX + 1):
        (home / f"link{number}").symlink_to(f"link{number - 1}" if number else "src")
    assert resolve(f"link{LINKS_MAX - 1}/x", str(home)) == f"{home}/src/x"
    with pytest.raises(ValueError, match="too many links"):
        resolve(f"link{LINKS_MAX}/x", str(home))
    assert resolve("/proc/cpuinfo", "/") == "/proc/cpuinfo"
    assert resolve("/dev/null", "/") == "/dev/null"


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
