"""The yardstick: the plainest relay one would write with asyncio and json.

It reads lines from both sides, parses them, encodes them again and passes them on. It judges
nothing, records nothing and holds nothing. Usage: relay.py COMMAND …
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE

LINE_LIMIT = 64 << 20


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass messages on until the reader ends, then close the writer."""
    while line := await reader.readline():
        writer.write(json.dumps(json.loads(line), separators=(",", ":")).encode() + b"\n")
        await writer.drain()
    writer.close()


async def main(command: list[str]) -> int:
    """Run the server, relay both ways, and end with its exit code."""
    loop = asyncio.get_running_loop()
    server = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, limit=LINE_LIMIT
    )
    assert server.stdin is not None
    assert server.stdout is not None
    from_client = asyncio.StreamReader(LINE_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(from_client), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, sys.stdout
    )
    to_client = asyncio.StreamWriter(transport, protocol, None, loop)
    await asyncio.gather(pump(from_client, server.stdin), pump(server.stdout, to_client))
    return await server.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
