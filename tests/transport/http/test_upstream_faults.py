"""Whatever a remote server does wrong: one clear fault, in the wall's own words."""

import asyncio
import socket
import ssl
import subprocess

import pytest

from mcpwall.transport.http import client, request
from mcpwall.transport.http.remote import Trouble
from mcpwall.transport.http.sse import Event
from tests.helpers.remotes import Told, ask, door
from tests.helpers.scripted_server import (
    CLOSE,
    JSON,
    begin_stream,
    chunk,
    head,
    reply,
    serving,
)

PAGE = b"<html>canary: please log in</html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}
PLAIN = {"Content-Type": "text/plain"}


def met(*script, method: str = "POST", keys: str = "") -> tuple[Told, list[tuple[str, str]], str]:
    """What comes of one request to a server with this script; notices; the server's place."""

    async def scenario():
        async with serving(script) as server, door() as wall:
            told = await ask(wall.upstream(server.url, keys), method)
            assert "canary" not in str(wall.notices) + repr(told.fault)
            return told, wall.notices, f"far (http://127.0.0.1:{server.port})"

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("status", "trouble", "says", "may_have_run"),
    [
        (400, Trouble.REFUSED, "answered with HTTP 400: it refuses the request", False),
        (401, Trouble.LOGIN, "does not take the wall's credentials (HTTP 401); check the", False),
        (
            403,
            Trouble.FORBIDDEN,
            "does not permit this to the wall's credentials (HTTP 403)",
            False,
        ),
        (404, Trouble.GONE, "knows no such session, or nothing is at this address", False),
        (405, Trouble.METHOD, "does not take this kind of request at this address", False),
        (413, Trouble.REFUSED, "answered with HTTP 413: it refuses the request", False),
        (429, Trouble.BUSY, "gets too many requests (HTTP 429)", False),
        (500, Trouble.BROKEN, "answered with HTTP 500: it is broken or overloaded", True),
        (502, Trouble.BROKEN, "answered with HTTP 502: it is broken or overloaded", True),
        (304, Trouble.REDIRECT, "answered with HTTP 304, which leads nowhere", False),
    ],
)
def test_an_answer_without_success_says_what_it_means(status, trouble, says, may_have_run) -> None:
    body, headers = (b"", {}) if status == 304 else (PAGE, HTML)
    told, notices, place = met(reply(status, body, headers))
    assert told.fault is not None
    assert told.fault.text.startswith(f"{place} {says}")
    assert (told.fault.trouble, told.fault.status) == (trouble, status)
    assert told.fault.may_have_run is may_have_run
    assert told.fault.body == b""
    assert not told.begun.is_set()
    quiet = trouble in (Trouble.REFUSED, Trouble.GONE, Trouble.METHOD)
    assert notices == ([] if quiet else [("warning", told.fault.text)])


def test_a_json_error_is_kept_for_whom_it_may_concern_and_shown_to_nobody() -> None:
    error = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"canary"}}'
    told, _, _ = met(reply(404, error))
    assert told.fault is not None
    assert (told.fault.trouble, told.fault.body) == (Trouble.GONE, error)


def test_an_error_that_goes_on_for_ever_is_told_by_its_status(monkeypatch) -> None:
    monkeypatch.setattr(request, "ERROR_MAX", 1000)
    told, _, _ = met(reply(500, b"1" * 2000))
    assert told.fault is not None
    assert (told.fault.trouble, told.fault.body) == (Trouble.BROKEN, b"")


@pytest.mark.parametrize(
    ("after", "seconds"),
    [("30", 30.0), ("0", 0.0), ("9999999999", 86400.0), ("soon", None), ("-1", None), ("", None)],
)
def test_a_server_says_when_to_come_back(after, seconds) -> None:
    told, _, _ = met(reply(429, b"", {"Retry-After": after}))
    assert told.fault is not None
    assert told.fault.retry_s == seconds
    assert told.fault.text.endswith("; try again in 30 s") is (after == "30")


