"""Logging in at a remote server, with real processes and a pretend authorization server."""

import asyncio
import contextlib
import os
import pty
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mcpwall.cli import login as login_command
from mcpwall.store import keyrings
from mcpwall.store.logins import Login, Logins
from tests.helpers.authorization_server import AuthorizationServer, authorizing, browse, refused
from tests.helpers.programs import environment
from tests.helpers.remotes import ask, door
from tests.helpers.scripted_server import reply

NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch) -> None:
    monkeypatch.setattr(keyrings, "is_usable", lambda: False)


class Run:
    """A command of the wall, its words, and how it ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def line(self) -> str:
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode()
        self.said += line
        return line.strip()

    async def address(self) -> str:
        """The address for the browser."""
        while not (line := await self.line()).startswith("http"):
            assert line, "no address was printed"
        return line

    async def end(self) -> int:
        out, err = await self.process.communicate()
        self.said += out.decode() + err.decode()
        assert "canary" not in self.said
        assert self.process.returncode is not None
        return self.process.returncode


async def start(home: Path, *arguments: str, **more: str) -> Run:
    return Run(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mcpwall", *arguments),
            env={**environment(home), **NO_KEYRING, **more},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    )


def configure(home: Path, server: AuthorizationServer, keys: str = "oauth = true") -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f'[servers.far]\nurl = "{server.url}"\n{keys}\n')


async def log_in(home: Path, **more: str) -> Run:
    """Log in as a person does who says yes to all; returns the command that has ended."""
    run = await start(home, "login", "far", "--no-browser", **more)
    with contextlib.suppress(AssertionError):
        await browse(await run.address())
    await run.end()
    return run


def kept(home: Path) -> Login | None:
    return Logins(str(home / "state" / "logins")).load("far")


async def use(home: Path, server: AuthorizationServer):
    """What the engine gets from the server with the login that is kept."""
    async with door(Logins(str(home / "state" / "logins"))) as wall:
        body = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
        return await ask(wall.upstream(server.url, "oauth = true"), body=body)


def test_a_login_is_kept_and_used_and_renewed_and_ended(home) -> None:
    async def scenario() -> None:
        async with authorizing() as server:
            configure(home, server)
            run = await log_in(home)
            place = home / "state" / "logins" / "far.json"
            assert run.process.returncode == 0, run.said
            assert run.said.endswith(f"logged in at far; the login is kept in {place}\n")
            login = kept(home)
            assert login is not None
            assert {login.access_token} == server.tokens
            assert (login.url, login.resource) == (server.url, server.url)
            assert login.scope == "read"
            assert login.token_endpoint == f"{server.base}/token"

            assert (await use(home, server)).fault is None
            server.tokens.clear()  # the server has forgotten the token: it is renewed
            assert (await use(home, server)).fault is None
            renewed = kept(home)
            assert renewed is not None
            assert {renewed.access_token} == server.tokens
            assert renewed.refresh_token != login.refresh_token

            out = await start(home, "logout", "far")
            assert await out.end() == 0
            assert out.said == "logged out of far; its server has ended the login\n"
            assert server.refresh_tokens == set()
            assert kept(home) is None
            assert not place.exists()
            out = await start(home, "logout", "far")
            assert await out.end() == 1
            assert out.said == "mcpwall: there is no login at far\n"

    asyncio.run(scenario())


def test_the_browser_is_asked_for_what_the_server_or_the_config_says(home) -> None:
    async def scenario() -> None:
        async with authorizing() as server:
            configure(home, server)
            await log_in(home)
            configure(
                home, server, 'oauth = { scopes = ["tools", "offline"], redirect_port = 18473 }'
            )
            await log_in(home)
            asked = [
                parse_qs(urlsplit(seen.path).query)
                for seen in server.requests
                if seen.path.startswith("/authorize")
            ]
            assert [query["scope"] for query in asked] == [["read"], ["tools offline"]]
            assert asked[1]["redirect_uri"] == ["http://127.0.0.1:18473/callback"]
            login = kept(home)
            assert login is not None
            assert login.scope == "tools offline"

    asyncio.run(scenario())


def test_a_client_that_was_given_out_is_not_registered(home) -> None:
    async def scenario() -> None:
        async with authorizing() as server:
            port = 18474
            address = f"http://127.0.0.1:{port}/callback"
            server.clients["shop"] = {"client_secret": "canary-s", "redirect_uris": [address]}
            keys = f'{{ client_id = "shop", client_secret = "${{env:S}}", redirect_port = {port} }}'
            configure(home, server, f"oauth = {keys}")
            run = await log_in(home, S="canary-s")
            assert run.process.returncode == 0, run.said
            assert "/register" not in server.paths()
            login = kept(home)
            assert login is not None
            assert (login.client_id, login.auth_method) == ("shop", "client_secret_basic")
            server.tokens.clear()
            assert (await use(home, server)).fault is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("attribute", "value", "says"),
    [
        (
            "error",
            "access_denied",
            "no login at far: it was refused in the browser (access_denied)",
        ),
        ("error", "<b>canary", "no login at far: it was refused in the browser (an error without"),
        ("state", "other", "no login at far: the browser brought the answer to another login; run"),
        ("iss", "https://evil.example", "no login at far: Authorization response iss mismatch"),
        ("issuer", "https://evil.example", "no login at far: Authorization server metadata issuer"),
        ("resource", "https://evil.example", "no login at far: Protected resource https://evil.ex"),
        ("authorize", "http://evil.example/x", "no login at far: its page for logging in is not r"),
        ("authorize", "file:///etc/passwd", "no login at far: "),
        (
            "refusal",
            refused("invalid_grant"),
            "no login at far: its token endpoint gives no token (",
        ),
        ("refusal", reply(500, b"canary"), "its token endpoint gives no token (HTTP 500)"),
        ("refusal", reply(200, b"{}"), "no login at far: its token endpoint gives no token"),
        (
            "registers",
            False,
            "no login at far: it registers no client (HTTP 404); ask for a client",
        ),
        ("guards", False, "no login at far: the server asks for none (it answers HTTP 200)"),
    ],
)
def test_p16_a_login_that_is_not_as_it_should_be_leaves_nothing(
    home, attribute, value, says
) -> None:
    async def scenario() -> None:
        async with authorizing() as server:
            setattr(server, attribute, value)
            configure(home, server)
            run = await log_in(home)
            assert run.process.returncode == 1, run.said
            assert says in run.said
            assert len(run.said.splitlines()) <= 3
            assert kept(home) is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "has no [servers.far]; add it there, with a url and oauth = true"),
        ('[servers.fer]\nurl = "https://x.example/"', "has no [servers.far]; did you mean 'fer'?"),
        ('[servers.far]\ncommand = ["x"]', "has no url: there is no login at it"),
        (
            '[servers.far]\nurl = "https://x.example/"',
            "[servers.far] does not say oauth = true; add",
        ),
        ("nonsense", "this is not valid TOML"),
        (
            '[servers.far]\nurl="https://x.example/"\noauth=true\nheaders = {X="${env:NOT_SET}"}',
            "the environment variable NOT_SET is not set",
        ),
    ],
)
def test_what_is_missing_in_the_config_is_said(home, config, says) -> None:
    async def scenario() -> None:
        (home / "config.toml").write_text(config)
        run = await start(home, "login", "far")
        assert await run.end() in (1, 2)
        assert says in run.said
        assert len(run.said.splitlines()) == 1

    asyncio.run(scenario())


def test_a_server_that_is_not_there(home) -> None:
    async def scenario() -> None:
        async with authorizing() as server:
            configure(home, server)
        run = await start(home, "login", "far")
        assert await run.end() == 1
        assert run.said == (
            f"mcpwall: no login at far: {server.base} cannot be reached (ConnectError)\n"
        )

    asyncio.run(scenario())


def command_lines() -> bytes:
    """What `ps` shows of everybody."""
    return subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True).stdout


def test_p14_a_login_leaves_its_secrets_in_one_file_and_in_no_process_list(home) -> None:
    async def scenario() -> None:
        async with authorizing() as server:
            configure(home, server)
            run = await start(home, "login", "far", "--no-browser", MCPWALL_DEBUG="1")
            address = await run.address()
            assert "canary" not in address
            await browse(address)
            assert b"canary" not in command_lines()
            assert await run.end() == 0
            found = [
                path
                for path in home.rglob("*")
                if path.is_file() and b"canary" in path.read_bytes()
            ]
            assert found == [home / "state" / "logins" / "far.json"]

    asyncio.run(scenario())


def test_the_address_that_a_browser_ended_at_can_be_pasted(home) -> None:
    async def scenario() -> None:
        async with authorizing() as server:
            configure(home, server)
            ours, theirs = pty.openpty()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mcpwall", "login", "far", "--no-browser"),
                env={**environment(home), **NO_KEYRING},
                stdin=theirs,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            os.close(theirs)
            run = Run(process)
            url = await run.address()
            assert "paste that page's address here" in await run.line()
            answer = server.answer_for(url)
            os.write(ours, f"what?\n{answer}\n".encode())
            assert await run.end() == 0, run.said
            os.close(ours)
            assert kept(home) is not None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("browser", "opens"),
    [
        (webbrowser.GenericBrowser("lynx"), False),
        (webbrowser.BackgroundBrowser("firefox"), True),
        (None, False),
    ],
)
def test_a_browser_that_would_take_the_terminal_is_not_opened(monkeypatch, browser, opens) -> None:
    opened = []

    def get():
        if browser is None:
            raise webbrowser.Error
        monkeypatch.setattr(browser, "open", lambda url: opened.append(url) or True)
        return browser

    monkeypatch.setattr(webbrowser, "get", get)
    monkeypatch.delenv("BROWSER", raising=False)
    assert login_command._open("https://a.example") is opens
    assert opened == (["https://a.example"] if opens else [])
