"""The audit cannot be written: nothing runs, nothing is counted, and it heals by itself."""

from __future__ import annotations

from mcpwall.engine.port import NoticeEvent, Refused
from mcpwall.store.faults import AuditError
from tests.engine.wall import RULES, call, result, text, verdict


def notices(wall) -> list[str]:
    batch = wall.engine.feed.since(wall.engine.feed.first)
    return [event.level for event in batch.events if isinstance(event, NoticeEvent)]


def test_p01_a_call_that_cannot_be_recorded_reaches_no_server_and_costs_nothing(wall):
    talk = wall.session()
    wall.disk.fill()
    talk.asks(*(call(number, "count") for number in range(3)), call(3, "pay"), call(4, "wipe"))
    assert talk.forwarded() == []
    refusals = talk.got()
    assert [message["id"] for message in refusals] == [0, 1, 2, 3, 4]
    assert {verdict(message)["cause"] for message in refusals[:2]} == {"fault"}
    assert "its audit cannot be written" in text(refusals[0])
    assert wall.held == []
    wall.disk.free()
    talk.asks(*(call(number, "count") for number in range(5, 8)))
    assert [message["id"] for message in talk.forwarded()] == [5, 6]  # the limit was not used up
    assert verdict(talk.got()[0])["cause"] == "limit"
    assert notices(wall)[-2:] == ["error", "info"]


def test_p01_an_approval_that_cannot_be_recorded_releases_nothing(wall):
    talk = wall.session()
    talk.asks(call(1, "pay", {"amount": 1}))
    (held,) = wall.held
    wall.disk.fill()
    answer = wall.decide(held)
    assert isinstance(answer, Refused)
    assert "its audit cannot be written" in answer.text
    assert verdict(talk.refusal())["cause"] == "fault"
    wall.disk.free()
    wall.clock.advance(1)
    assert wall.recorded(held.row.id).state == "refused"


def test_an_outcome_that_cannot_be_recorded_is_recorded_later(wall):
    talk = wall.session()
    talk.asks(call(1, "look"))
    wall.disk.fill()
    talk.answers(result(1))
    assert talk.got() == [result(1)]  # it has run: the agent gets its answer
    wall.clock.advance(60)
    wall.disk.free()
    wall.clock.advance(1)
    assert wall.unfinished() == []
    assert wall.recorded(wall.rows()[-1].id).state == "done"


def test_p09_limits_that_cannot_be_counted_deny_until_they_can(wall, monkeypatch):
    talk = wall.session()
    talk.asks(call(1, "count"), call(2, "count"))
    assert len(talk.forwarded()) == 2

    def broken(*_):
        raise AuditError("disk I/O error", "audit.db", "look at the disk")

    with monkeypatch.context() as patch:
        patch.setattr(wall.audit, "charges", broken)
        wall.edit(RULES.replace("window = 60", "window = 600"))
        talk.asks(call(3, "count"), call(4, "look"))
        assert talk.forwarded() == []
        assert [verdict(message)["cause"] for message in talk.got()] == ["fault", "fault"]
    wall.clock.advance(1)
    talk.asks(call(5, "count"), call(6, "look"))
    assert [message["id"] for message in talk.forwarded()] == [6]
    assert verdict(talk.got()[0])["cause"] == "limit"
