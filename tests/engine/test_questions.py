"""What servers ask of agents, and notifications that nobody knows: judged, shown, recorded."""

from __future__ import annotations

import json

import pytest

from mcpwall.engine.port_calls import State
from mcpwall.engine.wording import UNSURE
from tests.engine.wall import RULES, Talk, Wall, call, note, request, result, text, verdict

QUESTION = request("q", "sampling/createMessage", {"messages": [], "maxTokens": 5})


def rule(action: str, method: str = "sampling/createMessage") -> str:
    return f'{RULES}\n[[rules]]\nid = "talk"\nmethod = "{method}"\naction = "{action}"\n'


def test_a_question_goes_to_the_agent_and_its_answer_back(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.answers(QUESTION)
    assert talk.got() == [QUESTION]
    (row,) = wall.rows()
    assert (row.method, row.state) == ("sampling/createMessage", State.RUNNING)
    talk.asks(result("q", model="m"))
    assert talk.forwarded() == [result("q", model="m")]
    assert wall.rows()[0].state is State.DONE
    assert wall.recorded(row.id).state == "done"


def test_a_rule_can_deny_what_a_server_asks(tmp_path):
    wall = Wall(tmp_path, rule("deny"))
    talk = wall.session()
    talk.answers(QUESTION)
    assert talk.got() == []
    (refused,) = talk.forwarded()
    assert (refused["id"], refused["error"]["code"]) == ("q", -1)
    assert refused["error"]["data"]["mcpwall/verdict"]["rules"] == ["talk"]
    assert wall.rows()[0].state is State.REFUSED


def test_a_person_can_be_asked_about_it(tmp_path):
    wall = Wall(tmp_path, rule("ask"))
    talk = wall.session()
    talk.answers(QUESTION)
    assert talk.got() == []
    talk.asks(result("q", model="forged"))  # it has not been asked
    assert talk.forwarded() == []
    (held,) = wall.held
    wall.decide(held)
    assert talk.got() == [QUESTION]
    assert talk.forwarded() == []


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("sampling/createMessage", "the agent's model would work on what the server sends here"),
        ("elicitation/create", "the agent would ask you for this"),
        ("roots/list", "the server would get to know in which directories the agent works"),
    ],
)
def test_what_would_come_of_a_question_is_said_in_words_and_not_by_a_class(tmp_path, method, told):
    wall = Wall(tmp_path, rule("ask", method))
    wall.session().answers(request("q", method, {}))
    (held,) = wall.held
    assert held.why[1].startswith(told)
    assert not any(sentence.startswith("risk ") for sentence in held.why)
    assert not held.two_keys


def test_a_rule_on_a_question_may_name_the_class_of_all_that_is_no_tool_call(tmp_path):
    wall = Wall(tmp_path, rule("deny") + 'risk = ["read", "write"]\n')
    talk = wall.session()
    talk.answers(QUESTION)
    assert talk.got() == []


def test_a_question_that_nobody_answers_in_time_is_refused_to_the_server(tmp_path):
    wall = Wall(tmp_path, rule("ask"))
    talk = wall.session()
    talk.answers(QUESTION)
    wall.clock.advance(4_000)
    assert talk.got() == []
    (refused,) = talk.forwarded()
    assert refused["error"]["code"] == -1


def test_an_id_means_another_thing_in_each_direction(tmp_path):
    wall = Wall(tmp_path, rule("ask"))
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.answers({**QUESTION, "id": 1})
    talk.forwarded()
    wall.decide(wall.held[0], allow=False)
    assert [each["id"] for each in talk.forwarded()] == [1]
    talk.answers(result(1))
    assert talk.got() == [result(1)]


