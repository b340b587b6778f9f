"""Agents that come by HTTP: which session a request belongs to, and how sessions begin and end.

`/s/NAME/mcp` is the server NAME of config.toml, and nothing that a request says can name or start
anything else. In the handshake era a session is called by an id of the wall's own; in the
stateless era requests find a session of the same client in which their ids are free (`Pool`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mcpwall.engine.wire import Hello
from mcpwall.model import JsonObject
from mcpwall.protocol import codec, methods
from mcpwall.protocol.codec import INTERNAL_ERROR, INVALID_REQUEST, Malformed
from mcpwall.store.schema import AnyServer, ServerConfig
from mcpwall.transport.child import directory
from mcpwall.transport.http import headers
from mcpwall.transport.http.exchange import Exchange
from mcpwall.transport.http.gate import server_name
from mcpwall.transport.http.session import HttpSession, ServerEnd
from mcpwall.transport.http.stream import JSON

if TYPE_CHECKING:
    from mcpwall.engine.core import Engine

SESSIONS_MAX: Final = 256
ALIKE_MAX: Final = 64  # stateless sessions of one client name at one server
IDLE_S: Final = 3600.0  # a session in which nothing is under way, and nobody listens
STATELESS_IDLE_S: Final = 300.0
SWEEP_S: Final = 30.0

_Key: TypeAlias = tuple[str, str, str]  # server, client, its version
Connect: TypeAlias = Callable[[HttpSession, str, AnyServer], ServerEnd]


class Agents:
    """The handler of what the listener lets in."""

    def __init__(self, engine: Engine, connect: Connect) -> None:
        """`connect` makes a session's way to a server."""
        self._engine = engine
        self._connect = connect
        self._sessions: dict[str, HttpSession] = {}
        self._alike: dict[_Key, list[HttpSession]] = {}  # stateless
        self._sweeping = False

    def __call__(self, exchange: Exchange) -> None:
        """Answer a request. Raises nothing."""
        name = server_name(exchange.request.path) or ""
        server = self._engine.rulebook.server(name) if name else None
        if server is None:
            text = f"there is no server {name[:60]!r} in the config"
            _refuse(exchange, Malformed(INVALID_REQUEST, text), 404)
            return
        take = {"POST": self._post, "GET": self._get, "DELETE": self._delete}
        if exchange.request.method in take:
            take[exchange.request.method](exchange, name, server)
        else:
            exchange.reply(405, {"allow": "POST, GET, DELETE"}, b"")

    def close(self, why: str) -> None:
        """End all sessions."""
        for session in self._all():
            session.end(why, why)

    # --- requests -------------------------------------------------------------------------------

    def _post(self, exchange: Exchange, name: str, server: AnyServer) -> None:
        body = exchange.request.body
        try:
            messages = codec.decode_client(body)
            stateless = any(headers.is_stateless(exchange.request.headers, m) for m in messages)
            if stateless:
                _check_stateless(exchange, messages, batch=codec.is_batch(body))
            opens = len(messages) == 1 and messages[0].get("method") == "initialize"
            if opens:  # nothing is started for what is no message
                codec.check_client(messages[0])
        except Malformed as error:
            _refuse(exchange, error)
            return
        session: HttpSession | Malformed | None
        if stateless and "id" not in messages[0]:
            exchange.reply(202, {}, b"")  # this era knows none that a server could act on
            return
        if stateless:
            session = self._free(name, server, messages[0])
        elif opens:
            session = self._new(name, server, messages[0])
        else:
            session = self._of(exchange, name)
        if isinstance(session, HttpSession) and stateless:
            session = _check_parameters(session, exchange, messages[0])
        if isinstance(session, HttpSession):
            session.post(exchange, messages, batch=codec.is_batch(body))
        elif isinstance(session, Malformed):
            _refuse(exchange, session)

    def _get(self, exchange: Exchange, name: str, server: AnyServer) -> None:  # noqa: ARG002 - as _post
        if _is_stateless(exchange):
            exchange.reply(405, {"allow": "POST"}, b"")
        elif (session := self._of(exchange, name)) is not None:
            session.get(exchange)

    def _delete(self, exchange: Exchange, name: str, server: AnyServer) -> None:  # noqa: ARG002 - as _post
        if _is_stateless(exchange):
            exchange.reply(405, {"allow": "POST"}, b"")
        elif (session := self._of(exchange, name)) is not None:
            session.end("the agent ended its session")
            exchange.reply(200, {}, b"")

    def _of(self, exchange: Exchange, name: str) -> HttpSession | None:
        """The session that a request names; None: there is none, and the request is answered."""
        session_id = exchange.request.headers.get("mcp-session-id", "")
        version = exchange.request.headers.get("mcp-protocol-version", "")
        session = self._sessions.get(session_id)
        if not session_id:
            _refuse(
                exchange, Malformed(INVALID_REQUEST, "begin with initialize: no Mcp-Session-Id")
            )
        elif session is None or session.live.server.name != name:
            text = "this session is over; begin again with initialize"
            _refuse(exchange, Malformed(INVALID_REQUEST, text), 404)
        elif version and version not in methods.HANDSHAKE_VERSIONS:
            text = f"unsupported MCP-Protocol-Version {version[:40]!r}"
            _refuse(exchange, Malformed(INVALID_REQUEST, text))
        else:
            return session
        return None

    # --- sessions -------------------------------------------------------------------------------

    def _free(self, name: str, server: AnyServer, message: JsonObject) -> HttpSession | Malformed:
        """A session of a stateless client in which a message's id and token are free."""
        params = message.get("params", {})
        meta = params.get("_meta", {})
        client, version = _who(meta.get(methods.META_CLIENT))
        alike = self._alike.get((name, client, version), [])
        token = meta.get("progressToken")
        request_id: Any = message.get("id")
        for session in alike:
            if not codec.is_id(request_id) or session.takes(request_id, token):
                return session
        if len(alike) >= ALIKE_MAX:
            text = f"{ALIKE_MAX} requests with this id are under way"
            return Malformed(INVALID_REQUEST, text, request_id)
        made = self._open(name, server, "", client, request_id)
        if isinstance(made, HttpSession):
            self._alike.setdefault((name, client, version), []).append(made)
        return made

    def _new(self, name: str, server: AnyServer, message: JsonObject) -> HttpSession | Malformed:
        """A new session of the handshake era."""
        client, _ = _who(message.get("params", {}).get("clientInfo"))
        made = self._open(name, server, secrets.token_urlsafe(32), client, message.get("id"))
        if isinstance(made, HttpSession):
            self._sessions[made.id] = made
        return made

    def _open(
        self, name: str, server: AnyServer, session_id: str, client: str, request_id: Any
    ) -> HttpSession | Malformed:
        if len(self._all()) >= SESSIONS_MAX:
            self._make_room()
        if len(self._all()) >= SESSIONS_MAX:
            return Malformed(INTERNAL_ERROR, f"{SESSIONS_MAX} sessions are open", request_id)
        hello = _hello(name, server)
        hello.agent_pid = self._place(name, client)
        try:
            session = HttpSession(
                self._engine,
                hello,
                lambda session: self._connect(session, name, server),
                session_id=session_id,
                on_over=self._over,
            )
        except OSError as error:
            text = f"cannot start the server {name}: {error.strerror or error}"
            self._engine.notice("error", text)
            return Malformed(INTERNAL_ERROR, text, request_id)
        if not self._sweeping:
            self._sweeping = True
            self._engine.clock.call_later(SWEEP_S, self._sweep)
        return session

    def _place(self, name: str, client: str) -> int:
        """The first free place, from -1 down, among the clients of this name at this server."""
        taken = {
            session.live.hello.agent_pid
            for session in self._all()
            if session.live.server.name == name and session.live.protocol.parties.client == client
        }
        return next(each for each in range(-1, -2 - len(taken), -1) if each not in taken)

    def _over(self, session: HttpSession) -> None:
        self._sessions.pop(session.id, None)
        for key, alike in list(self._alike.items()):
            if session in alike:
                alike.remove(session)
            if not alike:
                del self._alike[key]

    def _all(self) -> list[HttpSession]:
        stateless = [session for alike in self._alike.values() for session in alike]
        return [*self._sessions.values(), *stateless]

    def _idle(self) -> list[tuple[int, HttpSession]]:
        """The sessions in which nothing is under way, with the time since, longest first."""
        idle = [(session.idle_since_ns, session) for session in self._all()]
        return sorted(((at, s) for at, s in idle if at is not None), key=lambda pair: pair[0])

    def _make_room(self) -> None:
        for _, session in self._idle()[:1]:
            session.end("too many sessions were open")

    def _sweep(self) -> None:
        """End the sessions that nobody has used for long."""
        now = self._engine.clock.steady_ns()
        for since, session in self._idle():
            limit_s = STATELESS_IDLE_S if session.stateless else IDLE_S
            if now - since >= limit_s * 1_000_000_000:
                session.end("nothing came for long")
        self._sweeping = bool(self._all())
        if self._sweeping:
            self._engine.clock.call_later(SWEEP_S, self._sweep)


