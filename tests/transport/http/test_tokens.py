"""The token of a server: sent while it is good, renewed once before it ends."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest

from mcpwall.store import keyrings
from mcpwall.store.logins import Login, Logins, LoginStoreError
from mcpwall.transport.http import aside
from mcpwall.transport.http.credentials import LoginNeededError
from mcpwall.transport.http.faults import ConnectionFault
from mcpwall.transport.http.remote import Trouble
from mcpwall.transport.http.tokens import Tokens
from tests.helpers.remotes import ask, door
from tests.helpers.scripted_server import reply, serving

URL = "https://mcp.example.com/mcp"
MINUTE = 60_000
NOW = 1_800_000_000_000


def login(token: str = "canary-a1", ends_ms: int | None = NOW + 60 * MINUTE, **changes) -> Login:
    plain = Login(
        url=URL,
        access_token=token,
        token_endpoint="https://auth.example.com/token",
        client_id="id-1",
        refresh_token="canary-r1",
        renew_ms=None if ends_ms is None else ends_ms - MINUTE,
        ends_ms=ends_ms,
        resource=URL,
    )
    return msgspec.structs.replace(plain, **changes)


def granted(token: str, **more: object) -> tuple[int, bytes]:
    told = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more}
    return 200, json.dumps(told).encode()


class Wall:
    """A token with a store, a token endpoint that answers as told, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.logins = Logins(str(folder / "logins"))
        self.asked: list[tuple[str, Mapping[str, str], dict[str, list[str]]]] = []
        self.answers: list[tuple[int, bytes] | Exception] = []
        self.notices: list[tuple[str, str]] = []
        self.now_ms = NOW
        self.gate = asyncio.Event()
        self.gate.set()
        self.called = asyncio.Event()
        self.tokens = self.fresh()

    def fresh(self) -> Tokens:
        """As after a restart of the engine."""
        return Tokens(
            "far",
            URL,
            self.logins,
            fetch=self.fetch,
            notice=lambda level, text: self.notices.append((level, text)),
            wall_ms=lambda: self.now_ms,
        )

    async def fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        assert method == "POST"
        self.asked.append((url, headers, parse_qs(body.decode())))
        answer = self.answers.pop(0)
        self.called.set()
        await self.gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def needs_login(self, coming: Awaitable[object]) -> str:
        with pytest.raises(LoginNeededError) as caught:
            await coming
        assert "canary" not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def check(tmp_path, monkeypatch) -> Callable[[Callable[[Wall], Awaitable[None]]], None]:
    """Run a scenario with a wall of its own, without a keyring."""
    monkeypatch.setattr(keyrings, "is_usable", lambda: False)

    def run(scenario: Callable[[Wall], Awaitable[None]]) -> None:
        async def whole() -> None:
            wall = Wall(tmp_path)
            await scenario(wall)
            assert wall.answers == []
            assert "canary" not in str(wall.notices)

        asyncio.run(whole())

    return run


def test_a_good_token_is_sent_without_asking_anybody(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login())
        assert [await wall.tokens.current() for _ in range(3)] == ["canary-a1"] * 3
        assert wall.asked == []

    check(scenario)


def test_without_a_login_the_person_is_told_what_to_run(check) -> None:
    async def scenario(wall: Wall) -> None:
        assert await wall.needs_login(wall.tokens.current()) == "run `mcpwall login far`"
        wall.logins.save("far", login())
        assert await wall.tokens.current() == "canary-a1"

    check(scenario)


def test_p16_a_login_for_another_url_is_sent_nowhere(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(url="https://other.example.com/mcp"))
        said = await wall.needs_login(wall.tokens.current())
        assert said == "the last was for another url; run `mcpwall login far`"

    check(scenario)


def test_a_token_is_renewed_a_minute_before_its_end_and_kept(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login())
        wall.answers = [granted("canary-a2", refresh_token="canary-r2", scope="read")]
        wall.now_ms = NOW + 59 * MINUTE
        assert await wall.tokens.current() == "canary-a2"
        url, headers, form = wall.asked[0]
        assert url == "https://auth.example.com/token"
        assert "authorization" not in headers
        assert form == {
            "grant_type": ["refresh_token"],
            "refresh_token": ["canary-r1"],
            "resource": [URL],
            "client_id": ["id-1"],
        }
        kept = wall.logins.load("far")
        assert kept == login(
            "canary-a2", wall.now_ms + 60 * MINUTE, refresh_token="canary-r2", scope="read"
        )
        assert await wall.fresh().current() == "canary-a2"

    check(scenario)


def test_a_token_that_lives_shortly_is_renewed_in_the_middle(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login().lasting(10, NOW))
        wall.now_ms = NOW + 4_999
        assert await wall.tokens.current() == "canary-a1"
        wall.now_ms = NOW + 5_000
        wall.answers = [granted("canary-a2", expires_in=10), granted("canary-a3", expires_in=0)]
        assert await wall.tokens.current() == "canary-a2"
        assert await wall.tokens.current() == "canary-a2"
        wall.now_ms = NOW + 10_000
        assert await wall.tokens.current() == "canary-a3"

    check(scenario)


