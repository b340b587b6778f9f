"""A server made with the official Python SDK that answers both eras: `server.py stdio | PORT`."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, MCPServer, Resolve
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    EmptyResult,
    PromptReference,
    ResourceTemplateReference,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel

NOTE = "note://one"

server = MCPServer(name="both-eras", version="1.0")


class Word(BaseModel):
    """What is asked for."""

    word: str


def ask_word() -> Elicit[Word]:
    """The question of the tool `ask`."""
    return Elicit("Which word?", Word)


@server.tool()
def echo(message: str) -> str:
    """Gives the message back."""
    return f"Echo: {message}"


@server.tool()
async def steps(ctx: Context, count: int = 3) -> str:
    """Tells its progress and says what it does."""
    for step in range(1, count + 1):
        await ctx.report_progress(step, count, f"step {step}")
        await ctx.info(f"log {step}")
        await asyncio.sleep(0.05)  # what comes with the answer, some clients do not look at
    return f"{count} steps"


@server.tool()
async def ask(answer: Annotated[ElicitationResult[Word], Resolve(ask_word)]) -> str:
    """Asks the person for a word."""
    return answer.data.word if answer.action == "accept" else answer.action


@server.tool()
async def touch(ctx: Context) -> str:
    """Changes the note, and tells those who watch it, in either era's way."""
    await ctx.notify_resource_updated(NOTE)
    await ctx.session.send_resource_updated(NOTE)
    return "touched"


@server.resource(NOTE)
def note() -> str:
    """A note."""
    return "one ☃"


@server.resource("note://{name}/text")
def named(name: str) -> str:
    """A note by name."""
    return f"note {name}"


@server.prompt()
def greet(name: str) -> str:
    """A greeting."""
    return f"Greet {name}."


@server.completion()
async def complete(
    ref: PromptReference | ResourceTemplateReference,
    argument: CompletionArgument,
    context: CompletionContext | None,
) -> Completion:
    """Names that begin so."""
    names = [name for name in ("ada", "alan", "grace") if name.startswith(argument.value)]
    return Completion(values=names, total=len(names), has_more=False)


async def subscribed(ctx: object, params: SubscribeRequestParams) -> EmptyResult:
    """Watching, in the handshake era: everybody is told."""
    return EmptyResult()


async def unsubscribed(ctx: object, params: UnsubscribeRequestParams) -> EmptyResult:
    """Not watching any more."""
    return EmptyResult()


low = server._lowlevel_server
low.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribed)
low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, unsubscribed)

if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", port=int(sys.argv[1]))