def _hello(name: str, server: AnyServer) -> Hello:
    """What is known of a session by HTTP as it begins."""
    if isinstance(server, ServerConfig):
        return Hello(name, directory(server), agent_transport="http")
    return Hello(name, transport="http", agent_transport="http")


def _is_stateless(exchange: Exchange) -> bool:
    return headers.is_stateless(exchange.request.headers, {})


def _who(info: Any) -> tuple[str, str]:
    """The name and version that a client gives itself."""
    if not isinstance(info, dict):
        return "", ""
    return str(info.get("name", ""))[:100], str(info.get("version", ""))[:100]


def _check_stateless(exchange: Exchange, messages: list[JsonObject], *, batch: bool) -> None:
    """Refuse what the stateless era does not have. Raises Malformed."""
    if batch:
        raise Malformed(INVALID_REQUEST, "this protocol version has no batches")
    codec.check_client(messages[0])
    headers.check_stateless(exchange.request.headers, messages[0])


def _check_parameters(
    session: HttpSession, exchange: Exchange, message: JsonObject
) -> HttpSession | Malformed:
    """The session, or what is wrong with the headers of a call of a tool that it has listed."""
    name = message.get("params", {}).get("name")
    calls = message.get("method") == "tools/call" and isinstance(name, str)
    tool = session.live.tools.get(name) if calls else None
    if tool is not None:
        try:
            headers.check_parameters(exchange.request.headers, message, tool.input_schema)
        except Malformed as error:
            return error
    return session


def _refuse(exchange: Exchange, error: Malformed, status: int = 0) -> None:
    line = codec.error_line(error.id, error.code, f"mcpwall: {error.text}")
    exchange.reply(status or headers.status(line, stateless=True), JSON, line)
