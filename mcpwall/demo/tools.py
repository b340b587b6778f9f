"""What the pretend servers list and what they answer. Data and pure functions: nothing is done."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]


class Answer(NamedTuple):
    """The text of a tool's result; `failed` is its `isError`. It takes `took_s` seconds."""

    text: str
    failed: bool = False
    took_s: float = 0.004


def _tool(name: str, description: str, /, **properties: str) -> Json:
    """An entry of tools/list; a property is a name and its JSON type."""
    kinds = {key: {"type": kind} for key, kind in properties.items()}
    schema = {"type": "object", "properties": kinds, "required": list(kinds)}
    return {"name": name, "description": description, "inputSchema": schema}


TOOLS: dict[str, list[Json]] = {
    "filesystem": [
        _tool("read_file", "Read a file.", path="string"),
        _tool("list_directory", "List a directory.", path="string"),
        _tool("write_file", "Write a file, replacing what it held.", path="string", text="string"),
        _tool("append_file", "Append lines to a file.", path="string", text="string"),
    ],
    "postgres": [_tool("query", "Run a read-only SQL query.", sql="string")],
    "slack": [_tool("post_message", "Post a message.", channel="string", text="string")],
    "shell": [_tool("run", "Run a command in the project.", command="string")],
    "billing": [
        _tool("create_refund", "Refund a payment.", payment="string", amount="number"),
    ],
}


def answer(server: str, tool: str, arguments: Json) -> Answer:
    """What a tool answers to arguments of any kind."""
    match server, tool:
        case "postgres", "query" if "_archive" in str(arguments.get("sql")):
            return Answer("the relation does not exist", failed=True, took_s=0.03)
        case "postgres", "query":
            return Answer("id | email\n 7 | ada@example.test\n(1 row)", took_s=0.018)
        case "filesystem", "read_file":
            return Answer(f"(the text of {arguments.get('path')})", took_s=0.002)
        case "filesystem", "list_directory":
            return Answer("app.py\nmodels.py\nlogin.py")
        case "filesystem", _:
            return Answer("written")
        case "slack", _:
            return Answer("posted", took_s=0.14)
        case "shell", _:
            return Answer("ok, 214 passed in 0.3 s", took_s=0.3)
        case _:
            return Answer("done", took_s=0.09)
