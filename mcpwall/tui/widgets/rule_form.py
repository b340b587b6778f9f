"""The form of one rule: what it is about, what it does, and what it would have done.

Nothing is saved before `form.save`, and nothing is decided here: each change of the text is sent to
the engine as a preview, which answers with what the rule would have done to the last calls, the
lines of config.toml that would change, or what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Horizontal, VerticalScroll
from textual.suggester import SuggestFromList
from textual.widgets import Input

from mcpwall.engine import port, port_rules
from mcpwall.text import fit
from mcpwall.tui.keys import shown
from mcpwall.tui.review.layout import safe
from mcpwall.tui.review.panels import rule
from mcpwall.tui.rules.bounds import FIELDS as BOUNDS
from mcpwall.tui.rules.bounds import Bounds
from mcpwall.tui.rules.draft import (
    DEEDS,
    HITS,
    PER,
    ArgumentTest,
    Draft,
    DraftError,
    draft_of,
    selecting,
    table_of,
    unshown,
)
from mcpwall.tui.rules.effect import effect, trouble
from mcpwall.tui.rules.values import OPERATORS
from mcpwall.tui.screens.affected import AffectedScreen
from mcpwall.tui.screens.base import WallModal
from mcpwall.tui.screens.matched import MatchedScreen
from mcpwall.tui.widgets.choice import Choice
from mcpwall.tui.widgets.entry import Entry
from mcpwall.tui.widgets.matches import Matches
from mcpwall.tui.widgets.panel import Panel
from mcpwall.tui.widgets.preview import PreviewLines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.model import JsonObject
    from mcpwall.tui.widgets.lines import Line

_SLIM = 60  # cells: below this there is no room for all keys
_QUIET_S = 0.2  # after the last change, before the engine is asked


class _Row(Horizontal):
    """A name and the inputs beside it."""

    DEFAULT_CSS = """
    _Row { height: 1; }
    _Row Panel { height: 1; width: 11; }
    _Row Entry, _Row Choice { width: 1fr; margin: 0 1 0 0; }
    _Row Entry { background: $panel; }
    _Row #limit { width: 20; max-width: 45%; }
    _Row #after_within { width: 16; max-width: 30%; }
    _Row .op { width: 18; max-width: 30%; }
    _Row Entry:focus { background: $cursor; }
    _Row Entry.-wrong, _Row.-wrong Entry { background: $error 30%; }
    """

    def __init__(self, name: str, *inputs: Entry | Choice | Matches) -> None:
        super().__init__(*inputs)
        self._label = name

    def on_mount(self) -> None:
        """Write the name."""
        label = Panel()
        self.mount(label, before=0)
        label.show([[(f" {self._label}", "accent")]])


class RuleForm(WallModal):
    """Edits the TOML table `fields`; `replaces` is the id of the rule that it stands for, if any.

    The result is True when a rule was saved.
    """

    scope = "form"
    DEFAULT_CSS = """
    RuleForm { align: center bottom; background: $background 40%; }
    RuleForm > VerticalScroll { width: 100%; height: 100%; margin: 2 0 0 0;
        background: $background; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable; }
    RuleForm PreviewLines { height: 1fr; min-height: 4; }
    """

    def __init__(self, fields: JsonObject, replaces: str = "") -> None:
        super().__init__()
        self._written = fields
        self._replaces = replaces
        self._start = draft_of(fields)
        self._bounds = Bounds(self._start.do)
        self._previewed: port_rules.Previewed | None = None

    def compose(self) -> ComposeResult:
        """The fields from top to bottom, then what the engine says."""
        draft = self._start
        with VerticalScroll(can_focus=False):
            yield Panel(id="form-title")
            yield _Row("do", Choice(DEEDS, draft.do, id="do"))
            yield _Row("server", _entry("server", draft.server, "every server; git*, !prod-*"))
            tool = _entry("tool", draft.tool, "every tool; delete_*, !delete_draft")
            yield _Row("tool", tool, Matches(tool))
            for test in (*draft.tests, ArgumentTest()):
                yield _test_row(test)
            yield _Row(
                "after", _entry("after_server", draft.after_server, "on every server"),
                _entry("after_tool", draft.after_tool, "none; a call before: read_*"),
                _entry("after_within", draft.after_within, "within 30m"),
            )  # fmt: skip
            yield _Row(
                "repeat", _entry("repeat", draft.repeat, "none; 5 times the same call in a row")
            )
            yield _Row(
                "limit", _entry("limit", draft.limit, "none; 10 per 60s"),
                Choice(PER, draft.per, label="counted per ", id="per"),
            )  # fmt: skip
            when_hit = _Row("when hit", Choice(HITS, draft.hit, id="hit"))
            when_hit.display = draft.do == "limit"
            yield when_hit
            yield _Row(
                "budget", _entry("sum", draft.sum, "none; the argument that is summed up"),
                _entry("budget", draft.budget, "2000 per 1d"),
            )  # fmt: skip
            yield _Row("reason", _entry("reason", draft.reason, "told to the model and to you"))
            yield PreviewLines(says_more=True)

    def on_mount(self) -> None:
        """Say which keys save and discard, and what the rule would do as it is."""
        self._draw_title()
        self.query_one("#do", Choice).focus()
        self._preview()

    def on_resize(self) -> None:
        """The title and its keys at the edges."""
        self._draw_title()

    # --- what was typed -------------------------------------------------------------------------

    def draft(self) -> Draft:
        """What stands in the form now."""
        return Draft(
            do=self._chosen_word("do"),
            server=self._text("server"),
            tool=self._text("tool"),
            tests=tuple(
                ArgumentTest(*(entry.value for entry in row.query(Entry)))
                for row in self.query(".test").results(_Row)
            ),
            after_server=self._text("after_server"),
            after_tool=self._text("after_tool"),
            after_within=self._text("after_within"),
            repeat=self._text("repeat"),
            limit=self._text("limit"),
            per=self._chosen_word("per"),
            hit=self._chosen_word("hit"),
            sum=self._text("sum"),
            budget=self._text("budget"),
            reason=self._text("reason"),
            kept=self._start.kept,
            also=self._start.also,
        )

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Entry).value

    def _chosen_word(self, name: str) -> str:
        return self.query_one(f"#{name}", Choice).value

    @on(Input.Changed)
    @on(Choice.Changed)
    def _changed(self) -> None:
        if not self.draft().tests[-1].empty:
            last = self.query(".test").last()
            self.query_one(VerticalScroll).mount(_test_row(ArgumentTest()), after=last)
        self.set_timer(_QUIET_S, self._preview)

    @on(Choice.Changed)
    def _chosen(self) -> None:
        entries = [self.query_one(f"#{name}", Entry) for name in BOUNDS]
        deed = self._chosen_word("do")
        if row := self.query_one("#hit").parent:
            row.display = deed == "limit"
        texts = self._bounds.turn(deed, tuple(entry.value for entry in entries))
        for entry, text in zip(entries, texts, strict=True):
            entry.value = text

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        told = self.query_one(Matches).told
        if event.input.id == "tool" and told and told.matched:
            self.app.push_screen(MatchedScreen(told))
        else:
            self.do_next()

    def on_descendant_focus(self) -> None:
        """What enter does on the line of the tools depends on it."""
        self.query_one(Matches).refresh()

    def do_next(self) -> None:
        """The next field."""
        self.focus_next()

    def do_previous(self) -> None:
        """The field before."""
        self.focus_previous()

    # --- what the engine says -------------------------------------------------------------------

    @work(group="preview", exclusive=True)
    async def _preview(self) -> None:
        """Ask what the rule as typed would have done, and which tools it is about."""
        self._previewed = None
        self.query_one(Matches).about(selecting(self.draft()))
        try:
            table = table_of(self.draft(), self._written)
        except DraftError as error:
            self._wrong(error)
            return
        reply = await self.wall.send(port_rules.Preview(fields=table, replaces=self._replaces))
        match reply:
            case port_rules.Previewed():
                self._previewed = reply
                self._say(effect(reply, self.size.width))
            case port.Refused(text=text):
                self._say(trouble(text, self.size.width))

    @on(PreviewLines.Wanted)
    def do_list(self) -> None:
        """The calls that the rule as typed would have changed."""
        if self._previewed:
            self.app.push_screen(AffectedScreen(self._previewed))

    def do_save(self) -> None:
        """Save the rule, and close when that worked."""
        self._save()

    @work(group="save", exclusive=True)
    async def _save(self) -> None:
        try:
            table = table_of(self.draft(), self._written)
        except DraftError as error:
            self._wrong(error)
            return
        reply = await self.wall.send(port_rules.PutRule(table, self._replaces))
        if isinstance(reply, port.Refused):
            self._say(trouble(reply.text, self.size.width))
            return
        self.wall.say(f"rule saved to {self._file()}; it is in force now")
        if isinstance(reply, port.Done):
            self.wall.select_rule(reply.rule)
        self.dismiss(True)

    def do_close(self) -> None:
        """Discard."""
        self.dismiss(False)

    def _wrong(self, error: DraftError) -> None:
        """Say what cannot be read, and mark where."""
        self._say(trouble(f"{error.field.rstrip('0123456789')}: {error}", self.size.width))
        for entry in self.query(Entry):
            entry.set_class(entry.id == error.field, "-wrong")
        for number, row in enumerate(self.query(".test")):
            row.set_class(error.field == f"test{number}", "-wrong")

    def _say(self, lines: list[Line]) -> None:
        self.query(".-wrong").remove_class("-wrong")
        self.query_one(PreviewLines).show(lines)

    def _draw_title(self) -> None:
        room = self.size.width - 1  # the bar that scrolls
        names = ("save", "close") if room < _SLIM else ("list", "save", "close")
        actions = [self.wall.keys[f"form.{name}"] for name in names]
        keys = "   ".join(f"{shown(action.keys[0])} {action.label}" for action in actions)
        name = f"EDIT {safe(self._replaces)}" if self._replaces else "NEW RULE"
        lines = [rule(name, keys, room, "title", "dim")]
        if more := unshown(self._start):
            lines.append([(" also      ", "accent"), (fit(more, room - 12), "dim")])
        self.query_one("#form-title", Panel).show(lines)

    def _file(self) -> str:
        status = self.mirror.status
        return status.config if status else "config.toml"


def _entry(name: str, text: str, hint: str) -> Entry:
    return Entry(text, id=name, placeholder=hint, compact=True)


def _test_row(test: ArgumentTest) -> _Row:
    suggester = SuggestFromList(OPERATORS)
    row = _Row(
        "argument",
        Entry(test.argument, placeholder="none; path, items[].url, any", compact=True),
        Entry(
            test.op, placeholder="equals, glob, …", suggester=suggester, compact=True, classes="op"
        ),
        Entry(test.value, placeholder="value", compact=True),
    )
    row.add_class("test")
    return row