def test_a_server_that_gives_no_new_refresh_token_lets_one_keep_the_old(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(ends_ms=NOW))
        wall.answers = [(200, b'{"access_token":"canary-a2","token_type":"bearer"}')]
        assert await wall.tokens.current() == "canary-a2"
        assert wall.logins.load("far") == login("canary-a2", None)

    check(scenario)


@pytest.mark.parametrize(
    ("method", "authorization", "secret"),
    [
        ("client_secret_basic", "Basic aWQtMTpzJTNBMQ==", None),
        ("client_secret_post", None, ["s:1"]),
    ],
)
def test_a_client_with_a_secret_proves_itself_as_it_was_registered(
    check, method, authorization, secret
) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(ends_ms=NOW, client_secret="s:1", auth_method=method))
        wall.answers = [granted("canary-a2")]
        await wall.tokens.current()
        _, headers, form = wall.asked[0]
        assert headers.get("authorization") == authorization
        assert form.get("client_secret") == secret

    check(scenario)


def test_many_calls_at_once_renew_once(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(ends_ms=NOW))
        wall.answers = [granted("canary-a2")]
        wall.gate.clear()
        waiting = [asyncio.ensure_future(wall.tokens.current()) for _ in range(20)]
        waiting += [asyncio.ensure_future(wall.tokens.renew("canary-a1")) for _ in range(20)]
        await wall.called.wait()
        wall.gate.set()
        assert set(await asyncio.gather(*waiting)) == {"canary-a2", True}
        assert len(wall.asked) == 1

    check(scenario)


def test_a_refused_token_is_renewed_whatever_its_end(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(ends_ms=None))
        used = await wall.tokens.current()
        wall.answers = [granted("canary-a2")]
        assert await wall.tokens.renew(used)
        assert await wall.tokens.current() == "canary-a2"
        said = await wall.needs_login(wall.tokens.renew("canary-a2"))
        assert said == "its server takes not even a new token; run `mcpwall login far`"

    check(scenario)


def test_a_new_login_is_taken_instead_of_a_renewal(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login())
        used = await wall.tokens.current()
        wall.logins.save("far", login("canary-b1"))
        assert await wall.tokens.renew(used)
        assert await wall.tokens.current() == "canary-b1"
        wall.logins.save("far", login("canary-c1"))
        wall.tokens.look_again()
        assert await wall.tokens.current() == "canary-c1"
        assert wall.asked == []

    check(scenario)


def test_a_login_that_was_ended_is_not_tried_again_until_there_is_another(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(ends_ms=NOW))
        wall.answers = [(400, b'{"error":"invalid_grant","error_description":"canary"}')]
        said = await wall.needs_login(wall.tokens.current())
        assert said == "the last was ended (HTTP 400, invalid_grant); run `mcpwall login far`"
        wall.now_ms += 60 * MINUTE
        said = await wall.needs_login(wall.tokens.current())
        assert said == "the last has ended; run `mcpwall login far`"
        wall.logins.save("far", login("canary-b1", None, refresh_token="canary-r9"))
        wall.tokens.look_again()
        assert await wall.tokens.current() == "canary-b1"

    check(scenario)


def test_a_login_without_a_refresh_token_ends_with_its_token(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(refresh_token=""))
        wall.now_ms = NOW + 59 * MINUTE + 1
        assert await wall.tokens.current() == "canary-a1"
        wall.now_ms = NOW + 60 * MINUTE
        said = await wall.needs_login(wall.tokens.current())
        assert said == "the last has ended; run `mcpwall login far`"

    check(scenario)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ConnectionFault("no such host", connected=False), "no such host"),
        ((503, b"<html>canary"), "HTTP 503"),
        ((400, b"canary"), "HTTP 400"),
        ((400, b'{"error":"Canary \\u001b"}'), "HTTP 400"),
        ((400, b'{"error":"temporarily_unavailable"}'), "HTTP 400, temporarily_unavailable"),
        ((307, b""), "HTTP 307"),
        ((200, b"canary"), "the answer is no token"),
        ((200, b'{"access_token":"x","token_type":"mac"}'), "the answer is a token of a kind th"),
        ((200, b'{"access_token":"a\\r\\nb","token_type":"bearer"}'), "the answer is a token of"),
    ],
)
def test_a_renewal_that_fails_leaves_a_token_in_use_until_its_end(check, answer, why) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login())
        wall.now_ms = NOW + 59 * MINUTE
        wall.answers = [answer]
        assert await wall.tokens.current() == "canary-a1"
        assert await wall.tokens.current() == "canary-a1"  # tried a moment ago
        wall.now_ms = NOW + 60 * MINUTE
        wall.answers = [answer]
        said = await wall.needs_login(wall.tokens.current())
        assert said.startswith(f"its token could not be renewed ({why}")
        wall.now_ms += MINUTE
        wall.answers = [granted("canary-a2")]
        assert await wall.tokens.current() == "canary-a2"

    check(scenario)


