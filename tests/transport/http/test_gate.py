"""Who gets in by HTTP, and what nobody can send: P16, on raw sockets."""

from __future__ import annotations

import pytest

from mcpwall.transport.http.gate import endpoint, server_name
from mcpwall.transport.http.reading import BODY_MAX, HEAD_MAX, HEADERS_MAX
from tests.transport.http.web import TOKEN, Web


def refused(run, status, request, *, origins=(), says=""):
    """`request(web)` is answered with this status, and nothing is handed over."""

    async def test():
        async with Web(origins=origins) as web:
            response = await web.stays_out(request(web))
            assert response.status == status
            assert says in response.body.decode()
            assert response.headers["connection"] == "close"
            assert not [name for name in response.headers if name.startswith("access-control-")]
            assert "set-cookie" not in response.headers

    run(test())


def let_in(run, request, *, origins=()):
    async def test():
        async with Web(origins=origins) as web:
            client = await web.client()
            client.send(request(web))
            exchange = await web.next()
            exchange.reply(200, {}, b"")
            assert (await client.answer()).status == 200

    run(test())


# --- strangers and web pages ------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost",
        "127.0.0.1.evil.example:{port}",
        "evil.example@127.0.0.1:{port}",
        "127.0.0.1:{port}.",
        "127.1:{port}",
        "[::1]:{port}",  # not listened on
    ],
)
def test_p16_a_rebound_name_is_refused(run, host):
    refused(
        run, 403, lambda web: web.post(host=host and host.format(port=web.address[1])), says="Host"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost"])
def test_p16_the_loopback_names_with_the_port_are_let_in(run, host):
    let_in(run, lambda web: web.post(host=f"{host}:{web.address[1]}"))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1:{port}"])
def test_p16_whatever_says_its_origin_is_refused(run, origin):
    refused(run, 403, lambda web: web.post(origin=origin.format(port=web.address[1])))


def test_p16_an_origin_of_the_config_is_let_in_exactly_as_written(run):
    mine = ("http://localhost:3000",)
    let_in(run, lambda web: web.post(origin=mine[0]), origins=mine)
    refused(run, 403, lambda web: web.post(origin="http://localhost:30000"), origins=mine)


def test_p16_a_page_gets_no_permission_by_preflight(run):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    start = "OPTIONS /s/git/mcp HTTP/1.1"
    refused(run, 403, lambda web: web.request(start, {"Authorization": None, **headers}))
    refused(run, 405, lambda web: web.request(start, {}))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        f"Basic {TOKEN}",
        TOKEN,
    ],
)
def test_p16_a_stranger_is_refused(run, authorization):
    refused(run, 401, lambda web: web.post(authorization=authorization))


def test_p16_a_token_in_bytes_beyond_ascii_is_a_wrong_token(run):
    refused(
        run,
        401,
        lambda web: web.post().replace(TOKEN.encode(), b"\xff\xfe\xe2\x80\xa8"),
        says="url",
    )


def test_p16_what_a_stranger_is_told_does_not_depend_on_what_is_here(run):
    async def test():
        async with Web() as web:
            told = set()
            for path in ("/", "/s/git/mcp", "/s/none/mcp", "/favicon.ico", "/s/git/mcp?a=b"):
                for method in ("GET", "POST", "PUT", "DELETE"):
                    headers = {"Authorization": None}
                    response = await web.stays_out(
                        web.request(f"{method} {path} HTTP/1.1", headers)
                    )
                    told.add((response.status, response.body, tuple(response.headers.items())))
            assert [status for status, _, _ in told] == [401]

    run(test())


def test_p16_a_stranger_is_refused_before_the_body_comes(run):
    refused(
        run,
        401,
        lambda web: web.post(content_length=str(BODY_MAX), authorization=None)[:-2],
    )


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_p16_the_token_lets_in(run, scheme):
    let_in(run, lambda web: web.post(authorization=f"{scheme} {TOKEN}"))


# --- what is there ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/mcp",
        "/s/git",
        "/s/git/",
        "/s//mcp",
        "/s/git/mcp/",
        "/s/git/x/mcp",
        "/s/git/MCP",
        "/S/git/mcp",
        "//s/git/mcp",
        "/s/git/mcp?token=1",
        "/s/%67it/mcp",
        "/s/git%2fx/mcp",
        "/s/git/../git/mcp",
        "/.well-known/oauth-protected-resource",
    ],
)
def test_p16_nothing_else_is_served(run, path):
    refused(run, 404, lambda web: web.request(f"GET {path} HTTP/1.1", {}))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "OPTIONS", "TRACE"])
def test_p16_other_methods_are_refused(run, method):
    async def test():
        async with Web() as web:
            client = await web.client()
            client.send(web.request(f"{method} /s/git/mcp HTTP/1.1", {}))
            head = await client.head()
            assert head.status == 405
            assert head.headers["allow"] == "POST, GET, DELETE"

    run(test())


@pytest.mark.parametrize("target", ["http://127.0.0.1/s/git/mcp", "*", "127.0.0.1:80", "s/git/mcp"])
def test_p16_only_paths_are_targets(run, target):
    method = {"*": "OPTIONS", "127.0.0.1:80": "CONNECT"}.get(target, "GET")
    refused(run, 400, lambda web: web.request(f"{method} {target} HTTP/1.1", {}))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_p16_methods_without_a_body_have_none(run, method):
    start = f"{method} /s/git/mcp HTTP/1.1"
    let_in(run, lambda web: web.request(start, {"Content-Length": "0"}))
    refused(run, 400, lambda web: web.request(start, {"Content-Length": "2"}, b"{}"))
    refused(
        run, 400, lambda web: web.request(start, {"Transfer-Encoding": "chunked"}, b"0\r\n\r\n")
    )


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json, text/plain",
        "application/json; charset=utf-8; charset=utf-16",
        "application/jsonp",
        "application/json-rpc",
    ],
)
def test_p16_a_form_or_another_charset_is_refused(run, kind):
    refused(run, 415, lambda web: web.post(content_type=kind))


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'],
)
def test_p16_json_in_utf_8_is_let_in(run, kind):
    let_in(run, lambda web: web.post(content_type=kind))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip", ""])
