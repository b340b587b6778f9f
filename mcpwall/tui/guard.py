"""When a key press is a decision, and when it is an accident. Pure: no screen, no clock, no timer.

The review screen tells the guard what it painted and which keys were read, each with its time, and
the guard answers what that means. A decision needs a key that was read 0.6 s or more after the very
call on screen was painted, alone (no other key within 150 ms before or after), and not by a key
that is held down. So a decision is never the answer to the key press itself: it comes from `settle`
once the silence after the key has passed.

All times are seconds of one steady clock, the one that stamps key events where they are read.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mcpwall.engine.port_answers import Remember
from mcpwall.engine.port_calls import Held

ARM_S = 0.6  # from the paint of a call to the first key that counts
QUIET_S = 0.15  # silence on both sides of a decision key
PAIR_S = 5.0  # from the first key of two to the second
REPEAT_S = 1.1  # the longest wait of a keyboard before a held key repeats is 1 s
LATE_S = 0.1  # a timer this late means a stall: keys may have been read that were not told yet

NEVER = frozenset(("enter", "space", "y"))  # pressed without deciding: they never allow
# Terminals that report every key report Shift too, just before a `!`.
MODIFIERS = ("shift", "control", "alt", "super", "hyper", "meta", "caps_lock", "num_lock")


class Intent(enum.Enum):
    """What a key of the key map stands for."""

    ALLOW = "allow"
    SECOND = "second"  # after ALLOW, for calls that take two keys
    DENY = "deny"
    DENY_WHY = "deny and say why"


@dataclass(frozen=True)
class Sight:
    """What the person looks at: a decision is on exactly this and carries it.

    `remember` is part of it: what an answer would mean beyond this call is on screen too. `edited`
    is the digest of the arguments on screen where the person changed them. `also` are the other
    calls of a group that is decided on together. Without a call (0) it is on something else that
    `digest` names: the changed definition of a tool.
    """

    call: int
    digest: str
    revision: int
    two_keys: bool
    remember: Remember | None = None
    edited: str = ""
    also: tuple[Sight, ...] = ()

    @classmethod
    def of(cls, held: Held, remember: Remember | None = None, edited: str = "") -> Sight:
        """Take from a held call what a decision must quote."""
        return cls(held.row.id, held.digest, held.revision, held.two_keys, remember, edited)

    def same_call(self, other: Sight | None) -> bool:
        """Whether `other` is this call with these arguments, whatever would be remembered."""
        return other is not None and replace(self, remember=None) == replace(other, remember=None)


@dataclass(frozen=True)
class Ignored:
    """The key decides nothing. `why` is for the person, a few words."""

    why: str


@dataclass(frozen=True)
class Wait:
    """The key may decide: call `settle` at `until`."""

    until: float


@dataclass(frozen=True)
class SecondKey:
    """The first key of two counts: the second must come by `until`."""

    until: float


@dataclass(frozen=True)
class Decision:
    """The person decided, on `sight`. `intent` is ALLOW, DENY or DENY_WHY."""

    intent: Intent
    sight: Sight


Answer: TypeAlias = Ignored | Wait | SecondKey | Decision


@dataclass(frozen=True)
class _Candidate:
    intent: Intent
    read_at: float
    due: float


class Guard:
    """The state between what was painted and what was pressed.

    `keys` maps key names to what they stand for. Raises ValueError when one that must never
    allow would, or when an intent of `needs` has no key of its own.
    """

    def __init__(self, keys: Mapping[str, Intent], needs: Sequence[Intent] = tuple(Intent)) -> None:
        allowing = {name for name, i in keys.items() if i in (Intent.ALLOW, Intent.SECOND)}
        if wrong := sorted(NEVER & allowing):
            raise ValueError(f"[keys]: {', '.join(wrong)} never allows a call; choose another key")
        if missing := [i.value for i in needs if i not in keys.values()]:
            raise ValueError(f"[keys]: no key is left for: {', '.join(missing)}")
        self._keys = dict(keys)
        self._sight: Sight | None = None
        self._painted_at: float | None = None
        self._end_at: float | None = None
        self._first_at: float | None = None  # the first key of two was read
        self._candidate: _Candidate | None = None
        self._last_input: float | None = None
        self._last_press: dict[str, float] = {}

    @property
    def keys(self) -> Mapping[str, Intent]:
        """The keys that can decide."""
        return self._keys

    @property
    def sight(self) -> Sight | None:
        """What is shown, painted or not."""
        return self._sight

    @property
    def end_seen(self) -> bool:
        """Whether the end of the arguments has been on screen."""
        return self._end_at is not None

    def armed_at(self, intent: Intent) -> float | None:
        """When a key with this intent counts; None while that is not known."""
        if self._sight is None or self._painted_at is None:
            return None
        if intent in (Intent.ALLOW, Intent.SECOND):
            if self._end_at is None:
                return None
            return max(self._painted_at, self._end_at) + ARM_S
        return self._painted_at + ARM_S

    def second_until(self, now: float) -> float | None:
        """Until when the second key is waited for; None when it is not."""
        if self._first_at is None or now > self._first_at + PAIR_S:
            return None
        return self._first_at + PAIR_S

    # --- what the screen did ---------------------------------------------------------------------

    def show(self, sight: Sight | None) -> None:
        """Something else is about to be painted (None: no call); all before it is void."""
        if sight is None or not sight.same_call(self._sight):
            self._end_at = None
        self._sight = sight
        self.disturb()

    def disturb(self) -> None:
        """What is on screen may have moved (resize, focus): nothing counts until `painted`."""
        self._painted_at = None
        self._first_at = None
        self._candidate = None

    def painted(self, sight: Sight, at: float) -> None:
        """`sight` has been painted, as a whole or up to the end of the window."""
        if sight == self._sight and self._painted_at is None:
            self._painted_at = at

    def end_painted(self, sight: Sight, at: float) -> None:
        """The end of the arguments of `sight` has been painted."""
        if sight.same_call(self._sight) and self._end_at is None:
            self._end_at = at

    # --- what the person did ---------------------------------------------------------------------

    def paste(self, at: float) -> None:
        """Text was pasted: never a decision, and no key near it is one."""
        self._touch(at)
        self._first_at = None

    def key(self, name: str, at: float) -> Answer | None:
        """A key was read at `at`; None when it decides nothing anyway."""
        if _is_modifier(name):
            return None
        broken = self._candidate is not None
        crowded = self._touch(at) or broken
        last = self._last_press.get(name)
        self._last_press[name] = at
        intent = self._keys.get(name)
        if intent is not Intent.SECOND:
            self._first_at = None
        if intent is None:
            return Ignored("ignored: looked like typing") if broken else None
        if self._sight is None:
            return None
        if intent is Intent.SECOND and not self._sight.two_keys:
            return None
        held_down = last is not None and at - last < REPEAT_S
        why = self._objection(intent, at, crowded=crowded, held_down=held_down)
        if why:
            self._first_at = None
            return Ignored(why)
        self._candidate = _Candidate(intent, at, at + QUIET_S)
        return Wait(at + QUIET_S)

    def settle(self, now: float) -> Answer | None:
        """The time that `Wait` named has come; None when its key was cancelled meanwhile."""
        candidate, sight = self._candidate, self._sight
        if candidate is None or sight is None:
            return None
        if now < candidate.due:
            return Wait(candidate.due)
        if now > candidate.due + LATE_S:
            self._candidate = _Candidate(candidate.intent, candidate.read_at, now + QUIET_S)
            return Wait(now + QUIET_S)
        self._candidate = None
        if candidate.intent is Intent.ALLOW and sight.two_keys:
            self._first_at = candidate.read_at
            return SecondKey(candidate.read_at + PAIR_S)
        self.show(None)  # decided: one decision for one paint
        intent = Intent.ALLOW if candidate.intent is Intent.SECOND else candidate.intent
        return Decision(intent, sight)

    # --- the rules -------------------------------------------------------------------------------

    def _objection(self, intent: Intent, at: float, *, crowded: bool, held_down: bool) -> str:
        """Why this key does not count; "" when it does."""
        if self._painted_at is None:
            return "ignored: the screen was just redrawn"
        if crowded:
            return "ignored: looked like typing"
        if held_down:
            return "ignored: the same key again within a second"
        armed_at = self.armed_at(intent)
        if armed_at is None:
            return "ignored: scroll to the end of the arguments first"
        if at < armed_at:
            return f"ignored: armed in {math.ceil((armed_at - at) * 10) / 10} s"
        if intent is Intent.SECOND and self.second_until(at) is None:
            return "ignored: the first key comes before the second"
        return ""

    def _touch(self, at: float) -> bool:
        """Note an input; whether another one was close before it. Cancels what was to settle."""
        last, self._last_input = self._last_input, at
        self._candidate = None
        return last is not None and at - last < QUIET_S


def _is_modifier(name: str) -> bool:
    return name.endswith(MODIFIERS) and "+" not in name