def test_a_date_to_come_back_at_is_understood() -> None:
    told, _, _ = met(reply(503, b"", {"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT"}))
    assert told.fault is not None
    assert told.fault.retry_s == 86400.0


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (reply(200, PAGE, HTML), "sent a web page that is not MCP (HTTP 200); check its url"),
        (reply(202, b"ok", PLAIN), "sent a text that is not MCP (HTTP 202)"),
        (reply(200, b"?", {"Content-Length": "1"}), "sent something without a type that is not"),
        (reply(200, b"?", {"Content-Type": "image/png"}), "sent something that is not MCP"),
        (
            reply(200, b"x", {**JSON, "Content-Encoding": "gzip"}),
            "sent an answer in a coding that the wall did not ask for (HTTP 200)",
        ),
        (
            reply(200, b"{}", {**JSON, "Mcp-Session-Id": "s\xe4"}),
            "sent a header with characters that no header takes (HTTP 200)",
        ),
    ],
)
def test_what_is_not_mcp_is_named_and_not_quoted(answer, says) -> None:
    told, notices, place = met(answer)
    assert told.fault is not None
    assert told.fault.trouble is Trouble.FOREIGN
    assert told.fault.text.startswith(f"{place} {says}")
    assert told.fault.may_have_run
    assert notices == [("warning", told.fault.text)]


def test_a_get_is_answered_with_a_stream_or_not_at_all() -> None:
    told, _, _ = met(reply(200, b"{}"), method="GET")
    assert told.fault is not None
    assert told.fault.trouble is Trouble.FOREIGN
    assert not told.fault.may_have_run


def test_p13_an_answer_has_a_largest_size(monkeypatch) -> None:
    monkeypatch.setattr(request, "BODY_MAX", 1000)
    told, _, place = met(reply(200, b"1" * 1001))
    assert told.fault is not None
    assert told.fault.text.startswith(f"{place} sent an answer of more than 1,000 bytes")
    told, _, _ = met(reply(200, b"1" * 1000))
    assert told.events == [Event(b"1" * 1000)]


def test_p13_an_event_has_a_largest_size(monkeypatch) -> None:
    monkeypatch.setattr(request, "EVENT_MAX", 1000)
    told, _, _ = met(begin_stream(), chunk(b"data:" + b"1" * 1001), chunk(b""))
    assert told.events == []
    assert told.fault is not None
    assert "a stream that cannot be taken: an event is larger than 1,000 bytes" in told.fault.text


def test_p13_headers_have_a_largest_size() -> None:
    told, _, place = met(reply(200, b"{}", {**JSON, "X": "x" * 100_000}), CLOSE)
    assert told.fault is not None
    assert told.fault.text == f"{place} failed: it does not speak HTTP as it should"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ([CLOSE], "failed: it ended the connection before its answer"),
        ([head(200, {**JSON, "Content-Length": "9"}), b"{", CLOSE], "failed: it ended the conn"),
        ([begin_stream(), chunk(b"data: 1\n\nda"), CLOSE], "failed: it ended the connection be"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n", CLOSE], "failed: it does not speak HTTP as it should"),
    ],
)
def test_a_connection_that_ends_too_early_leaves_doubt_about_a_post(script, says) -> None:
    told, _, place = met(*script)
    assert told.fault is not None
    assert told.fault.trouble is Trouble.CUT
    assert told.fault.text.startswith(f"{place} {says}")
    assert told.fault.may_have_run


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_connection_that_ends_too_early_leaves_no_doubt_about_others(method) -> None:
    told, _, _ = met(begin_stream(), chunk(b"data: 1\n\nda"), CLOSE, method=method)
    assert told.fault is not None
    assert (told.fault.trouble, told.fault.may_have_run) == (Trouble.CUT, False)


def test_who_is_not_there_cannot_have_run_anything() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        port = taken.getsockname()[1]

        async def scenario() -> None:
            async with door() as wall:
                told = await ask(wall.upstream(f"http://127.0.0.1:{port}/mcp"))
                place = f"far (http://127.0.0.1:{port})"
                assert told.fault is not None
                assert told.fault.trouble is Trouble.UNREACHABLE
                assert not told.fault.may_have_run
                assert told.fault.text.startswith(f"{place} cannot be reached: ")
                assert "refused" in told.fault.text

        asyncio.run(scenario())


