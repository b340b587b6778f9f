"""The tasks that calls of a conversation have made: who was let make one may follow it. Pure.

A task's status and output inherit the judgement of the call that made it. A request about any
other task (of another session, or made before this engine) is judged by the rules on its method.
Sources: MCP 2025-11-25, "Tasks"; the tasks extension of 2026-07-28.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from mcpwall.protocol.forms import Said

KEPT_MAX: Final = 10_000


class Tasks:
    """The ids of the tasks that allowed calls have made, newest last."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()

    def learn(self, said: Said) -> None:
        """Take note of the task in the answer to an allowed call, if it made one."""
        made = said.task.get("taskId") if isinstance(said.task, dict) else said.task_id
        if isinstance(made, str):
            self._known[made] = None
            if len(self._known) > KEPT_MAX:
                self._known.popitem(last=False)

    def knows(self, params: dict[str, Any]) -> bool:
        """Whether a request is about such a task."""
        task = params.get("taskId")
        return isinstance(task, str) and task in self._known
