"""kill -9 of the engine at any moment: no call is lost, repeated, unrecorded or over a limit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack

import pytest

from mcpwall.engine.port import Done, Reply
from mcpwall.engine.port_answers import Decide
from mcpwall.link.client import connect
from mcpwall.store.audit import Audit
from tests.helpers.limits import LIMIT_S
from tests.helpers.raw_client import RawClient
from tests.system.conftest import OPEN_RULES
from tests.system.processes import kill_engine, run, server_of, snapshot, wait_for

KILLS = 10  # a shim gives up when more engines die within ten seconds


class Load:
    """A client that keeps calls in flight, 1 to 64 at a time, until it is told to stop."""

    def __init__(self, client: RawClient, name: str) -> None:
        self.client = client
        self.name = name
        self.calls: dict[str, str] = {}  # id → text
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            burst = []
            for _ in range((1, 8, 64)[number % 3]):
                number += 1
                identifier = f"{self.name}-{number}"
                # every fifth is larger than what a pipe takes at once
                self.calls[identifier] = identifier + "x" * (6_000 if number % 5 == 0 else 0)
                arguments = {"text": self.calls[identifier]}
                params = {"name": "echo", "arguments": arguments}
                burst.append(self.client.start("tools/call", params, id=identifier))
            for call in burst:
                call.wait()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(2 * LIMIT_S)
        assert not self._thread.is_alive(), "a call never got an answer"


def answers(client: RawClient) -> dict[str, list[dict]]:
    """All answers that came, by the id of their call."""
    found: dict[str, list[dict]] = {}
    for line in filter(bytes.strip, client.lines):
        message = json.loads(line)
        if isinstance(message.get("id"), str) and "-" in message["id"]:
            found.setdefault(message["id"], []).append(message)
    return found


def recorded(home) -> list[str]:
    """The texts of all calls in the record, in their order."""
    with Audit.reader(str(home / "state" / "audit.db")) as audit:
        rows = list(audit.search(lambda row: row.tool == "echo"))
    return [json.loads(row.arguments)["text"] for row in reversed(rows)]


@pytest.mark.slow
def test_p12_kills_under_load_lose_and_repeat_nothing(home, agent, rules, tmp_path):
    rules(OPEN_RULES)
    names = "abc"
    with ExitStack() as stack:
        clients = [stack.enter_context(agent(log=tmp_path / name, name=name)) for name in names]
        for client in clients:
            client.open()
            client.request("tools/list")
        servers = [server_of(client.process.pid) for client in clients]
        loads = [Load(client, name) for client, name in zip(clients, names, strict=True)]
        for _ in range(KILLS):
            for client in clients:
                seen = len(client.lines)
                client.wait_until(lambda c=client, s=seen: len(c.lines) > s + 50, "answers")
            kill_engine(home)
        for load in loads:
            load.stop()
        # agents and servers live on
        for client, server in zip(clients, servers, strict=True):
            assert "result" in client.call("echo", {"text": f"after {server}"})
            assert server_of(client.process.pid) == server
            assert client.finish() == 0
        for load in loads:
            by_call = answers(load.client)
            assert by_call.keys() == load.calls.keys()
            for identifier, found in by_call.items():
                assert is_right(found[0], load.calls[identifier]), found
                # what may have gone as the engine died is told again, and never otherwise
                assert all(message == found[0] for message in found), found
    on_record = Counter(recorded(home))
    assert max(on_record.values()) == 1, "a call was judged twice"
    for name in names:
        lines = filter(bytes.strip, (tmp_path / name).read_bytes().splitlines())
        calls = [json.loads(line) for line in lines if b'"tools/call"' in line]
        texts = Counter(call["params"]["arguments"]["text"] for call in calls)
        assert max(texts.values()) == 1, "a call ran twice"
        assert texts.keys() <= on_record.keys(), "a call ran that is not on record"


def is_right(answer: dict, text: str) -> bool:
    """The real answer, or the word that the call may have run."""
    result = answer["result"]
    if result.get("isError"):
        return "it may have run" in result["_meta"]["mcpwall/verdict"]["reason"]
    (content,) = result["content"]
    return content["text"] == json.dumps({"text": text})


# --- limits and approvals ------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["pipe", "socket"])
def test_p09_a_limit_written_while_all_runs_holds_over_sessions_and_kills(
    home, agent, rules, tmp_path, ends
):
    rules(OPEN_RULES)
    logs = [tmp_path / "one", tmp_path / "two"]
    with ExitStack() as stack:
        clients = [stack.enter_context(agent(log=log, ends=ends)) for log in logs]
        for client in clients:
            client.open()
            assert "isError" not in client.call("echo", {"text": "free"})["result"]
        rules(OPEN_RULES + '\n[[rules]]\nid = "three"\ntool = "echo"\nrate_limit = "3/60s"\n')
        wait_for(lambda: any(row.rule.id == "three" for row in snapshot(home).rules), "the rule")
        passed, refused = 0, 0
        for number in range(12):
            if number in (2, 6):
                kill_engine(home)
            result = clients[number % 2].call("echo", {"text": str(number)})["result"]
            if "isError" in result:
                verdict = result["_meta"]["mcpwall/verdict"]
                assert (verdict["cause"], verdict["rules"]) == ("limit", ["three"])
                assert 0 < verdict["retryAfter"] <= 60
                refused += 1
            else:
                passed += 1
        assert (passed, refused) == (3, 9)
    ran = sum(log.read_bytes().count(b'"tools/call"') for log in logs)
    assert ran == 2 + 3


def decide(home, allow: bool) -> Reply:
    """What a person does in an app that is opened, answers the one call that waits, and closed."""

    async def run() -> Reply:
        async with connect(str(home / "state" / "engine.sock")) as port:
            (held,) = (await port.snapshot()).held
            decision = Decide(held.row.id, held.digest, held.revision, allow, "not now")
            return await port.send(decision)

    return asyncio.run(run())


ASK = OPEN_RULES + '\n[[rules]]\ntool = "pay"\naction = "ask"\n'


@pytest.mark.parametrize("allow", [True, False])
def test_a_call_held_with_no_app_there_is_decided_by_one_that_comes_later(
    home, agent, rules, allow
):
    rules(ASK)
    with agent() as client:
        client.open()
        call = client.start_call("pay", {"amount": 5})
        wait_for(lambda: snapshot(home).held, "the call to wait")
        assert isinstance(decide(home, allow), Done)
        answer = call.wait()["result"]
        if allow:
            assert json.loads(answer["content"][0]["text"]) == {"amount": 5}
        else:
            assert "not now" in answer["content"][0]["text"]
        assert snapshot(home).held == ()


def test_p05_a_held_call_that_nobody_answers_is_denied_when_its_time_is_up(
    home, agent, rules, tmp_path
):
    rules(ASK.replace("[defaults]", '[defaults]\nhold = "1s"'))
    log = tmp_path / "log"
    with agent(log=log) as client:
        client.open()
        answer = client.call("pay", {"amount": 5})["result"]
        assert answer["_meta"]["mcpwall/verdict"]["cause"] == "unattended"
        assert b'"pay"' not in log.read_bytes()


def test_p08_a_held_call_does_not_outlive_its_engine(home, agent, rules, tmp_path):
    rules(ASK)
    log = tmp_path / "log"
    with agent(log=log) as client:
        client.open()
        call = client.start_call("pay", {"amount": 5})
        wait_for(lambda: snapshot(home).held, "the call to wait")
        kill_engine(home)
        answer = call.wait()["result"]
        assert "it was not run" in answer["content"][0]["text"]
        assert snapshot(home).held == ()
        assert b'"pay"' not in log.read_bytes()


def test_a_call_under_way_gets_its_real_answer_from_the_next_engine(home, agent, rules):
    rules(OPEN_RULES)
    with agent() as client:
        client.open()
        call = client.start_call("slow", {"gate": "g"})
        wait_for(lambda: snapshot(home).rows, "the call to run")
        kill_engine(home)
        client.call("release", {"gate": "g"})
        assert json.loads(call.wait()["result"]["content"][0]["text"]) == {"gate": "g"}


@pytest.mark.slow
def test_a_large_answer_is_whole_or_said_to_be_lost(home, agent, rules):
    """The engine dies while an answer of some megabytes is on its way to a slow reader."""
    rules(OPEN_RULES)
    with agent() as client:
        client.open()
        for _ in range(3):
            client.request("tools/list")
            calls = [client.start_call("blob", {"bytes": 3_000_000}) for _ in range(2)]
            kill_engine(home)
            for call in calls:
                result = call.wait()["result"]
                assert "isError" in result or len(result["content"][0]["text"]) == 3_000_000


# --- the record cannot be written -----------------------------------------------------------------


@pytest.fixture
def small_disk(home):
    """The state of this wall is on a disk of its own with little space."""
    state = home / "state"
    state.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "none", str(state)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield state
    subprocess.run(["umount", "-l", str(state)], check=True)


def test_p01_a_full_disk_denies_and_heals(home, agent, rules, small_disk, tmp_path):
    limited = OPEN_RULES + '\n[[rules]]\nid = "five"\ntool = "echo"\nrate_limit = "5/60s"\n'
    rules(limited)
    log = tmp_path / "log"
    with agent(log=log) as client:
        client.open()
        client.request("tools/list")  # pinned while there is room
        passed = []
        filler = small_disk / "filler"
        while True:  # some calls may still fit into what was the record's already
            fill(filler)
            result = client.call("echo", {"text": "x" * 5_000})["result"]
            if "isError" in result:
                break
            passed.append("x" * 5_000)
        assert result["_meta"]["mcpwall/verdict"]["cause"] == "fault"
        assert "its audit cannot be written" in result["content"][0]["text"]
        for _ in range(10):
            result = client.call("echo", {"text": "y" * 5_000})["result"]
            assert result["_meta"]["mcpwall/verdict"]["cause"] == "fault"
        filler.unlink()
        after = {str(n): client.call("echo", {"text": str(n)})["result"] for n in range(8)}
        passed += [text for text, result in after.items() if "isError" not in result]
        assert len(passed) == 5  # what was denied cost nothing
        assert client.finish() == 0
    texts = [
        json.loads(line)["params"] for line in log.read_bytes().splitlines() if b"echo" in line
    ]
    assert [params["arguments"]["text"] for params in texts] == passed
    done = run([sys.executable, "-m", "mcpwall", "stop"], home)
    assert done.returncode == 0
    assert set(recorded(home)) == {*passed, *after}


def fill(path) -> None:
    """Write until there is no space left."""
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