def test_a_refresh_token_is_not_sent_as_plain_text(check) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(ends_ms=NOW, token_endpoint="http://auth.example.com/t"))
        said = await wall.needs_login(wall.tokens.current())
        assert "its token endpoint is not reached over TLS" in said

    check(scenario)


def test_a_new_token_that_cannot_be_kept_is_used_and_the_person_told(check, monkeypatch) -> None:
    async def scenario(wall: Wall) -> None:
        wall.logins.save("far", login(ends_ms=NOW))
        save = wall.logins.save

        def full(*_: object) -> str:
            raise LoginStoreError("no space left on device")

        monkeypatch.setattr(wall.logins, "save", full)
        wall.answers = [granted("canary-a2", refresh_token="canary-r2")]
        assert await wall.tokens.current() == "canary-a2"
        said = "the new token of far is not kept: no space left on device"
        assert wall.notices == [("error", said)]
        monkeypatch.setattr(wall.logins, "save", save)
        wall.tokens.look_again()
        wall.now_ms += 60 * MINUTE
        wall.answers = [granted("canary-a3")]
        assert await wall.tokens.current() == "canary-a3"
        assert wall.asked[1][2]["refresh_token"] == ["canary-r2"]
        assert wall.logins.load("far") == login(
            "canary-a3", wall.now_ms + 60 * MINUTE, refresh_token="canary-r2"
        )

    check(scenario)


def test_a_keyring_that_gives_no_answer_holds_up_one_call_and_not_each(check, monkeypatch) -> None:
    async def scenario(wall: Wall) -> None:
        monkeypatch.setattr(aside, "PATIENCE_S", 0.05)
        unlocked, asked, load = threading.Event(), [], wall.logins.load

        def locked(server: str) -> Login | None:
            asked.append(server)
            unlocked.wait()
            return load(server)

        monkeypatch.setattr(wall.logins, "load", locked)
        wall.logins.save("far", login())
        for _ in range(3):
            said = await wall.needs_login(wall.tokens.current())
            assert said.startswith("the keyring gave no answer in 0.05 s")
        assert asked == ["far"]
        unlocked.set()
        wall.now_ms += MINUTE
        assert await wall.tokens.current() == "canary-a1"

    check(scenario)


# --- through a whole request --------------------------------------------------------------------


def sent_with(folder: Path, *scripts: list[bytes], ends_ms: int | None = None):
    """What comes of a request to a server with a login, and with which tokens it was sent."""

    async def scenario():
        logins = Logins(str(folder))
        renewals = [reply(200, granted("canary-a2")[1])]
        async with serving(*scripts) as server, serving(renewals) as endpoint, door(logins) as wall:
            kept = login(ends_ms=ends_ms, url=server.url, token_endpoint=endpoint.url)
            logins.save("far", kept)
            told = await ask(wall.upstream(server.url, "oauth = true"))
            assert "canary" not in str(wall.notices) + repr(told.fault)
            used = [seen.headers.get("authorization") for seen in server.requests]
            return told, used, len(endpoint.requests)

    return asyncio.run(scenario())


def test_a_request_is_sent_again_with_a_new_token(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(keyrings, "is_usable", lambda: False)
    told, used, renewals = sent_with(tmp_path / "l", [reply(401)], [reply(200, b"{}")])
    assert told.fault is None
    assert used == ["Bearer canary-a1", "Bearer canary-a2"]
    assert renewals == 1


def test_a_server_that_takes_no_token_is_asked_twice_and_no_more(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(keyrings, "is_usable", lambda: False)
    told, used, _ = sent_with(tmp_path / "l", [reply(401)])
    assert used == ["Bearer canary-a1", "Bearer canary-a2"]
    assert told.fault is not None
    assert told.fault.trouble is Trouble.LOGIN
    assert told.fault.text.endswith("(HTTP 401); run `mcpwall login far`")


def test_without_a_login_nothing_is_sent(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(keyrings, "is_usable", lambda: False)

    async def scenario() -> None:
        async with serving([reply(200)]) as server, door(Logins(str(tmp_path / "l"))) as wall:
            told = await ask(wall.upstream(server.url, "oauth = true"))
            assert told.fault is not None
            place = f"far (http://127.0.0.1:{server.port})"
            assert told.fault.text == f"{place} needs a login: run `mcpwall login far`"
            assert server.requests == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("challenge", "says"),
    [
        (
            'Bearer error="insufficient_scope", scope="read:all write"',
            "; it wants other scopes (read:all write); name all under [servers.far.oauth], and run",
        ),
        ('Bearer error="insufficient_scope", scope="<canary>"', "; it wants other scopes; name"),
        ('Bearer error="invalid_token"', "(HTTP 403)"),
        ("canary", "(HTTP 403)"),
    ],
)
def test_a_login_with_too_few_scopes_is_told_which(tmp_path, monkeypatch, challenge, says) -> None:
    monkeypatch.setattr(keyrings, "is_usable", lambda: False)
    script = [reply(403, b"", {"WWW-Authenticate": challenge})]
    told, used, _ = sent_with(tmp_path / "l", script)
    assert told.fault is not None
    assert told.fault.trouble is Trouble.FORBIDDEN
    assert says in told.fault.text
    assert len(used) == 1
