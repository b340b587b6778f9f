"""How servers end, and what the engine says of it afterwards: real processes, real signals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from mcpwall.engine.port_servers import Life
from mcpwall.tui.servers.lives import standing
from tests.helpers.far_server import far
from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import environment, status, wall
from tests.helpers.raw_client import RawClient
from tests.helpers.scripted_server import reply
from tests.system.processes import kill_engine, server_of, snapshot, wait_for


def life(home: Path) -> Life:
    """What is known of the only server."""
    (server,) = snapshot(home).servers
    return server.life


def ended(client: RawClient) -> int:
    """The exit code of a session's shim, once all is told."""
    assert client.process is not None
    return client.process.wait(LIMIT_S)


def kill(client: RawClient, number: signal.Signals = signal.SIGKILL) -> None:
    """Somebody kills a session's server; waits for the session's end."""
    assert client.process is not None
    os.kill(server_of(client.process.pid), number)
    ended(client)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_is_killed_is_down_until_its_agent_starts_it_again(home, agent, number):
    with agent() as client:
        client.open()
        up = life(home)
        assert up.up_ms > 0
        assert (up.ended, up.restarts) == (None, ())
        kill(client, number)
        down = life(home)
        assert down.up_ms == 0
        assert down.ended is not None
        assert (down.ended.exit, down.ended.itself) == (128 + number, True)
        assert down.fell == down.ended
        assert down.ended.at_ms >= up.up_ms
    with agent() as client:
        client.open()
        again = life(home)
        assert again.restarts == (again.up_ms,)
        (row,) = snapshot(home).servers
        assert standing(row, row.life.up_ms, None)[0] == "up 0s, 1 restart"
        assert status(home)["servers"][0]["life"]["fell"]["exit"] == 128 + number


@pytest.mark.parametrize("code", [0, 3])
def test_a_server_that_exits_by_itself_is_down_with_its_code(home, agent, code):
    with agent("sh", "-c", f"read line; exit {code}") as client:
        client.start("ping")
        assert ended(client) == code
    down = life(home).ended
    assert down is not None
    assert (down.exit, down.itself) == (code, True)


def test_a_server_whose_agent_closes_its_end_has_ended_and_is_not_down(home, agent):
    with agent() as client:
        client.open()
        assert client.finish() == 0
    over = life(home)
    assert over.ended is not None
    assert (over.ended.exit, over.ended.itself) == (0, False)
    assert over.ended.why == "the agent closed its end"
    assert over.fell is None
    with agent() as client:
        client.open()
        assert life(home).restarts == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_of_the_agent_is_no_fault_of_the_server(home, agent, number):
    with agent() as client:
        client.open()
        client.process.send_signal(number)
        ended(client)
    over = life(home).ended
    assert over is not None
    assert (over.exit, over.itself) == (128 + number, False)
    assert over.why == "its shim was told to end"


def test_an_engine_that_takes_over_while_a_server_ends_hears_who_told_it_to(home, agent):
    with agent(ignore="term,eof") as client:  # it takes the time until SIGKILL
        client.open()
        client.process.send_signal(signal.SIGTERM)
        kill_engine(home)
        ended(client)
        over = life(home).ended
        assert over is not None
        assert (over.exit, over.itself) == (137, False)


def test_a_server_that_goes_on_with_another_engine_is_up_since_it_began(home, agent):
    with agent() as client:
        client.open()
        since = life(home).up_ms
        kill_engine(home)
        client.request("ping")
        assert (life(home).up_ms, life(home).restarts) == (since, ())


def test_a_shim_that_is_killed_says_nothing_of_its_server(home, agent):
    with agent() as client:
        client.open()
        client.process.kill()
        ended(client)
        over = wait_for(lambda: life(home).ended, "the session's end")
        assert (over.why, over.exit, over.itself) == ("the shim was killed", None, False)


def test_a_remote_server_is_in_trouble_until_it_answers_again(home, rules):
    with far([reply(503)]) as server:
        rules(f'[servers.far]\nurl = "{server.url}"\n')
        with RawClient(wall("far"), env=environment(home), name="agent") as client:
            client.open()
            answered = life(home)
            assert answered.answered_ms > 0
            assert answered.trouble == ""
            client.start_call("look").wait()
            failing = life(home)
            assert "answered with HTTP 503" in failing.trouble
            assert failing.trouble_ms >= answered.answered_ms
            client.request("tools/list")
            assert life(home).trouble == ""
        over = wait_for(lambda: life(home).ended, "the session's end")
        assert (over.why, over.exit, over.itself) == ("the agent closed its end", None, False)
