"""The table of rules, with what is wrong in their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine.port_rules import Mistake, RuleRow
from mcpwall.tui.rules.mistakes import Item, broken, mistake_line
from mcpwall.tui.rules.table import columns, heading, rule_line
from mcpwall.tui.widgets.pick_list import PickList

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from mcpwall.tui.widgets.lines import Line


class RuleList(PickList[Item]):
    """The rules, known by their ids, and what is wrong in their files."""

    _broken: frozenset[str] = frozenset()  # rules with a mistake beside them

    def show(self, items: Sequence[Item]) -> None:
        """Show these."""
        self._broken = broken(items)
        super().show(items)

    @property
    def rule(self) -> RuleRow | None:
        """The selected rule, if it is a rule that is selected."""
        item = self.selected
        return item if isinstance(item, RuleRow) else None

    def key_of(self, item: Item) -> Hashable:
        """The id of a rule; a mistake's place and words."""
        if isinstance(item, Mistake):
            return (item.file, item.line, item.what)
        return item.rule.id

    def heading(self) -> Line:
        """The names of the columns."""
        return heading(columns(self.size.width))

    def item_line(self, item: Item) -> Line:
        """A rule, or a mistake beside it."""
        if isinstance(item, Mistake):
            return mistake_line(item, self.size.width)
        marked = item.rule.id in self._broken and not item.remembered
        widths, now_ms = columns(self.size.width), self.wall.now() * 1000
        return rule_line(item, widths, now_ms, self.wall.zone, broken=marked)
