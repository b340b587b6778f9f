from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType
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
        ("list_merge_requests", "", "read"),
        ("list_delete", "", "destructive"),
        ("search_index_delete", "", "destructive"),
        ("performance_start_trace", "", "execute"),
        ("audit_create_event", "", "write"),
        ("sales_timeseries", "", "read"),
        ("convert_time", "", "read"),
        ("convert_work_item", "", "write"),
        ("test_connection", "", "read"),
        ("test_workflow", "", "execute"),
        ("check_stock", "", "read"),
        ("check_out_book", "", "write"),
        ("list_click_tables", "Lists ClickHouse tables.", "read"),
        ("style", "ClickHouse style guide", "unknown"),
        ("play_style", "This tool provides comments on a style.", "read"),
        ("maps", "Valley map meta data", "read"),
        ("city", "Current weather of a city. Takes its name.", "read"),
        ("users", "Bulk delete data", "destructive"),
        ("users", "Quickly reads all users.", "read"),
        ("users", "Lists, then permanently deletes all users.", "destructive"),
        ("users", "Weekly charges of all users.", "unknown"),
        ("users", "This tool provides CRUD operations for data", "unknown"),
        ("todo", "Todo list for the session", "unknown"),
        ("bmi_calculator", "", "read"),
        ("file-editor", "", "write"),
        ("coding_rules", "ALWAYS call when writing code", "unknown"),
        ("get_guide", "Gets a guide and updates the callback addresses.", "write"),
        ("get_guide", "Gets a guide. It tells of updates to your site.", "read"),
        ("get_guide", "Gets a guide. For a new one create it first.", "read"),
        ("get_guide", "Gets a guide. Full reports are saved to disk.", "write"),
        ("image", "Download an image and add it to the library.", "write"),
        ("get_usage", "Get data. Also deletes all old entries.", "destructive"),
        ("get_part", "Gets one part and optionally save it in the cache.", "write"),
        ("check_port", "Probes a port. It sends packets to the host.", "write"),
        ("check_port", "Probes a port. It never sends packets.", "read"),
        ("get_show", "Gets a show. It starts at noon and stops when it rains.", "read"),
        ("verify_fix", "Verify a fix and record a verdict.", "write"),
        ("verify_fix", "Verifies a fix. The record a reader sees is old.", "read"),
        ("compare_pages", "Compare two pages, return a line, and write a full report.", "write"),
        ("compare_pages", "Comparing two pages helps to write a full report.", "read"),
        ("find_hot_spots", "Finds hot spots, waits for the analysis to complete.", "execute"),
        ("wait_for_job", "Waits for the job to finish.", "read"),
        ("acme_change_requests", "Lists requests to change an order.", "read"),
        ("acme_change_requests", "Change several requests at once.", "write"),
        ("acme_change_requests", "", "unknown"),
        ("acme_change_color", "Lists requests to change a color.", "read"),
        ("acme_change_color", "", "write"),
        ("acme_post_note", "Post a note, and read it again.", "write"),
        ("scan_web_server", "", "read"),
        ("check_mail_setup", "", "read"),
        ("setup_mail", "", "write"),
        ("describe", "Start here. Returns all columns.", "read"),
        ("lay_of_the_land", "Call this first: lists what there is.", "read"),
        ("ratings", "Read-only. Every rating of a film.", "read"),
        ("ratings", "Every rating of a film; none is read-only.", "unknown"),
        ("deduplicate_results", "", "write"),
        ("probe", "", "read"),
        ("get_page", "Gets a page, which is saved locally.", "write"),
        ("debayer_data", "Debayer data", "unknown"),
        ("meteo", "Current data", "read"),
        ("acme_debayer_data", "Debayer data.", "unknown"),
        ("relabel_metrics", "", "write"),
        ("unarchive_stats", "", "write"),
        ("resort_info", "", "read"),
        ("listar_pedidos", "", "read"),
        ("crear_lista", "", "write"),
        ("borrar_pedido", "", "destructive"),
        ("pagar_cuenta", "", "financial"),
        ("settings", "Read/write the settings of a page.", "write"),
        ("settings", "Get & delete settings.", "destructive"),
        ("usageStatsV2", "", "read"),
        ("UsageStatsTool", "", "read"),
        ("updateStatsV2", "", "write"),
        ("tool", "", "unknown"),
        ("v2", "", "unknown"),
        ("generate_bar_chart", "", "read"),
        ("generate_bar_chart", "Saves a chart as a file.", "write"),
        ("acme_listPressThemes", "Lists themes.", "read"),
        ("acme_listPressThemes", "", "write"),
        ("open_agents_list_runs", "List runs.", "read"),
        ("list_replies", "Replies for a message.", "read"),
        ("get_rights", "The set of rights.", "read"),
        ("shop_seller", "Quickly reads a seller.", "read"),
        ("preview_rename", "Preview a rename.", "read"),
        ("preview_rename", "Rename after a preview.", "write"),
        ("get_tag", "Gets a tag and the things it applies the tag to.", "read"),
        ("check_port", "Probes a port — it sends packets.", "write"),
        ("ask_helper", "", "write"),
        ("pull_request_checks", "Show all checks.", "read"),
        ("pull_request", "", "unknown"),
        ("pull_image", "", "write"),
        ("merge_request_create", "", "write"),
        ("merge_merge_request", "", "write"),
        ("acme_change_requests_list", "", "read"),
        ("performance", "The return series over a window.", "read"),
        ("dom", "[Beta] Get the DOM of a page.", "read"),
        ("dom", "(For teams) Delete the DOM of a page.", "destructive"),
        ("run_audit", "", "read"),
        ("run_audit_job", "", "execute"),
        ("ratings", "Read-only by default, unless writes are let in.", "unknown"),
        ("wiki_lint", "Run all checks.", "read"),
        ("wiki_upgrade", "Run all checks.", "execute"),
        ("foreclose_pending_review", "", "unknown"),
        ("open_and_read", "", "write"),
        ("post_then_get", "", "write"),
        ("forward_geocode", "", "read"),
        ("forward_note", "", "write"),
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
        ("query", {"sql": {}}, "Run SQL. Turn off for a read-only server.", "write"),
        ("execute", {"sql": {}}, "Run a read-only query.", "execute"),
        ("explain_query", {"sql": {}}, "", "read"),
        ("query", {"query": {}}, "Run a SQL query.", "write"),
        ("query", {"sql": {}}, "Run a SQL SELECT on the sales database.", "read"),
        ("query", {"sql": {}}, "Run a SELECT query, or insert rows.", "write"),
        ("get_rows", {"dryRun": {}}, "", "write"),
        ("get_rows", {"confirm": {}, "id": {}}, "", "write"),
        ("validate_rows", {"dry_run": {}}, "", "read"),
        ("get_file", {"save": {}}, "", "write"),
        ("get_answer", {"prompt": {}, "sandbox": {}}, "", "write"),
        ("get_task", {"command": {"type": "object"}}, "", "read"),
        ("get_task", {"command": {"type": "string"}}, "", "execute"),
        ("query", {"sql": {}}, "只读 SQL。", "read"),
        ("sheet_history", {"action": {}}, "", "write"),
        ("sheet_history", {"action": {"enum": ["list", "show"]}}, "", "read"),
        ("get_sheet_history", {"action": {}}, "", "read"),
        ("list_changes", {"action": {}}, "", "read"),
        ("view_control", {"command": {"enum": ["show_tab", "list_tabs"]}}, "Show a tab.", "read"),
        ("view_control", {"command": {"enum": ["show_tab", "delete_tab"]}}, "", "destructive"),
        ("query", {"query": {}}, "Run a PromQL query.", "read"),
        ("acme_query", {"query": {}}, "Run a SQL query.", "write"),
        ("read_query", {"query": {}}, "Execute a SELECT query on the SQL database.", "read"),
        ("get_rows", {"rawSql": {}}, "", "write"),
        ("get_output", {"command": {}}, "", "execute"),
        ("explain", {"command": {}}, "", "read"),
        ("get_request", {"responseFilePath": {}}, "", "write"),
        ("get_request", {"filePath": {}}, "", "read"),
        ("take_screenshot", {}, "", "read"),
        ("take_screenshot", {"filename": {}}, "", "read"),
        ("take_screenshot", {"filePath": {}}, "", "write"),
        ("fetch", {"url": {}}, "", "read"),
        ("fetch", {"url": {}, "max_length": {}}, "", "read"),
        ("fetch", {"url": {}, "body": {}}, "", "write"),
        ("fetch", {"url": {}, "method": {}}, "", "write"),
        ("get_all", {"jobs": {"items": {"properties": {"shell": {}}}}}, "", "execute"),
        ("get_all", {"job": {"anyOf": [{"properties": {"sql": {}}}]}}, "", "write"),
        ("get_all", {f"a{i}": {} for i in range(401)}, "", "write"),
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
        ("get_x", {"destructiveHint": True, "readOnlyHint": True}, "destructive"),
        ("create_refund", {"readOnlyHint": True, "destructiveHint": False}, "financial"),
        ("manage_users", {"readOnlyHint": True}, "write"),
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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("create_refund", "financial"),
        ("issue_refund", "financial"),
        ("process_payment", "financial"),
        ("capture_payment", "financial"),
        ("return_order", "financial"),
        ("capture_screen", "read"),
        ("get_refund", "read"),
        ("cancel_subscription", "destructive"),
    ],
)
def test_money_is_told_from_its_word(name: str, expected: str) -> None:
    assert risk(name, "Harmless.") == expected


