"""P11: each verdict can be made again from the record, whatever the engine went through."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.engine.port import Lockdown
from mcpwall.engine.port_answers import Match, Remember, Scope
from mcpwall.engine.port_sessions import PauseSession
from mcpwall.engine.replay import Again, Replay, Why
from mcpwall.engine.resolve import resolve
from mcpwall.model import Action, Cause
from mcpwall.policy.compile import Policy, compile_policy
from mcpwall.policy.set_risk import Risks
from mcpwall.policy.written import read_policy
from mcpwall.store.config import load_text
from tests.engine.wall import FakeClock, Talk, Wall, call, tool

RULES = """\
[[rules]]
id = "cap"
tool = "count"
rate_limit = { max = 2, window = 20 }

[[rules]]
id = "sum"
tool = "pay"
budget = { sum = "amount", max = 10, window = "1m", per_argument = "to" }
action = "ask"

[[rules]]
id = "leak"
after = { reads = "secrets", within = "30s" }
reach = "net"
action = "ask"

[[rules]]
id = "loop"
repeat = 2
action = "deny"

[[rules]]
id = "busy"
tool = "look"
more_than = "3/minute"
action = "ask"

[[rules]]
id = "words"
tool = "count"
when = { any = { contains = "never" } }
action = "deny"

[[rules]]
id = "home"
tool = "open"
when = { path = { under = "~/secret" } }
action = "deny"

[[rules]]
id = "ghost"
tool = "haunt"
hide = true

