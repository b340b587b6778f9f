"""The demo's rules and script, as data."""

import pytest

from mcpwall.cli.demo import TEMPOS, Tempo
from mcpwall.demo.story import AGENTS, WORK, Step, arguments_of, rules
from mcpwall.protocol.methods import HANDSHAKE_VERSIONS, STATELESS_VERSION
from mcpwall.store.config import load_text


@pytest.mark.parametrize("tempo", TEMPOS.values())
def test_the_rules_load_with_every_tempo(tempo: Tempo) -> None:
    config = load_text(rules(tempo.hold_s, tempo.window_s), "config.toml")
    assert config.defaults.hold_s == tempo.hold_s
    [pace] = [rule.rate_limit for rule in config.rules if rule.rate_limit]
    assert pace.window_s == tempo.window_s


def test_the_story_shows_each_kind_of_outcome_and_both_eras() -> None:
    outcomes = {step.outcome for agent in AGENTS.values() for step in agent.steps}
    assert outcomes == {"done", "failed", "rule", "limit", "budget", "unattended"}
    assert {agent.version for agent in AGENTS.values()} == {
        STATELESS_VERSION,
        HANDSHAKE_VERSIONS[-1],
    }


def test_rounds_differ_and_come_round_again() -> None:
    step = Step("s", "t", {"text": "{work} {n}", "amount": 45})
    assert arguments_of(step, 1) == {"text": f"{WORK[0]} 1", "amount": 45}
    assert arguments_of(step, len(WORK) + 1) == {"text": f"{WORK[0]} {len(WORK) + 1}", "amount": 45}
