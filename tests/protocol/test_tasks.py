"""Tasks: who was let make one may follow it; anything about other tasks is for the rules."""

from __future__ import annotations

import pytest

from mcpwall.protocol import commands as p
from tests.protocol.playbook import Playbook, call, client, opened, request, result, server

FOLLOWING = ["tasks/get", "tasks/result", "tasks/update", "tasks/cancel"]


def made(**answer: object) -> Playbook:
    """A conversation in which an allowed call was answered so."""
    play = opened()
    play >> client(call(2, "echo")) << p.Judge
    play.allow()
    play >> server(result(2, **answer)) << client(result(2, **answer)) << p.Answered
    return play


@pytest.mark.parametrize("method", FOLLOWING)
@pytest.mark.parametrize("answer", [{"task": {"taskId": "t1"}}, {"taskId": "t1"}])
def test_the_task_of_an_allowed_call_is_followed_freely(method, answer):
    play = made(**answer)
    asked = request(3, method, taskId="t1")
    play >> client(asked) << server(asked)
    play.done()


@pytest.mark.parametrize("method", FOLLOWING)
@pytest.mark.parametrize("task", ["t2", 1, None])
def test_any_other_task_is_judged(method, task):
    play = made(task={"taskId": "t1"})
    play >> client(request(3, method, taskId=task)) << p.Judge
    assert play.judged[0].arguments == {"taskId": task}
    play.done()


def test_an_answer_to_something_else_makes_no_task():
    play = opened()
    play >> client(request(2, "prompts/list")) << server(request(2, "prompts/list"))
    answer = result(2, task={"taskId": "t1"})
    play >> server(answer) << client(answer)
    play >> client(request(3, "tasks/result", taskId="t1")) << p.Judge
