"""What the wall says of itself, where it comes from, and who gets to see it."""

import asyncio
import threading

import pytest

from mcpwall.store import keyrings
from mcpwall.transport.http import aside
from mcpwall.transport.http.remote import Trouble
from tests.helpers.remotes import ask, door
from tests.helpers.scripted_server import reply, serving

FOUND = [reply(200, b"{}")]
BEARER = 'headers = { Authorization = "Bearer ${env:FAR_TOKEN}" }'


def sent(keys: str, **environment: str) -> str | None:
    """The Authorization that a server gets."""

    async def scenario() -> str | None:
        async with serving(FOUND) as server, door() as wall:
            told = await ask(wall.upstream(server.url, keys, **environment))
            assert told.fault is None
            assert "canary" not in str(wall.notices)
            return server.requests[0].headers.get("authorization")

    return asyncio.run(scenario())


def test_a_reference_is_looked_up_here_first_then_where_the_agent_runs(monkeypatch) -> None:
    assert sent(BEARER, FAR_TOKEN="canary-shim") == "Bearer canary-shim"
    monkeypatch.setenv("FAR_TOKEN", "canary-engine")
    assert sent(BEARER, FAR_TOKEN="canary-shim") == "Bearer canary-engine"
    assert sent(BEARER) == "Bearer canary-engine"


def test_a_value_may_come_from_the_keyring(monkeypatch) -> None:
    entries = {("shop", "me"): "canary-ring"}
    monkeypatch.setattr(keyrings, "get", lambda *entry: entries.get(entry))
    ring = 'headers = { Authorization = "Bearer ${keyring:shop/me}" }'
    assert sent(ring) == "Bearer canary-ring"


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (BEARER, "cannot be asked: the environment variable FAR_TOKEN is not set, neither"),
        ('headers = { X = "${keyring:shop/you}" }', "cannot be asked: the keyring has no entry s"),
        ('headers = { X = "${env:ODD}" }', "cannot be asked: the value for its header X is empty"),
        ('headers = { X = "${env:EMPTY}" }', "cannot be asked: the value for its header X is em"),
    ],
)
def test_without_its_credential_nothing_is_sent(keys, says, monkeypatch) -> None:
    monkeypatch.setattr(keyrings, "get", lambda *_: None)

    async def scenario() -> None:
        async with serving(FOUND) as server, door() as wall:
            odd = {"ODD": "canary\r\nX-Evil: 1", "EMPTY": ""}
            told = await ask(wall.upstream(server.url, keys, **odd))
            assert told.fault is not None
            assert told.fault.trouble is Trouble.SETUP
            assert told.fault.text.startswith(f"far (http://127.0.0.1:{server.port}) {says}")
            assert "canary" not in told.fault.text
            assert server.requests == []

    asyncio.run(scenario())


def test_a_keyring_that_fails_is_named_and_not_quoted(monkeypatch) -> None:
    class Ring:
        @staticmethod
        def get_password(service, user):
            raise RuntimeError("canary")

    monkeypatch.setattr(keyrings, "_keyring", Ring)

    async def scenario() -> None:
        async with serving(FOUND) as server, door() as wall:
            ring = 'headers = { X = "${keyring:shop/me}" }'
            told = await ask(wall.upstream(server.url, ring))
            assert told.fault is not None
            assert "the keyring cannot be used (RuntimeError); see whether" in told.fault.text
            assert "canary" not in told.fault.text

    asyncio.run(scenario())


def test_a_keyring_that_waits_to_be_unlocked_holds_up_one_request_and_no_end(monkeypatch) -> None:
    monkeypatch.setattr(aside, "PATIENCE_S", 0.05)
    unlocked = threading.Event()
    monkeypatch.setattr(keyrings, "get", lambda *_: unlocked.wait() and "canary")

    async def scenario() -> None:
        async with serving(FOUND) as server, door() as wall:
            ring = 'headers = { X = "${keyring:shop/me}" }'
            told = await ask(wall.upstream(server.url, ring))
            assert told.fault is not None
            assert "the keyring gave no answer in 0.05 s; see whether it waits" in told.fault.text
            assert server.requests == []

    asyncio.run(scenario())
    assert any(thread.name == "aside" and thread.daemon for thread in threading.enumerate())
    unlocked.set()


def test_a_keyring_that_is_not_installed_says_how_to_install_it(monkeypatch) -> None:
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(keyrings.importlib, "import_module", missing)
    assert not keyrings.is_usable()
    with pytest.raises(keyrings.KeyringError, match=r"run: pip install 'mcpwall\[keyring\]'"):
        keyrings.put("a", "b", "c")
