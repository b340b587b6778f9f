import pytest

from mcpwall.store.config import ConfigError, load_text
from mcpwall.store.references import Secret, UnresolvedError
from mcpwall.store.remotes import OAuthConfig, RemoteConfig, is_loopback, needed

URL = 'url = "https://mcp.example.com/mcp"'


def remote(keys: str) -> RemoteConfig:
    server = load_text(f"[servers.x]\n{keys}", "config.toml").servers["x"]
    assert isinstance(server, RemoteConfig)
    return server


def error(keys: str, *, project: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        load_text(f"[servers.x]\n{keys}", "config.toml", project=project)
    return str(caught.value)


def keyring(service, user):
    return {("shop", "me/you"): "k-1"}.get((service, user))


def resolved(value: Secret, **environment: str) -> str:
    return value.resolve(environment, keyring)


def test_a_url_is_enough() -> None:
    server = remote(URL)
    assert server == RemoteConfig("https://mcp.example.com/mcp")
    assert (server.headers, server.oauth, server.timeout_s) == ({}, None, 300)
    assert needed(server) == frozenset()


def test_headers_are_put_together_from_the_environment_and_the_keyring() -> None:
    server = remote(
        f"{URL}\nheaders = {{ Authorization = 'Bearer ${{env:A}}-${{keyring:shop/me/you}}', "
        "X-Cost = '5$$${env:B}' }"
    )
    assert resolved(server.headers["Authorization"], A="a-1") == "Bearer a-1-k-1"
    assert resolved(server.headers["X-Cost"], B="b-1") == "5$b-1"
    assert needed(server) == {"A", "B"}
    assert server.headers["Authorization"].entries == {"shop/me/you"}


def test_what_a_reference_leads_to_must_be_there() -> None:
    server = remote(f"{URL}\nheaders = {{ A = '${{env:NOT_SET}}', B = '${{keyring:shop/no}}' }}")
    with pytest.raises(UnresolvedError, match="environment variable NOT_SET is not set"):
        resolved(server.headers["A"])
    with pytest.raises(UnresolvedError, match="no entry shop/no; add it with: keyring set shop no"):
        resolved(server.headers["B"])


def test_p14_a_literal_header_is_in_no_text_of_the_config() -> None:
    config = load_text(
        "[servers.x]\nurl = 'https://a.example/canary-0'\nheaders = { X-Key = 'canary-1' }\n"
        "[servers.x.oauth]\nclient_id = 'a'\nclient_secret = 'canary-2'",
        "config.toml",
    )
    said = repr(config) + str(config) + repr(config.servers["x"]) + f"{config.servers['x']}"
    assert "canary" not in said


@pytest.mark.parametrize(
    "value", ["canary-3\\n", "canary-3 ${env:A B}", "canary-3 ${", "$canary-3"]
)
def test_p14_an_error_about_a_header_does_not_quote_it(value) -> None:
    said = error(f'{URL}\nheaders = {{ X-Key = "{value}" }}')
    assert said.startswith("config.toml:3: servers.x.headers.X-Key ")
    assert "canary" not in said


def test_login_needs_nothing_and_takes_what_a_server_wants() -> None:
    assert remote(f"{URL}\noauth = true").oauth == OAuthConfig()
    assert remote(f"{URL}\noauth = false").oauth is None
    wanted = remote(
        f"{URL}\n[servers.x.oauth]\nscopes = ['read', 'write:all']\nclient_id = 'id-1'\n"
        "client_secret = '${env:S}'\nredirect_port = 8765"
    ).oauth
    assert wanted is not None
    assert (wanted.scopes, wanted.client_id) == (("read", "write:all"), "id-1")
    assert wanted.client_secret is not None
    assert resolved(wanted.client_secret, S="s-1") == "s-1"
    assert wanted.redirect_port == 8765


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/mcp",
        "http://localhost/mcp",
        "http://[::1]:1/x",
        "http://a.localhost/",
    ],
)
def test_plain_http_goes_to_this_machine(url) -> None:
    assert remote(f'url = "{url}"').url == url
    assert remote(f'url = "{url}"\noauth = true').oauth == OAuthConfig()
    assert is_loopback(url)


