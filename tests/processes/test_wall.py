"""The wall as it is used: real shims, a real engine, a server that records what reaches it."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from mcpwall.engine.port import Done, Refused, Reply
from mcpwall.engine.port_answers import Decide
from mcpwall.engine.port_calls import Held
from mcpwall.link.client import connect
from tests.helpers.programs import ECHO, environment, mcpwall, status, wall
from tests.helpers.raw_client import RawClient

CLASSES = ("read", "write", "execute", "destructive", "financial", "unknown")
ALLOW = "[defaults]\n" + "".join(f'{name} = "allow"\n' for name in CLASSES)


@contextmanager
def session(home: Path, *, log: Path | None = None, name: str = "agent", **options: object):
    """An agent with an open session of a recording server behind the wall."""
    env = environment(home, **({} if log is None else {"log": log}), **options)
    with RawClient(wall("echo", *ECHO), env=env, name=name) as client:
        client.open()
        yield client


def received(log: Path) -> list[dict]:
    """The tools/call requests that reached the server, as it read them."""
    messages = [json.loads(line) for line in log.read_bytes().splitlines()]
    return [message for message in messages if message["method"] == "tools/call"]


def recorded(home: Path) -> list[dict]:
    """The calls in the audit."""
    lines = mcpwall(home, "log", "--json", "-n", "100000").splitlines()
    return [json.loads(line) for line in lines]


def refused(answer: dict) -> dict | None:
    """The verdict in an answer of the wall's own, None in a server's."""
    return answer["result"].get("_meta", {}).get("mcpwall/verdict")


def kill_engine(home: Path) -> None:
    """Kill the engine; waits for one that is starting."""
    killed = False
    while not killed:
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int((home / "state" / "engine.lock").read_text()), signal.SIGKILL)
            killed = True


def test_a_server_may_have_a_long_command_line(home: Path) -> None:
    (home / "config.toml").write_text(ALLOW)
    long = "x" * 100_000  # one argument of a program may have 128 KiB
    with RawClient(wall("echo", *ECHO, long), env=environment(home)) as client:
        client.open()
        assert refused(client.call("echo", {"text": "one"})) is None


@pytest.mark.parametrize(
    "arguments",
    [
        '{"text":"\\u0041\\ud83d\\ude00","n":123456789012345678901234567890}',
        '{ "a" : 1e2,\t"b":-0.0 , "c": 0.1000 , "d": [ ] , "e": {"": null} }',
        '{"text":"one","text":"two"}',
        '{"te\\u0078t":"one","text":"two"}',
        '{"sep":"\\u2028 \\u0085 \\r\\n \\u0000"}',
    ],
)
def test_p02_the_server_gets_exactly_what_was_judged(
    home: Path, tmp_path: Path, arguments: str
) -> None:
    (home / "config.toml").write_text(ALLOW)
    log = tmp_path / "log"
    with session(home, log=log) as client:
        params = f'{{"name":"echo","arguments":{arguments}}}'
        call = f'{{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{params}}}\n'
        client.send_raw(call.encode())
        client.wait_until(lambda: bool(client.unmatched), "the answer")
        [answer] = client.unmatched
    [row] = recorded(home)
    calls = received(log)
    if "result" in answer:
        [seen] = calls
        assert seen["params"]["arguments"] == row["arguments"] == json.loads(arguments)
    else:
        assert calls == []


def test_p01_without_room_for_the_record_nothing_reaches_the_server(
    home: Path, tmp_path: Path
) -> None:
    (home / "config.toml").write_text(ALLOW)
    log = tmp_path / "log"

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    engine = subprocess.Popen(
        [sys.executable, "-m", "mcpwall", "engine"],
        env=environment(home),
        stdout=subprocess.PIPE,
        preexec_fn=small_files,  # noqa: PLW1509  no other thread runs yet
    )
    with engine:
        assert b"listening" in engine.stdout.readline()
        with session(home, log=log) as client:
            answers = [client.call("echo", {"text": "x" * 20_000}) for _ in range(60)]
        engine.send_signal(signal.SIGINT)
    verdicts = [refused(answer) for answer in answers]
    assert verdicts[0] is None
    assert verdicts[-1]["cause"] == "fault"
    assert len(received(log)) == verdicts.count(None)
    with session(home):  # an engine that has room files what the other had only taken in
        states = {row["request_id"]: row["state"] for row in recorded(home)}
    forwarded = {call["id"] for call in received(log)}
    assert {number for number, state in states.items() if state != "refused"} == forwarded


def test_p09_three_calls_in_any_minute_over_two_sessions_and_a_kill(
    home: Path, tmp_path: Path
) -> None:
    (home / "config.toml").write_text(ALLOW)
    log = tmp_path / "log"
    money = {"amount": 1, "to": "x"}
    limit = '[[rules]]\nid = "three"\ntool = "pay"\nrate_limit = { max = 3, window = 60 }\n'
    with session(home, log=log) as one, session(home, log=log) as two:
        before = status(home)["engine"]["policy"]
        (home / "config.toml").write_text(ALLOW + limit)
        while status(home)["engine"]["policy"] == before:
            pass  # the engine looks at its file by itself
        verdicts = [refused(client.call("pay", money)) for client in (one, two)]
        kill_engine(home)
        verdicts += [refused(client.call("pay", money)) for client in (one, two, one)]
    assert [verdict and verdict["cause"] for verdict in verdicts] == [None] * 3 + ["limit"] * 2
    assert len(received(log)) == 3


def test_p12_a_killed_engine_leaves_no_call_forwarded_and_not_recorded(
    home: Path, tmp_path: Path
) -> None:
    (home / "config.toml").write_text(ALLOW)
    log = tmp_path / "log"
    calls = []
    with session(home, log=log) as client:
        client.request("tools/list")
        for _ in range(4):
            batch = [client.start_call("echo", {"n": number}) for number in range(300)]
            third = batch[100]
            client.wait_until(lambda call=third: call.done, "a third of the answers")
            kill_engine(home)
            calls += batch
        answers = [call.wait() for call in calls]
    forwarded = [call["id"] for call in received(log)]
    states = {row["request_id"]: row["state"] for row in recorded(home)}
    assert len(forwarded) == len(set(forwarded))
    assert {states[number] for number in forwarded} <= {"running", "done", "lost"}
    assert {answer["id"] for answer in answers if refused(answer) is None} <= set(forwarded)


def test_p05_a_held_call_is_denied_when_its_time_is_up_and_no_app_is_open(
    home: Path, tmp_path: Path
) -> None:
    (home / "config.toml").write_text('[defaults]\nhold = "1s"\n')
    log = tmp_path / "log"
    with session(home, log=log) as client:
        answer = client.call("run_command", {"command": "ls"})
    assert answer["result"]["isError"] is True
    assert refused(answer)["cause"] == "unattended"
    assert received(log) == []


def test_p08_a_held_call_is_released_once_by_a_decision_that_quotes_it(
    home: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with session(home, log=log) as client:
        pending = client.start_call("run_command", {"command": "ls"})

        async def decide() -> list[Reply]:
            async with connect(str(home / "state" / "engine.sock")) as engine:
                held: tuple[Held, ...] = ()
                while not held:
                    held = (await engine.snapshot()).held
                [call] = held
                right = Decide(call.row.id, call.digest, call.revision, allow=True)
                wrong = msgspec.structs.replace(right, digest="0" * 64)
                stale = msgspec.structs.replace(right, revision=call.revision - 1)
                replies = [await engine.send(each) for each in (wrong, stale)]
                assert received(log) == []
                return [*replies, await engine.send(right), await engine.send(right)]

        replies = asyncio.run(decide())
        assert refused(pending.wait()) is None
    assert [type(reply) for reply in replies] == [Refused, Refused, Done, Refused]
    assert len(received(log)) == 1
