from __future__ import annotations

from mcpwall.model import Action, Rule
from mcpwall.policy.never import HOUSEKEEPING, why_never
from mcpwall.protocol.methods import CLIENT_METHODS, Way


def test_the_methods_that_no_rule_reaches_are_those_that_are_handed_on() -> None:
    requests = {
        method: way for method, way in CLIENT_METHODS.items() if "notifications" not in method
    }
    assert {method for method, way in requests.items() if way is Way.HAND_ON} == HOUSEKEEPING


def test_a_rule_on_housekeeping_alone_is_refused() -> None:
    told = why_never(Rule("r", method=("resources/list", "tasks/list"), action=Action.DENY))
    assert told is not None
    assert "resources/list, tasks/list" in told
    assert why_never(Rule("r", method=("resources/*",), action=Action.DENY)) is None
