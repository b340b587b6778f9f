"""`mcpwall watch` as a process: over kill -9 of the engine, to ctrl+c, or until nobody reads it."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment
from tests.helpers.raw_client import RawClient
from tests.system.conftest import OPEN_RULES
from tests.system.processes import kill_engine, run, wait_for

WATCH = [sys.executable, "-m", "mcpwall", "watch", "--json"]
STOP = [sys.executable, "-m", "mcpwall", "stop"]


@contextmanager
def watching(home: Path, stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    """A watch that is killed at the end, should it still be there."""
    process = subprocess.Popen(WATCH, env=environment(home), stdout=stdout, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told(out: Path) -> list[dict]:
    """The whole lines of a watch so far."""
    text, _, _ = out.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in text.splitlines()]


def call_until_told(client: RawClient, out: Path) -> None:
    """Make calls until the watch has told of one: from then on it tells of all."""
    for number in itertools.count():
        client.call("echo", {"text": f"first-{number}"})
        if out.stat().st_size:
            return


def test_watch_goes_on_over_kills_and_loses_and_repeats_no_call(home, agent, rules, tmp_path):
    rules(OPEN_RULES)
    out = tmp_path / "told"
    with agent() as client, out.open("wb") as file:
        client.open()
        with watching(home, file.fileno()) as watch:
            call_until_told(client, out)
            made = [f"call-{number}" for number in range(8)]
            for number, text in enumerate(made):
                if number % 2:
                    kill_engine(home)
                client.call("echo", {"text": text})
                wait_for(lambda text=text: text in out.read_text(), f"{text} to be told")
            watch.send_signal(signal.SIGINT)
            assert watch.wait(LIMIT_S) == 0
    lines = told(out)
    rows = [line["row"] for line in lines if line["type"] == "row"]
    texts = {json.loads(row["preview"])["text"] for row in rows}
    assert texts >= set(made)
    assert max(Counter((row["id"], row["state"]) for row in rows).values()) == 1
    words = [line["type"] for line in lines if line["type"] in ("gone", "gap", "status")]
    assert words == ["gone", "status"] * 4


def test_a_watch_without_an_engine_ends_when_nobody_reads_it(home, agent, rules):
    rules(OPEN_RULES)
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as reader, agent() as client:
        client.open()
        with watching(home, writes) as watch:
            os.close(writes)
            while not select.select([reads], [], [], 0)[0]:
                client.call("echo")  # until the first is told
            assert run(STOP, home).returncode == 0
            for line in reader:
                if json.loads(line)["type"] == "gone":
                    break
            reader.close()
            assert watch.wait(LIMIT_S) == 0
            assert watch.stderr.read() == b""