def test_a_tool_that_only_returns_what_is_about_money_reads() -> None:
    assert risk("invoices", "Returns invoices.") == "read"


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("", "write"),
        ("List, search, and fetch users.", "write"),
        ("Create, update or delete users.", "destructive"),
    ],
)
def test_a_tool_that_manages_changes_whatever_it_says(description: str, expected: str) -> None:
    assert risk("manage_users", description) == expected


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


def lines_run(name: str, description: str, schema: dict[str, Any]) -> int:
    lines = 0

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        lines += event == "line" and "/mcpwall/policy/" in frame.f_code.co_filename
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        classify(name, description, schema, {})
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize(
    "definition",
    [
        lambda n: ("get_" * n, "", {}),
        lambda n: ("get_x", "and then also updates it, " * n, {}),
        lambda n: ("x", " " * n + "gets " * n, {}),
        lambda n: ("x", "", {"properties": {f"a{i}": {} for i in range(n)}}),
        lambda n: ("x", "", {"properties": {"action": {"enum": ["delete_" * n] * n}}}),
        lambda n: ("x", "", {"anyOf": [{"anyOf": [{"properties": {"a": {}}}] * n}] * n}),
        lambda n: (
            "x",
            "",
            functools.reduce(lambda s, _: {"items": s, "properties": s}, "x" * n, {}),
        ),
    ],
    ids=["name", "description", "blank", "wide", "choices", "branched", "deep"],
)
def test_a_larger_definition_is_no_more_work_beyond_the_bounds(
    definition: Callable[[int], tuple[str, str, dict[str, Any]]],
) -> None:
    assert lines_run(*definition(1000)) == lines_run(*definition(2000)) < 100_000


