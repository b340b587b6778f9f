"""What is done with marked calls together: copied, compared, made a rule of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mcpwall.engine import port_calls
from mcpwall.tui.detail import Known
from mcpwall.tui.rules.common import fields_from_calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcpwall.engine.port_calls import Row
    from mcpwall.tui.app import WallApp

TWO = 2  # calls that are compared


async def copy(wall: WallApp, rows: Sequence[Row]) -> None:
    """The calls as a JSON list to the clipboard, in ASCII alone: what is pasted hides nothing."""
    calls = [_plain(known) for known in await _known(wall, rows)]
    wall.copy(json.dumps(calls, indent=2), f"{len(calls)} marked call" + "s" * (len(calls) != 1))


async def rule(wall: WallApp, rows: Sequence[Row]) -> None:
    """The form of a rule that denies calls like these."""
    from mcpwall.tui.widgets.rule_form import RuleForm

    known = await _known(wall, rows)
    arguments = [one.arguments for one in known]
    wall.push_screen(RuleForm(fields_from_calls([one.row for one in known], arguments)))


async def compare(wall: WallApp, rows: Sequence[Row]) -> None:
    """Two calls side by side: what the later one has that the earlier one had not."""
    from mcpwall.tui.screens.pair import PairScreen

    before, after = await _known(wall, rows)
    wall.push_screen(PairScreen(before, after))


async def _known(wall: WallApp, rows: Sequence[Row]) -> list[Known]:
    """What the engine can say of each; the row alone where it cannot be asked."""
    found = []
    for row in rows:
        details = await wall.send(port_calls.Details(row.id))
        if isinstance(details, port_calls.CallDetails):
            found.append(Known(details.row, details.arguments, details, asked=True))
        else:
            found.append(Known(row, asked=True))
    return found


def _plain(known: Known) -> dict[str, Any]:
    row = known.row
    told = {"call": row.id, "agent": row.agent, "server": row.server, "tool": row.tool}
    if row.method != "tools/call":
        told["method"] = row.method
    if known.arguments is None:
        return told | {"arguments_start": row.preview}
    return told | {"arguments": known.arguments}
