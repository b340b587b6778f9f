"""An engine whose every foreign field tries to reach the terminal or the app's markup."""

from __future__ import annotations

import json

from msgspec.structs import replace

from mcpwall.engine import port, port_answers, port_calls, port_rules, port_tools
from mcpwall.engine.port_sessions import SessionRow
from mcpwall.engine.port_tools import Pin, ServerRow, ToolRow
from mcpwall.model import Action, Cause, Origin, Risk, Rule, Tool, Verdict
from tests.tui.scenes import NOW_MS, STATUS, TOTALS

# One of each kind: erase, title, clipboard, C1, bell, line ends, bidi, zero width, tags,
# private use, wide, combining, markup that raises, markup that acts. (Lone surrogates never pass
# the control socket.)
CONTROL = (
    "\x1b[2J\x1b]0;owned\x07\x1b]52;c;SEVJTA==\x1b\\\x9b31m\x9d0;x\x9c\r\n\x08\x7f\x00\t"
    "\u202eevil\u2066\u200b\u200d\u2028\ufeff\U000e0041\ue000\ufe0f漢e\u0301\u0301\u0301"
)
MARKUP = "[/foo][bold][@click=app.detach]x[/][link=http://evil.test]y[/link]$error"


def benign(text: str) -> str:
    """Harmless text of the same length."""
    return "x" * len(text)


def snapshot(nasty: str = CONTROL + MARKUP) -> port.Snapshot:
    """Everything that a stranger can write is `nasty`."""
    arguments = {"path": nasty, nasty: [nasty, {"n": nasty}], "lines": f"one\n{nasty}\ntwo"}
    preview = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))[:600]
    verdict = Verdict(Action.DENY, Cause.RULE, (nasty,), nasty, policy="0123456789ab")
    rows = tuple(
        port_calls.Row(
            id=n,
            at_ms=NOW_MS - 1000 * (10 - n),
            session=nasty,
            agent=f"{nasty}#{n}",
            client=nasty,
            server=nasty,
            method=nasty if n == 1 else "tools/call",
            tool=nasty,
            risk=Risk.EXECUTE,
            preview=preview,
            size=len(preview),
            digest="ab" * 32,
            verdict=verdict,
            state=state,
            note=nasty,
        )
        for n, state in enumerate(port_calls.State, 1)
    )
    listed = ToolRow(
        nasty,
        Pin.CHANGED,
        "",
        nasty,
        why=nasty,
        hints=(nasty,),
        flags=(nasty,),
        rules=(nasty,),
        applies=nasty,
    )
    tool = Tool(nasty, nasty, nasty, nasty, {"title": nasty}, {"title": nasty}, why=nasty)
    waiting = next(row for row in rows if row.state is port_calls.State.HELD)
    held = port_calls.Held(
        row=waiting,
        arguments=arguments,
        digest=waiting.digest,
        revision=1,
        since_ms=NOW_MS,
        deadline_ms=NOW_MS + 50_000,
        two_keys=True,
        why=(nasty,),
        flags=(nasty,),
        tool=tool,
    )
    rule = Rule("r1", (nasty,), (nasty,), action=Action.DENY, origin=Origin(nasty, 3), reason=nasty)
    session = SessionRow(
        id=nasty, agent=nasty, client=nasty, client_version=nasty, protocol=nasty, server=nasty,
        transport=nasty, pid=1, directory=nasty, since_ms=NOW_MS, calls=1, held=1,
    )  # fmt: skip
    edit = port_rules.OutsideEdit("hash", f"-{nasty}\n+{nasty}", (nasty,))
    return port.Snapshot(
        seq=1,
        status=replace(
            STATUS,
            home=nasty,
            config=nasty,
            config_error=nasty,
            outside_edit=edit,
            store=nasty,
            mistakes=(port_rules.Mistake(nasty, nasty, 3, nasty, nasty),),
        ),
        rows=rows,
        held=(held,),
        rules=(port_rules.RuleRow(rule, {"tool": nasty, "reason": nasty}, 1, NOW_MS),),
        sessions=(session,),
        servers=(ServerRow(nasty, nasty, nasty, 1, (listed,), 1, flags=(nasty,), said=(nasty,)),),
        totals=TOTALS,
    )


def answers(hostile: port.Snapshot, nasty: str = CONTROL + MARKUP) -> dict[type, port.Reply]:
    """Replies that are as hostile as the rest."""
    held = hostile.held[0]
    return {
        port_calls.Details: port_calls.CallDetails(
            held.row, held.arguments, nasty, nasty, 999, 9, held.tool
        ),
        port.Lockdown: port.Refused(nasty),
        port_rules.Preview: port_rules.Previewed(500, diff=f"-{nasty}\n+{nasty}"),
        port_rules.PutRule: port.Refused(nasty),
        port_answers.Decide: port.Refused(nasty),
        port_calls.Search: port_calls.Found(hostile.rows, 0, NOW_MS, 9),
        port_tools.Inspect: port_tools.Inspected(
            nasty,
            "h",
            {"description": nasty, nasty: nasty},
            {"description": "x"},
            (port_tools.Difference(nasty, nasty, nasty),),
            hostile.servers[0].tools[0],
            held.tool,
            port_tools.Recommendation({"tool": nasty}, nasty),
        ),
        port_tools.Recommend: port_tools.Recommended(
            (port_tools.Recommendation({"tool": nasty}, nasty),), f"-{nasty}\n+{nasty}"
        ),
        port_tools.MatchTools: port_tools.ToolsMatched(1, {nasty: (nasty,)}),
        port_tools.Classify: port_tools.Classified(
            replace(hostile.servers[0].tools[0], why="x"),
            hostile.servers[0].tools[0],
            1,
            f"-{nasty}\n+{nasty}",
        ),
        port_answers.CheckEdit: port_answers.EditChecked(held.arguments, "cd" * 32, 99, (nasty,)),
    }
