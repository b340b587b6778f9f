"""URIs as programs that tidy them up read them, and rules that hold for both readings."""

from __future__ import annotations

import pytest

from mcpwall.policy.uris import readings
from tests.engine.wall import RULES, Wall, request

ETC = "file:///etc/passwd"
SAME = [
    "FILE:///etc/passwd",
    " file:///etc/passwd\x00",
    "fi\nle:///etc/\tpasswd",
    "file:///etc/./passwd",
    "file:///home/../etc/passwd",
    "file:///%65tc/passwd",
    "file:///home/%2e%2E/etc/passwd",
    "file:/etc/passwd",
    "file:///etc//passwd",
    "file://localhost/etc/passwd",
    "file:\\\\\\etc\\passwd",
    "file:///etc/passwd?x",
    "file:///etc/passwd#x",
]


@pytest.mark.parametrize("uri", [ETC, *SAME], ids=ascii)
def test_what_programs_take_for_one_file_is_one(uri):
    assert readings(uri) == (() if uri == ETC else (ETC,))


@pytest.mark.parametrize(
    ("uri", "same"),
    [
        ("HTTP://Example.org/a/../b?q=A/..#f", "http://example.org/b?q=A/..#f"),
        ("https:/example.org:443/b", "https://example.org/b"),
        ("http:example.org:8080", "http://example.org:8080"),
        ("notes:/a/../b", "notes:/b"),
        ("notes://x", "notes://x"),
        ("notes://x/dir/", "notes://x/dir/"),
        ("notes:a/b", "notes:a/b"),
        ("memo", "memo"),
        (" /etc/x ", "/etc/x"),
        ("1x:a/../b", "1x:a/../b"),
        ("", ""),
    ],
)
def test_a_plain_uri_stays_as_it_is(uri, same):
    assert readings(uri) == (() if uri == same else (same,))
    assert readings(same) == ()


@pytest.mark.parametrize(
    ("uri", "forms"),
    [
        ("file:///home/../etc//../passwd", ("file:///passwd", ETC)),
        ("notes://x/a//../b", ("notes://x/b", "notes://x/a/b")),
        ("notes://x/a/b/..", ("notes://x/a", "notes://x/a/")),
    ],
)
def test_a_uri_that_leads_programs_elsewhere_has_both_forms(uri, forms):
    assert readings(uri) == forms


def rule(action, tool):
    head = f'{RULES}\n[[rules]]\nid = "r"\nmethod = "resources/*"\n'
    return f'{head}tool = "{tool}"\naction = "{action}"\n'


@pytest.mark.parametrize("uri", [ETC, *SAME, "file:///x/../etc//../passwd"], ids=ascii)
@pytest.mark.parametrize("method", ["resources/read", "resources/subscribe"])
def test_p04_a_rule_that_denies_holds_for_every_spelling(tmp_path, uri, method):
    wall = Wall(tmp_path, rule("deny", "file:///etc/**"))
    talk = wall.session()
    talk.asks(request(2, method, {"uri": uri}))
    assert talk.forwarded() == []
    assert wall.rows()[0].verdict.rules == ("r",)
    wall.drop()


def test_p04_a_rule_that_allows_holds_for_what_is_read_so_alone(tmp_path):
    defaults = RULES.replace("[defaults]\n", '[defaults]\nother_methods = "deny"\n')
    wall = Wall(tmp_path, rule("allow", "file:///home/**").replace(RULES, defaults))
    talk = wall.session()
    for number, uri in enumerate(["file:///home/a", "file:///home/../etc/passwd"]):
        talk.asks(request(number, "resources/read", {"uri": uri}))
    assert [message["id"] for message in talk.forwarded()] == [0]
    wall.drop()
