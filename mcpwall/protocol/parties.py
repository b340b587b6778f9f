"""Who speaks in a conversation, and which version and era of the protocol. Pure.

Sources: lifecycle pages of 2024-11-05 … 2025-11-25 (`initialize`); versioning page of 2026-07-28
(`_meta` on every request, `server/discover`).
"""

from __future__ import annotations

from typing import Any

from mcpwall.model import JsonObject, RequestId
from mcpwall.protocol import codec, methods
from mcpwall.protocol.commands import Memory
from mcpwall.protocol.forms import Envelope

NAME_MAX = 100  # characters of a name or version that are kept


class Parties:
    """What client and server have said of themselves; '' for what nobody said yet.

    `version` is the protocol's, as negotiated or as the client's requests name it; `stateless`:
    the client speaks the era without a handshake.
    """

    def __init__(self, known: Memory) -> None:
        self.client = known.client
        self.client_version = known.client_version
        self.server_version = known.server_version
        self.version = known.version
        self.stateless = known.stateless

    def learn_from_meta(self, meta: JsonObject) -> bool:
        """Take what a request's `_meta` says of its client; whether anything in it is new."""
        version = meta.get(methods.META_VERSION)
        if not isinstance(version, str) or (self.stateless and version == self.version):
            return False
        self.stateless = True
        self.version = version
        self.learn_client(meta.get(methods.META_CLIENT))
        return True

    def subscription(self, envelope: Envelope) -> RequestId | None:
        """The `subscriptions/listen` request that a message of the stateless era belongs to."""
        if not self.stateless:
            return None
        meta = codec.object_of(envelope.params).get("_meta")
        about = meta.get(methods.META_SUBSCRIPTION) if isinstance(meta, dict) else None
        return about if codec.is_id(about) else None

    def learn_client(self, info: Any) -> None:
        """Take the client's name and version."""
        if isinstance(info, dict):
            self.client = str(info.get("name", ""))[:NAME_MAX]
            self.client_version = str(info.get("version", ""))[:NAME_MAX]

    def learn_server(self, result: JsonObject) -> None:
        """Take what the server's first result says of it, and the version it chose."""
        if isinstance(version := result.get("protocolVersion"), str):
            self.version = version
        info = result.get("serverInfo")
        if isinstance(info, dict):
            said = f"{info.get('name', '')} {info.get('version', '')}"
            self.server_version = said.strip()[:NAME_MAX]
