"""How a session ends, from each of its sides, and that nothing is left of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.helpers.limits import LIMIT_S
from tests.helpers.programs import ECHO, environment, wall
from tests.helpers.raw_client import HANDSHAKE, STATELESS, RawClient
from tests.system.processes import (
    children,
    engine_pid,
    group,
    kill_engine,
    run,
    server_of,
    snapshot,
    wait_for,
)


def opened(client):
    """Open the session; returns the server's process group."""
    client.open()
    return server_of(client.process.pid)


def is_gone(pgid: int) -> bool:
    return not group(pgid)


@pytest.mark.parametrize("protocol", [HANDSHAKE, STATELESS])
@pytest.mark.parametrize("ends", ["pipe", "socket"])
def test_the_agent_closes_its_end(home, agent, ends, protocol):
    with agent(ends=ends, protocol=protocol) as client:
        server = opened(client)
        assert client.call("echo", {"text": "☃"})["result"]["content"][0]["text"] == '{"text": "☃"}'
        assert client.finish() == 0
        assert client.stderr == ""
    assert is_gone(server)
    assert snapshot(home).sessions == ()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_agent_sends_a_signal(agent, number):
    with agent() as client:
        server = opened(client)
        client.process.send_signal(number)
        assert client.process.wait(LIMIT_S) == 128 + number
    assert is_gone(server)


def test_an_agent_that_ends_all_below_it_spares_the_engine(home, agent):
    with agent() as client:
        opened(client)
        below, todo = set(), [os.getpid()]
        while todo:
            found = children(todo.pop())
            below.update(found)
            todo += found
        assert client.process.pid in below
        assert engine_pid(home) not in below


def test_the_server_exits_with_a_code_after_its_last_answer(agent):
    with agent(exit_after=1, exit_code=7) as client:
        opened(client)
        first, second = client.start_call("echo"), client.start_call("slow", {"gate": "never"})
        assert "result" in first.wait()
        assert "the server exited with code 7" in second.wait()["error"]["message"]
        assert client.process.wait(LIMIT_S) == 7


def test_the_server_dies_by_a_signal(agent):
    with agent() as client:
        server = opened(client)
        call = client.start_call("slow", {"gate": "never"})
        client.request("ping")  # the server has the call before it
        os.kill(server, signal.SIGKILL)
        assert "code 137" in call.wait()["error"]["message"]
        assert client.process.wait(LIMIT_S) == 137


def test_the_server_exits_at_once(agent):
    with agent("sh", "-c", "echo no luck >&2; exit 5") as client:
        assert client.process.wait(LIMIT_S) == 5
        assert client.stderr == "no luck\nmcpwall stdio: the server exited with code 5\n"
        assert client.lines == []


def test_the_server_does_not_exist(home):
    done = run(wall("git", "/nowhere/server"), home)
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == (
        "mcpwall stdio: cannot start the server '/nowhere/server': No such file or directory\n"
    )


def test_p10_what_an_agent_s_config_names_reaches_no_terminal_raw(home):
    done = run(wall("git", "/nowhere/\x1b]0;evil\x07\u202e"), home)
    assert done.stderr.removesuffix("\n").isprintable()
    assert "evil" in done.stderr
    done = run(wall("git\x1b[2J\x7f"), home)
    assert done.returncode == 2
    assert done.stderr.removesuffix("\n").isprintable()


def test_a_server_that_ignores_sigterm_is_killed_with_all_that_it_started(agent, tmp_path):
    grandchild = tmp_path / "pid"
    with agent(ignore="eof,term", grandchild=grandchild) as client:
        server = opened(client)
        assert len(group(server)) == 2
        client.process.send_signal(signal.SIGTERM)
        assert client.process.wait(LIMIT_S) == 137
    assert is_gone(server)


@pytest.mark.slow
def test_a_server_that_ignores_the_end_of_its_input_is_killed(agent):
    with agent(ignore="eof,term") as client:
        server = opened(client)
        client.hang_up()
        assert client.process.wait(LIMIT_S) == 137
    assert is_gone(server)


