"""What every screen has in common on which a key can decide: its guard, and what it tells it.

The guard (`tui.guard`) says whether a key press is a decision. This is its eyes and ears: it learns
here what was painted and when, which keys were read, and that a resize, another focus or a paste
made all that void. The screens say what is decided on (`sight_now`) and carry it out (`decided`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import on
from textual.message import Message

from mcpwall.tui.guard import Answer, Decision, Guard, Ignored, Intent, SecondKey, Sight, Wait
from mcpwall.tui.keys import key_name
from mcpwall.tui.review.layout import safe
from mcpwall.tui.screens.base import Keys
from mcpwall.tui.widgets.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events

    from mcpwall.tui.widgets.lines import Line

Later: TypeAlias = Callable[[float, Callable[[], None]], object]

_FRAME_S = 0.1


def read_clock() -> float:
    """Seconds of the clock with which Textual stamps a key in the thread that reads it."""
    return Message().time


class Armed(Keys, inherit_bindings=False):
    """A screen with one `Fields`; `steady` and `later` are its clock and its timers."""

    intents: ClassVar[Mapping[str, Intent]]  # action id → what its keys stand for

    def __init__(self) -> None:
        super().__init__()
        self.steady: Callable[[], float] = read_clock
        self.later: Later = self.set_timer
        self.guard = Guard({}, needs=())
        self._framing = False

    def on_mount(self) -> None:
        """Learn which keys decide, and notice when the terminal loses and gains the focus."""
        keys = self.wall.keys
        by_key = {key: i for name, i in self.intents.items() for key in keys[name].keys}
        self.guard = Guard(by_key, needs=tuple(self.intents.values()))
        self.watch(self.app, "app_focus", self._focus_changed, init=False)
        self.app.app_resume_signal.subscribe(self, lambda _: self.armed_anew())

    @property
    def key_names(self) -> dict[Intent, str]:
        """The decision keys as the screen writes them."""
        return {intent: self.wall.keys.key(name) for name, intent in self.intents.items()}

    # --- what a screen says of itself -----------------------------------------------------------

    def sight_now(self) -> Sight | None:
        """What a decision would be on; None while nothing can be decided."""
        raise NotImplementedError

    def decided(self, decision: Decision) -> None:
        """Carry out a decision."""
        raise NotImplementedError

    def say(self, line: Line) -> None:
        """Tell the person something about the last key."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw all that changes."""
        raise NotImplementedError

    def draw_state(self) -> None:
        """Draw what moves by itself."""
        raise NotImplementedError

    def can_decide(self) -> bool:
        """Whether all that a decision rests on has its place on screen."""
        return True

    def shows_all(self) -> bool:
        """Whether the fields show all that a decision is on, not only a part."""
        return True

    # --- what was painted -----------------------------------------------------------------------

    def armed_anew(self) -> None:
        """Void what was pressed, and let keys count again some time after the next paint."""
        if sight := self.sight_now():
            self.guard.show(sight)
            self.call_after_refresh(self.painted, sight)

    def painted(self, sight: Sight) -> None:
        """What is on screen now may be decided on, if it is all there."""
        if not self.query(Fields):
            return
        fields = self.query_one(Fields)
        if not (self.is_current and self.app.app_focus and fields.drawn) or not self.can_decide():
            return
        now = self.steady()
        self.guard.painted(sight, now)
        if fields.end_drawn and self.shows_all():
            self.guard.end_painted(sight, now)
        self.draw()
        self._keep_drawing()

    def on_screen_suspend(self) -> None:
        """Something else is in front: no key counts."""
        self.guard.disturb()

    def on_resize(self) -> None:
        """All moves: nothing that was pressed counts."""
        self.armed_anew()
        self.draw()

    def _focus_changed(self, focused: bool) -> None:
        """A person who comes back to this window has to see it first."""
        if focused:
            self.armed_anew()
        else:
            self.guard.disturb()

    @on(Fields.Moved)
    def _moved(self) -> None:
        if self.guard.sight:
            self.call_after_refresh(self.painted, self.guard.sight)
        self.draw()

    # --- what was pressed -----------------------------------------------------------------------

    def take_key(self, event: events.Key) -> bool:
        """Give a key to the guard; True for a key that decides, which goes nowhere else."""
        name = key_name(event.key, event.character)
        decides = name in self.guard.keys
        if decides and self.wall.engine_gone:
            gone = safe(self.wall.engine_gone)
            self.say([(f" no answer can be given: {gone}", "alarm")])
        else:
            self.say(())
            self._take(self.guard.key(name, event.time))
        self.draw()
        return decides

    def on_paste(self, event: events.Paste) -> None:
        """Text is no answer."""
        event.stop()
        self.guard.paste(event.time)
        self.say([(" ignored: a paste decides nothing", "warn")])

    def _take(self, answer: Answer | None) -> None:
        match answer:
            case Ignored(why=why):
                self.say([(f" {why}", "warn")])
            case Wait(until=until):
                self.later(max(0.0, until - self.steady()), self._settle_soon)
            case SecondKey():
                self._keep_drawing()
            case Decision():
                self.decided(answer)

    def _settle_soon(self) -> None:
        """By way of the app's queue, as keys come: those read before now are handled before."""
        self.app.call_later(self.call_later, self._settle)

    def _settle(self) -> None:
        self._take(self.guard.settle(self.steady()))
        self.draw()

    # --- drawing --------------------------------------------------------------------------------

    def _keep_drawing(self) -> None:
        """Draw the state of the keys again and again while it moves by itself."""
        if self._framing or not self._moving():
            return
        self._framing = True
        self.later(_FRAME_S, self._frame)

    def _frame(self) -> None:
        self._framing = False
        self.draw_state()
        self._keep_drawing()

    def _moving(self) -> bool:
        now = self.steady()
        times = (self.guard.armed_at(Intent.DENY), self.guard.armed_at(Intent.ALLOW))
        if any(at is not None and now < at for at in times):
            return True
        return self.guard.second_until(now) is not None

    # --- scrolling ------------------------------------------------------------------------------

    def do_up(self) -> None:
        """One row up."""
        self.query_one(Fields).move(-1)

    def do_down(self) -> None:
        """One row down."""
        self.query_one(Fields).move(1)

    def do_page_up(self) -> None:
        """One window up."""
        self.query_one(Fields).move_page(-1)

    def do_page_down(self) -> None:
        """One window down."""
        self.query_one(Fields).move_page(1)

    def do_first(self) -> None:
        """To the start of what is decided on."""
        self.query_one(Fields).move_to_start()

    def do_last(self) -> None:
        """To its end."""
        self.query_one(Fields).move_to_end()