def test_a_session_s_end_closes_its_questions(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.answers(QUESTION)
    talk.got()
    talk.live.end("over", "over")
    assert talk.got() == []
    assert wall.rows()[0].state is State.LOST


@pytest.mark.parametrize("action", ["allow", "ask"])
def test_a_killed_engine_leaves_no_question_to_the_wrong_side(tmp_path, action):
    wall = Wall(tmp_path, rule(action))
    talk = wall.session()
    talk.answers(QUESTION)
    talk.got()
    after = wall.killed()
    again = type(talk)(after, after=talk)
    assert again.got() == []
    told = again.forwarded()
    if action == "ask":
        assert [(each["id"], "error" in each) for each in told] == [("q", True)]
    else:
        assert told == []
        again.asks(result("q", model="m"))
        assert again.forwarded() == [result("q", model="m")]
        assert after.rows()[-1].state is State.DONE


def test_an_unknown_notification_goes_as_the_rules_say(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.asks(note("notifications/odd", {"a": 1}))
    assert talk.forwarded() == [note("notifications/odd", {"a": 1})]
    wall.clock.advance(0)
    assert wall.rows()[0].state is State.DONE
    assert talk.got() == []


def test_an_answer_in_a_batch_that_cannot_go_on_leaves_nobody_waiting(tmp_path):
    wall = Wall(tmp_path, rule("deny"))
    talk = wall.session()
    talk.asks(call(1, "look"), request(2, "ping"))
    talk.answers(json.dumps([result(1), QUESTION, result(2)]).encode())
    assert [(each["id"], "in a batch" in each["error"]["message"]) for each in talk.got()] == [
        (1, True),
        (2, True),
    ]


def test_a_question_of_an_unwritable_method_spoils_no_session(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.answers(rb'{"jsonrpc": "2.0", "id": "q", "method": "\ud800"}')
    talk.got()
    talk.asks(request(1, "ping"))
    assert talk.forwarded() == [request(1, "ping")]


def test_an_unknown_notification_can_be_denied(tmp_path):
    wall = Wall(tmp_path, RULES.replace("[defaults]", '[defaults]\nother_methods = "deny"'))
    talk = wall.session()
    talk.asks(note("notifications/odd"), note("notifications/roots/list_changed"))
    assert talk.forwarded() == [note("notifications/roots/list_changed")]
    assert talk.got() == []
    assert wall.rows()[0].state is State.REFUSED


# --- questions inside results (stateless era) ---------------------------------------------------


def asking(number, **questions):
    inputs = {key: {"method": method, "params": {}} for key, method in questions.items()}
    return result(number, resultType="input_required", inputRequests=inputs, requestState="s")


ROOTS_AND_MODEL = {"a": "roots/list", "b": "sampling/createMessage"}


def test_questions_in_a_result_are_judged_and_go_on(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.answers(asking(1, **ROOTS_AND_MODEL))
    assert talk.got() == [asking(1, **ROOTS_AND_MODEL)]
    assert [(row.method, row.state) for row in wall.rows()] == [
        ("tools/call", State.DONE),
        ("roots/list", State.DONE),
        ("sampling/createMessage", State.DONE),
    ]
    assert wall.recorded(wall.rows()[1].id).state == "done"


def test_a_task_that_asks_is_judged_too(tmp_path):
    wall = Wall(tmp_path, rule("deny"))
    talk = wall.session()
    talk.asks(request(1, "tasks/get", {"taskId": "t"}))
    talk.answers(asking(1, **ROOTS_AND_MODEL))
    (refused,) = talk.got()
    assert "sampling/createMessage" in refused["error"]["message"]


@pytest.mark.parametrize("action", ["deny", "ask"])
def test_a_result_that_asks_what_rules_forbid_is_refused(tmp_path, action):
    wall = Wall(tmp_path, rule(action))
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.answers(asking(1, **ROOTS_AND_MODEL))
    (refused,) = talk.got()
    assert refused["id"] == 1
    assert "sampling/createMessage" in text(refused)
    assert verdict(refused)["rules"] == ["talk"]
    assert [row.state for row in wall.rows()] == [State.ERROR, State.REFUSED, State.REFUSED]
    beside = wall.rows()[1]
    assert beside.verdict.reason == (
        "it came together with sampling/createMessage, which is refused"
    )
    assert wall.held == []


@pytest.mark.parametrize(
    "odd",
    ["NaN", "1e999", "9" * 5_000, r'"\ud800"', "[" * 500 + "]" * 500],
    ids=["nan", "infinite", "long", "surrogate", "deep"],
)
def test_nothing_beside_a_question_hides_it(tmp_path, odd):
    wall = Wall(tmp_path, rule("deny"))
    talk = wall.session()
    talk.asks(call(1, "look"))
    line = json.dumps(asking(1, **ROOTS_AND_MODEL))
    talk.answers(line.replace('"resultType"', f'"odd": {odd}, "resultType"').encode())
    (refused,) = talk.got()
    assert verdict(refused)["rules"] == ["talk"]


def test_another_spelling_of_the_key_hides_no_question(tmp_path):
    wall = Wall(tmp_path, rule("deny"))
    talk = wall.session()
    talk.asks(call(1, "look"))
    line = json.dumps(asking(1, **ROOTS_AND_MODEL))
    talk.answers(line.replace("inputRequests", r"\u0069nputRequests").encode())
    (refused,) = talk.got()
    assert verdict(refused)["rules"] == ["talk"]


def test_a_result_that_may_ask_and_cannot_be_read_is_an_error(tmp_path):
    wall = Wall(tmp_path, rule("deny"))
    talk = wall.session()
    talk.asks(call(1, "look"), request(2, "ping"))
    for number in (1, 2):
        odd = {"jsonrpc": "2.0", "id": number, "result": [asking(number, **ROOTS_AND_MODEL)]}
        talk.answers(odd)
        (refused,) = talk.got()
        assert refused["id"] == number
        assert "cannot be read" in refused["error"]["message"]
    assert [row.state for row in wall.rows()] == [State.ERROR]


def test_p01_a_result_that_asks_is_refused_when_that_cannot_be_recorded(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.asks(call(1, "look"))
    wall.disk.fill()
    talk.answers(asking(1, **ROOTS_AND_MODEL))
    assert talk.got()[0]["result"]["isError"]


def test_each_round_of_a_call_is_a_call_of_its_own(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.asks(call(1, "count"))
    talk.answers(asking(1, a="roots/list"))
    retry = call(2, "count")
    retry["params"] |= {"inputResponses": {"a": {"roots": []}}, "requestState": "s"}
    talk.asks(retry)
    assert talk.forwarded()[-1] == retry
    talk.asks(call(3, "count"))  # the limit of two is used up
    assert talk.forwarded() == []


def test_what_runs_when_an_unreadable_line_is_dropped_says_so_until_it_is_answered(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.asks(call(2, "look"))
    talk.live.from_server([b'{"jsonrpc":"2.0","result":'])
    (row,) = wall.rows()
    assert (row.state, row.note) == (State.RUNNING, UNSURE)
    talk.answers(result(2))
    (row,) = wall.rows()
    assert (row.state, row.note) == (State.DONE, "")


def test_an_answer_that_cannot_be_read_ends_its_call_as_failed(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.asks(call(2, "look"))
    talk.live.from_server([b'{"jsonrpc":"2.0","id":2,"result":{},"Method":"ping"}'])
    (answer,) = talk.got()
    assert "may have run" in answer["error"]["message"]
    assert wall.rows()[0].state is State.ERROR


@pytest.mark.parametrize(
    "beside",
    [QUESTION, result(2, tools=[{"name": "evil", "inputSchema": {}}]), result(9)],
    ids=["question", "tools", "nobody's"],
)
def test_an_answer_that_asks_takes_nothing_unjudged_along_in_a_batch(tmp_path, beside):
    wall = Wall(tmp_path, rule("deny"))
    talk = wall.session()
    talk.asks(call(1, "look"), request(2, "tools/list"))
    talk.answers(json.dumps([asking(1, a="roots/list"), beside]).encode())
    told = talk.got()
    assert all("error" in each for each in told), told
    assert 1 in [each["id"] for each in told]
    assert wall.rows()[0].state is State.ERROR


# --- questions inside errors (URLs to open, 2025-11-25) -----------------------------------------


def wanting(number, url="https://login.example", code=-32042, **more):
    asked = {"mode": "url", "elicitationId": "e", "url": url, "message": "log in"}
    data = {"elicitations": [asked], **more}
    return {
        "jsonrpc": "2.0",
        "id": number,
        "error": {"code": code, "message": "URL elicitation required", "data": data},
    }


ONLY_OUR_HOST = (
    rule("deny", "elicitation/create") + 'when = { url = { not_host = "login.example" } }\n'
)


def test_a_url_that_an_error_wants_opened_is_judged_and_goes_on(tmp_path):
    wall = Wall(tmp_path, ONLY_OUR_HOST)
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.answers(wanting(1))
    assert talk.got() == [wanting(1)]
    assert [(row.method, row.state) for row in wall.rows()] == [
        ("tools/call", State.ERROR),
        ("elicitation/create", State.DONE),
    ]


def test_a_url_that_rules_forbid_reaches_nobody(tmp_path):
    wall = Wall(tmp_path, ONLY_OUR_HOST)
    talk = wall.session()
    talk.asks(call(1, "look"), request(2, "prompts/list"))
    talk.answers(wanting(1, "https://evil.example"))
    (refused,) = talk.got()
    assert "evil" not in json.dumps(refused)
    assert verdict(refused)["rules"] == ["talk"]
    talk.answers(wanting(2, "https://evil.example"))
    (refused,) = talk.got()
    assert (refused["id"], "evil" in json.dumps(refused)) == (2, False)
    assert [row.state for row in wall.rows()] == [State.ERROR, State.REFUSED, State.REFUSED]


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("elicitations", r"\u0065licitations"),
        ("elicitations", "Elicitations"),
        ('"data"', '"Data"'),
        ('"data"', '"data": {}, "data"'),
        ('"elicitations"', '"elicitations": [], "elicitations"'),
        ('"url":', '"url": "https://login.example", "url":'),
        ('"url":', '"url": "https://login.example", "URL":'),
        ('"code": -32042', '"code": -32042.0'),
        ('"code"', '"odd": NaN, "code"'),
    ],
)
def test_no_other_spelling_of_an_error_takes_a_url_past_the_rules(tmp_path, written, instead):
    wall = Wall(tmp_path, ONLY_OUR_HOST)
    talk = wall.session()
    talk.asks(call(1, "look"))
    line = json.dumps(wanting(1, "https://evil.example"))
    assert written in line
    talk.answers(line.replace(written, instead, 1).encode())
    (refused,) = talk.got()
    assert "evil" not in json.dumps(refused)


def test_nothing_beside_a_url_takes_it_past_the_rules(tmp_path):
    wall = Wall(tmp_path, ONLY_OUR_HOST)
    talk = wall.session()
    for number, beside in enumerate(["text", 1e999, {"url": "https://login.example"}]):
        talk.asks(call(number, "look"))
        wants = wanting(number, "https://evil.example")
        wants["error"]["data"]["elicitations"].insert(0, beside)
        talk.answers(wants)
        (refused,) = talk.got()
        assert "evil" not in json.dumps(refused)


def test_an_error_that_only_speaks_of_elicitations_goes_on_as_it_came(tmp_path):
    wall = Wall(tmp_path, rule("deny", "elicitation/create"))
    talk = wall.session()
    for number, data in enumerate(["elicitations", {"elicitations": "none"}, ["elicitations"]]):
        talk.asks(call(number, "look"))
        plain = wanting(number)
        plain["error"]["data"] = data
        talk.answers(plain)
        assert talk.got() == [plain]
    talk.asks(call(9, "look"))
    plain = wanting(9)
    del plain["error"]["data"]
    talk.answers(plain)
    assert talk.got() == [plain]


# --- questions inside notifications (tasks of the stateless era) --------------------------------


def task_asks(**questions):
    inputs = {key: {"method": method, "params": {}} for key, method in questions.items()}
    params = {"taskId": "t", "status": "input_required", "inputRequests": inputs}
    return note("notifications/tasks", params)


def test_what_a_task_s_notification_asks_is_judged_and_goes_on(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.answers(task_asks(**ROOTS_AND_MODEL))
    assert talk.got() == [task_asks(**ROOTS_AND_MODEL)]
    assert [row.state for row in wall.rows()] == [State.DONE, State.DONE]


@pytest.mark.parametrize("action", ["deny", "ask"])
def test_a_task_s_notification_that_asks_what_rules_forbid_goes_nowhere(tmp_path, action):
    wall = Wall(tmp_path, rule(action))
    talk = wall.session()
    asks = task_asks(**ROOTS_AND_MODEL)
    talk.answers(asks)
    talk.answers(json.dumps(asks).replace("inputR", r"\u0069nputR").encode())
    talk.answers(json.dumps(asks).replace("inputR", "InputR").encode())
    talk.answers(json.dumps([asks, note("notifications/message", {})]).encode())
    assert talk.got() == []
    assert [row.state for row in wall.rows()] == [State.REFUSED] * 2  # of the one that is plain


# --- subscriptions of the stateless era ---------------------------------------------------------


def listening(number, *uris, **more):
    wanted = {"resourcesListChanged": True, "resourceSubscriptions": list(uris)}
    return request(number, "subscriptions/listen", {"notifications": wanted, **more})


NO_ETC = rule("deny", "resources/subscribe") + 'tool = "file:///etc/**"\n'


def test_each_resource_of_a_subscription_is_judged(tmp_path):
    wall = Wall(tmp_path, NO_ETC)
    talk = wall.session()
    talk.asks(listening(2, "file:///a", "file:///b", "file:///a"))
    assert talk.forwarded() == [listening(2, "file:///a", "file:///b", "file:///a")]
    assert [(row.method, row.tool, row.state) for row in wall.rows()] == [
        ("resources/subscribe", "file:///a", State.DONE),
        ("resources/subscribe", "file:///b", State.DONE),
    ]
    talk.answers(result(2, resultType="complete"))
    assert talk.got() == [result(2, resultType="complete")]


def test_a_subscription_to_what_a_rule_forbids_is_refused(tmp_path):
    wall = Wall(tmp_path, NO_ETC)
    talk = wall.session()
    talk.asks(listening(2, "file:///a", "file:///etc/passwd"))
    assert talk.forwarded() == []
    (refused,) = talk.got()
    assert "file:///etc/passwd" in refused["error"]["message"]
    assert refused["error"]["data"]["mcpwall/verdict"]["rules"] == ["talk"]
    assert [row.state for row in wall.rows()] == [State.REFUSED, State.REFUSED]
    talk.answers(result(2, resultType="complete"))
    assert talk.got() == []


def test_a_subscription_that_a_person_would_be_asked_about_is_refused(tmp_path):
    wall = Wall(tmp_path, rule("ask", "resources/subscribe"))
    talk = wall.session()
    talk.asks(listening(2, "file:///a"))
    assert talk.forwarded() == []
    assert "cannot wait" in talk.got()[0]["error"]["message"]
    assert wall.held == []


def test_p09_a_refused_subscription_costs_no_limit(tmp_path):
    limit = '[[rules]]\nid = "few"\nmethod = "resources/subscribe"\nrate_limit = "3/minute"\n'
    wall = Wall(tmp_path, RULES + limit)
    talk = wall.session()
    talk.asks(listening(2, "a", "b", "c", "d"))
    assert "talk" not in talk.got()[0]["error"]["message"]
    assert talk.forwarded() == []
    talk.asks(listening(3, "a", "b", "c"))
    assert talk.forwarded() == [listening(3, "a", "b", "c")]
    talk.asks(listening(4, "d"))
    assert talk.forwarded() == []


def test_p14_the_record_says_without_secrets_what_was_refused_beside(tmp_path):
    wall = Wall(tmp_path, rule("deny", "resources/subscribe") + 'tool = "https:*"\n')
    talk = wall.session()
    talk.asks(listening(2, "file:///a", "https://me:canary-7f3a9b@host/x"))
    beside, refused = wall.rows()
    assert "canary" not in beside.verdict.reason + wall.recorded(beside.id).verdict.reason
    assert refused.verdict.rules == ("talk",)


def test_p01_a_subscription_that_cannot_be_recorded_is_refused(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    wall.disk.fill()
    talk.asks(listening(2, "a"))
    assert talk.forwarded() == []
    assert "its audit cannot be written" in talk.got()[0]["error"]["message"]


def following(number, *tasks):
    wanted = {"taskIds": list(tasks)}
    return request(number, "subscriptions/listen", {"notifications": wanted})


def test_following_the_task_of_an_allowed_call_is_housekeeping(tmp_path):
    wall = Wall(tmp_path, rule("deny", "tasks/get"))
    talk = wall.session()
    talk.asks(call(1, "look"))
    talk.answers(result(1, resultType="task", taskId="mine"))
    talk.asks(following(2, "mine"))
    assert talk.forwarded()[-1] == following(2, "mine")


def test_following_any_other_task_is_judged_as_asking_for_it(tmp_path):
    wall = Wall(tmp_path, rule("deny", "tasks/get"))
    talk = wall.session()
    talk.asks(following(2, "theirs"))
    assert talk.forwarded() == []
    (refused,) = talk.got()
    assert refused["error"]["data"]["mcpwall/verdict"]["rules"] == ["talk"]
    assert [(row.method, row.state) for row in wall.rows()] == [("tasks/get", State.REFUSED)]


def test_a_subscription_to_no_resource_is_housekeeping(tmp_path):
    wall = Wall(tmp_path, rule("deny", "resources/subscribe"))
    talk = wall.session()
    talk.asks(listening(2))
    assert talk.forwarded() == [listening(2)]
    assert wall.rows() == []


@pytest.mark.parametrize(
    "params",
    [
        {"notifications": []},
        {"Notifications": {"resourceSubscriptions": ["a"]}},
        {"notifications": {"ResourceSubscriptions": ["a"]}},
        {"notifications": {"resourceSubscriptions": "a"}},
        {"notifications": {"TaskIds": ["a"]}},
        {"notifications": {"taskIds": "a"}},
        {"notifications": {"taskIds": [1]}},
        {"notifications": {"resourceSubscriptions": [["a"]]}},
        {"notifications": {"resourceSubscriptions": [str(n) for n in range(1_001)]}},
    ],
)
def test_a_subscription_that_servers_could_read_differently_is_refused(tmp_path, params):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.asks(request(2, "subscriptions/listen", params))
    assert talk.forwarded() == []
    assert talk.got()[0]["id"] == 2


def test_p12_a_subscription_goes_on_with_the_engine_that_follows(tmp_path):
    wall = Wall(tmp_path, RULES)
    talk = wall.session()
    talk.asks(listening(2, "a"))
    after = Talk(wall.killed(), after=talk)
    after.answers(result(2, resultType="complete"))
    assert after.got() == [result(2, resultType="complete")]
