"""Rules: what is in force, in the order in which it is judged, and every way to change it.

Each change is a command to the engine, which writes config.toml and puts it in force; the screen
then shows what the engine says is in force, never what it hopes for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work

from mcpwall.engine import port, port_rules
from mcpwall.engine.port_rules import Mistake
from mcpwall.model import Defaults
from mcpwall.tui.completion import term
from mcpwall.tui.mirror import Part as Changed
from mcpwall.tui.review.layout import safe
from mcpwall.tui.review.panels import rule
from mcpwall.tui.rules.defaults import without_rules
from mcpwall.tui.rules.effect import diff_lines, trouble
from mcpwall.tui.rules.mistakes import about_mistake, place, placed
from mcpwall.tui.rules.table import about, in_order, which_calls
from mcpwall.tui.screens.affected import AffectedScreen
from mcpwall.tui.screens.listing import ListScreen
from mcpwall.tui.widgets.panel import Panel
from mcpwall.tui.widgets.pick_list import Selected
from mcpwall.tui.widgets.rule_form import RuleForm
from mcpwall.tui.widgets.rule_list import RuleList
from mcpwall.tui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from mcpwall.tui.keys import Action
    from mcpwall.tui.mirror import Changes
    from mcpwall.tui.widgets.lines import Line

_ORDER = "judged in this order: lockdown, hide, deny, limit, ask, allow, then [defaults]"
_ORDER_BRIEF = "order: hide deny limit ask allow"
_ORDER_ROOM = 110  # cells for all of it, and for what can be undone
_ON_ONE = ("edit", "toggle", "delete", "test", "calls")  # actions on the selected rule


class RulesScreen(ListScreen):
    """The table, all about the selected rule, and what waits for a decision on the file."""

    scope = "rules"
    DEFAULT_CSS = """
    RulesScreen TextLines { height: 9; }
    RulesScreen.-low TextLines { height: 7; }
    RulesScreen.-tiny TextLines { height: 3; }
    RulesScreen.-tiny #history { display: none; }
    RulesScreen.-edited TextLines { height: 1fr; }
    RulesScreen.-edited RuleList { height: 6; }
    RulesScreen.-tiny.-edited RuleList { height: 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._wanted = ""  # the rule to select once the engine has told of it

    def body(self) -> ComposeResult:
        """What is wrong with the file, the table, the selected rule, and what can be undone."""
        yield Panel(id="banner")
        yield RuleList()
        yield Panel(id="about")
        yield TextLines(says_more=True)
        yield Panel(id="history")

    def on_screen_resume(self) -> None:
        """Shown again."""
        super().on_screen_resume()
        self._show()

    def changed(self, changes: Changes) -> None:
        """Rules or their counts changed, or the file did."""
        if changes.parts & (Changed.RULES | Changed.STATUS):
            self._show()

    def tick(self) -> None:
        """Remembered answers run out."""
        self.query_one(RuleList).refresh()

    def why_off(self, action: Action) -> str:
        """What cannot be done with the selected rule, and why."""
        listed = self.query_one(RuleList)
        row = listed.rule
        if action.scope == "rules" and action.name in _ON_ONE:
            if row is None and listed.selected:
                return f"this is a mistake in a file; {self._editor_key} opens it there"
            if row is None:
                return "there is no rule yet"
            if action.name == "calls":
                return ""
            if row.rule.origin and row.rule.origin.project:
                return f"edit it where it stands: {safe(row.rule.origin.file)}"
            if row.remembered and action.name != "delete":
                return "a remembered answer is not changed; delete it, or write a rule"
        status = self.mirror.status
        if action.name in ("accept", "reject") and not (status and status.outside_edit):
            return "no edit from outside waits"
        if status and action.name in ("undo", "redo") and not getattr(status, action.name):
            return f"there is nothing to {action.name}"
        return super().why_off(action)

    # --- keys -----------------------------------------------------------------------------------

    def do_new(self) -> None:
        """Write a rule."""
        self.app.push_screen(RuleForm({}))

    def do_edit(self) -> None:
        """Change the selected rule."""
        if row := self.query_one(RuleList).rule:
            self.app.push_screen(RuleForm(row.fields, row.rule.id))

    def do_toggle(self) -> None:
        """Switch the selected rule on or off."""
        if row := self.query_one(RuleList).rule:
            self._tell(port_rules.ToggleRule(row.rule.id, not row.rule.enabled))

    def do_delete(self) -> None:
        """Delete the selected rule, or forget the answer."""
        if row := self.query_one(RuleList).rule:
            self._delete(row)

    def select(self, rule: str) -> None:
        """Select a rule by its id, as soon as it is there."""
        self._wanted = rule
        if self.is_mounted:
            self._show()

    def do_calls(self) -> None:
        """The calls on which the selected rule decided."""
        if row := self.query_one(RuleList).rule:
            self.wall.filter_calls(term("rule", row.rule.id))

    def do_test(self) -> None:
        """What the selected rule matches of the last calls, and what it decides there."""
        if row := self.query_one(RuleList).rule:
            self._test(row)

    def do_editor(self) -> None:
        """Open the file of what is selected in the editor, at its line; else config.toml."""
        if not (status := self.mirror.status):
            return
        item = self.query_one(RuleList).selected
        if isinstance(item, Mistake):
            self.wall.edit_file(item.path, item.line)
        elif item and (origin := item.rule.origin) and not item.remembered:
            self.wall.edit_file(origin.file if origin.project else status.config, origin.line)
        else:
            self.wall.edit_file(status.config)

    @property
    def _editor_key(self) -> str:
        return self.wall.keys.key("rules.editor")

    def do_undo(self) -> None:
        """Undo the last change."""
        self._tell(port_rules.Undo())

    def do_redo(self) -> None:
        """Do it again."""
        self._tell(port_rules.Undo(redo=True))

    def do_accept(self) -> None:
        """Put the edit from outside in force."""
        self._answer_edit(accept=True)

    def do_reject(self) -> None:
        """Put the rules in force back over it."""
        self._answer_edit(accept=False)

    # --- what goes to the engine ----------------------------------------------------------------

    @work
    async def _tell(self, command: port.Command) -> None:
        reply = await self.wall.tell(command)
        if isinstance(reply, port.Done) and reply.rule:
            self.select(reply.rule)

    @work
    async def _test(self, row: port_rules.RuleRow) -> None:
        """Ask about the rule as it stands in its own place: nothing would change."""
        reply = await self.wall.send(port_rules.Preview(fields=row.fields, replaces=row.rule.id))
        if isinstance(reply, port_rules.Previewed):
            self.app.push_screen(AffectedScreen(reply))
        elif isinstance(reply, port.Refused):
            self.wall.say(reply.text, "error")

    @work
    async def _delete(self, row: port_rules.RuleRow) -> None:
        what = "Forget this answer?" if row.remembered else f"Delete rule {safe(row.rule.id)}?"
        after = "undo brings it back." if not row.remembered else "Calls like it are asked again."
        if await self.wall.confirm(what, which_calls(row.rule), after):
            await self.wall.tell(port_rules.DropRule(row.rule.id))

    @work
    async def _answer_edit(self, *, accept: bool) -> None:
        status = self.mirror.status
        if not status or not (edit := status.outside_edit):
            return
        question = "Let the edit from outside take effect?" if accept else "Undo that edit?"
        if not accept:
            because = ["The file is written back to the rules in force."]
        else:
            because = [safe(sentence) for sentence in edit.what]
        if await self.wall.confirm(question, *because):
            await self.wall.tell(port_rules.AcceptEdit(edit.hash, accept))

    # --- drawing --------------------------------------------------------------------------------

    def _show(self) -> None:
        if not self.query("#history"):  # the app is closing
            return
        status = self.mirror.status
        mistakes = status.mistakes if status else ()
        listed = self.query_one(RuleList)
        listed.show(placed(in_order(self.mirror.rules), mistakes))
        if self._wanted and listed.select(self._wanted):
            self._wanted = ""
        self._draw()

    @on(Selected)
    def _draw(self) -> None:
        room, status = self.size.width, self.mirror.status
        edit = status.outside_edit if status else None
        self.set_class(edit is not None, "-edited")
        self.query_one("#banner", Panel).show(self._banner(status, room) if status else [])
        item = self.query_one(RuleList).selected
        if edit:
            title, lines = "THE EDIT THAT WAITS", diff_lines(edit.diff, room)
        elif isinstance(item, Mistake):
            title, lines = place(item), about_mistake(item, self._editor_key, room)
        elif item:
            now_ms = self.wall.now() * 1000
            title, lines = safe(item.rule.id), about(item, now_ms, self.wall.zone, room)
        else:
            keys, defaults = self.wall.keys, status.defaults if status else Defaults()
            made = keys.key("calls.rule")
            title, lines = "", without_rules(defaults, keys.key("rules.new"), made, room)
        self.query_one("#about", Panel).show([rule(title, "", room, "title")])
        self.query_one(TextLines).show(lines)
        undo = f"undo {status.undo} · redo {status.redo}" if status else ""
        order = _ORDER if room >= _ORDER_ROOM else _ORDER_BRIEF
        self.query_one("#history", Panel).show([rule(order, undo, room)])

    def _banner(self, status: port.Status, room: int) -> list[Line]:
        """What is wrong with the file, or what an edit from outside would loosen."""
        lines: list[Line] = []
        if status.config_error:
            lines += trouble(f"{status.config_error}; the last good rules stay in force", room)
        if others := {one.file for one in status.mistakes if one.project}:
            names = ", ".join(sorted(others))
            lines += trouble(f"{names} does not load: calls of agents there are denied", room)
        if edit := status.outside_edit:
            lines += trouble("config.toml was edited outside mcpwall; this is not in force:", room)
            for sentence in edit.what:
                lines += [[("   · ", "warn"), *line[1:]] for line in trouble(sentence, room)]
            accept, reject = (self.wall.keys.key(f"rules.{name}") for name in ("accept", "reject"))
            lines.append([("   ", ""), (accept, "accent"), (" lets it take effect   ", ""),
                          (reject, "accent"), (" puts the rules in force back", "")])  # fmt: skip
        return lines
