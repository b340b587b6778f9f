"""`mcpwall` without a command: when it refuses to start, and what it does beside the app."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from mcpwall import home as of
from mcpwall.cli import app
from mcpwall.cli.errors import CliError
from mcpwall.cli.main import run
from mcpwall.link.lasting import LastingPort
from mcpwall.store.app import AppConfig
from tests.helpers.limits import LIMIT_S


class Terminal:
    def __init__(self, encoding: str = "utf-8") -> None:
        self.encoding = encoding

    def isatty(self) -> bool:
        return True


def test_without_a_terminal_it_names_watch(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "`mcpwall watch`" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["stdin", "stdout", "stderr"])
def test_each_of_the_three_must_be_a_terminal(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name in {"stdin", "stdout", "stderr"} - {missing}:
        monkeypatch.setattr(f"sys.{name}", Terminal())
    with pytest.raises(CliError, match=f"and {missing} is none"):
        app.run()


@pytest.mark.parametrize(
    ("term", "encoding", "says"),
    [("dumb", "utf-8", "TERM is dumb"), ("xterm", "iso8859-1", "this is iso8859-1; set LANG=")],
)
def test_a_terminal_that_would_show_half_of_it_is_none(
    term: str, encoding: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", Terminal(encoding))
    with pytest.raises(CliError, match=f"{says}.*`mcpwall watch`"):
        app.run()


def test_keys_that_cannot_work_are_a_config_error(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    config = home / "config.toml"
    config.write_text('[keys]\n"calls.rule" = "f"\n')
    config.chmod(0o600)
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", Terminal())
    with pytest.raises(CliError, match=r"config.toml: \[keys\] calls.rule = 'f'") as raised:
        app.run()
    assert raised.value.exit_code == 2
    assert gc.isenabled()


MOVED = '[keys]\nreview.allow = "d"\nreview.deny = "a"\n'


@pytest.mark.parametrize(
    ("accepted", "written", "allows"),
    [
        (None, MOVED, "d"),
        ("", MOVED, None),  # nobody has accepted that yet
        (MOVED, "", "d"),
        (MOVED, "[keys", "d"),
        ('[keys]\n"calls.rule" = "f"\n', MOVED, None),  # in force, and no use
    ],
)
def test_p08_keys_that_an_edit_from_outside_moved_are_not_in_force(
    home: Path, monkeypatch: pytest.MonkeyPatch, accepted: str | None, written: str, allows: str
) -> None:
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    for path, text in ((of.config_file(), written), (of.accepted_file(), accepted)):
        if text is not None:
            file = Path(path)
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.write_text(text)
            file.chmod(0o600)
    keys, _ = app._written()
    assert keys.get("review.allow") == allows


def test_garbage_is_collected_once_the_app_has_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = asyncio.Event()

    class Opened:
        async def run_async(self) -> None:
            await asyncio.wait_for(settled.wait(), LIMIT_S)

    monkeypatch.setattr(app, "_SETTLED_S", 0)
    monkeypatch.setattr(app.gc, "enable", settled.set)
    asyncio.run(app._attended(Opened(), LastingPort()))
    assert gc.get_freeze_count()
    gc.unfreeze()


@pytest.mark.parametrize(
    ("editor", "line", "told"),
    [
        ("vi", 41, ["vi", "+41", "/x/config.toml"]),
        ("/usr/bin/nvim -p", 41, ["/usr/bin/nvim", "-p", "+41", "/x/config.toml"]),
        ("emacsclient -t", 7, ["emacsclient", "-t", "+7", "/x/config.toml"]),
        ("hx", 41, ["hx", "/x/config.toml:41"]),
        ("code --wait", 41, ["code", "--wait", "--goto", "/x/config.toml:41"]),
        ("my-editor", 41, ["my-editor", "/x/config.toml"]),  # who knows what `+41` means to it
        ("vi", 0, ["vi", "/x/config.toml"]),
    ],
)
def test_the_editor_opens_the_file_at_the_line_if_it_can(
    editor: str, line: int, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)
    monkeypatch.setattr(app, "_on_this_terminal", lambda command: ran.append(command) or 0)
    assert app.edit("/x/config.toml", line) == ""
    assert ran == [told]


def test_the_theme_is_the_configs_or_the_one_chosen_last(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    monkeypatch.setenv("TERM", "xterm-256color")
    assert app._settings(AppConfig()).theme == "dark"
    app._settings(AppConfig()).remember("contrast")
    assert app._settings(AppConfig()).theme == "contrast"
    assert app._settings(AppConfig(theme="light")).theme == "light"
    (home / "state" / "theme").write_text("mauve")
    assert app._settings(AppConfig()).theme == "dark"


def test_a_terminal_that_would_print_a_notification_gets_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    monkeypatch.setenv("TERM", "xterm")
    assert app._settings(AppConfig()).notify == "osc9"
    monkeypatch.setenv("TERM", "linux")
    assert app._settings(AppConfig()).notify == "off"
