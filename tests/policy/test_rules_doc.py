"""docs/rules.md shows rules that load, and leaves no key and no operator out."""

from __future__ import annotations

import re
import tomllib

import pytest

from mcpwall.model import Budget, Defaults, Per, RateLimit, Risk, Rule
from mcpwall.policy.conditions import operators
from mcpwall.store.config import load_text
from tests.helpers.programs import ROOT

TEXT = (ROOT / "docs" / "rules.md").read_text()
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
CODE = "\n".join([*EXAMPLES, *re.findall(r"`([^`\n]+)`", TEXT)])


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads_and_means_something(example: str) -> None:
    written = tomllib.loads(example)
    config = load_text(example, "docs/rules.md")
    assert len(config.rules) == len(written.get("rules", []))
    assert config.rules or config.set_defaults or config.store or config.risks


def test_the_page_speaks_of_every_key_and_every_operator() -> None:
    keys = {*Rule.__struct_fields__, *RateLimit.__struct_fields__, *Budget.__struct_fields__}
    keys |= {*Defaults.__struct_fields__, *operators(), *Per, *Risk, "window", "hold"}
    keys -= {"origin", "window_s", "hold_s"}  # the first is no key, the others are window and hold
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", CODE)] == []


def test_every_operator_is_used_in_an_example_or_is_a_negation_of_one() -> None:
    used = {test.op for example in EXAMPLES for test in _tests(example)}
    used |= {op.removeprefix("not_") for op in used}
    assert {op.removeprefix("not_") for op in operators()} <= used


def _tests(example: str) -> list[object]:
    return [test for rule in load_text(example, "docs/rules.md").rules for test in rule.when]
