"""The arming rules: what is a decision, what is an accident."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.engine.port_answers import Remember, Scope
from mcpwall.tui.guard import (
    ARM_S,
    LATE_S,
    PAIR_S,
    QUIET_S,
    REPEAT_S,
    Answer,
    Decision,
    Guard,
    Ignored,
    Intent,
    SecondKey,
    Sight,
    Wait,
)

KEYS = {
    "a": Intent.ALLOW,
    "!": Intent.SECOND,
    "d": Intent.DENY,
    "D": Intent.DENY_WHY,
}
CALL = Sight(call=7, digest="d7", revision=1, two_keys=False)
RISKY = Sight(call=8, digest="d8", revision=1, two_keys=True)
LATER = Sight(call=9, digest="d9", revision=1, two_keys=False)


def shown(sight: Sight, at: float = 0.0, *, end: bool = True) -> Guard:
    guard = Guard(KEYS)
    guard.show(sight)
    guard.painted(sight, at)
    if end:
        guard.end_painted(sight, at)
    return guard


def press(guard: Guard, name: str, at: float) -> Answer | None:
    """A key, and its timer on time when it asks for one."""
    answer = guard.key(name, at)
    return guard.settle(answer.until) if isinstance(answer, Wait) else answer


@pytest.mark.parametrize(
    ("name", "intent"), [("a", Intent.ALLOW), ("d", Intent.DENY), ("D", Intent.DENY_WHY)]
)
def test_an_armed_key_alone_decides_on_what_is_on_screen(name: str, intent: Intent) -> None:
    assert press(shown(CALL), name, ARM_S) == Decision(intent, CALL)


def test_the_key_itself_decides_nothing_until_the_silence_has_passed() -> None:
    guard = shown(CALL)
    assert guard.key("a", 1.0) == Wait(1.0 + QUIET_S)
    assert guard.settle(1.0 + QUIET_S / 2) == Wait(1.0 + QUIET_S)
    assert guard.settle(1.0 + QUIET_S) == Decision(Intent.ALLOW, CALL)
    assert guard.settle(1.0 + QUIET_S) is None


@pytest.mark.parametrize("name", ["a", "d", "D"])
def test_a_key_read_before_the_call_was_armed_counts_for_nothing(name: str) -> None:
    guard = shown(CALL, at=10.0)
    assert guard.key(name, 9.05) == Ignored("ignored: armed in 1.6 s")
    assert shown(CALL).key(name, ARM_S - 0.25) == Ignored("ignored: armed in 0.3 s")


def test_a_call_that_is_not_painted_yet_cannot_be_decided_on() -> None:
    guard = Guard(KEYS)
    guard.show(CALL)
    assert isinstance(guard.key("a", 100.0), Ignored)


def test_no_call_no_answer() -> None:
    assert Guard(KEYS).key("a", 100.0) is None


@pytest.mark.parametrize("gap", [0.0, 0.05, QUIET_S - 0.01])
@pytest.mark.parametrize("other", ["x", "d", "enter", "space", "down", "f5"])
def test_a_key_near_it_makes_it_typing(gap: float, other: str) -> None:
    typing = Ignored("ignored: looked like typing")
    before = shown(CALL)
    before.key(other, 2.0 - gap)
    assert before.key("a", 2.0) == typing
    after = shown(CALL)
    after.key("a", 2.0)
    assert after.key(other, 2.0 + gap) == typing
    assert after.settle(2.0 + QUIET_S) is None


def test_shift_alone_is_not_typing() -> None:
    guard = shown(RISKY)
    press(guard, "a", 1.0)
    guard.key("left_shift", 1.95)
    assert press(guard, "!", 2.0) == Decision(Intent.ALLOW, RISKY)


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_a_paste_near_it_is_no_decision(gap: float) -> None:
    before = shown(CALL)
    before.paste(2.0 - gap)
    assert isinstance(before.key("a", 2.0), Ignored)
    after = shown(CALL)
    after.key("a", 2.0)
    after.paste(2.0 + gap)
    assert after.settle(2.0 + QUIET_S) is None


@pytest.mark.parametrize("interval", [0.03, 0.2, 0.5, 1.0])
def test_a_key_held_down_never_decides(interval: float) -> None:
    guard = shown(CALL, at=0.0)
    answers = [press(guard, "a", ARM_S - 0.1)]
    answers += [press(guard, "a", ARM_S - 0.1 + n * interval) for n in range(1, 40)]
    assert not any(isinstance(a, Decision) for a in answers)


def test_the_same_key_decides_again_once_it_was_let_go() -> None:
    guard = shown(CALL)
    press(guard, "a", 1.0)
    guard.show(LATER)
    guard.painted(LATER, 1.2)
    guard.end_painted(LATER, 1.2)
    assert press(guard, "a", 1.0 + REPEAT_S) == Decision(Intent.ALLOW, LATER)


@pytest.mark.parametrize("name", ["enter", "space", "y", "Y", "tab", "x", "1", "ctrl+a", "escape"])
def test_other_keys_decide_nothing(name: str) -> None:
    assert shown(CALL).key(name, 5.0) is None


def test_enter_space_and_y_cannot_be_made_decision_keys() -> None:
    for name in ("enter", "space", "y"):
        with pytest.raises(ValueError, match=name):
            Guard({**KEYS, name: Intent.ALLOW})


def test_every_intent_needs_a_key_of_its_own() -> None:
    with pytest.raises(ValueError, match="second"):
        Guard({name: i for name, i in KEYS.items() if i is not Intent.SECOND})


def test_allow_waits_for_the_end_of_the_arguments_and_deny_does_not() -> None:
    guard = shown(CALL, end=False)
    assert guard.key("a", 5.0) == Ignored("ignored: scroll to the end of the arguments first")
    guard.end_painted(CALL, 6.5)
    assert guard.key("a", 6.85) == Ignored("ignored: armed in 0.3 s")
    assert press(guard, "a", 9.0) == Decision(Intent.ALLOW, CALL)
    assert press(shown(CALL, end=False), "d", 5.0) == Decision(Intent.DENY, CALL)


def test_the_end_of_another_call_is_not_the_end_of_this_one() -> None:
    guard = shown(CALL, end=False)
    guard.end_painted(LATER, 1.0)
    assert not guard.end_seen
    guard.end_painted(CALL, 1.0)
    guard.show(replace(CALL, revision=2))
    assert not guard.end_seen


@pytest.mark.parametrize(
    "changed",
    [
        replace(CALL, digest="other"),
        replace(CALL, revision=2),
        replace(CALL, remember=Remember(Scope.ALWAYS)),
        LATER,
    ],
)
def test_p08_a_change_of_what_is_shown_voids_the_key(changed: Sight) -> None:
    guard = shown(CALL)
    guard.key("a", 1.0)
    guard.show(changed)
    assert guard.settle(1.0 + QUIET_S) is None
    guard.painted(changed, 1.2)
    guard.end_painted(changed, 1.2)
    assert isinstance(guard.key("a", 1.2 + REPEAT_S - 0.5), Ignored)
    assert press(guard, "a", 9.0) == Decision(Intent.ALLOW, changed)


def test_the_paint_of_what_is_no_longer_shown_arms_nothing() -> None:
    guard = shown(CALL)
    guard.show(LATER)
    guard.painted(CALL, 1.0)
    assert guard.armed_at(Intent.DENY) is None


def test_resize_and_focus_arm_anew() -> None:
    guard = shown(CALL)
    guard.key("a", 1.0)
    guard.disturb()
    assert guard.settle(1.0 + QUIET_S) is None
    guard.painted(CALL, 3.0)
    assert isinstance(guard.key("a", 3.0 + ARM_S - 0.1), Ignored)
    assert press(guard, "a", 6.0) == Decision(Intent.ALLOW, CALL)


def test_a_second_paint_of_the_same_does_not_arm_anew() -> None:
    guard = shown(CALL)
    guard.painted(CALL, 5.0)
    assert press(guard, "a", 5.1) == Decision(Intent.ALLOW, CALL)


def test_one_paint_is_good_for_one_decision() -> None:
    guard = shown(CALL)
    assert press(guard, "a", 1.0) == Decision(Intent.ALLOW, CALL)
    guard.painted(CALL, 2.0)
    assert press(guard, "a", 9.0) is None


def test_a_late_timer_waits_for_keys_that_may_be_on_their_way() -> None:
    guard = shown(CALL)
    guard.key("a", 1.0)
    late = 1.0 + QUIET_S + LATE_S + 0.3
    assert guard.settle(late) == Wait(late + QUIET_S)
    guard.key("b", 1.05)  # read in time, told late
    assert guard.settle(late + QUIET_S) is None


def test_two_keys_before_the_timer_came_decide_nothing_at_all() -> None:
    guard = shown(CALL)
    guard.key("d", 1.0)
    assert guard.key("a", 1.0 + 2 * QUIET_S) == Ignored("ignored: looked like typing")
    assert guard.settle(1.0 + 3 * QUIET_S) is None


# --- two keys -----------------------------------------------------------------------------------


def test_risky_calls_take_two_different_keys() -> None:
    guard = shown(RISKY)
    assert press(guard, "a", 1.0) == SecondKey(1.0 + PAIR_S)
    assert guard.second_until(1.2) == 1.0 + PAIR_S
    assert press(guard, "!", 2.0) == Decision(Intent.ALLOW, RISKY)


def test_the_first_key_twice_is_not_two_keys() -> None:
    guard = shown(RISKY)
    press(guard, "a", 1.0)
    assert press(guard, "a", 3.0) == SecondKey(3.0 + PAIR_S)


def test_the_second_key_alone_or_too_late_decides_nothing() -> None:
    guard = shown(RISKY)
    first = Ignored("ignored: the first key comes before the second")
    assert press(guard, "!", 1.0) == first
    press(guard, "a", 3.0)
    assert press(guard, "!", 3.0 + PAIR_S + 0.1) == first


@pytest.mark.parametrize("between", ["x", "d", "down", "enter"])
def test_another_key_between_the_two_starts_again(between: str) -> None:
    guard = shown(RISKY)
    press(guard, "a", 1.0)
    guard.key(between, 1.5)
    assert isinstance(press(guard, "!", 2.0), Ignored)


def test_a_paste_a_resize_or_another_call_between_the_two_starts_again() -> None:
    pasted = shown(RISKY)
    press(pasted, "a", 1.0)
    pasted.paste(1.5)
    assert isinstance(press(pasted, "!", 2.0), Ignored)
    resized = shown(RISKY)
    press(resized, "a", 1.0)
    resized.disturb()
    resized.painted(RISKY, 1.2)
    assert isinstance(press(resized, "!", 3.0), Ignored)
    other = shown(RISKY)
    press(other, "a", 1.0)
    other.show(replace(RISKY, call=10))
    other.painted(replace(RISKY, call=10), 1.2)
    other.end_painted(replace(RISKY, call=10), 1.2)
    assert isinstance(press(other, "!", 3.0), Ignored)


def test_a_second_key_that_did_not_count_starts_again() -> None:
    guard = shown(RISKY)
    press(guard, "a", 1.0)
    guard.key("!", 2.0)
    guard.key("!", 2.0)
    assert isinstance(press(guard, "!", 4.0), Ignored)


def test_the_second_key_is_an_ordinary_key_where_one_is_enough() -> None:
    assert shown(CALL).key("!", 5.0) is None


def test_deny_takes_one_key_even_where_allow_takes_two() -> None:
    assert press(shown(RISKY), "d", 1.0) == Decision(Intent.DENY, RISKY)


# --- any sequence of events ---------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One thing that happens, `gap` seconds after the one before."""

    gap: float
    kind: str
    arg: object = None


