"""What `mcpwall doctor` looks at of remote servers: whether each answers, and if not why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from mcpwall import home
from mcpwall.cli.finding import Finding, note, ok, wrong
from mcpwall.cli.probe import OPENING
from mcpwall.store.config import Config
from mcpwall.store.logins import Logins
from mcpwall.store.remotes import RemoteConfig
from mcpwall.transport.http.remote import Fault, Trouble, Upstream
from mcpwall.transport.http.sse import Event
from mcpwall.transport.http.upstream import Remotes

_SESSION: Final = "mcp-session-id"


def answering(config: Config, answer_s: float) -> list[Finding]:
    """Ask every remote server for a session, for at most `answer_s` seconds, and end it again."""
    servers = {
        name: server for name, server in config.servers.items() if isinstance(server, RemoteConfig)
    }
    return asyncio.run(_ask_all(servers, answer_s)) if servers else []


async def _ask_all(servers: Mapping[str, RemoteConfig], answer_s: float) -> list[Finding]:
    remotes = Remotes(_untold, _untold, Logins(home.logins_dir()))
    try:
        return await asyncio.gather(
            *(
                _ask(name, remotes.upstream(name, server, {}), answer_s)
                for name, server in servers.items()
            )
        )
    finally:
        await remotes.close()


def _untold(*_: str) -> None:
    """Each fault is told once, as what was found."""


async def _ask(name: str, upstream: Upstream, answer_s: float) -> Finding:
    topic = f"server {name}"
    hello, bye = _Outcome(), _Outcome()
    try:
        async with asyncio.timeout(answer_s):
            upstream.send("POST", json.dumps(OPENING).encode(), {}, hello)
            fault = await hello.over
            if session := hello.headers.get(_SESSION):
                upstream.send("DELETE", None, {_SESSION: session}, bye)
                await bye.over
    except TimeoutError:
        return wrong(topic, f"it does not answer within {answer_s:g} s", "see whether it runs")
    finally:
        upstream.close()
    if fault is None or (fault.body and fault.trouble is Trouble.REFUSED):
        return ok(topic, "it answers")  # a refusal in JSON is MCP too
    if fault.trouble is Trouble.SETUP:
        return note(topic, fault.text)  # an agent may have what is missing here
    return wrong(topic, fault.text, "")


class _Outcome:
    """What comes of a request; see `remote.Receiver`."""

    def __init__(self) -> None:
        self.headers: Mapping[str, str] = {}
        self.over: asyncio.Future[Fault | None] = asyncio.get_running_loop().create_future()

    def started(self, status: int, headers: Mapping[str, str], stream: bool) -> None:  # noqa: ARG002 - as Receiver
        """It answers."""
        self.headers = headers

    def event(self, event: Event) -> None:  # noqa: ARG002 - as Receiver
        """Whatever it answers will do."""
        if not self.over.done():
            self.over.set_result(None)

    def ended(self, fault: Fault | None) -> None:
        """No more comes."""
        if not self.over.done():
            self.over.set_result(fault)
