"""The table of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcpwall.engine.port_rules import RuleRow
from mcpwall.tui.rules.table import columns, heading, rule_line
from mcpwall.tui.widgets.pick_list import PickList

if TYPE_CHECKING:
    from mcpwall.tui.widgets.lines import Line


class RuleList(PickList[RuleRow]):
    """The rules, known by their ids."""

    def key_of(self, item: RuleRow) -> str:
        """Its id."""
        return item.rule.id

    def heading(self) -> Line:
        """The names of the columns."""
        return heading(columns(self.size.width))

    def item_line(self, item: RuleRow) -> Line:
        """A rule."""
        return rule_line(item, columns(self.size.width), self.wall.now() * 1000, self.wall.zone)
