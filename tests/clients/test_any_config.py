"""Whatever a config holds, and however it is laid out: routed it means the same, and goes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli_w
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mcpwall.clients import document, plan, undo
from mcpwall.clients.agents import BY_ID
from mcpwall.clients.entries import entries
from tests.clients.machine import WALL

# what every one of the formats can hold: no control characters, no lone surrogates
words = st.text(
    st.characters(
        blacklist_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp"), blacklist_characters="\ufeff"
    ),
    min_size=1,
    max_size=12,
)
server = st.fixed_dictionaries(
    {"command": words},
    optional={
        "args": st.lists(words, max_size=4),
        "env": st.dictionaries(words, words, max_size=2),
        "timeout": st.integers(1, 10**6),
        "disabled": st.booleans(),
    },
)
configs = st.dictionaries(words, server, min_size=1, max_size=4)
layouts = st.sampled_from(["compact", "spaced", "tabs", "crlf"])


def as_json(data, layout):
    text = {
        "compact": json.dumps(data, separators=(",", ":")),
        "spaced": json.dumps(data, indent=2, ensure_ascii=False),
        "tabs": json.dumps(data, indent="\t"),
        "crlf": json.dumps(data, indent=4).replace("\n", "\r\n") + "\r\n",
    }
    return text[layout]


def as_toml(data, layout):
    return tomli_w.dumps(data, multiline_strings=False, indent=2 if layout == "spaced" else 4)


def as_yaml(data, layout):
    flow = {"compact": True, "spaced": False, "tabs": None, "crlf": False}[layout]
    return yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, sort_keys=False)


def there_and_back(name, key, text, wanted):
    """Route all servers of a file, look, and put it back."""
    agent = BY_ID[name]
    ending = {"codex": "toml", "goose": "yaml"}.get(name, "json")
    before = document.Document(Path(f"x.{ending}"), False, "", None).changed(text)
    found = list(entries(agent, before.root, (key,)))
    assert {entry.name: list(entry.words) for entry in found} == wanted
    routings = [plan.Routing(entry, f"s{n}") for n, entry in enumerate(found)]
    change = plan.change(before, routings, WALL, "now")
    routed = list(entries(agent, change.after.root, (key,)))
    assert {entry.name: list(entry.command) for entry in routed} == wanted
    assert all(entry.routed for entry in routed)
    back, outcomes = undo.put_back(change.after, change.records)
    assert back.text == text
    assert {outcome.how for outcome in outcomes} == {undo.How.RESTORED}


# what a stranger may have put into a project's file, where anything may stand anywhere
odd = st.recursive(
    st.sampled_from(
        [None, True, 0, 1.5, "", "x", "sse", "http://[", "https://a.example/mcp", "${A}"]
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["name", "command", "args", "path", "1"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)
keys = ["command", "cmd", "args", "env", "url", "uri", "type", "headers", "transport", "name"]
good = st.sampled_from(
    [
        {"command": "npx", "cmd": "npx", "args": ["a"], "env": {"A": "b"}},
        {"url": "https://a.example/mcp", "uri": "https://a.example/mcp"},
        {"transport": {"type": "stdio", "command": "npx"}},
    ]
)
entry = st.builds(
    lambda name, base, change: {"name": name, **base, **change},
    *(words, good, st.dictionaries(st.sampled_from(keys), odd, max_size=2)),
)
NAMES = {"codex": "mcp_servers", "goose": "extensions", "opencode": "mcp", "zed": "context_servers"}


@pytest.mark.parametrize("name", sorted(BY_ID))
@settings(max_examples=40, deadline=None)
@given(st.dictionaries(words, entry | odd, max_size=3) | st.lists(entry | odd, max_size=3) | odd)
def test_what_is_odd_is_left_alone_or_goes_back(name, container):
    agent, key = BY_ID[name], NAMES.get(name, "mcpServers")
    text = yaml.safe_dump({key: container}) if name == "goose" else json.dumps({key: container})
    ending = "yaml" if name == "goose" else "json"
    before = document.Document(Path(f"x.{ending}"), False, "", None).changed(text)
    found = list(entries(agent, before.root, (key,)))
    assert all(entry.environment is not None for entry in found)
    good = [entry for entry in found if not entry.why_not and not entry.routed]
    try:
        wanted = [plan.Routing(entry, f"s{n}", 900) for n, entry in enumerate(good)]
        change = plan.change(before, wanted, WALL, "now")
    except document.DocumentError:
        return
    back, _ = undo.put_back(change.after, change.records)
    assert back.text == text


def started(servers):
    return {name: [one["command"], *one.get("args", [])] for name, one in servers.items()}


@settings(max_examples=60, deadline=None)
@given(configs, layouts)
def test_json(servers, layout):
    text = as_json({"other": [1, {"mcpServers": {}}], "mcpServers": servers}, layout)
    there_and_back("cursor", "mcpServers", text, started(servers))


@settings(max_examples=60, deadline=None)
@given(configs, layouts)
def test_toml(servers, layout):
    text = as_toml({"model": "x", "mcp_servers": servers, "last": {"a": 1}}, layout)
    there_and_back("codex", "mcp_servers", text, started(servers))


@settings(max_examples=60, deadline=None)
@given(configs, layouts)
def test_yaml(servers, layout):
    inner = {
        name: {("cmd" if key == "command" else key): value for key, value in one.items()}
        for name, one in servers.items()
    }
    text = as_yaml({"GOOSE_MODEL": "x", "extensions": inner, "last": None}, layout)
    there_and_back("goose", "extensions", text, started(servers))
