"""The server behind every variant: it answers as fast as a Python process can.

All lines of one read are answered with one write, so that what is measured is what stands between
client and server, not the server. `blob` answers 1 MiB that was made once.
"""

import os
from typing import Any

import msgspec

BLOB = b'"result":{"content":[{"type":"text","text":"' + b"x" * (1 << 20) + b'"}]}}\n'
TOOLS = [
    {
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
        "annotations": {"readOnlyHint": True},
    }
    for name, description in (
        ("echo", "Return the text."),
        ("save", "Return the text, having looked at the path."),
        ("blob", "Return a mebibyte."),
    )
]


class Params(msgspec.Struct):
    """What the server needs of a request's params."""

    name: str = ""
    arguments: dict[str, Any] = {}
    protocolVersion: str = ""  # noqa: N815 — the field's name on the wire


class Request(msgspec.Struct):
    """What the server needs of a message."""

    method: str
    id: int | None = None
    params: Params = msgspec.field(default_factory=Params)


def answer(request: Request) -> bytes:
    """One line, or nothing for a notification."""
    head = b'{"jsonrpc":"2.0","id":%d,' % (request.id or 0)
    if request.method == "tools/call":
        if request.params.name == "blob":
            return head + BLOB
        text = msgspec.json.encode(request.params.arguments.get("text", ""))
        return head + b'"result":{"content":[{"type":"text","text":%b}]}}\n' % text
    if request.id is None:
        return b""
    result: dict[str, Any] = {}
    if request.method == "tools/list":
        result = {"tools": TOOLS}
    elif request.method == "initialize":
        result = {
            "protocolVersion": request.params.protocolVersion,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "echo", "version": "1.0"},
        }
    return head + b'"result":%b}\n' % msgspec.json.encode(result)


def main() -> None:
    """Serve until stdin ends."""
    decoder = msgspec.json.Decoder(Request)
    rest = b""
    while chunk := os.read(0, 1 << 18):
        *lines, rest = (rest + chunk).split(b"\n")
        answers = memoryview(b"".join([answer(decoder.decode(line)) for line in lines]))
        while answers:
            answers = answers[os.write(1, answers) :]


if __name__ == "__main__":
    main()
