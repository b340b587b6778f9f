from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from mcpwall.tui.terminal import last_words, take_back_on_continue

if TYPE_CHECKING:
    from collections.abc import Iterator


def fail(secret: str) -> None:
    kept = secret[::-1]
    raise ValueError("bad \x1b]0;title\x07 name" + kept[:0])


def failure() -> str:
    with pytest.raises(ValueError, match="bad") as caught:
        fail("1-yranac")
    return last_words(caught.value)


def test_p14_what_a_failed_app_leaves_has_no_values_of_variables() -> None:
    said = failure()
    assert "canary" not in said
    assert "ValueError" in said
    assert "the wall stands" in said


def test_p10_what_a_failed_app_leaves_has_no_control_characters() -> None:
    said = failure()
    assert "‹ESC›]0;title" in said
    assert all(char.isprintable() or char == "\n" for char in said)


class Driver:
    """Textual's as far as it is asked; `fails` is how often the terminal is not to be had."""

    def __init__(self, *, suspended: bool = False, fails: int = 0) -> None:
        self._auto_restart = True
        self._must_signal_resume = suspended
        self.fails = fails
        self.did: list[str] = []

    def suspend_application_mode(self) -> None:
        self.did.append("suspend")

    def _sigcont_application(self) -> None:
        if not self._auto_restart:
            return
        if self.fails:
            self.fails -= 1
            signal.raise_signal(signal.SIGCONT)  # stopped again, and continued by `fg`
            return
        self._must_signal_resume = False
        self.did.append("resume")


@pytest.fixture
def own_signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGCONT)
    yield
    signal.signal(signal.SIGCONT, before)


@pytest.mark.usefixtures("own_signal")
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fails", [0, 1, 2])
@pytest.mark.parametrize("suspended", [False, True])
def test_whoever_continues_the_app_finds_it_on_the_terminal(
    suspended: bool, fails: int, times: int
) -> None:
    driver = Driver(suspended=suspended, fails=fails)
    take_back_on_continue(driver)
    for _ in range(times):
        signal.raise_signal(signal.SIGCONT)
    assert driver.did == [*([] if suspended else ["suspend"]), "resume"] + ["suspend", "resume"] * (
        times - 1
    )


@pytest.mark.usefixtures("own_signal")
def test_a_terminal_that_was_lent_is_not_taken_back() -> None:
    driver = Driver()
    driver._auto_restart = False
    take_back_on_continue(driver)
    signal.raise_signal(signal.SIGCONT)
    assert driver.did == []
