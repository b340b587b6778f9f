from __future__ import annotations

import pytest

from mcpwall.tui.terminal import last_words


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
