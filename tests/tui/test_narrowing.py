"""What `+` and `-` make of the filter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcpwall.query import parse
from mcpwall.tui.narrowing import Narrowing
from tests.tui.fake_port import FakePort
from tests.tui.scenes import busy, row
from tests.tui.screens import scenario, showing

CALL = row(1, "github.create_issue", {})
TOOL = 'server:"github" tool:"create_issue"'


def test_again_is_the_next_value_of_the_same_call() -> None:
    narrowing, text, texts = Narrowing(), "risk>=write", []
    for _ in range(5):
        text = narrowing.keep(text, CALL)
        texts.append(text.removeprefix("risk>=write "))
    agent = f'agent:"{CALL.agent}"'
    assert texts == [TOOL, 'server:"github"', agent, "verdict:allow", TOOL]


def test_what_was_kept_is_hidden_by_the_other_key() -> None:
    narrowing = Narrowing()
    kept = narrowing.keep(narrowing.keep("", CALL), CALL)
    assert narrowing.drop(kept, CALL) == '!server:"github"'


def test_without_that_it_hides_one_tool_after_the_other() -> None:
    narrowing, other = Narrowing(), row(2, "time.now", {})
    text = narrowing.drop(narrowing.drop("", CALL), other)
    assert text == f'!({TOOL}) !(server:"time" tool:"now")'


def test_a_filter_that_a_person_changed_is_narrowed_anew() -> None:
    narrowing = Narrowing()
    narrowing.keep("", CALL)
    assert narrowing.keep("a or b", CALL) == f"(a or b) {TOOL}"


@given(st.lists(st.booleans(), max_size=6), st.sampled_from(["", "verdict:allow", "a or b"]))
def test_every_filter_can_be_read(keys: list[bool], text: str) -> None:
    narrowing = Narrowing()
    for keep in keys:
        text = narrowing.keep(text, CALL) if keep else narrowing.drop(text, CALL)
    parse(text)


@scenario
async def test_the_keys_narrow_the_table() -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press("up", "+", "+")
        assert '/ server:"shell"' in shown.text()
        await shown.press("-")
        assert '/ !server:"shell"' in shown.text()
        assert "rm -rf" not in shown.text().split("TIME", 1)[1]