def test_a_hostile_name_does_not_fill_the_reason() -> None:
    schema = {"properties": {"x" * 99_999 + "_action": {"enum": ["delete" + "_x" * 99_999]}}}
    assert len(classify("x", "", schema, {})[1]) < 300
    schema = {"properties": {"output" + "_x" * 99 + "_file": {}}}
    assert len(classify("x", "", schema, {})[1]) < 300


def test_trusted_hints_lower_what_they_are_clear_about() -> None:
    def told(name: str, **hints: bool) -> str:
        return classify(name, "", {}, dict(hints), trusted=True)[0].value

    assert told("frobnicate", readOnlyHint=True) == "read"
    assert told("create_thing", readOnlyHint=True) == "read"
    assert told("delete_thing", destructiveHint=False) == "write"
    assert told("delete_thing", readOnlyHint=True, destructiveHint=True) == "destructive"
    assert told("get_thing", readOnlyHint=False) == "write"
    assert told("delete_thing") == "destructive"
    assert classify("delete_thing", "", {}, {"readOnlyHint": True})[0] is Risk.DESTRUCTIVE


def test_the_reason_says_who_promises_that_sql_only_reads() -> None:
    schema = {"properties": {"sql": {}}}
    assert classify("query", "Run a read-only SQL query", schema, {}) == (
        Risk.READ,
        'its argument "sql" carries SQL, which it says is only read',
    )


def test_the_reason_says_what_decided() -> None:
    assert classify("delete_x", "", {}, {})[1] == 'its name says "delete"'
    assert classify("x", "Creates a thing", {}, {})[1] == 'its description starts with "Creates"'
    properties = {"properties": {"cmd": {}}}
    assert classify("x", "", properties, {})[1] == 'its argument "cmd" carries code'
