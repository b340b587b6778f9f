"""What is made of an entry: what it starts, whether the wall is there, why it is left alone."""

import pytest

from mcpwall.clients import json_spans, launcher
from mcpwall.clients.agents import BY_ID
from mcpwall.clients.entries import entries
from mcpwall.clients.naming import Names, plain

KEYS = ("mcpServers",)


def one(server, agent="claude-code"):
    """The only entry of a file."""
    root = json_spans.parse('{"mcpServers": {"x": ' + server + "}}")
    (entry,) = entries(BY_ID[agent], root, KEYS)
    return entry


@pytest.mark.parametrize(
    ("server", "why"),
    [
        ("{}", "neither command nor URL"),
        ('{"command": 5}', "is not a command"),
        ('{"command": ""}', "is not a command"),
        ('{"command": "x", "args": "a b"}', "is not a command"),
        ('{"command": "x", "args": [1]}', "is not a command"),
        ('{"command": "x", "command": "y"}', "written twice"),
        ('{"command": "x", "url": "https://a.example/"}', "both a command and a url"),
        ('{"url": "https://me:pw@a.example/mcp"}', "may hold a secret"),
        ('{"url": "https://a.example/mcp?key=1"}', "may hold a secret"),
        ('{"url": "${HOST}/mcp"}', "not written out"),
        ('{"url": "ftp://a.example/mcp"}', "not written out"),
        ('{"url": "http://a.example/mcp"}', "plain http"),
        ('{"url": "https://a.example/m cp"}', "cannot be read"),
        ('{"url": "https://ä.example/mcp"}', "cannot be read"),
        ('{"url": "https://a.example:x/mcp"}', "cannot be read"),
        ('{"url": "https://a.example/mcp#top"}', "has a fragment"),
        ('{"url": "https://a.example/sse", "type": "sse"}', "older HTTP+SSE"),
        ('{"url": "wss://a.example/", "type": "ws"}', "its type is ws"),
        ('{"url": "https://a.example/mcp", "headers": {"A": "Bearer abc"}}', "may hold a secret"),
        ('{"url": "https://a.example/mcp", "headers": {"A": "x${B}"}}', "may hold a secret"),
        ('{"url": "https://a.example/mcp", "oauth": {"clientId": "c"}}', "how to log in"),
        ('{"url": "https://a.example/mcp", "headers": {"A B": "${C}"}}', "not of a kind"),
        ('{"url": "https://a.example/mcp", "headers": {"Host": "${C}"}}', "not of a kind"),
        ('{"url": "https://a.example/mcp", "headers": {"mcp-x": "${C}"}}', "not of a kind"),
        (
            '{"url": "https://a.example/mcp", "headers": {"A": "${B}", "a": "${C}"}}',
            "not of a kind",
        ),
        (
            '{"url": "https://a.example", "headers": {"A": "${B}"}, "http_headers": {"A": "${C}"}}',
            "not of a kind",
        ),
        (
            '{"url": "https://a.example/mcp", "env_http_headers": {"A": "no name"}}',
            "not of a kind",
        ),
    ],
)
def test_what_cannot_be_routed_says_why(server, why):
    assert why in one(server).why_not


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        ("${KEY}", "${env:KEY}"),
        ("Bearer ${KEY}", "Bearer ${env:KEY}"),
        ("Bearer ${env:KEY}", "Bearer ${env:KEY}"),
        ("{env:KEY}", "${env:KEY}"),
        ("token $KEY", "token ${env:KEY}"),
    ],
)
def test_a_header_from_the_environment_is_said_in_the_walls_form(value, reference):
    entry = one('{"url": "https://a.example/mcp", "headers": {"A": "' + value + '"}}')
    assert entry.why_not == ""
    assert entry.sent == (("A", reference),)


def test_two_entries_of_one_name_are_left_alone():
    text = '{"mcpServers": {"x": {"command": "a"}, "y": {"command": "b"}, "x": {"command": "c"}}}'
    found = {e.name: e.why_not for e in entries(BY_ID["cursor"], json_spans.parse(text), KEYS)}
    assert "two entries of this name" in found["x"]
    assert found["y"] == ""


def test_a_section_that_is_written_twice_is_left_alone():
    text = '{"mcpServers": {"x": {"command": "a"}}, "mcpServers": {"y": {"command": "b"}}}'
    (entry,) = entries(BY_ID["cursor"], json_spans.parse(text), KEYS)
    assert (entry.name, entry.why_not) == (
        "y",
        "mcpServers is written twice in the file; take one out",
    )