def test_a_name_that_nobody_has() -> None:
    async def scenario() -> None:
        async with door() as wall:
            told = await ask(wall.upstream("https://no-such-host.invalid/mcp"))
            assert told.fault is not None
            assert told.fault.text == (
                "far (https://no-such-host.invalid) cannot be reached: no such host, or no network"
            )

    asyncio.run(scenario())


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak first, and no TLS."""
    writer.write(b"220 canary\r\n")
    await reader.read(1)
    writer.close()


def test_tls_to_a_port_that_speaks_none() -> None:
    async def scenario() -> None:
        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server, door() as wall:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            told = await ask(wall.upstream(url))
            assert told.fault is not None
            assert told.fault.trouble is Trouble.UNREACHABLE
            assert told.fault.text.startswith(f"far ({url}) cannot be reached: TLS failed: ")
            assert "canary" not in told.fault.text

    asyncio.run(scenario())


def test_a_certificate_that_nobody_vouches_for(tmp_path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    make = "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 1"
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(["openssl", *make.split(), *files], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def scenario() -> None:
        listening = asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
        async with await listening as server, door() as wall:
            url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
            told = await ask(wall.upstream(url, "headers = { Authorization = 'Bearer canary' }"))
            assert told.fault is not None
            assert told.fault.trouble is Trouble.UNREACHABLE
            what = f"far ({url}) cannot be reached: its certificate is not trusted: self"
            assert told.fault.text.startswith(what)

    asyncio.run(scenario())


@pytest.mark.parametrize("begun", [[], [begin_stream(), chunk(b"data: 1\n\n")]])
def test_a_server_that_says_nothing_for_too_long(begun) -> None:
    told, notices, place = met(*begun, asyncio.Event(), keys="timeout = 0.05")
    assert told.fault is not None
    assert told.fault.text == f"{place} sent nothing for 0.05 s"
    assert (told.fault.trouble, told.fault.may_have_run) == (Trouble.SILENT, True)
    assert notices == [("warning", told.fault.text)]


def test_a_stream_that_nobody_asked_anything_of_may_be_silent() -> None:
    async def scenario() -> None:
        more = asyncio.Event()
        script = [begin_stream(), chunk(b"data: 1\n\n"), more, chunk(b"data: 2\n\n"), chunk(b"")]
        loop = asyncio.get_running_loop()
        async with serving(script) as server, door() as wall:
            far = wall.upstream(server.url, "timeout = 0.01")
            loop.call_later(0.1, more.set)
            told = await ask(far, "GET")
            assert (told.events, told.fault) == ([Event(b"1"), Event(b"2")], None)

    asyncio.run(scenario())


def test_a_connection_that_does_not_come_about_in_time(monkeypatch) -> None:
    monkeypatch.setattr(client, "CONNECT_S", 0.05)

    async def scenario() -> None:
        # a full backlog: the kernel answers no further connection
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            async with door() as wall:
                url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
                told = await ask(wall.upstream(url))
            for filler in fillers:
                filler.close()
            assert told.fault is not None
            assert told.fault.trouble is Trouble.UNREACHABLE
            assert told.fault.text.endswith("cannot be reached: no connection in 0.05 s")

    asyncio.run(scenario())


def test_a_trouble_is_told_once_and_so_is_its_end() -> None:
    async def scenario() -> None:
        bad, good = [reply(503)], [reply(202)]
        scripts = [bad, bad, bad, [reply(429)], good, good, [reply(404)], good]
        async with serving(*scripts) as server, door() as wall:
            far = wall.upstream(server.url)
            for _ in scripts:
                await ask(far)
            place = f"far (http://127.0.0.1:{server.port})"
            assert wall.notices == [
                ("warning", f"{place} answered with HTTP 503: it is broken or overloaded"),
                ("warning", f"{place} gets too many requests (HTTP 429)"),
                ("info", "far answers again"),
            ]

    asyncio.run(scenario())


def test_a_receiver_that_fails_is_not_the_end_of_the_next_request() -> None:
    async def scenario() -> None:
        async with serving([reply(200, b"{}")]) as server, door() as wall:
            far, told = wall.upstream(server.url), Told()

            def fail(_) -> None:
                raise KeyError("canary")

            told.event = fail
            far.send("POST", b"{}", {}, told)
            await told.over.wait()
            assert told.fault is not None
            assert told.fault.text.startswith("the wall failed on an answer of far (")
            assert "canary" not in told.fault.text
            assert (await ask(far)).fault is None

    asyncio.run(scenario())