def test_plain_http_elsewhere_must_be_accepted_and_never_carries_a_login() -> None:
    plain = 'url = "http://mcp.example.com/mcp"'
    assert error(plain) == (
        "config.toml:2: servers.x.url sends everything over the network as plain text; write "
        "https://, or add insecure = true to this table to accept that"
    )
    assert remote(f"{plain}\ninsecure = true").url == "http://mcp.example.com/mcp"
    assert "servers.x.oauth needs https" in error(f"{plain}\ninsecure = true\noauth = true")


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ('url = "ftp://example.com"', "2: servers.x.url is no http or https URL; write a URL such"),
        ('url = "https://"', "2: servers.x.url is no http or https URL"),
        ('url = "https://a:b@example.com/"', "2: servers.x.url holds a user name or password; put"),
        ('url = "https://example.com/#x"', "2: servers.x.url has a fragment"),
        ('url = "https://example.com:99999/"', "2: servers.x.url is no URL"),
        ('url = "https://exämple.com/"', "2: servers.x.url has a character that no URL has"),
        ('url = "https://example.com/\\\\a"', "2: servers.x.url has a character that no URL has"),
        ("url = 5", "2: servers.x.url must be a string"),
        (f"{URL}\ncommand = ['x']", "2: servers.x.url stands beside command; keep one"),
        (f"{URL}\nenv = {{A = '1'}}", "3: servers.x.env means nothing for a server with a url"),
        ("command = ['x']\ntimeout = 5", "3: servers.x.timeout means nothing for a server with a"),
        (f"{URL}\nheaders = 'x'", "3: servers.x.headers must be a table"),
        (f"{URL}\nheaders = {{ 'a b' = 'x' }}", "3: servers.x.headers.a b is no name of a header"),
        (f"{URL}\nheaders = {{ Host = 'x' }}", "3: servers.x.headers.Host is a header that the wa"),
        (f"{URL}\nheaders = {{ mcp-session-id = 'x' }}", "3: servers.x.headers.mcp-session-id is"),
        (f"{URL}\nheaders = {{ X = ' x' }}", "3: servers.x.headers.X must be printable ASCII"),
        (f"{URL}\nheaders = {{ X = '' }}", "3: servers.x.headers.X must be printable ASCII"),
        (f"{URL}\nheaders = {{ X = 'a', x = 'b' }}", "3: servers.x.headers name x twice"),
        (f"{URL}\nheaders = {{ X = '${{enw:A}}' }}", "3: servers.x.headers.X has a $ that begins"),
        (f"{URL}\nheaders = {{ X = '${{env:1}}' }}", "3: servers.x.headers.X refers to '1', which"),
        (f"{URL}\nheaders = {{ X = '${{keyring:a}}' }}", "3: servers.x.headers.X refers to the ke"),
        (f"{URL}\noauth = 'yes'", "3: servers.x.oauth must be true or a table"),
        (f"{URL}\noauth = {{ scope = 'x' }}", "3: unknown key 'scope' in oauth; did you mean 'sco"),
        (f"{URL}\noauth = {{ scopes = [] }}", "3: servers.x.oauth.scopes must be a list of scopes"),
        (f"{URL}\noauth = {{ scopes = ['a b'] }}", "3: servers.x.oauth.scopes holds 'a b'"),
        (f"{URL}\noauth = {{ redirect_port = 0 }}", "3: servers.x.oauth.redirect_port must be a p"),
        (f"{URL}\noauth = {{ client_secret = 'x' }}", "3: servers.x.oauth.client_secret goes with"),
        (
            f"{URL}\noauth = true\nheaders = {{ authorization = 'x' }}",
            "4: servers.x.headers have Authorization beside oauth",
        ),
        (f"{URL}\ntimeout = 'x'", "3: servers.x.timeout must be a duration"),
    ],
)
def test_what_makes_no_sense_is_an_error_with_its_line(keys, says) -> None:
    assert error(keys).startswith(f"config.toml:{says}")


def test_p06_a_project_cannot_say_where_a_server_is() -> None:
    assert error(URL, project=True).startswith("config.toml:2: unknown key 'url' in a project's")
