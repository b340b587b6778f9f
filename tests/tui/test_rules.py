"""The rules screen: what is in force, and each way to change it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from msgspec.structs import replace

from mcpwall.engine import port, port_calls, port_rules, port_tools
from mcpwall.model import Action, Budget, Condition, Defaults, Origin, Per, RateLimit, Risk, Rule
from mcpwall.tui.settings import Settings
from mcpwall.tui.widgets.entry import Entry
from mcpwall.tui.widgets.rule_form import RuleForm
from tests.tui.fake_port import FakePort
from tests.tui.scenes import NOW_MS, STATUS, busy, empty
from tests.tui.screens import NARROW, WIDE, Shown, golden, scenario, showing

EVIL = "x\x1b]52;c;SEVJTA==\x07[/foo][@click=app.quit]y\u202e‹end"


def rule_row(
    rule: Rule, hits: int = 0, ago_s: float | None = None, **more: Any
) -> port_rules.RuleRow:
    fields: dict[str, Any] = {"id": rule.id, "tool": list(rule.tool), "action": "deny"}
    last = None if ago_s is None else NOW_MS - int(ago_s * 1000)
    return port_rules.RuleRow(rule, fields, hits, last, **more)


def at(line: int) -> Origin:
    return Origin("config.toml", line)


RULES = (
    rule_row(Rule("read-all", risk=(Risk.READ,), action=Action.ALLOW, origin=at(60)), 1190, 1),
    rule_row(
        Rule(
            "env",
            server=("filesystem",),
            tool=("*",),
            when=(Condition("path", "glob", "**/.env*"),),
            action=Action.DENY,
            reason="keep secrets out of prompts",
            origin=at(41),
        ),
        3,
        14,
    ),
    rule_row(
        Rule(
            "slack",
            server=("slack",),
            tool=("post_message",),
            rate_limit=RateLimit(5, 60, Per.AGENT),
            origin=at(24),
        ),
        4,
        8,
    ),
    rule_row(
        Rule("money", budget=Budget("amount", "2000", 86400), origin=at(29), enabled=False), 0
    ),
    rule_row(Rule("risky", risk=(Risk.EXECUTE,), action=Action.ASK, origin=at(12)), 11, 1),
    rule_row(
        Rule("s01", server=("shell",), tool=("run",), action=Action.APPROVE),
        6,
        90,
        remembered=True,
        expires_ms=NOW_MS + 720_000,
    ),
    rule_row(
        Rule(
            "proj",
            tool=("push",),
            action=Action.ASK,
            origin=Origin("/home/dev/acme/.mcpwall.toml", 3, project=True),
        )
    ),
)


MATCHED = port_tools.ToolsMatched(40, {"slack": ("post_message", "post_file"), "fs": ("post",)})


def engine(**status: Any) -> FakePort:
    fake = FakePort(replace(busy(), rules=RULES, status=replace(STATUS, undo=1, **status)))
    fake.replies[port_tools.MatchTools] = MATCHED
    fake.replies[port_rules.Preview] = port_rules.Previewed(
        500,
        matched=(1, 2, 3),
        limited=(1, 2),
        diff='--- a\n+++ b\n@@ -1 +1 @@\n-rate_limit = "5/minute"\n+rate_limit = "9/minute"\n',
    )
    return fake


def sent(fake: FakePort, kind: type[Any]) -> list[Any]:
    return [command for command in fake.sent if isinstance(command, kind)]


def orders(fake: FakePort) -> list[Any]:
    """The commands that change something."""
    asks = port_calls.Details | port_rules.Preview | port_tools.MatchTools
    return [c for c in fake.sent if not isinstance(c, asks)]


async def select(shown: Shown, rule: str) -> None:
    await shown.press("g")
    for _ in RULES:
        if f"▌ {rule}" in shown.text():
            return
        await shown.press("j")
    raise AssertionError(shown.text())


async def write(shown: Shown, name: str, text: str) -> None:
    entry = shown.app.screen.query_one(f"#{name}", Entry)
    entry.value = text
    await shown.settle()


async def saved_by(written: dict[str, Any], field: str, keys: list[str]) -> dict[str, Any]:
    """The rule as it is saved when these keys were pressed in a field of its form."""
    fake = engine()
    async with showing(fake) as shown:
        shown.app.push_screen(RuleForm(written, "r1"))
        await shown.settle()
        shown.app.screen.query_one(field).focus()
        await shown.press(*keys, "ctrl+s")
        saved: dict[str, Any] = sent(fake, port_rules.PutRule)[0].fields
    return saved


# --- the table ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_the_rules_in_the_order_of_judgement(name: str, size: tuple[int, int]) -> None:
    async with showing(engine(), size) as shown:
        await shown.press("3")
        await select(shown, "env")
        golden(f"rules-{name}", shown.text())


@scenario
async def test_the_selected_rule_stays_selected_when_others_come_and_go() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3")
        await select(shown, "slack")
        more = rule_row(Rule("aaa", action=Action.DENY, origin=at(1)))
        await fake.push(port.RulesEvent((more, *RULES)))
        await shown.settle()
        assert "▌ slack" in shown.text()


@scenario
async def test_more_rules_than_rows_scroll_with_the_cursor() -> None:
    fake = engine()
    many = tuple(
        rule_row(Rule(f"n{n:03}", tool=("x",), action=Action.DENY, origin=at(n)))
        for n in range(1, 90)
    )
    async with showing(fake, NARROW) as shown:
        await fake.push(port.RulesEvent(many))
        await shown.press("3", "G")
        assert "▌ n089" in shown.text()
        await shown.press("g")
        assert "▌ n001" in shown.text()


# --- changes ------------------------------------------------------------------------------------


@scenario
async def test_space_switches_a_rule_on_and_off() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3")
        await select(shown, "money")
        await shown.press("space")
        await select(shown, "env")
        await shown.press("space")
        assert sent(fake, port_rules.ToggleRule) == [
            port_rules.ToggleRule("money", True),
            port_rules.ToggleRule("env", False),
        ]


@scenario
async def test_a_rule_is_deleted_only_after_a_confirm() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3")
        await select(shown, "env")
        await shown.press("d")
        assert "Delete rule env?" in shown.text()
        await shown.press("enter", "n")
        assert sent(fake, port_rules.DropRule) == []
        await shown.press("d", "y")
        assert sent(fake, port_rules.DropRule) == [port_rules.DropRule("env")]


@scenario
async def test_a_remembered_answer_is_forgotten_and_never_edited() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3")
        await select(shown, "s01")
        await shown.press("e", "space")
        assert orders(fake) == []
        await shown.press("d", "y")
        assert sent(fake, port_rules.DropRule) == [port_rules.DropRule("s01")]


@scenario
async def test_a_rule_of_a_project_is_not_changed_here() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3")
        await select(shown, "proj")
        await shown.press("d", "e", "space")
        assert orders(fake) == []
        notes = [note.message for note in shown.app._notifications]
        assert notes[0] == "▲ d delete: edit it where it stands: /home/dev/acme/.mcpwall.toml"


@scenario
async def test_undo_and_redo_where_there_is_something_to_take_back() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3", "u", "U")
        assert orders(fake) == [port_rules.Undo()]


@scenario
async def test_a_refusal_of_the_engine_is_said() -> None:
    fake = engine()
    fake.replies[port_rules.Undo] = port.Refused("edited outside; look")
    async with showing(fake) as shown:
        await shown.press("3", "u")
        assert [note.message for note in shown.app._notifications] == ["✗ edited outside; look"]


# --- the file -----------------------------------------------------------------------------------


@scenario
async def test_a_file_that_does_not_load_is_said_with_its_line() -> None:
    error = "config.toml:17: unknown key 'actoin' in a rule; did you mean 'action'?"
    async with showing(engine(config_error=error), NARROW) as shown:
        await shown.press("3")
        assert "config.toml:17" in shown.text()
        assert "last good rules stay in force" in shown.text()


EDIT = port_rules.OutsideEdit(
    "h4sh", '--- a\n+++ b\n@@ -1 +1 @@\n-action = "deny"\n+action = "ask"\n', ("env denies less",)
)


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_an_edit_from_outside_shows_what_it_loosens(name: str, size: tuple[int, int]) -> None:
    async with showing(engine(outside_edit=EDIT), size) as shown:
        await shown.press("3")
        golden(f"rules-edit-{name}", shown.text())


@pytest.mark.parametrize(("key", "accept"), [("c", True), ("x", False)])
@scenario
async def test_an_edit_from_outside_waits_for_a_key_and_a_confirm(key: str, accept: bool) -> None:
    fake = engine(outside_edit=EDIT)
    async with showing(fake) as shown:
        await shown.press("3", key, "n")
        assert orders(fake) == []
        await shown.press(key, "y")
        assert orders(fake) == [port_rules.AcceptEdit("h4sh", accept)]


@scenario
async def test_without_an_edit_there_is_nothing_to_accept() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3", "c", "y", "x", "y")
        assert orders(fake) == []


# --- the form -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "size"), [("120x36", WIDE), ("80x24", NARROW)])
@scenario
async def test_the_form_shows_what_the_rule_would_have_done(
    name: str, size: tuple[int, int]
) -> None:
    fields = {
        "id": "slack",
        "server": "slack",
        "tool": ["post_*", "!post_draft"],
        "agent": "codex",
        "when": {"channel": {"glob": "#*"}},
        "rate_limit": {"max": 5, "window": 60, "per": "agent"},
        "reason": "calm",
    }
    async with showing(engine(), size) as shown:
        shown.app.push_screen(RuleForm(fields, "slack"))
        await shown.settle()
        golden(f"rule-form-{name}", shown.text())


@scenario
async def test_a_rule_is_written_with_the_keyboard_and_saved() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3", "n", "tab", *"fs", "tab", *"write_*", "tab", *"path", "tab")
        await shown.press(*"glob", "tab", *"src", "ctrl+s")
        assert sent(fake, port_rules.PutRule) == [
            port_rules.PutRule(
                {
                    "server": "fs",
                    "tool": "write_*",
                    "when": {"path": {"glob": "src"}},
                    "action": "deny",
                }
            )
        ]
        assert not isinstance(shown.app.screen, RuleForm)


@scenario
async def test_the_deed_is_chosen_with_the_arrows() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3", "n", "right", "right", "left", "ctrl+s")
        assert sent(fake, port_rules.PutRule)[0].fields == {"action": "ask"}


LIMIT = {"tool": "post", "rate_limit": {"max": 10, "window": 60}}
BOTH = LIMIT | {"action": "ask"}
HELD = {"tool": "post", "action": "ask", "more_than": {"max": 10, "window": 60}}


@pytest.mark.parametrize(
    ("written", "keys", "saved"),
    [
        (LIMIT, ["left", "left", "left"], {"tool": "post", "action": "ask"}),
        (LIMIT, ["left", "left", "right", "right"], LIMIT),  # come back: it stands there again
        (LIMIT, ["right"], {"tool": "post", "hide": True}),
        (BOTH, ["right"], LIMIT | {"action": "allow"}),
        (BOTH, ["right"] * 4 + ["left"] * 4, BOTH),
    ],
)
@scenario
async def test_who_chooses_another_deed_than_limit_wants_no_limit(
    written: dict[str, Any], keys: list[str], saved: dict[str, Any]
) -> None:
    assert await saved_by(written, "#do", keys) == saved


@pytest.mark.parametrize(
    ("written", "keys", "saved"),
    [
        (LIMIT, ["right"], HELD),
        (HELD, ["left"], LIMIT),
        (HELD, [], HELD),
    ],
)
@scenario
async def test_a_call_over_a_limit_waits_or_is_held_as_the_person_chooses(
    written: dict[str, Any], keys: list[str], saved: dict[str, Any]
) -> None:
    assert await saved_by(written, "#hit", keys) == saved


@scenario
async def test_what_is_over_a_limit_is_asked_of_limits_alone() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3", "n")
        assert "when hit" not in shown.text()
        await shown.press("left", "left")
        assert "‹limit›" in shown.text()
        assert "when hit  ‹tell the agent to wait›  hold it for you" in shown.text()
        names = ("after_server", "after_tool", "after_within", "repeat", "limit", "per", "hit")
        shown.app.screen.query_one("#after_server").focus()
        for name in names[1:]:
            await shown.press("down")
            assert shown.app.screen.focused.id == name  # type: ignore[union-attr]


@scenario
async def test_a_rule_that_asks_and_limits_is_called_by_both() -> None:
    limit = RateLimit(5, 60)
    rules = (
        rule_row(Rule("both", tool=("a",), action=Action.ASK, rate_limit=limit, origin=at(1))),
        rule_row(Rule("only", tool=("b",), rate_limit=limit, origin=at(2))),
    )
    fake = FakePort(replace(busy(), rules=rules))
    async with showing(fake, (60, 20)) as shown:
        await shown.press("3")
        assert "▌ only    ●  limit   b " in shown.text()
        assert "  both    ●  ask ~   a " in shown.text()
        await shown.press("G")
        assert "does      ask and limit" in shown.text()


@scenario
async def test_a_rule_that_hides_comes_first() -> None:
    hiding = rule_row(Rule("hid", tool=("x",), hide=True, origin=at(1)))
    fake = FakePort(replace(busy(), rules=(*RULES, hiding)))
    async with showing(fake) as shown:
        await shown.press("3", "g")
        assert "▌ hid           ●  hide    x " in shown.text()


@scenario
async def test_the_saved_rule_is_the_selected_one_once_the_engine_tells_of_it() -> None:
    fake = engine()
    fake.replies[port_rules.PutRule] = port.Done("saved", "new")
    async with showing(fake) as shown:
        await shown.press("3")
        await select(shown, "slack")
        await shown.press("n", "ctrl+s")
        assert "▌ slack" in shown.text()
        new = rule_row(Rule("new", tool=("x",), action=Action.DENY, origin=at(70)))
        await fake.push(port.RulesEvent((*RULES, new)))
        await shown.settle()
        assert "▌ new" in shown.text()
        await shown.press("G")
        await fake.push(port.RulesEvent((*RULES, new)))
        await shown.settle()
        assert "▌ new" not in shown.text()  # it was told of: the cursor is the person's again


@scenario
async def test_a_rule_made_from_a_call_is_selected_when_the_rules_are_opened() -> None:
    fake = engine()
    fake.replies[port_rules.PutRule] = port.Done("saved", "slack")
    async with showing(fake) as shown:
        await shown.press("r", "ctrl+s", "3")
        assert "▌ slack" in shown.text()


@scenario
async def test_undo_selects_the_rule_that_came_back() -> None:
    fake = engine()
    fake.replies[port_rules.Undo] = port.Done("undone", "risky")
    async with showing(fake) as shown:
        await shown.press("3", "g", "u")
        assert "▌ risky" in shown.text()
        fake.replies[port_rules.Undo] = port.Done("undone")
        await shown.press("k", "u")  # what it undid is no rule that there is now
        assert "▌ proj" in shown.text()


@scenario
async def test_an_edited_rule_replaces_the_one_it_was() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3")
        await select(shown, "env")
        await shown.press("e")
        await write(shown, "reason", "no secrets")
        await shown.press("ctrl+s")
        put = sent(fake, port_rules.PutRule)[0]
        assert put.replaces == "env"
        assert put.fields == {
            "id": "env",
            "tool": ["*"],
            "action": "deny",
            "reason": "no secrets",
        }


@scenario
async def test_the_arrows_walk_through_the_fields_of_the_form() -> None:
    async with showing(engine()) as shown:
        await shown.press("3", "n", "down", "down", *"a", "up", *"b", "up", "right")
        names = ("server", "tool")
        typed = [shown.app.screen.query_one(f"#{name}", Entry).value for name in names]
        assert typed == ["b", "a"]
        assert "‹ask›" in shown.text()


@scenario
async def test_escape_discards() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3", "n", "tab", *"fs", "escape")
        assert sent(fake, port_rules.PutRule) == []
        assert not isinstance(shown.app.screen, RuleForm)


@scenario
async def test_what_cannot_be_read_is_said_and_not_saved() -> None:
    fake = engine()
    async with showing(fake, NARROW) as shown:
        await shown.press("3", "n")
        await write(shown, "limit", "often")
        await shown.press("ctrl+s")
        assert 'limit: write a number and a window, such as "10 per 60s"' in shown.text()
        assert shown.app.screen.query_one("#limit").has_class("-wrong")
        assert sent(fake, port_rules.PutRule) == []


@scenario
async def test_what_the_engine_refuses_is_said_and_the_form_stays() -> None:
    fake = engine()
    fake.replies[port_rules.PutRule] = port.Refused("config.toml:9: this rule can never match")
    async with showing(fake) as shown:
        await shown.press("3", "n", "ctrl+s")
        assert "this rule can never match" in shown.text()
        assert isinstance(shown.app.screen, RuleForm)


@scenario
async def test_a_used_test_row_brings_an_empty_one() -> None:
    async with showing(engine()) as shown:
        await shown.press("3", "n", "tab", "tab", "tab", *"path")
        assert len(shown.app.screen.query(".test")) == 2


@scenario
async def test_p10_hostile_text_arrives_nowhere_as_it_is() -> None:
    rule = Rule(
        EVIL,
        server=(EVIL,),
        tool=(EVIL,),
        when=(Condition(EVIL, "glob", EVIL),),
        action=Action.DENY,
        reason=EVIL,
        origin=Origin(EVIL, 1),
    )
    fields = {"id": EVIL, "tool": EVIL, "agent": EVIL, "when": {EVIL: EVIL}, "reason": EVIL}
    row = port_rules.RuleRow(rule, fields, 1, None)
    fake = engine(config_error=EVIL, outside_edit=port_rules.OutsideEdit("h", f"+{EVIL}", (EVIL,)))
    fake.now = replace(fake.now, rules=(row,))
    fake.replies[port_rules.Preview] = port_rules.Previewed(1, (1,), diff=f"+{EVIL}")
    fake.replies[port_rules.PutRule] = port.Refused(EVIL)
    async with showing(fake) as shown:
        await shown.press("3")
        for keys in (("d", "n"), ("c", "n"), ("e",), ("ctrl+s",)):
            await shown.press(*keys)
            await shown.settle()
            assert not set(shown.text()) & set("\x1b\x07\u202e"), keys


@scenario
async def test_a_rule_is_tested_on_the_last_calls() -> None:
    fake = FakePort(busy())
    fake.replies[port_rules.Preview] = port_rules.Previewed(500, (1273, 3), (1273,))
    async with showing(fake) as shown:
        await shown.press("3", "t")
        tried = [command for command in fake.sent if isinstance(command, port_rules.Preview)]
        assert tried[-1].replaces == "r12"
        assert "WOULD BE DENIED: 1" in shown.text()
        assert "path=.env" in shown.text()
        assert "and 1 that are only in the record" in shown.text()


@scenario
async def test_the_calls_of_a_rule_are_one_key_away() -> None:
    async with showing(FakePort(busy())) as shown:
        await shown.press("3", "l")
        assert 'rule:"r12"' in shown.text()
        assert "[1 Calls]" in shown.text()


@scenario
async def test_the_file_is_opened_in_the_persons_editor() -> None:
    opened: list[tuple[str, int]] = []

    def edit(path: str, line: int) -> str:
        opened.append((path, line))
        return "it ended with code 1"

    async with showing(FakePort(busy()), settings=Settings(edit=edit)) as shown:
        shown.app.suspend = nullcontext  # type: ignore[method-assign,assignment]
        await shown.press("3", "o")
        assert opened == [("/home/dev/.config/mcpwall/config.toml", 41)]
        assert "it ended with code 1" in shown.text()


@scenario
async def test_what_a_change_would_have_done_is_listed() -> None:
    fake = FakePort(busy())
    fake.replies[port_rules.Preview] = port_rules.Previewed(500, (1270, 1271), limited=(1271,))
    async with showing(fake) as shown:
        await shown.press("3", "n")
        shown.app.screen._preview()
        await shown.settle()
        await shown.press("ctrl+l")
        assert "WOULD BE LIMITED: 1" in shown.text()
        assert "MATCHED: 2" in shown.text()


@scenario
async def test_enter_on_the_line_of_what_would_change_lists_it() -> None:
    fake = FakePort(busy())
    fake.replies[port_rules.Preview] = port_rules.Previewed(500, (1270, 1271), limited=(1271,))
    async with showing(fake, NARROW) as shown:
        await shown.press("3", "n", "shift+tab")  # from the first field to the last
        shown.app.screen._preview()
        await shown.settle()
        line = next(line for line in shown.text().splitlines() if "matches 2" in line)
        assert line.startswith("▌matches 2 of the last 500 calls")
        assert line.endswith("↵ list them")
        await shown.press("enter")
        assert "WOULD BE LIMITED: 1" in shown.text()
        await shown.press("escape", "up", *"x")  # typed into the field above
        assert shown.app.screen.query_one("#reason", Entry).value == "x"


@scenario
async def test_the_form_says_how_many_tools_a_pattern_matches_and_enter_lists_them() -> None:
    fake = engine()
    async with showing(fake) as shown:
        await shown.press("3", "n")
        assert "matches 3 tools on 2 servers" in shown.text()
        assert "↵ list them" not in shown.text()  # there, enter goes on to the next field
        await shown.press("tab", "tab", *"post*")
        shown.app.screen._preview()
        await shown.settle()
        assert sent(fake, port_tools.MatchTools)[-1].fields == {"tool": "post*"}
        assert "matches 3 tools on 2 servers   ↵ list them" in shown.text()
        await shown.press("enter")
        assert "slack: 2 tools" in shown.text()
        assert "post_message" in shown.text()
        await shown.press("escape", *"x")
        assert shown.app.screen.query_one("#tool", Entry).value == "post*x"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (port_tools.ToolsMatched(0), "no tool is known yet"),
        (port_tools.ToolsMatched(40), "matches none of 40 tools"),
        (port.Refused("the pattern is too complex"), ""),
    ],
)
@scenario
async def test_where_no_tool_matches_enter_goes_on(told: port.Reply, said: str) -> None:
    fake = engine()
    fake.replies[port_tools.MatchTools] = told
    async with showing(fake) as shown:
        await shown.press("3", "n", "tab", "tab")
        assert said in shown.text()
        assert "↵ list them" not in shown.text()
        await shown.press("enter", *"x")
        assert shown.app.screen.query(".test").first().query_one(Entry).value == "x"


@scenario
async def test_the_tools_are_asked_for_by_all_that_chooses_them() -> None:
    fake = engine()
    table = {"server": "s", "risk": ["read"], "agent": "codex", "method": "tools/call"}
    async with showing(fake) as shown:
        shown.app.push_screen(RuleForm(table | {"action": "deny"}, "r1"))
        await shown.settle()
        del table["agent"]
        assert sent(fake, port_tools.MatchTools)[-1].fields == table


@scenario
async def test_p10_names_of_tools_that_match_are_made_visible() -> None:
    fake = engine()
    fake.replies[port_tools.MatchTools] = port_tools.ToolsMatched(1, {EVIL: (EVIL,)})
    async with showing(fake, NARROW) as shown:
        await shown.press("3", "n", "tab", "tab", "enter")
        assert "‹ESC›" in shown.text()
        assert not set(shown.text()) & set("\x1b\x07\u202e")


@scenario
async def test_what_an_earlier_text_would_have_changed_is_not_listed() -> None:
    fake = FakePort(busy())
    fake.replies[port_rules.Preview] = port_rules.Previewed(500, (1270,), denied=(1270,))
    async with showing(fake) as shown:
        await shown.press("3", "n")
        shown.app.screen._preview()
        await shown.settle()
        await write(shown, "limit", "often")
        shown.app.screen._preview()
        await shown.settle()
        await shown.press("ctrl+l")
        assert isinstance(shown.app.screen, RuleForm)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@scenario
async def test_without_rules_the_screen_says_what_decides(size: tuple[int, int]) -> None:
    snapshot = empty()
    defaults = Defaults(read=Action.DENY, unattended=Action.ALLOW)
    fake = FakePort(replace(snapshot, status=replace(snapshot.status, defaults=defaults)))
    async with showing(fake, size) as shown:
        await shown.press("3")
        text = " ".join(shown.text().split())
        assert "no rules yet" in text
        assert "READ deny WRITE ask EXEC ask DESTROY ask MONEY ask UNKNOWN ask" in text
        assert "an ask that nobody answers becomes allow" in text
        assert "n writes a rule; r in Calls makes one" in text
