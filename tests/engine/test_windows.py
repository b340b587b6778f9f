"""Limits whose windows change: what a narrow window had let go counts again in a wider one."""

from __future__ import annotations

from pathlib import Path

from tests.engine.wall import RULES, Talk, Wall, call, result

MADE = 40


def rules(limit: str) -> str:
    """A limit on `look`, beside one that looks back a day."""
    cap = f'[[rules]]\nid = "hour"\ntool = "look"\nrate_limit = {limit}\n' if limit else ""
    return f'{RULES}\n[[rules]]\nid = "other"\ntool = "x"\nrate_limit = "9/day"\n\n{cap}'


def edited(wall: Wall, limit: str) -> None:
    """The person edits the limit, and accepts it where it loosens."""
    wall.edit(rules(limit))
    if edit := wall.status.outside_edit:
        wall.accept(edit)


def calls(wall: Wall, talk: Talk, times: int, apart_s: float) -> int:
    """How many of so many calls reach the server."""
    passed = 0
    for _ in range(times):
        number = wall.engine.last_call + 1
        talk.asks(call(number, "look"))
        passed += len(talk.forwarded())
        talk.answers(result(number))
        talk.got()
        wall.clock.advance(apart_s)
    return passed


def test_p09_a_window_that_grows_sees_what_a_narrower_one_had_let_go(tmp_path: Path) -> None:
    wall = Wall(tmp_path, rules("{ max = 2, window = 1 }"))
    talk = wall.session()
    assert calls(wall, talk, MADE, 2) == MADE
    edited(wall, f"{{ max = {MADE + 1}, window = 3600 }}")
    assert calls(wall, talk, 5, 0) == 1


def test_p09_so_does_one_that_was_away_for_a_while(tmp_path: Path) -> None:
    wall = Wall(tmp_path, rules("{ max = 2, window = 1 }"))
    talk = wall.session()
    assert calls(wall, talk, MADE, 2) == MADE
    edited(wall, "")
    assert calls(wall, talk, 3, 0) == 3  # counted by no limit
    edited(wall, f"{{ max = {MADE + 1}, window = 3600 }}")
    assert calls(wall, talk, 5, 0) == 1


def test_p09_a_window_that_shrinks_and_grows_again_has_lost_nothing(tmp_path: Path) -> None:
    wide = f"{{ max = {MADE + 1}, window = 3600 }}"
    wall = Wall(tmp_path, rules(wide))
    talk = wall.session()
    edited(wall, "{ max = 2, window = 1 }")
    assert calls(wall, talk, MADE, 2) == MADE
    edited(wall, wide)
    assert calls(wall, talk, 5, 0) == 1
