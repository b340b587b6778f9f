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
        "file:///srv/x\\..\\..\\etc/secret",  # new URL() takes each for a slash
        "file:etc/secret",  # and this as from the root
        "file:///etc//../secret",  # for /etc/secret
        "file:///e\ttc/secret",
        "file:///etc/%ff",  # no UTF-8
        "a/" * (PARTS_MAX + 1),
        "a\0b",
    ],
)
def test_p04_what_programs_take_for_different_files_has_no_answer(home: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"path|URL|\.\.|utf-8"):
        resolve(text, str(home))


@pytest.mark.parametrize(
    "text",
    [
        "~/secret",  # to who expands no ~, the file beside that the project brings
        "~root/secret",
        "file:///tmp/secret",
        "FILE:/tmp/secret",
        "file://{home}/src/%61/secret",  # to who decodes nothing
    ],
)
def test_p04_what_names_a_file_as_it_is_written_too_has_no_answer(home: Path, text: str) -> None:
    text = text.format(home=home)
    assert resolve(text, str(home)).endswith("/secret")
    for name in ("~", "~root", "file:", "FILE:"):
        (home / name).symlink_to("/etc")
    (home / "src" / "%61").symlink_to("/etc")
    with pytest.raises(ValueError, match="as it is written"):
        resolve(text, str(home))


def test_a_tilde_that_stands_for_no_home_is_a_name(home: Path) -> None:
    (home / "~nobody-of-that-name").mkdir()
    place = f"{home}/~nobody-of-that-name/x"
    assert resolve("~nobody-of-that-name/x", str(home)) == place