def test_what_a_server_leaves_behind_ends_with_it(agent, tmp_path):
    with agent(grandchild=tmp_path / "pid") as client:
        server = opened(client)
        assert len(group(server)) == 2
        assert client.finish() == 0
    assert is_gone(server)


def test_a_killed_shim_takes_its_server_along(home, agent, tmp_path):
    with agent(ignore="eof", grandchild=tmp_path / "pid") as client:
        server = opened(client)
        client.process.kill()
        wait_for(lambda: is_gone(server), "the end of the server's group")
        wait_for(lambda: snapshot(home).sessions == (), "the end of the session")


def test_a_shim_and_an_engine_killed_together_leave_no_server(home, agent):
    with agent() as client:
        server = opened(client)
        os.kill(client.process.pid, signal.SIGSTOP)  # it must not start another engine
        kill_engine(home)
        client.process.kill()
        wait_for(lambda: is_gone(server), "the end of the server")


def test_a_hand_over_that_the_engine_cannot_take_says_why(home, agent):
    """As of a shim of another version."""
    line = b'{"jsonrpc":"2.0","method":"stdio","params":%b}\n'
    params = b'{"server":"x","directory":"/","agent_pid":1,"server_pid":0}'
    with agent() as client, socket.socket(socket.AF_UNIX) as link:
        client.open()
        link.settimeout(LIMIT_S)
        link.connect(str(home / "state" / "engine.sock"))
        socket.send_fds(link, [line % params], [0])
        said = link.recv(4096).decode()
    assert said == (
        "bye the wall cannot take this session over: a shim hands over 7 descriptors, got 1\n"
    )


def test_the_wall_is_stopped(home, agent):
    with agent() as client:
        server = opened(client)
        call = client.start_call("slow", {"gate": "never"})
        stop = [sys.executable, "-m", "mcpwall", "stop"]
        subprocess.run(stop, env=environment(home), check=True, capture_output=True)
        assert "the wall was stopped" in call.wait()["error"]["message"]
        client.process.wait(LIMIT_S)
        assert client.stderr == "mcpwall stdio: the wall was stopped\n"
    assert is_gone(server)
    assert not (home / "state" / "engine.sock").exists()


def test_files_as_ends(home, tmp_path):
    """`mcpwall stdio x -- server < in.jsonl > out.jsonl`"""
    requests = [
        b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}',
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        *(
            b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"blob","arguments":'
            b'{"bytes":%d}}}' % (number, 1000 * number)
            for number in range(1, 101)
        ),
    ]
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b"\n".join(requests) + b"\n")
    with source.open("rb") as stdin, target.open("wb") as stdout:
        done = run(wall("echo", *ECHO), home, stdin=stdin, stdout=stdout)
    assert done.returncode == 0
    lines = target.read_bytes().splitlines()
    assert len(lines) == 101
    assert sum(map(len, lines)) > 5_000_000


