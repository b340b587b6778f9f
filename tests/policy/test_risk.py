from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.model import Risk
from mcpwall.policy.risk import classify


def risk(name: str, description: str = "", **fields: Any) -> str:
    schema = {"properties": fields.get("properties", {})}
    return classify(name, description, schema, fields.get("hints", {}))[0].value


@pytest.mark.parametrize(
    ("name", "description", "expected"),
    [
        ("get_release_by_tag", "", "read"),
        ("listStarredRepositories", "", "read"),
        ("HTTPStatus", "", "read"),
        ("pods_list_in_namespace", "", "read"),
        ("pods_delete", "", "destructive"),
        ("get_or_create_user", "", "write"),
        ("find_and_delete", "", "destructive"),
        ("find_replace", "", "destructive"),
        ("read_write_file", "", "write"),
        ("issue_write", "", "write"),
        ("tag_resource", "", "write"),
        ("slack_post_message", "", "write"),
        ("deploy_status", "", "read"),
        ("update_status", "", "write"),
        ("clear_history", "", "destructive"),
        ("services-reader", "", "read"),
        ("services-updater", "", "write"),
        ("run_command", "", "execute"),
        ("create_refund", "", "financial"),
        ("list_refunds", "", "read"),
        ("transfer_funds", "", "financial"),
        ("transfer_issue", "", "write"),
        ("directory_tree", "Get a tree view of files.", "read"),
        ("vm_lifecycle", "Manage a machine: start, stop.", "write"),
        ("tabs", "List, create, close, or select a tab.", "write"),
        ("sync_tool", "This tool will delete a record.", "destructive"),
        ("get_thing", "Deletes the thing and returns it.", "destructive"),
        ("query_logs", "Executes a log query.", "read"),
        ("list_tables", "START HERE: lists the tables.", "read"),
        ("search_cards", "通过关键字搜索卡牌", "read"),
        ("lifecycle", "通过关键字搜索卡牌", "unknown"),
        ("frobnicate", "", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_the_name_weighs_most_then_the_description(
    name: str, description: str, expected: str
) -> None:
    assert risk(name, description) == expected


@pytest.mark.parametrize(
    ("name", "properties", "description", "expected"),
    [
        ("sandbox", {"code": {}}, "", "execute"),
        ("get_source", {"code": {}}, "", "read"),
        ("query", {"sql": {}}, "", "write"),
        ("query", {"sql": {}}, "Run a read-only query.", "read"),
        ("context", {"operation": {"enum": ["list", "get"]}}, "", "unknown"),
        ("list_context", {"operation": {"enum": ["list", "set"]}}, "", "write"),
        ("get_items", {"action": {"enum": ["show", "delete_all"]}}, "", "destructive"),
        ("get_items", {"action": {"enum": [None, 5, "show"]}}, "", "read"),
        ("get_items", {"action": "odd"}, "", "read"),
    ],
)
def test_arguments_can_raise_a_risk(
    name: str, properties: dict[str, Any], description: str, expected: str
) -> None:
    assert risk(name, description, properties=properties) == expected


@pytest.mark.parametrize(
    ("name", "hints", "expected"),
    [
        ("get_x", {"readOnlyHint": False}, "write"),
        ("get_x", {"destructiveHint": True}, "destructive"),
        ("get_x", {"destructiveHint": True, "readOnlyHint": True}, "read"),
        ("frobnicate", {"readOnlyHint": True}, "unknown"),
        ("frobnicate", {"destructiveHint": True}, "destructive"),
        ("delete_x", {"readOnlyHint": True, "destructiveHint": False}, "destructive"),
        ("run_x", {"readOnlyHint": True}, "execute"),
        ("get_x", {"readOnlyHint": "false", "destructiveHint": 1}, "read"),
    ],
)
def test_a_servers_hints_raise_a_risk_and_never_lower_it(
    name: str, hints: dict[str, Any], expected: str
) -> None:
    assert risk(name, hints=hints) == expected


SEVERITY = ["read", "unknown", "write", "execute", "financial", "destructive"]
hints = st.fixed_dictionaries(
    {},
    optional={
        "readOnlyHint": st.booleans() | st.text(max_size=2),
        "destructiveHint": st.booleans() | st.none(),
    },
)
names = st.sampled_from(("get_x", "set_x", "delete_x", "run_x", "pay", "x")) | st.text()


@given(names, st.text(), hints)
def test_no_hint_lowers_the_risk(name: str, description: str, given_hints: dict[str, Any]) -> None:
    plain = SEVERITY.index(risk(name, description))
    assert SEVERITY.index(risk(name, description, hints=given_hints)) >= plain


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.text(), st.text(), json, json)
def test_no_definition_breaks_the_classifier(
    name: str, description: str, schema: Any, annotations: Any
) -> None:
    found, why = classify(name, description, schema, annotations)
    assert isinstance(found, Risk)
    assert why


def test_the_reason_says_what_decided() -> None:
    assert classify("delete_x", "", {}, {})[1] == 'its name says "delete"'
    assert classify("x", "Creates a thing", {}, {})[1] == 'its description starts with "Creates"'
    properties = {"properties": {"cmd": {}}}
    assert classify("x", "", properties, {})[1] == 'its argument "cmd" carries code'
