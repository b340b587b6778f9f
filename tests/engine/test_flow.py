"""Rules on earlier calls, through the engine: over sessions and servers, and in words."""

from collections.abc import Callable

from mcpwall.engine.port import Refused
from mcpwall.engine.port_answers import Match, Remember, Scope
from tests.engine.wall import FakeClock, Talk, Wall, call, text, tool, verdict

RULES = """\
[defaults]
write = "allow"
execute = "allow"

[[rules]]
id = "leak"
after = { reads = "secrets" }
reach = "net"
action = "ask"

[[rules]]
id = "loop"
repeat = 2
action = "deny"
"""
NOTES = [tool("read_secret"), tool("look")]
WEB = [tool("fetch", url={})]


def pair(wall: Wall, client: str = "claude-code") -> tuple[Talk, Talk]:
    """One agent's sessions with two servers."""
    notes = wall.session(server="notes", client=client, tools=NOTES)
    return notes, wall.session(server="web", client=client, tools=WEB)


def test_a_secret_read_on_one_server_holds_what_would_leave_by_another(
    wall_with: Callable[[str], Wall],
) -> None:
    wall = wall_with(RULES)
    notes, web = pair(wall)
    web.asks(call(1, "fetch", {"url": "https://a.example"}))
    assert len(web.forwarded()) == 1
    notes.asks(call(1, "read_secret"))
    wall.clock.advance(120)
    web.asks(call(2, "fetch", {"url": "https://b.example"}))
    assert web.forwarded() == []
    (held,) = wall.held
    assert held.why[0] == (
        "A person is asked by rule leak, because notes.read_secret was called 2 minutes before, "
        "in call 2."
    )
    assert 'data can leave in its argument "url"' in held.why
    wall.decide(held)
    assert len(web.forwarded()) == 1


def test_neither_a_new_session_nor_a_new_name_forgets_it(
    wall_with: Callable[[str], Wall],
) -> None:
    wall = wall_with(RULES)
    notes, web = pair(wall)
    notes.asks(call(1, "read_secret"))
    notes.live.end("closed")
    web.live.end("closed")
    _, web = pair(wall, client="another")
    web.asks(call(2, "fetch", {"url": "https://b.example"}))
    assert [held.row.verdict.rules for held in wall.held] == [("leak",)]


def test_the_model_reads_why_it_was_refused(wall_with: Callable[[str], Wall]) -> None:
    notes, _ = pair(wall_with(RULES))
    notes.asks(call(1, "look"), call(2, "look"))
    notes.forwarded()
    notes.asks(call(3, "look"))
    said = notes.refusal()
    assert verdict(said)["rules"] == ["loop"]
    assert "because the same call was just made 2 times in a row" in text(said)


def test_it_cannot_be_approved_for_always_and_can_for_the_session(
    wall_with: Callable[[str], Wall],
) -> None:
    wall = wall_with(RULES)
    notes, web = pair(wall)
    notes.asks(call(1, "read_secret"))
    web.asks(call(2, "fetch", {"url": "https://b.example"}))
    (held,) = wall.held
    always = wall.decide(held, remember=Remember(Scope.ALWAYS, Match.TOOL))
    assert isinstance(always, Refused)
    assert "rule leak asks because of earlier calls" in always.text
    wall.decide(held, remember=Remember(Scope.SESSION, Match.TOOL))
    web.asks(call(3, "fetch", {"url": "https://c.example"}))
    assert (len(web.forwarded()), wall.held) == (2, [])


def test_p11_what_agents_did_is_known_again_after_a_kill(
    wall_with: Callable[[str], Wall],
) -> None:
    wall = wall_with(RULES)
    notes, _ = pair(wall)
    notes.asks(call(1, "look"), call(2, "read_secret"), call(3, "read_secret"))
    wall.clock.advance(60)
    wall = wall.killed()
    notes, web = pair(wall)
    notes.asks(call(4, "read_secret"))
    assert verdict(notes.refusal())["rules"] == ["loop"]
    web.asks(call(1, "fetch", {"url": "https://b.example"}))
    (held,) = wall.held
    assert "notes.read_secret was called 1 minute before, in call 3" in held.why[0]


def test_another_boot_is_another_agent(wall_with: Callable[[str], Wall]) -> None:
    wall = wall_with(RULES)
    notes, _ = pair(wall)
    notes.asks(call(1, "read_secret"))
    wall = wall.killed(FakeClock(boot="boot-2", steady_s=5))
    _, web = pair(wall)
    web.asks(call(1, "fetch", {"url": "https://b.example"}))
    assert wall.held == []


def test_a_call_that_could_not_be_recorded_was_not_made(wall_with: Callable[[str], Wall]) -> None:
    wall = wall_with(RULES)
    notes, web = pair(wall)
    notes.asks(call(1, "look"))
    wall.disk.fill()
    notes.asks(call(2, "read_secret"), call(3, "look"))
    wall.disk.free()
    web.asks(call(4, "fetch", {"url": "https://a.example"}))
    assert len(web.forwarded()) == 1  # no secret was read
    notes.asks(call(5, "look"))
    assert [message["id"] for message in notes.forwarded()] == [1, 5]