[servers.web]
default = "deny"
"""
CLASSES = """
[servers.notes.risk]
look = "destructive"
count = "financial"
read_secret = "write"
"""
OTHER = RULES.replace("max = 2", "max = 1").replace("repeat = 2", "repeat = 3")
TOOLS = [
    tool("look"),
    tool("count"),
    tool("pay", amount={}, to={}),
    tool("read_secret"),
    tool("fetch", url={}),
    tool("open", path={}),
    tool("haunt"),
]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("look", {}),
    ("look", {"at": 2}),
    ("count", {}),
    ("pay", {"amount": 4, "to": "a"}),
    ("pay", {"amount": 7.5, "to": "a"}),
    ("pay", {"amount": "x"}),
    ("read_secret", {}),
    ("fetch", {"url": "https://a.example"}),
    ("open", {"path": "~/secret/x"}),
    ("open", {"path": "/no-such\0place"}),
    ("unknown", {}),
    ("count", {"at": 2}),
    ("haunt", {}),
]
steps = st.one_of(
    st.tuples(st.just("call"), st.sampled_from((0, 1)), st.sampled_from(range(len(CALLS)))),
    st.tuples(st.just("both"), st.sampled_from((0, 1)), st.sampled_from(range(len(CALLS)))),
    st.tuples(st.just("wait"), st.sampled_from((0.001, 1, 19, 20, 31, 60)), st.just(0)),
    st.tuples(st.just("decide"), st.booleans(), st.sampled_from(range(3))),
    st.tuples(st.just("edit"), st.booleans(), st.just(0)),
    st.tuples(st.just("classes"), st.booleans(), st.sampled_from((0, 1))),
    st.tuples(st.just("lock"), st.booleans(), st.just(0)),
    st.tuples(st.just("pause"), st.booleans(), st.integers(0, 1)),
    st.tuples(st.just("kill"), st.booleans(), st.just(0)),
)


class Scene:
    """A wall with two sessions of one agent, and what happens to it."""

    def __init__(self, path: Path) -> None:
        self.wall = Wall(path, RULES)
        self.open()

    def open(self) -> None:
        servers = ("notes", "web")
        self.talks = [self.wall.session(server=name, tools=TOOLS) for name in servers]

    def do(self, what: str, which: Any, number: int) -> None:
        wall = self.wall
        if what in ("call", "both"):
            name, arguments = CALLS[number]
            talk: Talk = self.talks[which]
            times = 2 if what == "both" else 1
            talk.asks(*(call(wall.engine.last_call * 2 + i, name, arguments) for i in range(times)))
        elif what == "wait":
            wall.clock.advance(which)
        elif what == "decide" and wall.held:
            held = wall.held[number % len(wall.held)]
            remember = Remember(Scope.QUARTER, Match.TOOL) if number == 1 else None
            wall.decide(held, allow=which, remember=remember)
        elif what == "edit":
            wall.edit(OTHER if which else RULES)
        elif what == "classes":
            wall.edit(RULES + CLASSES if which else RULES)
            if number and (edit := wall.status.outside_edit) is not None:
                wall.accept(edit)
        elif what == "lock":
            wall.do(Lockdown(which))
        elif what == "pause":
            wall.do(PauseSession(self.talks[number].live.id, which))
        elif what == "kill":
            clock = wall.clock
            later = FakeClock(boot="boot-2", steady_s=7) if which else None
            if later is not None:
                later.set_wall(clock.wall_ms() + 1_000)
            self.wall = wall.killed(later)
            self.open()


def replayed(wall: Wall, instead: Policy | None = None, risks: Risks | None = None) -> list[Again]:
    """Every verdict of the record, made again."""
    wall.intake.file()

    def kept(name: str) -> Policy | None:
        text = wall.audit.policy(name)
        return None if text is None else read_policy(text)

    return list(Replay(kept, resolve, instead=instead, risks=risks).run(wall.audit.history()))


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=40))
def test_p11_every_verdict_is_made_again_the_same(happens: list[tuple[str, Any, int]]) -> None:
    with TemporaryDirectory() as place:
        scene = Scene(Path(place))
        boots = 0
        for what, which, number in happens:
            boots += what == "kill" and which is True
            if what == "kill" and boots > 1:
                continue  # two boots are enough: they have two names
            scene.do(what, which, number)
        found = replayed(scene.wall)
        scene.wall.drop()
    assert [(again.row.id, again.then, again.now) for again in found if again.differs] == []
    assert {again.why for again in found} <= {None, Why.FAULT}


def test_p11_all_kinds_of_verdicts_come_from_the_record(tmp_path: Path) -> None:
    """That the test above meets each of them."""
    scene = Scene(tmp_path)
    for number in (2, 2, 11, 10, 0, 0, 0, 8, 12):
        scene.do("call", 0, number)
    scene.do("call", 0, 3)
    scene.do("decide", True, 0)  # once
    scene.do("call", 0, 4)
    scene.do("wait", 60, 0)
    scene.do("call", 0, 4)
    scene.do("call", 0, 3)
    scene.do("decide", True, 1)  # and for a quarter of an hour
    scene.do("wait", 60, 0)
    scene.do("call", 0, 4)
    scene.do("call", 1, 0)
    scene.do("pause", True, 0)
    scene.do("call", 0, 2)
    scene.do("lock", True, 0)
    scene.do("call", 1, 2)
    found = replayed(scene.wall)
    scene.wall.drop()
    made = {again.then.cause for again in found if not again.differs}
    assert made >= set(Cause) - {Cause.FAULT, Cause.UNATTENDED, Cause.FULL}


def test_p11_a_changed_verdict_is_found(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for number in (2, 2, 11):
        scene.do("call", 0, number)
    scene.wall.intake.file()
    history = list(scene.wall.audit.history())
    scene.wall.drop()
    row = history[-1].row
    assert row is not None
    forged = msgspec.structs.replace(row, judged=msgspec.structs.replace(row.judged, rules=("x",)))
    told = [*history[:-1], history[-1]._replace(row=forged)]
    policy = load_text(RULES, "c")
    kept = compile_policy(policy.rules, policy.defaults)
    assert [a.row.id for a in Replay(lambda _: kept, resolve).run(told) if a.differs] == [3]


def test_other_rules_show_what_they_would_have_changed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for number in (2, 2, 11, 6, 7):
        scene.do("call", 0, number)
    config = load_text(OTHER, "c")
    found = replayed(scene.wall, compile_policy(config.rules, config.defaults))
    none = replayed(scene.wall, compile_policy([], config.defaults))
    scene.wall.drop()
    changed = {again.row.id: again.now.action for again in found if again.now and again.differs}
    assert changed == {2: Action.DENY}
    freed = {again.row.id: again.now.action for again in none if again.now and again.differs}
    assert freed == {3: Action.ALLOW, 5: Action.ALLOW}


def test_other_classes_of_risk_show_what_they_would_have_changed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.do("classes", True, 1)
    scene.do("call", 0, 0)  # held, as it is destructive now
    scene.do("call", 0, 6)  # held, as it writes
    scene.do("classes", False, 1)
    scene.do("call", 0, 2)  # allowed
    plain, classed = (load_text(text, "c") for text in (RULES, RULES + CLASSES))
    without = replayed(scene.wall, plain.policy(), plain.risks)
    everywhere = replayed(scene.wall, classed.policy(), classed.risks)
    scene.wall.drop()
    assert [again.now.action for again in without if again.now] == [Action.ALLOW] * 3
    assert [again.now.action for again in everywhere if again.now] == [Action.ASK] * 3


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"grounds": None}, Why.OLDER), ({"arguments": None}, Why.CUT)],
)
def test_what_the_record_does_not_have_is_counted_and_not_guessed(
    tmp_path: Path, changes: dict[str, Any], why: Why
) -> None:
    scene = Scene(tmp_path)
    for number in (2, 2, 11):
        scene.do("call", 0, number)
    scene.wall.intake.file()
    first, *rest = scene.wall.audit.history()
    kept = scene.wall.engine.rulebook.policy("")[0]
    scene.wall.drop()
    assert first.row is not None
    cut = first._replace(row=msgspec.structs.replace(first.row, **changes))
    found = list(Replay(lambda _: kept, resolve).run([cut, *rest]))
    assert [again.why for again in found] == [why, None, None]
    assert not any(again.differs for again in found)  # what it booked is counted all the same
    unknown = list(Replay(lambda _: None, resolve).run([first, *rest]))
    assert {again.why for again in unknown} == {Why.POLICY}
