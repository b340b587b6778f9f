"""The line to a store: order, time limits, and what happens when the store fails."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcpwall.store.shared import client
from mcpwall.store.shared.address import address
from mcpwall.store.shared.client import BATCH, ENTRIES_MAX, Client, StoreError
from mcpwall.store.shared.ledger import Answer, Reservation, Wall
from mcpwall.store.shared.redis import RedisStore
from tests.engine import wall as engine_wall
from tests.helpers.limits import LIMIT_S
from tests.helpers.stores import RedisServer


class FakeBackend:
    """A store that does what the test says: fails, hangs, or grants."""

    def __init__(self, news: asyncio.Event) -> None:
        self.fault = ""
        self.news = news
        self.gate = asyncio.Event()
        self.gate.set()
        self.odd: list[Any] = []  # what it answers to a reservation, if it has lost its mind
        self.stubborn = 0  # cancellations that it does not hear
        self.said: list[tuple[str, Any]] = []
        self.opened = asyncio.Event()

    async def _do(self, what: str, about: Any = None) -> None:
        while not self.gate.is_set():
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                if not self.stubborn:
                    raise
                self.stubborn -= 1
        if self.fault:
            raise StoreError(self.fault)
        self.said.append((what, about))
        self.news.set()

    async def open(self) -> None:
        await self._do("open")
        self.opened.set()

    async def close(self) -> None:
        self.opened.clear()

    async def ping(self) -> None:
        await self._do("ping")

    async def reserve(self, reservations: Sequence[Reservation]) -> list[tuple[int, ...]]:
        await self._do("reserve", [one.id for one in reservations])
        return self.odd or [() for _ in reservations]

    async def give_back(self, reservations: Sequence[Reservation]) -> None:
        await self._do("give back", [one.id for one in reservations])

    async def note(self, entries: Sequence[bytes]) -> None:
        await self._do("note", list(entries))

    async def newest(self, count: int, before: str = "") -> tuple[list[bytes], str]:
        return [], before


class Stage:
    """A client at work on a fake store, and what it answered and told."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self.backend = FakeBackend(self.news)
        self.client = Client(self.backend, Wall("w1", "ann@laptop"), "redis://h")
        self.answers: dict[str, Answer] = {}
        self.told: list[str] = []
        self.client.on_change = self._changed

    def ask(self, *ids: str) -> None:
        for name in ids:
            self.client.reserve(Reservation(name, (), b""), self._take(name))

    def _take(self, name: str) -> Callable[[Answer], None]:
        def take(answer: Answer) -> None:
            assert name not in self.answers, "answered twice"
            self.answers[name] = answer
            self.news.set()

        return take

    def _changed(self) -> None:
        self.told.append(self.client.fault)
        self.news.set()

    async def until(self, holds: Callable[[], Any]) -> None:
        while not holds():
            self.news.clear()
            await self.news.wait()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run a play on a stage of its own; the client's patience is short."""
    monkeypatch.setattr(client, "PATIENCE_S", 0.05)
    monkeypatch.setattr(client, "AGAIN_S", 0.01)
    monkeypatch.setattr(client, "IDLE_S", 0.01)

    def perform(play: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
        async def run() -> None:
            stage = Stage()
            async with working(stage.client):
                await asyncio.wait_for(play(stage), LIMIT_S)

        asyncio.run(run())

    return perform


@asynccontextmanager
async def working(client: Client):
    task = asyncio.ensure_future(client.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_reservations_are_answered_in_their_order(stage) -> None:
    async def play(stage: Stage) -> None:
        names = [str(number) for number in range(2 * BATCH + 1)]
        stage.ask(*names)
        assert stage.answers == {}  # never before the caller has gone on
        await stage.until(lambda: len(stage.answers) == len(names))
        assert list(stage.answers) == names
        assert all(answer.granted for answer in stage.answers.values())
        batches = [about for what, about in stage.backend.said if what == "reserve"]
        assert [len(batch) for batch in batches] == [BATCH, BATCH, 1]

    stage(play)


def test_a_store_that_fails_refuses_all_and_gives_back_what_it_may_have_booked(stage) -> None:
    async def play(stage: Stage) -> None:
        await stage.backend.opened.wait()
        stage.backend.fault = "out of memory"
        stage.ask(*map(str, range(BATCH + 1)))
        await stage.until(lambda: len(stage.answers) == BATCH + 1)
        assert {a.fault for a in stage.answers.values()} == {
            "the shared store redis://h fails (out of memory)"
        }
        stage.ask("late")  # refused at once, without asking the store
        await stage.until(lambda: "late" in stage.answers)
        stage.backend.fault = ""
        await stage.until(lambda: ("give back", [*map(str, range(BATCH))]) in stage.backend.said)
        assert stage.told == ["the shared store redis://h fails (out of memory)", ""]
        stage.ask("again")
        await stage.until(lambda: "again" in stage.answers)
        assert stage.answers["again"].granted

    stage(play)


@pytest.mark.parametrize("stubborn", [0, 2])
def test_a_store_that_hangs_is_given_up(stage, stubborn: int) -> None:
    async def play(stage: Stage) -> None:
        await stage.backend.opened.wait()
        stage.backend.gate.clear()
        stage.backend.stubborn = stubborn
        stage.ask("one")
        await stage.until(lambda: stage.answers)
        assert (
            stage.answers["one"].fault == "the shared store redis://h did not answer within 0.05 s"
        )
        stage.backend.gate.set()
        await stage.until(lambda: ("give back", ["one"]) in stage.backend.said)

    stage(play)


@pytest.mark.parametrize("odd", [[(0,)], [(), ()], [(None,)], [(-1,)], [("0",)]])
def test_p01_an_answer_that_makes_no_sense_grants_nothing(stage, odd: list[Any]) -> None:
    async def play(stage: Stage) -> None:
        stage.backend.odd = odd
        stage.ask("one")
        await stage.until(lambda: stage.answers)
        assert "its answer makes no sense" in stage.answers["one"].fault

    stage(play)


def test_an_idle_line_is_tested(stage) -> None:
    async def play(stage: Stage) -> None:
        await stage.until(lambda: ("ping", None) in stage.backend.said)
        stage.backend.fault = "gone"
        await stage.until(lambda: stage.client.fault)
        assert stage.told == ["the shared store redis://h fails (gone)"]

    stage(play)


def test_entries_are_kept_while_the_store_is_away(stage) -> None:
    async def play(stage: Stage) -> None:
        await stage.backend.opened.wait()
        stage.backend.fault = "gone"
        stage.client.note([b"one", b"two"])
        await stage.until(lambda: stage.client.fault)
        stage.client.note([b"three"])
        stage.backend.fault = ""
        await stage.until(lambda: ("note", [b"one", b"two", b"three"]) in stage.backend.said)

    stage(play)


def test_p13_no_more_entries_are_kept_than_there_is_room_for(stage) -> None:
    async def play(stage: Stage) -> None:
        await stage.backend.opened.wait()
        stage.backend.fault = "gone"
        stage.client.note([b"%d" % number for number in range(ENTRIES_MAX + 500)])
        await stage.until(lambda: stage.client.fault)
        stage.backend.fault = ""
        await stage.until(lambda: len(noted(stage)) >= ENTRIES_MAX)
        assert noted(stage) == [b"%d" % number for number in range(500, ENTRIES_MAX + 500)]

    stage(play)


def noted(stage: Stage) -> list[bytes]:
    return [entry for what, about in stage.backend.said if what == "note" for entry in about]


def test_the_end_waits_for_what_can_still_be_sent(stage) -> None:
    async def play(stage: Stage) -> None:
        await stage.backend.opened.wait()
        stage.client.note([b"%d" % number for number in range(3 * BATCH)])
        stage.client.give_back(Reservation("one", (), b""))
        await stage.client.drain()
        assert len(noted(stage)) == 3 * BATCH
        assert ("give back", ["one"]) in stage.backend.said

    stage(play)


def test_the_end_does_not_wait_for_a_store_that_is_away(stage) -> None:
    async def play(stage: Stage) -> None:
        stage.backend.fault = "gone"
        await stage.until(lambda: stage.client.fault)
        stage.client.note([b"one"])
        await stage.client.drain()

    stage(play)


# --- walls on a real store ----------------------------------------------------------------------


def hear(wire: engine_wall.FakeWire) -> asyncio.Event:
    """An event that is set whenever something is sent."""
    said, flush = asyncio.Event(), wire.flush

    def send() -> None:
        flush()
        said.set()

    wire.flush = send
    return said


def test_p09_walls_whose_clocks_differ_share_one_window(tmp_path: Path) -> None:
    async def play(server: RedisServer) -> list[bool]:
        passed = []
        clients, walls = [], []
        for number, hours in enumerate((0, 5)):
            name = Wall(f"w{number}", "ann@laptop")
            clients.append(Client(RedisStore(address(server.url)), name, "redis://h"))
            place = tmp_path / name.id
            place.mkdir()
            clock = engine_wall.FakeClock(steady_s=1_000 + hours * 3600)
            clock.set_wall(engine_wall.START_MS - hours * 3_600_000)
            walls.append(engine_wall.Wall(place, engine_wall.RULES, clock, clients[-1]))
        async with working(clients[0]), working(clients[1]):
            talks = [wall.session() for wall in walls]
            for number in range(4):
                at = number % 2
                walls[at].clock.advance(90)  # each by itself would have room again
                said = hear(talks[at].wire)
                talks[at].asks(engine_wall.call(number, "count"))
                while not any(talks[at].wire.sent.values()):
                    said.clear()
                    await said.wait()
                passed.append(bool(talks[at].forwarded()))
                talks[at].got()
        for wall in walls:
            wall.drop()
        return passed

    with RedisServer() as server:
        assert asyncio.run(play(server)) == [True, True, False, False]
