"""`[http]`: what it may say, and which changes of it open a way in."""

from __future__ import annotations

import pytest

from mcpwall.store.config import ConfigError, load_text
from mcpwall.store.config_file import loosens
from mcpwall.store.http import PORT, HttpConfig


def http(text: str) -> HttpConfig:
    return load_text(f"[http]\n{text}", "config.toml").http


def error(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        http(text)
    return str(caught.value)


def test_without_a_word_the_wall_listens_on_its_port():
    assert load_text("", "config.toml").http == HttpConfig((("127.0.0.1", PORT),), ())
    assert http("") == HttpConfig()


def test_addresses_of_this_machine_are_taken():
    assert http('listen = "127.0.0.1:7000"').listen == (("127.0.0.1", 7000),)
    assert http('listen = ["127.0.0.1:0", "[::1]:7001"]').listen == (
        ("127.0.0.1", 0),
        ("::1", 7001),
    )
    assert http('listen = "off"').listen == ()


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:1", "[::]:1", "192.168.0.1:1", "localhost:1", "127.0.0.1", ":1", "127.0.0.1:65536"],
)
def test_p16_no_other_address_can_be_listened_on(address):
    assert "config.toml:2: http.listen is" in error(f'listen = "{address}"')
    assert "this machine alone" in error(f'listen = ["{address}"]')


def test_listening_nowhere_is_said_in_one_way():
    assert 'write "off"' in error("listen = []")
    assert "must be a string" in error("listen = 6279")


def test_origins_are_taken_as_they_are_sent():
    origins = ["http://localhost:3000", "https://app.example", "vscode-webview://abc"]
    assert http(f"origins = {origins}").origins == tuple(origins)


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "localhost:3000",
        "http://localhost:3000/",
        "http://*.example",
        "HTTP://a.example",
    ],
)
def test_p16_what_is_no_single_origin_is_refused(origin):
    assert "which is no origin" in error(f"origins = ['{origin}']")


def test_a_new_way_in_counts_as_loosening():
    closed = load_text('[http]\nlisten = "off"', "config.toml")
    usual = load_text("", "config.toml")
    wider = load_text('[http]\norigins = ["http://a.example"]', "config.toml")
    assert loosens(closed, usual) == ("agents can reach the wall by URL",)
    assert loosens(usual, wider) == ("requests from http://a.example are taken by HTTP",)
    assert loosens(wider, usual) == loosens(usual, closed) == loosens(usual, usual) == ()
