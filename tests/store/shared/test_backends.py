"""Both kinds of store against what a limit means: a log of all bookings, summed up naively."""

import asyncio
import itertools
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.store.shared.address import address
from mcpwall.store.shared.client import StoreError
from mcpwall.store.shared.ledger import Bound, Reservation
from mcpwall.store.shared.postgres import PostgresStore
from mcpwall.store.shared.redis import RedisStore
from tests.helpers.stores import PostgresServer, RedisServer

SECOND = 1_000_000
MINUTE = 60 * SECOND
_numbers = itertools.count()


def fresh(name: str = "log") -> str:
    """A key that no other test counts in."""
    return f"{name} {next(_numbers)}"


def bound(key: str, amount: str = "1", maximum: str = "3", window_us: int = MINUTE) -> Bound:
    return Bound(key, amount, maximum, window_us)


def reservation(*bounds: Bound, entry: bytes = b"{}") -> Reservation:
    return Reservation(f"wall.{next(_numbers)}", bounds, entry)


class Naive:
    """What was booked under each key, and when."""

    def __init__(self) -> None:
        self.booked: dict[str, list[tuple[int, Fraction, str]]] = {}

    def reserve(self, asked: Reservation, now: int) -> tuple[int, ...]:
        waits = tuple(self._wait(each, now) for each in asked.bounds)
        if not any(waits):
            for each in asked.bounds:
                entry = (now, Fraction(each.amount), asked.id)
                self.booked.setdefault(each.key, []).append(entry)
        return waits

    def _wait(self, asked: Bound, now: int) -> int:
        times = [at for at, _, _ in self.booked.get(asked.key, [])]
        candidates = [now, *(at + asked.window_us for at in times)]
        return min(t for t in candidates if t >= now and self._fits(asked, t)) - now

    def _fits(self, asked: Bound, now: int) -> bool:
        booked = self.booked.get(asked.key, [])
        spent = sum(amount for at, amount, _ in booked if at > now - asked.window_us)
        return spent + Fraction(asked.amount) <= Fraction(asked.maximum)

    def give_back(self, asked: Reservation) -> None:
        for each in asked.bounds:
            kept = [entry for entry in self.booked.get(each.key, []) if entry[2] != asked.id]
            self.booked[each.key] = kept


amounts = st.sampled_from(["0", "1", "0.1", "2.50", "1e-30", "0.000000000000000000000000000001"])
large = st.integers(1, 10**30 - 1).map(str)
steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "ask", "back", "both"]),
        st.integers(0, 30).map(lambda tenth: tenth * SECOND // 10),
        st.sampled_from(["a", "b"]),
        amounts | large,
        st.integers(0, 30),
    ),
    max_size=40,
)


