"""Asking what may never answer, such as a keyring that waits for somebody to unlock it.

A thread of its own for each question, which nothing waits for longer than `PATIENCE_S`, not even
the engine's end.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from mcpwall.store.keyrings import KeyringError

PATIENCE_S: Final = 30.0
_T = TypeVar("_T")


async def ask(function: Callable[..., _T], *arguments: Any) -> _T:
    """What `function` returns or raises, asked in a thread. Raises KeyringError if it hangs."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_T] = loop.create_future()

    def run() -> None:
        try:
            result = function(*arguments)
        except Exception as error:  # noqa: BLE001 - it is raised where the question was asked
            tell(answer.set_exception, error)
        else:
            tell(answer.set_result, result)

    def tell(settle: Callable[[Any], None], value: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if answer.done() else settle(value))

    threading.Thread(target=run, name="aside", daemon=True).start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await answer
    except TimeoutError:
        raise KeyringError(
            f"the keyring gave no answer in {PATIENCE_S:g} s; see whether it waits to be unlocked"
        ) from None
