"""Work without end from one agent: what it costs the engine, and that others go on meanwhile."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.programs import environment
from tests.helpers.raw_client import RawClient
from tests.system.conftest import OPEN_RULES, Agent
from tests.system.processes import engine_pid, rss_mb, snapshot

GIGABYTE = 1 << 30
PIECE = b"x" * (1 << 20)
NOTE = b'{"jsonrpc":"2.0","method":"notifications/message","params":{"n":0}}\n'
RULES_MAX = 10_000
PAUSE_S = 0.01  # between two calls of the other session, which would take half of the machine

Rules = Callable[[str], Path]


def peak_mb(pid: int) -> float:
    """The most memory that a process ever had in use, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no memory")


def while_it_runs(work: Callable[[], None], other: RawClient) -> int:
    """How many calls of another session were answered while some work went on."""
    thread = threading.Thread(target=work)
    thread.start()
    answered = 0
    while thread.is_alive():
        assert "result" in other.call("echo", {"n": answered})
        answered += 1
        thread.join(PAUSE_S)
    return answered


def test_the_engine_takes_as_many_descriptors_as_it_may(home: Path, agent: Agent) -> None:
    few, hard = 64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    command = f"ulimit -S -n {few}; exec {sys.executable} -m mcpwall engine"
    with subprocess.Popen(
        ["sh", "-c", command], env=environment(home), stdout=subprocess.PIPE
    ) as engine:
        assert engine.stdout is not None
        assert b"listening" in engine.stdout.readline()
        assert resource.prlimit(engine.pid, resource.RLIMIT_NOFILE)[0] == min(8_192, hard)
        with agent() as client:
            client.open()
            assert "result" in client.call("echo")
        engine.terminate()


@pytest.mark.slow
def test_p13_a_line_of_a_gigabyte_is_refused_in_bounded_memory(
    home: Path, agent: Agent, rules: Rules
) -> None:
    rules(OPEN_RULES)
    with agent() as hostile, agent() as other:
        hostile.open()
        other.open()

        def flood() -> None:
            hostile.send_raw(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"')
            for _ in range(GIGABYTE // len(PIECE)):
                hostile.send_raw(PIECE)
            hostile.send_raw(b'"}}\n')

        before = rss_mb(engine_pid(home))
        assert while_it_runs(flood, other) > 10
        hostile.wait_until(lambda: bool(hostile.unmatched), "the refusal")
        assert "longer than the wall takes" in hostile.unmatched[0]["error"]["message"]
        assert "result" in hostile.call("echo")
        assert peak_mb(engine_pid(home)) - before < 200


@pytest.mark.slow
@pytest.mark.timeout(900)  # half a minute of work, on a machine that does nothing else
def test_p13_a_million_notifications_keep_nobody_waiting(
    home: Path, agent: Agent, rules: Rules
) -> None:
    rules(OPEN_RULES)
    with agent() as hostile, agent() as other:
        hostile.open()
        other.open()

        def flood() -> None:
            for _ in range(1_000):
                hostile.send_raw(NOTE * 1_000)

        before = rss_mb(engine_pid(home))
        assert while_it_runs(flood, other) > 10
        assert "result" in hostile.call("echo")
        assert peak_mb(engine_pid(home)) - before < 100


@pytest.mark.slow
def test_p13_ten_thousand_rules_of_every_kind_are_borne(
    home: Path, agent: Agent, rules: Rules
) -> None:
    kinds = (
        'tool = "t{}"\naction = "deny"',
        'tool = "*_{}"\nserver = "s*"\naction = "ask"',
        'tool = "echo"\nwhen = {{ text = {{ regex = "(a|aa)+{}$" }} }}\naction = "deny"',
        'tool = "echo"\nagent = "nobody{}"\nrate_limit = "5/hour"',
    )
    tables = "".join(
        f'[[rules]]\nid = "r{number}"\n{kinds[number % len(kinds)].format(number)}\n'
        for number in range(RULES_MAX)
    )
    rules(OPEN_RULES + tables)
    with agent() as client:
        client.open()
        for number in range(50):
            answer = client.call("echo", {"text": "a" * 1_000 + f"b{number}"})
            assert "isError" not in answer["result"]
        assert client.call("echo", {"text": "aa2"})["result"]["isError"]
        assert len(snapshot(home).rules) == RULES_MAX
