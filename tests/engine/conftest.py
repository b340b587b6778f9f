from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.wall import RULES, Wall


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """An engine with the rules of tests.engine.wall."""
    wall = Wall(tmp_path, RULES)
    yield wall
    wall.drop()


@pytest.fixture
def wall_with(tmp_path: Path) -> Iterator[Callable[[str], Wall]]:
    """An engine with other rules."""
    made: list[Wall] = []

    def make(rules: str) -> Wall:
        made.append(Wall(tmp_path, rules))
        return made[-1]

    yield make
    for wall in made:
        wall.drop()