def test_a_terminal_as_ends(home, tmp_path):
    """`mcpwall stdio x -- server`, typed by a person; the end is Ctrl-D."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        wall("echo", *ECHO), env=environment(home), stdin=theirs, stdout=theirs
    )
    os.close(theirs)
    with process:
        os.write(ours, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        shown = b""
        while b'"result"' not in shown:
            shown += os.read(ours, 4096)
        assert b'{"jsonrpc":"2.0","id":1,"result":{}}' in shown
        os.write(ours, b"\x04")
        assert process.wait(LIMIT_S) == 0
    os.close(ours)


# --- who is first, and what is in the way -------------------------------------------------------


def engine(home, **options):
    """`mcpwall engine` in the foreground."""
    command = [sys.executable, "-m", "mcpwall", "engine"]
    pipe = subprocess.PIPE
    env = environment(home)
    return subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True, **options)


def failed(home) -> tuple[int, str]:
    """How the start of an engine fails: exit code and the one line."""
    with engine(home) as process:
        out, err = process.communicate(timeout=LIMIT_S)
    assert out == ""
    assert err.count("\n") == 1
    return process.returncode, err


def test_a_second_engine_is_refused(home, agent):
    with agent() as client:
        client.open()
        code, line = failed(home)
        assert code == 1
        assert f"an engine runs already (pid {engine_pid(home)}" in line
        assert "mcpwall stop" in line
        assert "result" in client.call("echo")


def test_a_socket_that_a_killed_engine_left_is_replaced(home, agent):
    with engine(home) as process:
        assert "listening on" in process.stdout.readline()
        process.kill()
    assert (home / "state" / "engine.sock").exists()
    with agent() as client:
        client.open()


def test_ten_agents_at_once_start_one_engine(home, agent):
    with ExitStack() as stack:
        clients = [stack.enter_context(agent(name=f"agent-{n}")) for n in range(10)]
        for client in clients:
            client.open()
        assert len(snapshot(home).sessions) == 10
        log = (home / "state" / "engine.log").read_text()
        assert log == ""


@pytest.mark.parametrize("how", ["engine", "shim"])
def test_a_path_too_long_for_a_socket(home, how):
    deep = home / ("x" * 100)
    command = ["engine"] if how == "engine" else ["stdio", "echo", "--", *ECHO]
    done = run([sys.executable, "-m", "mcpwall", *command], deep)
    assert done.returncode == 1
    assert "set MCPWALL_HOME to a shorter directory" in done.stderr
    assert done.stderr.count("\n") == 1


def test_rules_that_do_not_load_at_the_start(home, rules, agent):
    rules('[defaults]\nread = "allow"\nraed = "deny"\n')
    code, line = failed(home)
    assert code == 2
    assert "config.toml:3" in line
    assert "read" in line
    with agent() as client:  # and so no session either: nothing passes unjudged
        assert client.process.wait(LIMIT_S) == 1
        assert "config.toml:3" in client.stderr
        assert client.lines == []


def test_rules_that_others_may_write(home, rules):
    path = rules("")
    path.chmod(0o666)
    code, line = failed(home)
    assert code == 2
    assert f"chmod go-w {path}" in line


@pytest.mark.parametrize("rules_there", [True, False])
def test_p17_a_directory_of_rules_that_others_may_write(home, rules, rules_there):
    if rules_there:
        rules("")
    home.chmod(0o777)
    code, line = failed(home)
    assert code == 2
    assert f"chmod go-w {home}" in line


def test_a_state_directory_that_others_may_look_into(home, agent):
    (home / "state").mkdir(mode=0o755)
    code, line = failed(home)
    assert code == 1
    assert f"chmod 700 {home}/state" in line
    with agent() as client:
        assert client.process.wait(LIMIT_S) == 1
        assert "chmod 700" in client.stderr


def test_a_record_that_others_may_read(home):
    (home / "state").mkdir(mode=0o700)
    audit = home / "state" / "audit.db"
    audit.touch(0o600)
    audit.chmod(0o644)
    code, line = failed(home)
    assert code == 1
    assert "chmod 600" in line


def test_something_else_in_the_sockets_place(home):
    (home / "state").mkdir(mode=0o700)
    (home / "state" / "engine.sock").write_text("")
    code, line = failed(home)
    assert code == 1
    assert "is in the way and no socket; move it away" in line
    (home / "state" / "engine.sock").unlink()


def test_a_configured_server_needs_no_command(home, rules):
    command = ", ".join(f'"{part}"' for part in ECHO)
    rules(f'[servers.mine]\ncommand = [{command}]\ncwd = "/"\nenv = {{ ECHO_STDERR = "hello" }}\n')
    with RawClient(wall("mine"), env=environment(home)) as client:
        client.open()
        server = server_of(client.process.pid)
        assert Path(f"/proc/{server}/cwd").readlink() == Path("/")
        assert client.finish() == 0
        assert client.stderr == "hello\n"
    done = run(wall("other"), home)
    assert done.returncode == 2
    assert "no [servers.other] in" in done.stderr