def test_p09_a_store_counts_as_the_definition_says(backend, run) -> None:
    store = backend(now_us=1)
    run(store.open())

    @settings(max_examples=40)
    @given(
        steps,
        st.sampled_from(["3", "5.05", "1e30", "2.000000000000000000000000000001"]),
        st.sampled_from([SECOND, 3 * SECOND // 2, MINUTE]),
    )
    def agrees(schedule, maximum: str, window_us: int) -> None:
        naive, prefix, given_out = Naive(), fresh(), []
        store.now_us = 1_793_707_357_000_000
        for kind, passed, key, amount, which in schedule:
            store.now_us += passed
            amount = amount if Fraction(amount) <= Fraction(maximum) else maximum  # noqa: PLW2901
            if kind == "back" and given_out:
                back = given_out.pop(which % len(given_out))
                naive.give_back(back)
                run(store.give_back([back]))
                continue
            bounds = [bound(f"{prefix}{key}", amount, maximum, window_us)]
            if kind == "both":
                bounds.append(bound(f"{prefix}other", "1", "4", 2 * window_us))
            asked = reservation(*bounds)
            expected = naive.reserve(asked, store.now_us)
            assert run(store.reserve([asked])) == [expected]
            if not any(expected):
                given_out.append(asked)

    agrees()
    run(store.close())


def test_p09_at_most_n_by_the_stores_own_clock(backend, run) -> None:
    async def many() -> list[tuple[int, ...]]:
        stores = [backend() for _ in range(4)]
        for store in stores:
            await store.open()
        key = fresh()
        first = await stores[0].reserve([reservation(bound(key, maximum="50"))])

        async def ask(store) -> list[tuple[int, ...]]:
            answers = []
            for count in (1, 1, 1, 2, 1, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 20):
                asked = [reservation(bound(key, maximum="50")) for _ in range(count)]
                answers += await store.reserve(asked)
            return answers

        answers = [first, *await asyncio.gather(*map(ask, stores))]
        for store in stores:
            await store.close()
        return [answer for each in answers for answer in each]

    waits = run(many())
    assert waits.count((0,)) == 50
    assert all(0 < wait <= MINUTE for (wait,) in waits if wait)


def test_a_budget_is_exact_to_the_last_digit(backend, run) -> None:
    async def spend() -> list[tuple[int, ...]]:
        store, key = backend(), fresh()
        await store.open()
        cents = [reservation(bound(key, "0.1", "100.00")) for _ in range(1001)]
        answers = await store.reserve(cents)
        tiny = reservation(bound(key, "0." + "0" * 29 + "1", "100.00"))
        answers += await store.reserve([tiny])
        await store.close()
        return answers

    answers = run(spend())
    assert answers[:1000] == [(0,)] * 1000
    assert all(wait > 0 for (wait,) in answers[1000:])


def test_all_of_a_reservation_or_nothing(backend, run) -> None:
    async def both() -> Sequence[tuple[int, ...]]:
        store, narrow, wide = backend(), fresh(), fresh()
        await store.open()
        asked = [
            reservation(bound(wide, maximum="2"), bound(narrow, maximum="1")),
            reservation(bound(wide, maximum="2"), bound(narrow, maximum="1")),
            reservation(bound(wide, maximum="2")),
            reservation(bound(wide, maximum="2")),
        ]
        answers = await store.reserve(asked)
        await store.close()
        return answers

    first, second, third, fourth = run(both())
    assert first == (*third, 0) == (0, 0)
    assert second[0] == 0 < second[1]
    assert fourth[0] > 0


def test_reservations_that_want_the_same_logs_in_any_order_get_through(backend, run) -> None:
    async def crossing() -> list[tuple[int, ...]]:
        stores = [backend() for _ in range(4)]
        for store in stores:
            await store.open()
        logs = [bound(fresh(), maximum="1000") for _ in range(4)]

        async def ask(store, turn: int) -> list[tuple[int, ...]]:
            asked = []
            for number in range(30):
                at = (turn + number) % 4
                asked.append(reservation(*logs[at:], *logs[:at]))
            return await store.reserve(asked)

        answers = await asyncio.gather(*(ask(store, turn) for turn, store in enumerate(stores)))
        for store in stores:
            await store.close()
        return [answer for each in answers for answer in each]

    assert run(crossing()) == [(0, 0, 0, 0)] * 120


def test_p09_a_clock_that_is_set_back_frees_nothing(backend, run) -> None:
    async def back() -> list[tuple[int, ...]]:
        start = 1_793_707_357_000_000
        store, key = backend(now_us=start), fresh()
        await store.open()
        answers = []
        for now in (start, start - 3600 * SECOND, start - 3599 * SECOND, start + MINUTE - 1):
            store.now_us = now
            answers += await store.reserve([reservation(bound(key, maximum="2"))])
        await store.close()
        return answers

    answers = run(back())
    assert answers[:2] == [(0,), (0,)]
    assert answers[2] == (3599 * SECOND + MINUTE,)
    assert answers[3] == (1,)


def test_what_no_window_can_see_is_forgotten(backend, run, server) -> None:
    async def fill() -> None:
        store, key = backend(now_us=SECOND), fresh()
        await store.open()
        for _ in range(50):
            store.now_us += SECOND
            await store.reserve([reservation(bound(key, maximum="100", window_us=10 * SECOND))])
        if server.kind == "redis":
            (log,) = await store._client.keys("mcpwall:log:*")
            assert await store._client.zcard(log) == 10
            assert 0 < await store._client.pttl(log) <= 70_000
        else:
            count = await store._one("SELECT count(*) FROM mcpwall_charges")
            assert count == (10,)
        await store.close()

    run(wipe(backend))
    run(fill())


async def wipe(backend) -> None:
    """Forget all that is in the store."""
    store = backend()
    await store.open()
    if hasattr(store, "_client"):
        await store._client.flushdb()
    else:
        await store._line.execute("TRUNCATE mcpwall_logs, mcpwall_charges, mcpwall_record")
    await store.close()


def test_the_record_is_read_page_by_page(backend, run) -> None:
    async def write_and_read() -> list[bytes]:
        await wipe(backend)
        store = backend()
        await store.open()
        await store.reserve([reservation(entry=b"first \x00\xff")])
        full = bound(fresh(), "1", "1")
        await store.reserve([reservation(full, entry=b"second")])
        await store.reserve([reservation(full, entry=b"never")])
        await store.note([b"third", b"fourth"])
        read, place = await store.newest(3)
        more, place = await store.newest(3, place)
        assert await store.newest(3, place) == ([], place)
        await store.close()
        return read + more

    assert run(write_and_read()) == [b"fourth", b"third", b"second", b"first \x00\xff"]


def test_two_walls_may_come_first_at_once(backend, run, server) -> None:
    async def race() -> None:
        if server.kind == "postgres":
            store = backend()
            await store.open()
            tables = "mcpwall_charges, mcpwall_logs, mcpwall_record"
            await store._line.execute(
                f"DROP TABLE {tables}; DROP FUNCTION mcpwall_reserve_1; "
                "DROP FUNCTION mcpwall_lock_1; DROP FUNCTION mcpwall_give_back_1"
            )
            await store.close()
        stores = [backend() for _ in range(4)]
        await asyncio.gather(*(store.open() for store in stores))
        for store in stores:
            assert await store.reserve([reservation()]) == [()]
            await store.close()

    run(race())


def test_without_a_connection_a_store_says_so(backend, run) -> None:
    store = backend()
    for work in (store.ping(), store.reserve([reservation()]), store.note([b""])):
        with pytest.raises(StoreError, match="not connected"):
            run(work)


# --- what goes wrong ----------------------------------------------------------------------------


def failure(run, store) -> str:
    """Why a store cannot be opened."""
    with pytest.raises(StoreError) as error:
        run(store.open())
    run(store.close())
    return str(error.value)


def test_p14_why_redis_lets_nobody_in_is_told_without_the_password(run) -> None:
    with RedisServer("--requirepass", "right") as server:
        url = server.url.replace("redis://", "redis://:can%40ry@")
        said = failure(run, RedisStore(address(url)))
        assert "password" in said
        assert "can" not in said
        run(ping(RedisStore(address(server.url.replace("redis://", "redis://:right@")))))


async def ping(store) -> None:
    await store.open()
    await store.ping()
    await store.close()


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_p09_a_store_that_may_forget_what_it_counted_is_refused(run, policy: str) -> None:
    with RedisServer("--maxmemory", "100mb", "--maxmemory-policy", policy) as server:
        assert "set its maxmemory-policy to noeviction" in failure(
            run, RedisStore(address(server.url))
        )


def test_a_full_store_denies(run) -> None:
    with RedisServer("--maxmemory", "3mb", "--maxmemory-policy", "noeviction") as server:
        store = RedisStore(address(server.url))
        run(store.open())
        large = [reservation(bound(fresh()), entry=b"x" * 100_000) for _ in range(100)]
        with pytest.raises(StoreError, match="maxmemory"):
            run(store.reserve(large))
        run(store.close())


@pytest.mark.parametrize(
    "rest", ["/nowhere", "/postgres?sslmode=no&password=can%40ry", "/postgres?can%40ry=1"]
)
def test_p14_why_postgres_lets_nobody_in_is_told_without_secrets(run, rest: str) -> None:
    with PostgresServer() as server:
        url = server.url.replace("wall@", "wall:can%40ry@").replace("/postgres", rest)
        said = failure(run, PostgresStore(address(url)))
        assert said
        assert "can" not in said.replace("cannot", "")
        assert "\n" not in said


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "postgresql://127.0.0.1:1/x"])
def test_a_store_that_is_not_there_says_so(run, url: str) -> None:
    kind = RedisStore if url.startswith("redis") else PostgresStore
    assert "connect" in failure(run, kind(address(url)))


def test_p01_a_function_that_somebody_changed_grants_nothing(run) -> None:
    async def play(server: PostgresServer) -> None:
        store = PostgresStore(address(server.url))
        await store.open()
        await store._line.execute("""
            DROP FUNCTION mcpwall_reserve_1;
            CREATE FUNCTION mcpwall_reserve_1(
                text, bytea, text[], numeric[], numeric[], bigint[], bigint
            ) RETURNS bigint[] LANGUAGE sql AS 'SELECT NULL::bigint[]'
        """)
        for asked in ([reservation()], [reservation(bound(fresh()))] * 2):
            with pytest.raises(StoreError, match="makes no sense"):
                await store.reserve(asked)
        await store.close()

    with PostgresServer() as server:
        run(play(server))
