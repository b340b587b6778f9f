"""The official Python client, 1.x or 2.x, through all that a server offers: `client.py TASK`.

TASK is JSON: how to reach the server (`command` and `env`, or `url` and `headers`), the `mode` of a
2.x client, and which `server` it is. Prints what came as JSON, less what differs from run to run.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from anyio import BrokenResourceError
from mcp import types
from mcp.client.stdio import StdioServerParameters

NEW = importlib.metadata.version("mcp").startswith("2.")
BIG = "x" * (1 << 20)
LIMIT_S = 60
WORDS = json.loads(Path(__file__).with_name("words.json").read_text())


def plain(value: Any) -> Any:
    """A result as JSON, without what is about this answer and not in it."""
    data = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    for key in ("ttlMs", "cacheScope", "_meta"):
        data.pop(key, None)
    return data


class Agent:
    """The client's side: what it is asked, and what it is told."""

    def __init__(self) -> None:
        self.progress: list[Any] = []
        self.asked: list[str] = []
        self.logs: list[Any] = []
        self.updates: list[str] = []
        self.news = asyncio.Condition()

    async def sample(self, _context: Any, params: Any) -> types.CreateMessageResult:
        self.asked.append("sampling")
        text = types.TextContent(type="text", text="hello from the model")
        return types.CreateMessageResult(role="assistant", content=text, model="none")

    async def elicit(self, _context: Any, params: Any) -> types.ElicitResult:
        self.asked.append(f"elicitation: {params.message}")
        return types.ElicitResult(action="accept", content={"word": "snow", "name": "Ada"})

    async def roots(self, _context: Any) -> types.ListRootsResult:
        self.asked.append("roots")
        return types.ListRootsResult(roots=[types.Root(uri="file:///tmp", name="tmp")])

    async def log(self, params: Any) -> None:
        self.logs.append(params.data)
        await self.tell()

    async def message(self, message: Any) -> None:
        note = getattr(message, "root", message)
        if isinstance(note, types.ResourceUpdatedNotification):
            self.updates.append(str(note.params.uri))
        await self.tell()

    async def on_progress(self, progress: float, total: float | None, text: str | None) -> None:
        self.progress.append([progress, total, text])
        await self.tell()

    async def tell(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def until(self, condition: Any) -> None:
        async with self.news:
            await self.news.wait_for(condition)


async def connect(stack: AsyncExitStack, task: dict[str, Any], agent: Agent) -> Any:
    """A client of either version."""
    callbacks = {
        "sampling_callback": agent.sample,
        "elicitation_callback": agent.elicit,
        "list_roots_callback": agent.roots,
        "logging_callback": agent.log,
        "message_handler": agent.message,
    }
    start = None
    if command := task.get("command"):
        start = StdioServerParameters(command=command[0], args=command[1:], env=task["env"])
    way = new_client if NEW else old_client
    return await way(stack, task, start, callbacks)


async def new_client(stack: AsyncExitStack, task: Any, start: Any, callbacks: Any) -> Any:
    """One of version 2."""
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    if start is None:
        http = httpx2.AsyncClient(headers=task["headers"], timeout=LIMIT_S)
        await stack.enter_async_context(http)
        start = streamable_http_client(
            task["url"],
            http_client=http,
            max_sse_event_size=None,  # its default is less than what is asked for here
        )
    client = Client(start, mode=task["mode"], cache=None, log_level="debug", **callbacks)
    return await stack.enter_async_context(client)


async def old_client(stack: AsyncExitStack, task: Any, start: Any, callbacks: Any) -> Any:
    """One of version 1."""
    from mcp import ClientSession
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamablehttp_client

    if start is None:
        way = streamablehttp_client(task["url"], task["headers"])
    else:
        way = stdio_client(start)
    streams = await stack.enter_async_context(way)
    timeout = timedelta(seconds=LIMIT_S)
    session = ClientSession(streams[0], streams[1], read_timeout_seconds=timeout, **callbacks)
    await stack.enter_async_context(session)
    session.protocol_version = (await session.initialize()).protocolVersion
    return session


async def through(client: Any, agent: Agent, words: dict[str, Any]) -> dict[str, Any]:
    """All that a server offers, once."""
    stateless = client.protocol_version >= "2026"
    got: dict[str, Any] = {"version": client.protocol_version}
    got["tools"] = sorted(tool.name for tool in (await client.list_tools()).tools)
    got["echo"] = plain(await client.call_tool("echo", {"message": "☃ \u2028 \x1b"}))
    big = plain(await client.call_tool("echo", {"message": BIG}))["content"][0]["text"]
    got["big"] = [len(big), big == f"Echo: {BIG}"]
    tool, arguments = words["steps"]
    got["steps"] = plain(
        await client.call_tool(tool, arguments, progress_callback=agent.on_progress)
    )
    got["progress"] = agent.progress[:1]
    got["ask"] = plain(await client.call_tool(words["ask"], {}))
    if "sample" in words:
        got["sample"] = plain(await client.call_tool(*words["sample"]))
        got["roots"] = plain(await client.call_tool(words["roots"], {}))
    got["resources"] = plain(await client.list_resources())
    got["templates"] = plain(await client.list_resource_templates())
    got["read"] = plain(await client.read_resource(words["resource"]))
    got["prompts"] = plain(await client.list_prompts())
    got["prompt"] = plain(await client.get_prompt(*words["prompt"]))
    name, argument, start = words["complete"]
    ref = types.PromptReference(type="ref/prompt", name=name)
    got["complete"] = plain(await client.complete(ref, {"name": argument, "value": start}))
    got["updates"] = await watch(client, agent, words, stateless=stateless)
    got["logs"] = await logs(client, agent, words, stateless=stateless)
    if "slow" in words:
        got["cancelled"] = await cancelled(client, agent, words)
    got["asked"] = sorted(set(agent.asked))  # roots: as often as the server likes
    return got


async def watch(client: Any, agent: Agent, words: dict[str, Any], *, stateless: bool) -> Any:
    """Watch a resource until it is said to have changed."""
    uri = words["resource"]
    if stateless:
        async with client.listen(resource_subscriptions=[uri]) as subscription:
            await client.call_tool(words["touch"], {})
            async for event in subscription:
                return [type(event).__name__, str(event.uri)]
    await client.subscribe_resource(uri)
    await client.call_tool(words["touch"], {})
    await agent.until(lambda: agent.updates)
    await client.unsubscribe_resource(uri)
    return agent.updates[0]


async def logs(client: Any, agent: Agent, words: dict[str, Any], *, stateless: bool) -> Any:
    """Log messages: that they come; which ones, the server may leave to chance."""
    if "log" in words:
        await client.set_logging_level("debug")
        await client.call_tool(words["log"], {})
        await agent.until(lambda: any("evel" in str(data) for data in agent.logs))
        await client.call_tool(words["log"], {})
        return "came"
    await agent.until(lambda: len(agent.logs) >= 3)
    return agent.logs[:3]


async def cancelled(client: Any, agent: Agent, words: dict[str, Any]) -> Any:
    """A call that is given up half-way; the next one is answered."""
    agent.progress.clear()
    tool, arguments = words["slow"]
    call = asyncio.create_task(
        client.call_tool(tool, arguments, progress_callback=agent.on_progress)
    )
    await agent.until(lambda: agent.progress)
    call.cancel()
    await asyncio.wait({call})
    if not NEW:  # 1.x only forgets the call
        note = types.CancelledNotification(
            method="notifications/cancelled",
            params=types.CancelledNotificationParams(requestId=client._request_id - 1),
        )
        await client.send_notification(types.ClientNotification(note))
    after = plain(await client.call_tool("echo", {"message": "after"}))
    return [call.cancelled(), after]


async def main() -> None:
    """Run the task."""
    task = json.loads(sys.argv[1])
    agent = Agent()
    got: dict[str, Any] = {}
    try:
        async with asyncio.timeout(LIMIT_S), AsyncExitStack() as stack:
            client = await connect(stack, task, agent)
            got = await through(client, agent, WORDS[task["server"]])
    except* BrokenResourceError:  # 1.x, when its server still talks while it closes
        if NEW or not got:
            raise
    sys.stdout.write(json.dumps(got))


asyncio.run(main())
