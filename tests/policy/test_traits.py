from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.model import Reach, Reads, Risk, Traits
from mcpwall.policy.risk import classify
from mcpwall.policy.traits import traits_of


def traits(
    name: str, *arguments: str, description: str = "", trusted: bool = False, **hints: bool
) -> Traits:
    schema = {"properties": {key: {} for key in arguments}}
    risk, _ = classify(name, description, schema, hints, trusted=trusted)
    return traits_of(name, description, schema, hints, risk, trusted=trusted)


@pytest.mark.parametrize(
    ("name", "arguments", "reach"),
    [
        ("fetch", ("url",), "net"),  # a read, and a way out
        ("get_file_contents", ("owner", "repo", "path"), "service"),
        ("read_file", ("path",), "local"),
        ("move_file", ("source", "destination"), "local"),
        ("git_status", ("repo_path",), "local"),
        ("run_command", ("command",), "net"),
        ("restart_pod", ("name",), "service"),
        ("send_mail", ("to", "body"), "net"),
        ("create_customer", ("email",), "net"),
        ("list_customers", ("email",), "service"),
        ("create_issue", ("owner", "repo", "body"), "net"),
        ("add_comment", ("text",), "net"),
        ("create_merge_request", ("title",), "net"),
        ("browser_click", ("ref",), "net"),
        ("web_search", ("query",), "net"),
        ("invite_user", ("name",), "net"),
        ("run_workflow", ("name",), "net"),
        ("list_channels", (), "service"),
        ("frobnicate", (), "net"),  # nothing says how far
    ],
)
def test_how_far_data_can_go(name: str, arguments: tuple[str, ...], reach: str) -> None:
    assert traits(name, *arguments).reach.value == reach


@pytest.mark.parametrize(
    ("name", "description", "reads"),
    [
        ("get-env", "", ["secrets"]),
        ("read_secret", "", ["secrets"]),
        ("list_api_keys", "", ["secrets"]),
        ("create_access_token", "", ["secrets"]),
        ("delete_secret", "", []),
        ("get_connection_string", "", ["secrets"]),
        ("cred_rotate", "", ["secrets"]),
        ("create_actor", "Creates an actor and mints its initial API key.", ["secrets"]),
        ("sign_in", "Checks the name and obtains a JWT token.", ["secrets"]),
        ("create_user", "Creates a user with a password.", []),
        ("count_words", "Gets the number of tokens.", []),
        ("vault_show", "Shows what a vault holds.", ["secrets"]),
        ("vault_show", "Shows a note of the vault.", []),
        ("get_user_by_email", "", []),
        ("dump", "Returns all environment variables.", ["secrets"]),
        ("search", "Searches documents. Needs an API key.", []),
        ("list_environments", "", []),
        ("get_issue", "", ["untrusted"]),
        ("list_pull_requests", "", ["untrusted"]),
        ("get_channel_history", "", ["untrusted"]),
        ("search_mail", "", ["untrusted"]),
        ("lookup", "Looks a word up with a search engine.", ["untrusted"]),
        ("create_issue", "", []),
        ("read_file", "", []),
        ("get_status", "", []),
    ],
)
def test_what_it_can_bring_in(name: str, description: str, reads: list[str]) -> None:
    assert [what.value for what in traits(name, description=description).reads] == reads


def test_an_address_brings_in_what_stands_there() -> None:
    assert traits("fetch", "url").reads == (Reads.UNTRUSTED,)


@pytest.mark.parametrize(
    ("name", "money"),
    [
        ("create_refund", True),
        ("cancel_subscription", True),
        ("manage_topic_subscription", False),
        ("set_sort_order", False),
        ("set_order", True),
        ("list_refunds", False),
        ("create_issue", False),
    ],
)
def test_money(name: str, money: bool) -> None:
    assert traits(name).money is money


def test_each_finding_has_a_sentence() -> None:
    found = traits("fetch_secret", "url")
    assert found.why == (
        'data can leave in its argument "url"',
        'what it returns may hold secrets: its name says "secret"',
        'it brings in text from strangers, by its argument "url"',
    )
    assert traits("list_customers") == Traits()


def test_hints_lower_the_reach_only_of_a_server_that_is_trusted() -> None:
    assert traits("web_search", openWorldHint=False).reach is Reach.NET
    assert traits("web_search", openWorldHint=False, trusted=True).reach is Reach.SERVICE
    assert traits("web_search", trusted=True).reach is Reach.NET


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(st.text(), st.text(), json, json, st.sampled_from(Risk))
def test_p13_whatever_a_server_says_has_traits(
    name: str, description: str, schema: Any, hints: Any, risk: Risk
) -> None:
    assert isinstance(traits_of(name, description, schema, hints, risk), Traits)


def test_a_hostile_name_does_not_fill_the_reason() -> None:
    assert all(len(why) < 300 for why in traits("x" * 99_999, "url" + "_" * 99_999).why)