SIGHTS = [CALL, RISKY, LATER, replace(CALL, revision=2), replace(RISKY, digest="other")]
GAPS = st.sampled_from([0.0, 0.01, 0.1, 0.14, 0.15, 0.16, 0.3, 0.6, 0.7, 1.1, 1.2, 5.1])
STEPS = st.one_of(
    st.builds(Step, GAPS, st.just("show"), st.sampled_from(SIGHTS)),
    st.builds(Step, GAPS, st.sampled_from(["paint", "end", "disturb", "paste", "settle"])),
    st.builds(
        Step,
        GAPS,
        st.just("key"),
        st.sampled_from(["a", "!", "d", "D", "x", "enter", "space", "y"]),
    ),
)


@dataclass
class History:
    """A naive record, in which each decision is checked by searching all that happened."""

    steps: list[tuple[float, Step]]

    def inputs(self) -> list[tuple[float, object]]:
        return [(t, s.arg) for t, s in self.steps if s.kind in ("key", "paste")]

    def since(self, kinds: tuple[str, ...]) -> float:
        return max((t for t, s in self.steps if s.kind in kinds), default=-1.0)

    def proper(self, read_at: float, name: str) -> bool:
        """A key that was armed, isolated and not held down, with nothing redrawn since."""
        paint = self.since(("paint",))
        others = [(t, n) for t, n in self.inputs() if (t, n) != (read_at, name)]
        return (
            paint > self.since(("show", "disturb"))
            and read_at >= self.first_paint() + ARM_S
            and all(abs(t - read_at) >= QUIET_S for t, _ in others)
            and all(read_at - t >= REPEAT_S for t, n in others if n == name and t <= read_at)
        )

    def first_paint(self) -> float:
        start = self.since(("show", "disturb"))
        return min((t for t, s in self.steps if s.kind == "paint" and t > start), default=1e9)