def test_p16_an_encoded_body_is_refused(run, coding):
    refused(run, 415, lambda web: web.post(content_encoding=coding))


# --- one reading alone ------------------------------------------------------------------------


def swapped(before: str, after: str):
    def request(web: Web) -> bytes:
        whole = web.post(b"12")
        assert before.encode() in whole
        return whole.replace(before.encode(), after.encode("latin-1"), 1)

    return request


LENGTH = "Content-Length: 2"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LENGTH, f"{LENGTH}\r\nTransfer-Encoding: chunked"),
        (LENGTH, f"Transfer-Encoding: chunked\r\n{LENGTH}"),
        (LENGTH, f"{LENGTH}\r\nContent-Length: 3"),
        (LENGTH, f"{LENGTH}\r\n{LENGTH}"),
        (LENGTH, "Content-Length: 2, 2"),
        (LENGTH, "Content-Length: +2"),
        (LENGTH, "Content-Length: 0x2"),
        (LENGTH, "Content-Length: -2"),
        (LENGTH, "Content-Length:"),
        (LENGTH, "Content-Length : 2"),
        (LENGTH, f" {LENGTH}"),
        (LENGTH, f"{LENGTH}\r\n folded: 1"),
        (LENGTH, f"{LENGTH}\nX: 1"),
        (LENGTH, f"{LENGTH}\rX: 1"),
        (LENGTH, f"{LENGTH}\r\nX: a\0b"),
        (LENGTH, f"{LENGTH}\r\nHost: evil.example"),
        (LENGTH, f"{LENGTH}\r\nAuthorization: Bearer {TOKEN}"),
        (LENGTH, f"{LENGTH}\r\nMcp-Session-Id: 1\r\nmcp-session-id: 2"),
        (LENGTH, f"{LENGTH}\r\nContent-Type: text/plain"),
        (LENGTH, f"{LENGTH}\r\nUpgrade: h2c\r\nConnection: Upgrade"),
        (LENGTH, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        ("HTTP/1.1", "http/1.1"),
        (" HTTP/1.1", ""),
        ("POST ", "POST\t"),
        ("POST ", "post "),
        ("POST /s/", "POST /\xff/"),
        ("\r\n", "\n"),
    ],
)
def test_p16_what_two_servers_could_read_differently_is_refused(run, before, after):
    async def test():
        async with Web() as web:
            response = await web.stays_out(swapped(before, after)(web))
            assert response.status in (400, 505)

    run(test())


@pytest.mark.parametrize(
    ("status", "before", "after"),
    [
        (501, LENGTH, "Transfer-Encoding: gzip, chunked"),
        (501, LENGTH, "Transfer-Encoding: xchunked"),
        (505, "HTTP/1.1", "HTTP/0.9"),
        (417, LENGTH, f"{LENGTH}\r\nExpect: a-miracle"),
        (413, LENGTH, f"Content-Length: {BODY_MAX + 1}"),
        (413, LENGTH, f"Content-Length: {'9' * 18}"),
        (431, LENGTH, f"{LENGTH}\r\nX: {'x' * HEAD_MAX}"),
        (431, "/s/git/mcp", f"/s/{'x' * HEAD_MAX}/mcp"),
        (431, LENGTH, "\r\n".join([LENGTH, *(f"X-{i}: 1" for i in range(HEADERS_MAX))])),
    ],
)
def test_p16_what_is_too_much_is_refused(run, status, before, after):
    refused(run, status, swapped(before, after))


def test_p16_chunks_are_read_strictly(run):
    chunked = {"content_length": None, "transfer_encoding": "chunked"}
    for body in (
        b"2\n12\r\n0\r\n\r\n",
        b"2\r\n123\r\n0\r\n\r\n",
        b"-2\r\n12",
        b"2 \r\n12\r\n0\r\n\r\n",
    ):
        refused(run, 400, lambda web, body=body: web.post(**chunked)[:-2] + body)
    trailer = b"2\r\n12\r\n0\r\nContent-Type: text/plain\r\n\r\n"
    refused(run, 400, lambda web: web.post(**chunked)[:-2] + trailer, says="behind the body")
    old = b"0\r\n\r\n"
    refused(run, 400, lambda web: web.post(**chunked)[:-2].replace(b"HTTP/1.1", b"HTTP/1.0") + old)


def test_p16_a_body_in_chunks_is_bounded_too(run, monkeypatch):
    monkeypatch.setattr("mcpwall.transport.http.reading.BODY_MAX", 10)
    chunked = {"content_length": None, "transfer_encoding": "chunked"}
    refused(run, 413, lambda web: web.post(**chunked)[:-2] + b"6\r\n123456\r\n6\r\n12345")


def test_p16_headers_that_are_lists_may_come_in_parts(run):
    async def test():
        async with Web() as web:
            client = await web.client()
            parts = "application/json\r\nAccept: text/event-stream"
            client.send(web.post(accept=parts))
            exchange = await web.next()
            assert exchange.request.headers["accept"] == "application/json, text/event-stream"

    run(test())


# --- names in paths ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["git", "a b", "ü", "a%2fb", "~x", "(x)", "日本"])
def test_a_server_has_one_path(name):
    assert server_name(endpoint(name)) == name
