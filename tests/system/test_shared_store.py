"""Two walls that share a store, as they are used: real engines, real sessions, a real server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ECHO, ROOT, environment, mcpwall, status, wall
from tests.helpers.raw_client import Pending, RawClient
from tests.helpers.stores import PostgresServer, RedisServer, Server
from tests.system.conftest import OPEN_RULES
from tests.system.processes import kill_engine, run, snapshot, wait_for

Open = Callable[..., tuple[RawClient, RawClient]]


@pytest.fixture(params=[RedisServer, PostgresServer], ids=["redis", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A store of each kind, empty."""
    with request.param() as server:
        yield server


@pytest.fixture
def walls(
    home: Path,
    other_home: Path,
    store: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Open]:
    """Open a session behind each of two walls with these rules; their servers log what comes."""
    monkeypatch.setenv("MCPWALL_TEST_STORE", store.url)
    with ExitStack() as stack:

        def start(rules: str) -> tuple[RawClient, RawClient]:
            clients = []
            for place in (home, other_home):
                config = place / "config.toml"
                url = "${env:MCPWALL_TEST_STORE}"  # it reaches an engine that a shim starts
                config.write_text(f'{OPEN_RULES}\n[store]\nurl = "{url}"\n{rules}')
                config.chmod(0o600)
                env = environment(place, log=tmp_path / place.name)
                client = stack.enter_context(RawClient(wall("echo", *ECHO), env=env))
                client.open()
                client.request("tools/list")
                clients.append(client)
            return clients[0], clients[1]

        yield start


def limit(tool: str, text: str) -> str:
    return f'[[rules]]\nid = "team"\ntool = "{tool}"\n{text}\n'


def passed(call: Pending) -> bool:
    return cause(call) is None


def cause(call: Pending) -> str | None:
    """Why a call was refused, None if its server answered it."""
    verdict = call.wait()["result"].get("_meta", {}).get("mcpwall/verdict")
    return verdict and verdict["cause"]


def ran(tmp_path: Path, *homes: Path) -> list[dict[str, Any]]:
    """The arguments of all calls that reached a server."""
    lines = b"".join((tmp_path / place.name).read_bytes() for place in homes).splitlines()
    messages = [json.loads(line) for line in lines]
    return [m["params"]["arguments"] for m in messages if m["method"] == "tools/call"]


def test_p09_exactly_n_pass_through_two_walls_and_a_kill(
    walls: Open, home: Path, other_home: Path, tmp_path: Path
) -> None:
    one, two = walls(limit("echo", 'rate_limit = "50/minute"'))
    calls = [
        client.start_call("echo", {"n": number})
        for number in range(20)
        for client in (one, two)
    ]  # fmt: skip
    assert all(map(passed, calls))
    kill_engine(home)
    more = [
        client.start_call("echo", {"n": number})
        for number in range(20, 60)
        for client in (one, two)
    ]  # fmt: skip
    causes = [cause(call) for call in more]
    assert causes.count(None) == 10
    assert set(causes) == {None, "limit"}
    assert len(ran(tmp_path, home, other_home)) == 50


def test_p09_a_kill_under_load_lets_no_more_than_n_pass(
    walls: Open, home: Path, other_home: Path, tmp_path: Path
) -> None:
    one, two = walls(limit("echo", 'rate_limit = "40/minute"'))
    calls = [one.start_call("echo", {"n": number}) for number in range(100)]
    kill_engine(home)  # some are reserved, some granted, some forwarded
    calls += [two.start_call("echo", {"n": number}) for number in range(100)]
    causes = [cause(call) for call in calls]
    assert set(causes) <= {None, "limit", "fault"}
    arrived = ran(tmp_path, home, other_home)
    assert causes.count(None) <= len(arrived) <= 40
    shared = mcpwall(other_home, "log", "--store", "--json", "-n", "1000", "verdict:allow")
    assert len(arrived) <= len(shared.splitlines()) <= 40


def test_p09_a_shared_budget_is_exact_to_the_cent(
    walls: Open, home: Path, other_home: Path, tmp_path: Path
) -> None:
    one, two = walls(limit("pay", 'budget = { sum = "amount", max = 10, window = "1h" }'))
    calls = [
        client.start_call("pay", {"amount": amount, "to": "x"})
        for amount in (0.1,) * 30 + (3.33,)
        for client in (one, two)
    ]  # fmt: skip
    causes = [cause(call) for call in calls]
    assert causes[:60] == [None] * 60
    assert sorted(causes[60:], key=str) == [None, "budget"]
    calls = [two.start_call("pay", {"amount": cents, "to": "x"}) for cents in (0.68, 0.67, 0.01)]
    assert [cause(call) for call in calls] == ["budget", None, "budget"]
    amounts = [Decimal(str(each["amount"])) for each in ran(tmp_path, home, other_home)]
    assert sum(amounts) == 10


def test_what_counts_per_session_or_agent_is_each_walls_own(walls: Open) -> None:
    rule = 'rate_limit = {{ max = 1, window = 60, per = "{}" }}'
    one, two = walls(
        limit("echo", rule.format("session")) + limit("plain", rule.format("agent")).replace(
            '"team"', '"agents"'
        )
    )  # fmt: skip
    for tool in ("echo", "plain"):
        assert passed(one.start_call(tool))
        assert passed(two.start_call(tool))
        assert cause(one.start_call(tool)) == "limit"