@settings(max_examples=400)
@given(st.lists(STEPS, max_size=25), st.booleans())
def test_p08_no_sequence_without_a_proper_key_decides(steps: list[Step], eager: bool) -> None:
    guard, history, now = Guard(KEYS), History([]), 0.0
    on_screen: Sight | None = None
    for step in steps:
        now += step.gap + 1e-6
        answer: Answer | None = None
        if step.kind == "show":
            assert isinstance(step.arg, Sight)
            on_screen = step.arg
            guard.show(on_screen)
        elif on_screen is not None and step.kind == "paint":
            guard.painted(on_screen, now)
        elif on_screen is not None and step.kind == "end":
            guard.end_painted(on_screen, now)
        elif step.kind == "disturb":
            guard.disturb()
        elif step.kind == "paste":
            guard.paste(now)
        elif step.kind == "key":
            answer = guard.key(str(step.arg), now)
            assert not isinstance(answer, Decision | SecondKey)
        history.steps.append((now, step))
        if step.kind == "settle" or (eager and isinstance(answer, Wait)):
            now = max(now, answer.until) if isinstance(answer, Wait) else now
            answer = guard.settle(now)
        if isinstance(answer, Decision):
            assert answer.sight == on_screen
            check(answer, history)
            on_screen = None


def check(decision: Decision, history: History) -> None:
    read_at, name = history.inputs()[-1]
    assert KEYS[str(name)] in (decision.intent, Intent.SECOND)
    assert history.proper(read_at, str(name))
    if decision.intent is not Intent.ALLOW:
        return
    ends = [t for t, s in history.steps if s.kind == "end"]
    assert any(t + ARM_S <= read_at for t in ends)
    if decision.sight.two_keys:
        assert KEYS[str(name)] is Intent.SECOND
        first_at, first = history.inputs()[-2]
        assert KEYS[str(first)] is Intent.ALLOW
        assert read_at - first_at <= PAIR_S
        assert history.proper(first_at, str(first))


@settings(max_examples=100)
@given(
    st.sampled_from(SIGHTS),
    st.floats(ARM_S, 60.0),
    st.floats(QUIET_S + 1e-6, PAIR_S - 1e-6),
    st.floats(0.0, LATE_S * 0.9),
)
def test_a_proper_answer_always_counts(
    sight: Sight, after: float, between: float, late: float
) -> None:
    guard = shown(sight)
    assert isinstance(guard.key("a", after), Wait)
    answer = guard.settle(after + QUIET_S + late)
    if sight.two_keys:
        second = max(after + between, after + QUIET_S + late)
        assert isinstance(answer, SecondKey)
        assert isinstance(guard.key("!", second), Wait)
        answer = guard.settle(second + QUIET_S + late)
    assert answer == Decision(Intent.ALLOW, sight)
