"""The word for how strict the defaults are, and its place in the header."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mcpwall.engine import port
from mcpwall.model import Action, Defaults
from mcpwall.tui.mode import mode
from tests.tui.fake_port import FakePort
from tests.tui.scenes import STATUS, busy
from tests.tui.screens import NARROW, WIDE, Shown, resized, scenario, showing

ALLOW, ASK, DENY = Action.ALLOW, Action.ASK, Action.DENY


@pytest.mark.parametrize(
    ("met", "word"),
    [
        ((ALLOW,) * 6, "allow-all"),
        ((ALLOW, ALLOW, ALLOW, ALLOW, ALLOW, ASK), "ask-on-unknown"),
        ((ALLOW, ALLOW, ALLOW, ALLOW, DENY, DENY), "deny-on-money"),
        ((ALLOW, ALLOW, ALLOW, ASK, ASK, ASK), "ask-on-destroy"),
        ((ALLOW, ALLOW, ASK, ASK, ASK, ASK), "ask-on-execute"),
        ((ALLOW, ASK, ASK, ASK, ASK, ASK), "ask-on-write"),
        ((ALLOW, DENY, DENY, DENY, DENY, DENY), "deny-on-write"),
        ((ASK,) * 6, "ask-all"),
        ((DENY,) * 6, "deny-all"),
        ((ALLOW, ASK, ASK, DENY, DENY, ASK), "custom"),  # two steps
        ((ALLOW, ASK, ASK, ASK, ASK, ALLOW), "custom"),  # unknown tools pass, known ones do not
        ((ASK, ALLOW, ALLOW, ALLOW, ALLOW, ALLOW), "custom"),
        ((ALLOW, ASK, ASK, ALLOW, ASK, ASK), "custom"),
    ],
)
def test_the_word_names_the_rung_from_which_all_meet_the_same(
    met: tuple[Action, ...], word: str
) -> None:
    assert mode(Defaults(*met)) == word


def header(shown: Shown) -> str:
    return shown.text().splitlines()[0]


@pytest.mark.parametrize("size", [WIDE, NARROW])
@scenario
async def test_the_header_says_the_mode_and_says_another_as_soon_as_it_is_in_force(
    size: tuple[int, int],
) -> None:
    fake = FakePort(busy())
    async with showing(fake, size) as shown:
        assert header(shown).endswith("ask-on-write  14:02:37")
        strict = Defaults(*(DENY,) * 6)
        await fake.push(port.StatusEvent(replace(STATUS, defaults=strict)))
        await shown.settle()
        assert header(shown).endswith("deny-all  14:02:37")


@scenario
async def test_a_lockdown_has_the_place_of_the_mode() -> None:
    fake = FakePort(replace(busy(), status=replace(STATUS, lockdown=True)))
    async with showing(fake) as shown:
        assert "LOCKDOWN" in header(shown)
        assert "ask-on-write" not in header(shown)


@scenario
async def test_while_no_engine_answers_no_mode_is_claimed() -> None:
    fake = FakePort(busy())
    async with showing(fake) as shown:
        await fake.break_off("the engine has closed the connection")
        await shown.settle()
        assert "NO ENGINE" in header(shown)
        assert "ask-on-write" not in header(shown)


@scenario
async def test_where_there_is_no_room_the_time_goes_first_then_the_mode_never_a_count() -> None:
    counts = "✓ 1,240  ✗ 17  ~ 4  ! 20"
    async with showing(FakePort(busy()), NARROW) as shown:
        await resized(shown.pilot, 68, 24)
        assert header(shown).endswith("ask-on-write")
        assert counts in header(shown)
        await resized(shown.pilot, 62, 24)
        assert header(shown).endswith("14:02:37")  # for which there is room
        assert counts in header(shown)
        await resized(shown.pilot, 40, 12)
        assert "ask" not in header(shown)
        assert "! 20" in header(shown)
