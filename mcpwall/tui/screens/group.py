"""Several alike calls, decided together: exactly those in the list, none that came later.

The list is frozen when the screen opens. A call that is over, or that changed, leaves it, and the
keys are armed anew; calls that come meanwhile wait for an answer of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual import work

from mcpwall.engine import port, port_answers, port_calls
from mcpwall.text import width
from mcpwall.tui.guard import Decision, Intent, Sight
from mcpwall.tui.mirror import Part as Changed
from mcpwall.tui.review.group import differs, group_rows, title
from mcpwall.tui.review.layout import prose, safe
from mcpwall.tui.review.panels import rule, time_left
from mcpwall.tui.screens.decide import DecideScreen
from mcpwall.tui.words import risk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.review.layout import Row
    from mcpwall.tui.widgets.lines import Line


class Together(NamedTuple):
    """What became of a group: the calls whose answer was taken, and how to say it."""

    calls: frozenset[int]
    said: str


class GroupScreen(DecideScreen):
    """Asks about `calls`, all of one kind. Gives a `Together`, or None."""

    def __init__(self, calls: Sequence[port_calls.Held]) -> None:
        super().__init__()
        self._calls = list(calls)
        self._sending = False

    def sight_now(self) -> Sight | None:
        """All calls of the list."""
        if not self._calls or self._sending:
            return None
        first, *others = self._calls
        two_keys = any(held.two_keys for held in self._calls)
        sight = Sight.of(first)
        also = tuple(Sight.of(held) for held in others)
        return Sight(sight.call, sight.digest, sight.revision, two_keys, also=also)

    def title_lines(self, room: int) -> list[Line]:
        """Who, what, how many, why, and until when."""
        if not self._calls:
            return [rule("NONE OF THEM WAITS ANY MORE", "", room, "alarm")]
        soonest = min(self._calls, key=lambda held: held.deadline_ms)
        right, style = time_left(soonest, self.wall.now() * 1000, room)
        word, word_style = risk(soonest.row)
        lines: list[Line] = [rule("SEVERAL CALLS", right.rstrip(), room, "title", style)]
        lines += [[(f" {part}", "strong")] for part in title(self._calls, room - 2)]
        first, *more = prose(differs(self._calls), room - width(word) - 4)
        lines.append([(f" {word}", word_style), (f"  {first}", "")])
        lines += [[(f" {part}", "")] for part in more]
        flags = dict.fromkeys(text for held in self._calls for text in held.flags)
        why = dict.fromkeys(text for held in self._calls for text in held.why)
        for sign, style, texts in (("▲", "warn", flags), ("·", "", why)):
            for text in texts:
                first, *more = prose(safe(text), room - 4)
                lines += [[(f" {sign} {first}", style)], *([(f"   {p}", style)] for p in more)]
        return [*lines, rule("", "", room)]

    def rows(self, cells: int) -> Sequence[Row]:
        """What they have in common, and of each what differs."""
        return group_rows(self._calls, cells) if self._calls else []

    def answers(self) -> tuple[str, str]:
        """For exactly so many calls."""
        many = len(self._calls)
        return f"allow {many}" if self.small else f"allow these {many}, once each", "deny them"

    def changed(self, changes: Changes) -> None:
        """A call that is over, or changed, is not decided on with the others."""
        if self._sending or Changed.HELD not in changes.parts:
            return
        left = [held for held in self._calls if self._stands(held)]
        if len(left) < len(self._calls):
            gone = len(self._calls) - len(left)
            self._calls = left
            self.guard.show(None)
            self.show_rows()
            self.say([(f" ▲ {gone} of them changed or waits no more: read again", "alarm")])

    def _stands(self, held: port_calls.Held) -> bool:
        now = self.mirror.held.get(held.row.id)
        return now is not None and Sight.of(now).same_call(Sight.of(held))

    def tick(self) -> None:
        """The countdown moves."""
        self.draw()

    def decided(self, decision: Decision) -> None:
        """Answer each call of the list."""
        self._sending = True
        self._answer(allow=decision.intent is Intent.ALLOW)

    @work(group="decide")
    async def _answer(self, *, allow: bool) -> None:
        done, refused = set(), ""
        for held in self._calls:
            decide = port_answers.Decide(held.row.id, held.digest, held.revision, allow)
            reply = await self.wall.send(decide)
            if isinstance(reply, port.Refused):
                refused = reply.text
            else:
                done.add(held.row.id)
        said = f"{len(done)} of {len(self._calls)} calls {'allowed' if allow else 'denied'}"
        said = f"{said}; not the others: {refused}" if refused else said
        self.dismiss(Together(frozenset(done), said))
