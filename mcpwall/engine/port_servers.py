"""The part of the port that is about a server as a whole: how it stands, and forgetting it.

How it stands does not outlive the engine. Text in these values is foreign and raw: it passes
`mcpwall.text` before a screen.
"""

from __future__ import annotations

import msgspec


class Ending(msgspec.Struct, frozen=True):
    """How a session with a server ended.

    `exit` is what the server's process exited with, 128 + N for signal N; None where it had none
    of its own, or nobody knows. `itself`: it ended although nobody had told it to.
    """

    at_ms: int
    agent: str
    why: str
    exit: int | None = None
    itself: bool = False


class Life(msgspec.Struct, frozen=True):
    """How it stands with a server, as far as this engine has seen it.

    `restarts` are the moments at which an agent started it once more after it had ended by itself,
    oldest first. The last three fields are for servers that are reached by HTTP.
    """

    up_ms: int = 0  # since when the oldest session that lives has had it; 0: none lives
    ended: Ending | None = None  # the last session that ended
    fell: Ending | None = None  # the last one that ended by the server's own doing
    restarts: tuple[int, ...] = ()
    answered_ms: int = 0  # when it answered last, with more than an error; 0: not yet
    trouble: str = ""  # why it cannot be used now, and what to do
    trouble_ms: int = 0  # since when


class ForgetServer(msgspec.Struct, frozen=True, tag="forget_server"):
    """Forget a server, its tools and what they are pinned as; quotes ServerRow.hash. -> Done

    Refused while a session with it lives. Its rules, its classes of risk and the record stay.
    """

    server: str
    hash: str
