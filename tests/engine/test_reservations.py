"""Calls that are reserved at a shared store before they go. The store's answers are the test's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mcpwall.engine.port import Done, Lockdown, ReleasedEvent, RowEvent
from mcpwall.engine.port_calls import State
from mcpwall.engine.restore import LEFT_RESERVING
from mcpwall.store.shared import entries
from tests.engine.wall import (
    RULES,
    FakeLedger,
    Talk,
    Wall,
    call,
    note,
    request,
    result,
    text,
    tool,
    verdict,
)

PERS = ("tool", "server", "agent", "session")


@pytest.fixture
def store() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def wall(tmp_path: Path, store: FakeLedger) -> Iterator[Wall]:
    wall = Wall(tmp_path, RULES, ledger=store)
    yield wall
    wall.drop()


@pytest.fixture
def talk(wall: Wall) -> Talk:
    return wall.session()


def test_p01_a_call_goes_when_the_store_has_granted_it_and_not_before(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "count"))
    assert talk.forwarded() == []
    assert wall.recorded(1).state == "held"
    store.grants()
    assert talk.forwarded() == [call(1, "count")]
    assert wall.recorded(1).state == "running"
    talk.answers(result(1))
    assert talk.got() == [result(1)]
    assert wall.recorded(1).state == "done"


def test_nothing_else_waits_while_a_call_does(talk: Talk, store: FakeLedger) -> None:
    talk.asks(call(1, "count"), request(2, "ping"), call(3, "wipe"))
    assert talk.forwarded() == [request(2, "ping")]
    assert [message["id"] for message in talk.got()] == [3]
    talk.answers(result(2))
    assert talk.got() == [result(2)]
    store.grants()
    assert talk.forwarded() == [call(1, "count")]


def test_a_call_without_a_limit_is_entered_before_it_goes(talk: Talk, store: FakeLedger) -> None:
    talk.asks(call(1, "look"))
    assert talk.forwarded() == []
    assert store.grants().bounds == ()
    assert talk.forwarded() == [call(1, "look")]


def test_a_reservation_says_what_the_limit_means(talk: Talk, store: FakeLedger) -> None:
    talk.asks(call(1, "count"))
    (bound,) = store.grants().bounds
    assert bound.key == "team cap|rate|tool|notes|count"
    assert (bound.amount, bound.maximum, bound.window_us) == ("1", "2", 60_000_000)


def test_limited_by_the_store_reads_like_limited_by_this_wall(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    for number in (1, 2):
        talk.asks(call(number, "count"))
        store.grants()
    talk.forwarded()
    talk.asks(call(3, "count"))  # this wall's own count refuses it
    own = talk.refusal()
    wall.clock.advance(60)
    talk.asks(call(4, "count"))
    store.answers(59.000001)
    other = talk.refusal()
    assert text(other) == text(own)
    assert verdict(other) == {**verdict(own), "call": 4}
    assert verdict(other)["retryAfter"] == 60
    assert wall.recorded(4).by == "store"
    assert [row.hits for row in wall.rule_rows() if row.rule.id == "cap"] == [2]
    assert store.given_back == []


def test_the_limit_with_the_longest_wait_is_the_cause(tmp_path: Path, store: FakeLedger) -> None:
    rules = RULES + (
        '[[rules]]\nid = "spend"\ntool = "count"\nbudget = { sum = "n", max = 9, window = "1d" }\n'
    )
    wall = Wall(tmp_path, rules, ledger=store)
    talk = wall.session()
    talk.asks(call(1, "count", {"n": 2.5}))
    reservation, _ = store.asked[0]
    assert [bound.amount for bound in reservation.bounds] == ["1", "2.5"]
    store.answers(3, 7200)
    said = verdict(talk.refusal())
    assert (said["cause"], said["rules"], said["retryAfter"]) == ("budget", ["cap", "spend"], 7200)
    wall.drop()


@pytest.mark.parametrize("per", PERS)
def test_what_a_team_shares_and_what_is_one_walls_own(
    tmp_path: Path, store: FakeLedger, per: str
) -> None:
    limit = f'rate_limit = {{ max = 3, window = 60, per = "{per}" }}\n'
    wall = Wall(tmp_path, RULES + f'[[rules]]\nid = "x"\ntool = "look"\n{limit}', ledger=store)
    wall.session().asks(call(1, "look"))
    (bound,) = store.grants().bounds
    assert bound.key.startswith("team x|" if per in ("tool", "server") else "wall w1 x|")
    wall.drop()


def test_a_projects_limit_is_one_walls_own(tmp_path: Path, store: FakeLedger) -> None:
    place = tmp_path / "project"
    place.mkdir()
    (place / ".mcpwall.toml").write_text('[[rules]]\nid = "p"\nrate_limit = "3/minute"\n')
    wall = Wall(tmp_path, RULES, ledger=store)
    wall.session(directory=str(place)).asks(call(1, "look"))
    (bound,) = store.grants().bounds
    assert bound.key.startswith("wall w1 p|")
    wall.drop()


def test_what_only_asks_is_counted_by_each_wall(tmp_path: Path, store: FakeLedger) -> None:
    place = tmp_path / "project"
    place.mkdir()
    ask = '[[rules]]\nid = "cap"\ntool = "count"\naction = "ask"\nmore_than = "5/minute"\n'
    (place / ".mcpwall.toml").write_text(ask)
    wall = Wall(tmp_path, RULES, ledger=store)
    wall.session(directory=str(place)).asks(call(1, "count"))
    (bound,) = store.grants().bounds  # of the user's rule with the same id
    assert bound.key == "team cap|rate|tool|notes|count"
    wall.drop()


def test_p01_without_an_answer_of_the_store_nothing_goes(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "look"))
    store.answers(fault="the shared store redis://store does not answer")
    message = talk.refusal()
    assert "the shared store redis://store does not answer" in text(message)
    assert verdict(message)["cause"] == "fault"
    assert wall.recorded(1).state == "refused"


def test_p08_a_notification_whose_session_ended_meanwhile_does_not_go(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(note("notifications/x"))
    talk.live.end("the server has ended")
    reservation = store.grants()
    assert store.given_back == [reservation]
    assert talk.forwarded() == []
    assert wall.recorded(1).state == "withdrawn"


def test_a_store_that_fails_is_told_once_and_shown(wall: Wall, store: FakeLedger) -> None:
    seq = wall.engine.feed.seq
    store.fault = "no route"
    store.on_change()
    assert (wall.status.store, wall.status.store_fault) == ("redis://store", "no route")
    store.fault = ""
    store.on_change()
    notices = [event for event in wall.engine.feed.since(seq).events if hasattr(event, "level")]
    assert [(event.level, event.text) for event in notices] == [
        ("error", "no route; calls are denied until it answers"),
        ("info", "the shared store redis://store answers again"),
    ]


# --- what happens while a call waits ------------------------------------------------------------


def cancel(talk: Talk) -> None:
    talk.asks(note("notifications/cancelled", {"requestId": 1}))


def end(talk: Talk) -> None:
    talk.live.end("the server exited with code 0")


@pytest.mark.parametrize("gone", [cancel, end])
def test_p08_what_is_withdrawn_meanwhile_never_goes_and_costs_nothing(
    wall: Wall, talk: Talk, store: FakeLedger, gone
) -> None:
    talk.asks(call(1, "count"))
    gone(talk)
    granted = store.grants()
    assert talk.forwarded() == []
    assert store.given_back == [granted]
    assert wall.recorded(1).state == "withdrawn"
    assert wall.engine.limits.wait_ns("cap|rate|tool|notes|count", 1, 10**12, 10**12) == 0


@pytest.mark.parametrize("answer", [{"fault": "gone"}, {"waits": (5,)}])
def test_what_is_withdrawn_and_not_granted_is_not_given_back(
    wall: Wall, talk: Talk, store: FakeLedger, answer
) -> None:
    talk.asks(call(1, "count"))
    cancel(talk)
    store.answers(*answer.get("waits", ()), fault=answer.get("fault", ""))
    assert (talk.forwarded(), talk.got(), store.given_back) == ([], [], [])
    (row,) = told(store)
    assert row.state == "withdrawn"


def test_p08_a_lockdown_meanwhile_stops_a_call_that_was_granted(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "count"))
    wall.do(Lockdown(True))
    granted = store.grants()
    assert verdict(talk.refusal())["cause"] == "lockdown"
    assert store.given_back == [granted]


@pytest.mark.parametrize(
    ("rule", "cause"),
    [
        ('[[rules]]\nid = "new"\ntool = "look"\naction = "deny"\n', "rule"),
        ('[[rules]]\nid = "new"\ntool = "look"\naction = "ask"\n', "fault"),
        ('[[rules]]\nid = "new"\ntool = "look"\nrate_limit = "5/minute"\n', "fault"),
        ('[servers.notes.risk]\nlook = "execute"\n', "fault"),
    ],
)
def test_p08_rules_that_changed_meanwhile_count(
    wall: Wall, talk: Talk, store: FakeLedger, rule: str, cause: str
) -> None:
    talk.asks(call(1, "look"))
    wall.edit(RULES + rule)
    granted = store.grants()
    assert verdict(talk.refusal())["cause"] == cause
    assert store.given_back == [granted]


def test_p07_tools_that_changed_meanwhile_stop_the_call(talk: Talk, store: FakeLedger) -> None:
    talk.asks(call(1, "look"))
    talk.answers(note("notifications/tools/list_changed"))
    talk.got()
    assert [message["method"] for message in talk.forwarded()] == ["tools/list"]
    granted = store.grants()
    assert "rules, tools or earlier calls changed" in text(talk.refusal())
    assert store.given_back == [granted]


def test_p07_a_tool_that_is_gone_meanwhile_cannot_be_called(talk: Talk, store: FakeLedger) -> None:
    talk.asks(call(1, "look"))
    talk.answers(note("notifications/tools/list_changed"))
    talk.got()
    (listing,) = talk.forwarded()
    talk.answers(result(listing["id"], tools=[tool("count")]))
    store.grants()
    assert verdict(talk.refusal())["cause"] == "unlisted"


def test_p01_a_granted_call_that_cannot_be_recorded_is_given_back(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "count"))
    wall.disk.fill()
    granted = store.grants()
    assert verdict(talk.refusal())["cause"] == "fault"
    assert store.given_back == [granted]


def test_a_call_that_cannot_be_recorded_is_never_asked_for(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    wall.disk.fill()
    talk.asks(call(1, "count"))
    assert verdict(talk.refusal())["cause"] == "fault"
    assert store.asked == []


def test_an_agent_that_closes_its_end_has_its_calls_judged_first(
    talk: Talk, store: FakeLedger
) -> None:
    closed: list[bool] = []
    talk.asks(call(1, "look"), call(2, "look"))
    talk.live.when_judged(lambda: closed.append(True))
    store.grants()
    assert closed == []
    store.grants()
    assert closed == [True]
    assert talk.forwarded() == [call(1, "look"), call(2, "look")]


def test_p12_an_engine_that_is_killed_meanwhile_has_not_run_the_call(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "count"))
    second = wall.killed()
    again = Talk(second, after=talk)
    (message,) = again.got()
    assert LEFT_RESERVING in text(message)
    assert again.forwarded() == []
    assert second.recorded(1).state == "refused"
    second.drop()


# --- held calls ---------------------------------------------------------------------------------


def seen(wall: Wall) -> tuple[State, str]:
    """What an app knows of the one call: its state and note, as the last word on it has it."""
    events = wall.engine.feed.since(wall.engine.feed.first).events
    row = [event.row for event in events if isinstance(event, RowEvent)][-1]
    released = [event.how for event in events if isinstance(event, ReleasedEvent)]
    assert released[-1] == row.note
    return row.state, row.note


def test_p08_an_approved_call_is_reserved_when_it_is_released(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "pay", {"amount": 1}))
    assert store.asked == []
    (held,) = wall.held
    reply = wall.decide(held)
    assert reply == Done("allowed; it runs if the shared store has room for it")
    assert wall.held == []
    assert talk.forwarded() == []
    assert seen(wall) == (State.RESERVING, "allowed by you; the shared store is asked")
    store.grants()
    assert talk.forwarded() == [call(1, "pay", {"amount": 1})]
    assert seen(wall) == (State.RUNNING, "allowed by you")
    row = wall.recorded(1)
    assert (row.state, row.by) == ("running", "person")


def test_an_approved_call_for_which_the_store_has_no_room_is_refused(
    tmp_path: Path, store: FakeLedger
) -> None:
    limit = '[[rules]]\nid = "few"\ntool = "pay"\nrate_limit = "3/minute"\n'
    wall = Wall(tmp_path, RULES + limit, ledger=store)
    talk = wall.session()
    talk.asks(call(1, "pay"))
    (held,) = wall.held
    wall.decide(held)
    assert seen(wall) == (State.RESERVING, "allowed by you; the shared store is asked")
    store.answers(5)
    assert verdict(talk.refusal())["cause"] == "limit"
    assert seen(wall) == (State.REFUSED, "allowed by you, then refused")
    (row,) = told(store)
    assert (row.state, row.by) == ("refused", "store")
    wall.drop()


def test_p08_rules_that_change_after_the_approval_void_it(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "pay"))
    (held,) = wall.held
    wall.decide(held)
    wall.edit(RULES + '[[rules]]\nid = "more"\ntool = "pay"\naction = "ask"\nreason = "twice"\n')
    granted = store.grants()
    assert verdict(talk.refusal())["cause"] == "fault"
    assert store.given_back == [granted]


# --- the shared record --------------------------------------------------------------------------


def told(store: FakeLedger):
    """The calls that the shared record tells of, oldest first."""
    rows = list(entries.Folder().take(reversed(store.entries)))
    assert {(row.wall, row.who) for row in rows} <= {("w1", "ann@laptop")}
    return [row.row for row in reversed(rows)]


def test_the_shared_record_tells_what_this_walls_own_does(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "look"), call(2, "wipe"), call(3, "count"), call(4, "pay"), call(5, "pay"))
    store.grants()
    store.answers(7)
    talk.answers(result(1))
    first, second = wall.held
    wall.decide(first)
    store.grants()
    wall.decide(second, allow=False, reason="no")
    rows = {row.id: row for row in told(store)}
    assert sorted(rows) == [1, 2, 3, 4, 5]
    states = {1: "done", 2: "refused", 3: "refused", 4: "running", 5: "refused"}
    assert {number: row.state for number, row in rows.items()} == states
    for number, row in rows.items():
        own = wall.recorded(number)
        shared_fields = ("verdict", "state", "arguments", "tool", "agent", "digest", "took_us")
        for field in shared_fields:
            assert getattr(row, field) == getattr(own, field), field


def test_p14_the_shared_record_has_no_secret(wall: Wall, store: FakeLedger) -> None:
    secret = "canary-7f3a9b"
    tools = [tool("look", password={}), tool("pay", token={}), tool("wipe", secret={})]
    talk = wall.session(tools=tools)
    talk.asks(call(1, "look", {"password": secret}), call(2, "look", {"password": secret}))
    talk.asks(call(3, "wipe", {"secret": secret}), call(4, "pay", {"token": secret}))
    talk.asks(request(5, "resources/read", {"uri": f"https://me:{secret}@host/x"}))
    store.grants()
    store.answers(fault="gone")
    store.grants()
    (held,) = wall.held
    wall.decide(held)
    store.grants()
    assert str(talk.forwarded()).count(secret) == 3
    assert len(told(store)) == 5
    assert [entry for entry in store.entries if secret.encode() in entry] == []


def test_long_arguments_are_cut_in_the_shared_record(talk: Talk, store: FakeLedger) -> None:
    talk.asks(call(1, "look", {"text": "x" * 50_000}))
    store.grants()
    (row,) = told(store)
    assert row.arguments is None
    assert row.excerpt.startswith('{"text":"xxx')
    assert len(row.excerpt) == 4096
    assert row.size > 50_000
    assert max(map(len, store.entries)) < 6_000


def test_entries_of_something_else_are_passed_over(talk: Talk, store: FakeLedger) -> None:
    talk.asks(call(1, "look"))
    store.grants()
    store.entries += [b"", b"{}", b'{"wall":1}', b"\xff"]
    assert [row.id for row in told(store)] == [1]


def test_an_app_sees_that_a_call_waits_for_the_store(
    wall: Wall, talk: Talk, store: FakeLedger
) -> None:
    talk.asks(call(1, "look"))
    (row,) = wall.rows()
    assert row.state is State.RESERVING
    assert wall.held == []