def test_p01_while_the_store_is_away_nothing_passes_and_then_it_does_again(
    walls: Open, store: Server, home: Path, other_home: Path, tmp_path: Path
) -> None:
    one, two = walls(limit("echo", 'rate_limit = "4/minute"'))
    assert passed(one.start_call("echo"))
    assert passed(two.start_call("echo"))
    store.stop(signal.SIGKILL)
    away = [client.start_call("echo") for client in (one, two, one)]
    assert [cause(call) for call in away] == ["fault"] * 3
    told = away[-1].response["result"]["content"][0]["text"]
    name = status(home)["engine"]["store"]
    assert told.startswith(f"mcpwall did not run this call: the shared store {name} ")
    wait_for(lambda: status(home)["engine"]["store_fault"], "the fault in mcpwall status")
    assert "CALLS ARE DENIED" in mcpwall(home, "status")
    doctor = run([sys.executable, "-m", "mcpwall", "doctor", "--no-start"], home)
    assert f"the shared store {name} " in doctor.stdout
    store.start()
    for place in (home, other_home):
        wait_for(lambda p=place: not status(p)["engine"]["store_fault"], "the store to be back")
    calls = [client.start_call("echo") for client in (one, two, one, two)]
    assert [cause(call) for call in calls].count(None) == 2
    assert len(ran(tmp_path, home, other_home)) == 4


def test_p01_a_store_that_hangs_delays_nothing_else_and_denies_in_time(
    walls: Open, store: Server, home: Path, tmp_path: Path
) -> None:
    one, _ = walls(limit("echo", 'rate_limit = "2/minute"'))
    store.freeze()
    waiting = one.start_call("echo", {"text": "late"})
    assert one.request("tools/list")["result"]["tools"]
    assert not waiting.done
    assert cause(waiting) == "fault"
    assert "did not answer within 3 s" in waiting.response["result"]["content"][0]["text"]
    store.thaw()
    wait_for(lambda: not status(home)["engine"]["store_fault"], "the store to be back")
    # what the refused call may have booked was given back
    assert [cause(one.start_call("echo")) for _ in range(3)] == [None, None, "limit"]
    assert len(ran(tmp_path, home)) == 2


def test_a_wall_can_be_stopped_and_started_while_the_store_hangs(
    walls: Open, store: Server, home: Path, tmp_path: Path
) -> None:
    one, _ = walls(limit("echo", 'rate_limit = "2/minute"'))
    store.freeze()
    waiting = one.start_call("echo")
    wait_for(lambda: "reserving" in str(snapshot(home).rows), "the call to wait for the store")
    assert "stopped" in mcpwall(home, "stop")
    assert "error" in waiting.wait()
    env = environment(home, log=tmp_path / home.name)
    with RawClient(wall("echo", *ECHO), env=env) as again:
        again.open(30)
        assert cause(again.start_call("echo")) == "fault"
    assert ran(tmp_path, home) == []


def test_all_walls_read_what_went_through_any(walls: Open, home: Path, other_home: Path) -> None:
    one, two = walls(limit("echo", 'rate_limit = "1/minute"'))
    assert passed(one.start_call("echo", {"text": "from one"}))
    assert cause(two.start_call("echo", {"text": "from two"})) == "limit"
    wait_for(lambda: "refused" in mcpwall(home, "log", "--store"), "the second call")
    for place in (home, other_home):
        lines = mcpwall(place, "log", "--store", "--json").splitlines()
        first, second = map(json.loads, lines)
        assert first["wall"] != second["wall"]
        assert "@" in first["who"]
        assert [row["arguments"]["text"] for row in (first, second)] == ["from one", "from two"]
        assert [row["verdict"]["action"] for row in (first, second)] == ["allow", "deny"]
        assert "from two" in mcpwall(place, "log", "--store", "verdict:limit")
        assert "from one" not in mcpwall(place, "log", "--store", "verdict:limit")


# --- settings that lead nowhere -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("${env:MCPWALL_NOTHING}", "the environment variable MCPWALL_NOTHING is not set"),
        ("${env:MCPWALL_STRANGE}", "store.url must begin with one of redis://"),
    ],
)
def test_a_setting_that_leads_nowhere_stops_the_engine(home: Path, url: str, said: str) -> None:
    (home / "config.toml").write_text(f'[store]\nurl = "{url}"\n')
    engine = [sys.executable, "-m", "mcpwall", "engine"]
    env = {**environment(home), "MCPWALL_STRANGE": "http://:canary@h"}
    ended = subprocess.run(
        engine, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "canary" not in ended.stderr
    shown = run([sys.executable, "-m", "mcpwall", "log", "--store"], home)
    assert shown.returncode == 2


def test_a_missing_driver_is_named(home: Path, tmp_path: Path) -> None:
    (home / "config.toml").write_text('[store]\nurl = "redis://:canary@h"\n')
    (tmp_path / "redis.py").write_text("raise ImportError('no redis here')\n")
    env = environment(home)
    env["PYTHONPATH"] = f"{tmp_path}:{ROOT}"
    engine = [sys.executable, "-m", "mcpwall", "engine"]
    ended = subprocess.run(
        engine, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert ended.returncode == 2
    assert "run: pip install 'mcpwall[redis]'" in ended.stderr
    assert "canary" not in ended.stderr


def test_without_a_shared_store_there_is_none_to_read(home: Path) -> None:
    (home / "config.toml").write_text("")
    shown = run([sys.executable, "-m", "mcpwall", "log", "--store"], home)
    assert (shown.returncode, "names no shared store" in shown.stderr) == (2, True)
    shown = run([sys.executable, "-m", "mcpwall", "log", "--store", "--follow"], home)
    assert (shown.returncode, "leave out --store" in shown.stderr) == (2, True)
