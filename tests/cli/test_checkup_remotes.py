"""What the doctor says of remote servers, asked over real sockets."""

import pytest

from mcpwall.cli.checkup_remotes import answering
from mcpwall.cli.finding import Level, ok
from mcpwall.store import keyrings
from mcpwall.store.config import load_text
from tests.helpers.far_server import SESSION, far, in_thread
from tests.helpers.scripted_server import STALL, reply, serving


@pytest.fixture(autouse=True)
def empty_home(home, monkeypatch) -> None:
    monkeypatch.setenv("MCPWALL_HOME", str(home))
    monkeypatch.setattr(keyrings, "is_usable", lambda: False)


def look(url: str, keys: str = "", answer_s: float = 10):
    config = load_text(f'[servers.far]\nurl = "{url}"\n{keys}', "config.toml")
    (finding,) = answering(config, answer_s)
    assert finding.topic == "server far"
    return finding


def test_a_server_that_answers_is_left_without_a_session() -> None:
    with far() as server:
        assert look(server.url) == ok("server far", "it answers")
        assert [seen.method for seen in server.requests] == ["POST", "DELETE"]
        assert server.requests[1].headers["mcp-session-id"] == SESSION


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ([reply(401)], "does not take the wall's credentials (HTTP 401)"),
        ([reply(404)], "nothing is at this address (HTTP 404)"),
        ([reply(200, b"<p>", {"Content-Type": "text/html"})], "a web page that is not MCP"),
        ([STALL], "it does not answer within 0.2 s"),
    ],
)
def test_a_server_that_does_not_says_why(script, says) -> None:
    with in_thread(lambda: serving(script)) as server:
        finding = look(server.url, answer_s=0.2 if script == [STALL] else 10)
    assert finding.level is Level.WRONG
    assert says in finding.text


def test_an_error_in_json_is_an_answer() -> None:
    with in_thread(lambda: serving([reply(400, b'{"jsonrpc":"2.0","error":{}}')])) as server:
        assert look(server.url).level is Level.OK


def test_a_login_that_is_missing_is_named_with_what_to_run() -> None:
    with in_thread(lambda: serving([reply(200)])) as server:
        finding = look(server.url, "oauth = true")
        assert (finding.level, server.requests) == (Level.WRONG, [])
    assert "run `mcpwall login far`" in finding.text


def test_a_variable_that_only_an_agent_has_is_no_fault() -> None:
    with in_thread(lambda: serving([reply(200)])) as server:
        finding = look(server.url, 'headers = { X = "${env:NOT_SET}" }')
        assert (finding.level, server.requests) == (Level.NOTE, [])
    assert "the environment variable NOT_SET is not set" in finding.text


def test_servers_that_are_started_are_not_asked() -> None:
    assert answering(load_text("[servers.x]\ncommand = ['x']", "config.toml"), 10) == []
