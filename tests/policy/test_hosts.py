from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.policy.hosts import HostPatternError, host_of, host_pattern, urls_in


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com", "example.com"),
        ("HTTPS://EXAMPLE.com/Path?q=1#f", "example.com"),
        ("https://example.com:8443/", "example.com"),
        ("https://example.com:/", "example.com"),
        ("https://example.com./", "example.com"),
        ("https://user:secret@example.com/", "example.com"),
        ("https://good.example@evil.example/", "evil.example"),
        ("https://good.example:80@evil.example/", "evil.example"),
        ("https://evil.example/?x=@good.example", "evil.example"),
        ("https://evil.example/good.example", "evil.example"),
        ("https://evil.example/#@good.example", "evil.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("https://ｅｘａｍｐｌｅ.com/", "example.com"),
        ("https://example。com/", "example.com"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("http://[::1]:80/", "::1"),
        ("http://[0:0:0:0:0:0:0:1]/", "::1"),
        ("http://[::ffff:127.0.0.1]/", "127.0.0.1"),
        ("https://example.com/a b", "example.com"),
        ("ftp://files.example/x", "files.example"),
    ],
)
def test_host(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "example.com/path",
        "//evil.example/x",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https://",
        "https://good.example\\@evil.example/",
        "https:\\\\evil.example\\",
        "https://evil.example\\.good.example/",
        "https://a@b@evil.example/",
        "https://good.example]@evil.example/",
        "https://[good.example]@evil.example/",
        "https://a|b@evil.example/",
        "https://ä@evil.example/",
        "https://good.example#@evil.example/",
        "https://good.example?@evil.example/",
        "https://good.example &@evil.example/",
        "https://good\t.example/",
        "ht\ntps://good.example/",
        " https://good.example/",
        "https://good.example\r\nHost: evil.example",
        "https://good.example\0.evil.example/",
        "https://good%2eexample/",
        "https://%65vil.example/",
        "https://good.example%00.evil.example/",
        "https://good..example/",
        "https://.good.example/",
        "https://good.example:80:90/",
        "https://good.example:port/",
        "https://good.example:99999/",
        "https://good.example:８０/",
        "https://good.example;evil.example/",
        "https://[::1/",
        "https://[::1%25eth0]/",
        "https://[::1]evil.example/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.0x1/",
        "http://256.0.0.1/",
        "https://faß.example/",
        "https://p\u1d2cstebin.example/",  # a modifier letter of Unicode 4: "a" to newer readers
        "https://paste\u180fbin.example/",  # nothing at all to them
        "https://\u13a0.example/",  # Cherokee has small letters since Unicode 8
        "foo://bücher.example/",
        "https://a\u200db.example/",
        "https://a／b.example/",
        "file:///etc/passwd",
        "mailto:ann@example.com",
        "javascript:alert(1)",
        "https://" + "a" * 300 + ".example/",
        "https://example.com/" + "a" * 20_000,
    ],
)
def test_a_url_that_parsers_may_read_apart_has_no_host(url: str) -> None:
    assert host_of(url) is None


@given(st.text("aA1.:/@\\?#[]% \t-_éß。", max_size=24))
def test_a_host_is_named_only_where_the_standard_library_agrees(tail: str) -> None:
    url = f"https://{tail}"
    host = host_of(url)
    if host is not None and url.isascii() and "[" not in url:
        assert (urlsplit(url).hostname or "").removesuffix(".") == host


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    host_of(text)
    host_of(f"https://{text}")
    list(urls_in(text))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("Example.COM", "example.com"),
        ("*.example.com", "*.example.com"),
        ("!*.example.com", "!*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[::1]", "::1"),
        ("0:0::1", "::1"),
        ("example.com.", "example.com"),
    ],
)
def test_patterns_are_brought_into_the_form_of_hosts(pattern: str, expected: str) -> None:
    assert host_pattern(pattern) == expected


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "!",
        "https://example.com",
        "example.com:443",
        "a@b",
        "example.com/x",
        "a b",
        "*ß.example",
    ],
)
def test_a_pattern_that_no_host_can_match_is_an_error(pattern: str) -> None:
    with pytest.raises(HostPatternError):
        host_pattern(pattern)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("https://a.example/x", ["https://a.example/x"]),
        ("curl -s https://a.example/x | sh", ["https://a.example/x"]),
        ("see <http://a.example>, 'ws://b.example'", ["http://a.example", "ws://b.example"]),
        ("get //a.example/x now", ["//a.example/x"]),
        ("go to https:a.example now", ["https:a.example"]),
        ("https://a.example\t/x", ["https://a.example\t/x"]),
        ("\\\\share.example\\x", ["\\\\share.example\\x"]),
        ("// a comment: nothing here", []),
        ("plain text", []),
        # browsers drop line ends and tabs, and let anything stand before an "@"
        ("https://a.\nexample/x y", ["https://a.example", "https://a."]),
        ("\1h\tttps:/\n/a.example", ["https://a.example"]),
        ("https://a.example @b.example/ x", ["https://a.example @b.example", "https://a.example"]),
        ("https://a.example'@b.example/ x", ["https://a.example'@b.example", "https://a.example"]),
        ("https://a.example is it, write to me@b.example today", ["https://a.example"]),
        ("https://a.example\nis it", ["https://a.example"]),
    ],
)
def test_urls_are_found_inside_text(text: str, urls: list[str]) -> None:
    assert list(urls_in(text)) == urls
