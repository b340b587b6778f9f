"""Whatever agents, servers, people and bad luck do in whatever order: what no server may get."""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcpwall.engine.port import Done, Lockdown, Refused
from mcpwall.engine.port_answers import Decide
from mcpwall.engine.port_calls import Held
from mcpwall.engine.port_sessions import PauseSession
from mcpwall.engine.port_tools import AcceptTool
from tests.engine.wall import RULES, TOOLS, Talk, Wall, call, note, request, result, tool

Json = dict[str, Any]
VARIANTS = {
    "asks": RULES,
    "denies": f'{RULES}\n[[rules]]\nid = "no"\ntool = "pay"\naction = "deny"\n',
    "allows": RULES.replace('action = "ask"', 'action = "allow"'),
}
OTHER = tool("pay", amount={}, to={}, all={})
LISTS = (TOOLS, [OTHER if each["name"] == "pay" else each for each in TOOLS])
SESSIONS = st.sampled_from((0, 0, 1))
RARELY = st.sampled_from((True, False, False, False))
STEPS = st.one_of(
    st.tuples(st.just("calls"), SESSIONS, st.sampled_from(("look", "count", "wipe"))),
    *[st.tuples(st.just("calls"), SESSIONS, st.sampled_from(("pay", "pay", "count")))] * 4,
    st.tuples(st.just("answers"), SESSIONS),
    st.tuples(st.just("cancels"), SESSIONS),
    *[st.tuples(st.just("decides"), RARELY.map(lambda no: not no), RARELY)] * 3,
    st.tuples(st.just("waits"), st.sampled_from((1, 30, 59, 400, 1_500, 1_500))),
    st.tuples(st.just("locks"), RARELY),
    st.tuples(st.just("pauses"), SESSIONS, RARELY),
    st.tuples(st.just("writes"), st.sampled_from(("asks", "asks", "denies", "allows"))),
    st.tuples(st.just("changes"), SESSIONS, st.integers(0, 1)),
    st.tuples(st.just("accepts")),
    st.tuples(st.just("kills")),
)


class World:
    """Two sessions of one server, and all that must hold of what reaches it."""

    def __init__(self, path: Path) -> None:
        self.wall = Wall(path, RULES)
        self.lists = [0, 0]  # which list the server of each session has now
        self.talks = [self.wall.session(), self.wall.session()]
        self.numbers = itertools.count(1)
        self.asked: list[list[int]] = [[], []]  # calls without an answer
        self.allowed: Counter[str] = Counter()  # digests that the person said yes to, unused
        self.counted: list[float] = []  # when `count` ran
        self.locked, self.paused = False, [False, False]
        self.pinned, self.variant = 0, "asks"

    # --- what happens ---------------------------------------------------------------------------

    def calls(self, at: int, name: str) -> None:
        number = next(self.numbers)
        self.asked[at].append(number)
        self.talks[at].asks(call(number, name, {"amount": 5} if name == "pay" else {}))

    def answers(self, at: int) -> None:
        if self.asked[at]:  # it may answer what it never got
            self.talks[at].answers(result(self.asked[at].pop(0)))

    def cancels(self, at: int) -> None:
        if self.asked[at]:
            params = {"requestId": self.asked[at].pop(0)}
            self.talks[at].asks(note("notifications/cancelled", params))

    def decides(self, allow: bool, stale: bool) -> None:
        if not self.wall.held:
            return
        held: Held = self.wall.held[-1]
        digest = held.digest
        if allow and not stale:
            self.allowed[digest] += 1
        decision = Decide(held.row.id, digest, held.revision - stale, allow, "", None)
        said = self.wall.do(decision)
        if stale:
            assert isinstance(said, Refused)
        elif allow and not isinstance(said, Done):
            self.allowed[digest] -= 1

    def waits(self, seconds: int) -> None:
        self.wall.clock.advance(seconds)

    def locks(self, on: bool) -> None:
        self.locked = on
        self.wall.do(Lockdown(on))

    def pauses(self, at: int, on: bool) -> None:
        self.paused[at] = on
        self.wall.do(PauseSession(self.talks[at].live.id, on))

    def writes(self, variant: str) -> None:
        self.wall.edit(VARIANTS[variant])
        if edit := self.wall.status.outside_edit:
            self.wall.accept(edit)
        if variant != self.variant:
            self.variant = variant
            self.allowed.clear()  # nothing that was said under other rules holds

    def changes(self, at: int, to: int) -> None:
        self.lists[at] = to
        self.talks[at].answers(note("notifications/tools/list_changed"))
        self.talks[at].asks(request(f"list {next(self.numbers)}", "tools/list"))

    def accepts(self) -> None:
        entry = self.wall.engine.inventory.servers["notes"].entries["pay"]
        if isinstance(self.wall.do(AcceptTool("notes", "pay", entry.listed)), Done):
            self.pinned = 1 - self.pinned
            self.allowed.clear()

    def kills(self) -> None:
        self.wall = self.wall.killed()
        self.talks = [Talk(self.wall, after=talk) for talk in self.talks]
        for talk in self.talks:
            talk.recovers()
        self.allowed.clear()

    # --- what must hold -------------------------------------------------------------------------

    def settle(self) -> None:
        """The servers list their tools when asked; every call that reached one is looked at."""
        busy = True
        while busy:
            busy = False
            for at, talk in enumerate(self.talks):
                for message in talk.forwarded():
                    if message.get("method") == "tools/list":
                        busy = True
                        talk.answers(result(message["id"], tools=LISTS[self.lists[at]]))
                    elif message.get("method") == "tools/call":
                        self.reached(at, message)
                talk.got()

    def reached(self, at: int, message: Json) -> None:
        name = message["params"]["name"]
        self.wall.intake.file()
        (row,) = [
            each
            for each in self.wall.audit.since(0, self.talks[at].live.id)
            if each.request_id == message["id"]
        ]
        assert row.verdict.action == "allow"
        assert row.tool == name
        assert not self.locked
        assert not self.paused[at]
        assert name != "wipe"
        if name == "count":
            now = self.wall.clock.steady_ns() / 1e9
            self.counted.append(now)
            assert sum(before > now - 60 for before in self.counted) <= 2
        if name == "pay":
            assert self.lists[at] == self.pinned
            assert self.variant != "denies"
            if self.variant == "asks":
                self.allowed[row.digest] -= 1
                assert self.allowed[row.digest] >= 0


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(STEPS, min_size=20, max_size=40))
def test_p01_p08_nothing_reaches_a_server_that_was_not_allowed(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as path:
        world = World(Path(path))
        for name, *arguments in steps:
            getattr(world, name)(*arguments)
            world.settle()
        world.wall.drop()