def test_another_proxy_is_named_and_routed_all_the_same():
    entry = one('{"command": "npx", "args": ["-y", "mcp-remote@latest", "https://a.example/"]}')
    assert entry.why_not == ""
    assert "mcp-remote" in entry.note


@pytest.mark.parametrize(
    "words",
    [
        "mcpwall stdio fs -- npx x",
        "/opt/bin/mcpwall stdio fs -- npx x",
        "C:\\tools\\mcpwall.exe stdio fs -- npx x",
        "/usr/bin/env MCPWALL_HOME=/w XDG_STATE_HOME=/s /opt/mcpwall stdio fs -- npx x",
        "uvx mcpwall stdio fs -- npx x",
        "uvx mcpwall@0.1.0 stdio fs -- npx x",
        "uv tool run mcpwall stdio fs -- npx x",
        "pipx run mcpwall stdio fs -- npx x",
        "python3.11 -P -m mcpwall stdio fs -- npx x",
    ],
)
def test_the_wall_is_known_however_it_is_started(words):
    assert launcher.routed(words.split()) == launcher.Routed("fs", ("npx", "x"))


@pytest.mark.parametrize(
    "words",
    [
        *("", "npx x", "mcpwall", "mcpwall stdio", "mcpwall demo x", "npx mcpwall-tools stdio fs"),
        "python3 evil.py -m mcpwall stdio fs -- npx x",
        "python3 -c evil() -m mcpwall stdio fs -- npx x",
        "uvx ./mcpwall stdio fs -- npx x",
        "uvx git+https://evil.example/mcpwall stdio fs -- npx x",
        "uvx mcpwall@git+https://evil.example stdio fs -- npx x",
        "pipx run /tmp/mcpwall stdio fs -- npx x",
    ],
)
def test_what_is_not_the_wall_is_not_taken_for_it(words):
    assert launcher.routed(words.split()) is None


def test_the_wall_is_told_which_home_it_has():
    assert launcher.launcher("/b/mcpwall", {"PATH": "/b"}) == ("/b/mcpwall",)
    told = launcher.launcher("/b/mcpwall", {"MCPWALL_HOME": "/w", "XDG_STATE_HOME": ""})
    assert told == ("/usr/bin/env", "MCPWALL_HOME=/w", "/b/mcpwall")
    assert launcher.routed([*told, "stdio", "fs"]) == launcher.Routed("fs", ())


@pytest.mark.parametrize(
    ("words", "added", "why"),
    [
        ("mcpwall", {}, ""),
        ("/opt/bin/mcpwall", {"PATH": "/b"}, ""),
        ("~/.local/bin/mcpwall", {}, ""),
        ("${HOME}/.local/bin/mcpwall", {}, ""),
        ("C:\\tools\\mcpwall.exe", {}, ""),
        ("/usr/bin/env MCPWALL_HOME=/w /opt/mcpwall", {}, ""),
        ("mcpwall", {"MCPWALL_HOME": "/w"}, ""),
        ("./mcpwall", {}, "it starts ./mcpwall, whatever that is where the agent runs"),
        ("bin/mcpwall", {}, "it starts bin/mcpwall"),
        ("..\\mcpwall.exe", {}, "it starts ..\\mcpwall.exe"),
        ("${workspaceFolder}/mcpwall", {}, "it starts ${workspaceFolder}/mcpwall"),
        ("env MCPWALL_HOME=/loose mcpwall", {}, "has a home of its own (MCPWALL_HOME)"),
        ("mcpwall", {"MCPWALL_HOME": "/loose"}, "has a home of its own (MCPWALL_HOME)"),
        ("mcpwall", {"XDG_CONFIG_HOME": "/loose"}, "has a home of its own (XDG_CONFIG_HOME)"),
    ],
)
def test_a_wall_that_is_not_this_one_is_told_from_it(words, added, why):
    told = launcher.another([*words.split(), "stdio", "fs"], added, {"MCPWALL_HOME": "/w"})
    assert (why in told) if why else told == ""


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("fs", "fs"),
        ("My Server!", "My-Server"),
        ("-a/b*", "a-b"),
        ("日本", "server"),
        ("", "server"),
    ],
)
def test_a_name_is_a_pattern_for_itself_and_a_word(name, made):
    assert plain(name) == made


def test_one_command_has_one_name_and_two_have_two():
    names = Names()
    names.take("git", ("in", "config"))
    assert names.give("fs", "cursor", ("npx", "a")) == "fs"
    assert names.give("fs", "codex", ("npx", "a")) == "fs"
    assert names.give("fs", "codex", ("npx", "b")) == "fs-codex"
    assert names.give("fs", "codex", ("npx", "c")) == "fs-2"
    assert names.give("git", "codex", ("uvx", "git")) == "git-codex"
