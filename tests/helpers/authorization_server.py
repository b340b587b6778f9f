"""A pretend authorization server, and the MCP server that it guards, in one process on one port.

    async with authorizing() as server:
        ...  # server.url is the MCP server; server.tokens are the good ones

It checks what a careful one checks: client, redirect address, PKCE, resource, codes and refresh
tokens used once. Attributes make it misbehave. All secrets that it hands out hold `canary`.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.helpers.scripted_server import Seen, listening, read_request, reply

RESOURCE = "/.well-known/oauth-protected-resource/mcp"
METADATA = "/.well-known/oauth-authorization-server"


class AuthorizationServer:
    """Who may do what, and what was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Seen] = []
        self.clients: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.lifetime: int | None = 3600
        self.scope = "read"
        self.registers = True
        self.guards = True
        self.issuer = ""  # another one than this
        self.resource = ""  # another one than this
        self.state = ""  # another one than was asked
        self.iss = ""  # another one than this, in the answer
        self.error = ""  # what the person's refusal is called
        self.authorize = ""  # another page to log in at
        self.refusal: bytes | None = None  # of the token endpoint
        self.mcp: Callable[[Seen], bytes] | None = None  # what is behind the guard
        self._given = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.base}/mcp"

    def paths(self) -> list[str]:
        return [urlsplit(seen.path).path for seen in self.requests]

    def secret(self, kind: str) -> str:
        self._given += 1
        return f"canary-{kind}-{self._given}"

    def answer_for(self, url: str) -> str:
        """Where a browser that opens this address ends."""
        parts = urlsplit(url)
        head = self._authorize(Seen("GET", f"{parts.path}?{parts.query}", {}, b"")).decode()
        return next(line[10:] for line in head.split("\r\n") if line.startswith("Location: "))

    def answer(self, seen: Seen) -> bytes:
        """What is answered to a request."""
        self.requests.append(seen)
        match urlsplit(seen.path).path:
            case "/mcp":
                return self._mcp(seen)
            case path if path == RESOURCE:
                told = {"resource": self.resource or self.url, "authorization_servers": [self.base]}
                return reply(200, json.dumps(told).encode())
            case path if path == METADATA:
                return reply(200, json.dumps(self._metadata()).encode())
            case "/register" if self.registers:
                client = {**json.loads(seen.body), "client_id": f"client-{len(self.clients)}"}
                self.clients[client["client_id"]] = client
                return reply(201, json.dumps(client).encode())
            case "/authorize":
                return self._authorize(seen)
            case "/token":
                return self._token(seen)
            case "/revoke":
                form = dict(parse_qsl(seen.body.decode()))
                self.refresh_tokens.discard(form["token"])
                return reply(200)
        return reply(404)

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer or self.base,
            "authorization_endpoint": self.authorize or f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "registration_endpoint": f"{self.base}/register",
            "revocation_endpoint": f"{self.base}/revoke",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def _mcp(self, seen: Seen) -> bytes:
        kind, _, token = seen.headers.get("authorization", "").partition(" ")
        if self.guards and (kind != "Bearer" or token not in self.tokens):
            challenge = f'Bearer resource_metadata="{self.base}{RESOURCE}", scope="{self.scope}"'
            return reply(401, b"", {"WWW-Authenticate": challenge})
        if self.mcp is not None:
            return self.mcp(seen)
        request = json.loads(seen.body)
        return reply(
            200, json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {}}).encode()
        )

    def _authorize(self, seen: Seen) -> bytes:
        asked = dict(parse_qsl(urlsplit(seen.path).query))
        client = self.clients[asked["client_id"]]
        assert asked["redirect_uri"] in client["redirect_uris"]
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["resource"] == self.url
        told = {"state": self.state or asked["state"], "iss": self.iss or self.base}
        if self.error:
            told["error"] = self.error
        else:
            told["code"] = self.secret("code")
            self.codes[told["code"]] = asked
        return reply(302, b"", {"Location": f"{asked['redirect_uri']}?{urlencode(told)}"})

    def _token(self, seen: Seen) -> bytes:
        if self.refusal is not None:
            return self.refusal
        form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        client = self.clients.get(form.get("client_id", self._basic(seen)), {})
        secret = client.get("client_secret")
        if not client or (secret and secret not in (form.get("client_secret"), self._secret(seen))):
            return refused("invalid_client", 401)
        assert form["resource"] == self.url
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return refused("invalid_grant")
            self.refresh_tokens.remove(form["refresh_token"])
        else:
            asked = self.codes.pop(form["code"], None)
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if asked is None or asked["code_challenge"] != challenge:
                return refused("invalid_grant")
            assert form["redirect_uri"] == asked["redirect_uri"]
        told = {"access_token": self.secret("access"), "token_type": "Bearer"}
        told["refresh_token"] = self.secret("refresh")
        self.tokens = {told["access_token"]}
        self.refresh_tokens = {told["refresh_token"]}
        lifetime = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return reply(200, json.dumps({**told, **lifetime}).encode())

    def _pair(self, seen: Seen) -> list[str]:
        kind, _, coded = seen.headers.get("authorization", "").partition(" ")
        return base64.b64decode(coded).decode().split(":") if kind == "Basic" else ["", ""]

    def _basic(self, seen: Seen) -> str:
        return self._pair(seen)[0]

    def _secret(self, seen: Seen) -> str:
        return self._pair(seen)[1]


def refused(code: str, status: int = 400) -> bytes:
    """An error of a token endpoint, with words that nobody should see."""
    return reply(status, json.dumps({"error": code, "error_description": "canary"}).encode())


@contextlib.asynccontextmanager
async def authorizing() -> AsyncIterator[AuthorizationServer]:
    """An authorization server on a free port of this machine."""
    server = AuthorizationServer()
    faults: list[BaseException] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(server.answer(await read_request(reader)))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has what it wanted
        except Exception as fault:  # noqa: BLE001 - a wrong question: the test fails at its end
            faults.append(fault)
        finally:
            writer.close()

    async with listening(talk) as server.port:
        yield server
    assert faults == []


async def browse(url: str) -> str:
    """What a browser does that follows redirects; returns the last page."""
    for _ in range(5):
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {line.split(": ")[0].lower(): line.split(": ", 1)[1] for line in head[1:-2]}
        body = await reader.readexactly(int(headers["content-length"]))
        writer.close()
        if "location" not in headers:
            return f"{head[0]} {body.decode()}"
        url = headers["location"]
    raise AssertionError("too many redirects")
