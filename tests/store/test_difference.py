import pytest

from mcpwall.store.config import load_text
from mcpwall.store.difference import diff

RULE = '[[rules]]\ntool = "x"\naction = "deny"\n'
FAR = '[servers.x]\nurl = "https://a.example"\n'
SECRETS = [
    '[servers.x]\ncommand = ["x"]\nenv = { A = "canary-1" }\n',
    '[servers.x]\ncommand = ["x"]\nenv.A = "canary-1"\n',
    '[servers.x]\ncommand = ["x"]\n[servers.x.env]\nA = "canary-1"\n',
    '[servers.x]\ncommand = ["x"]\n[servers.x.env]\n  "A=B".C = 1\n'.replace(
        '"A=B".C = 1', "A='canary-1'"
    ),
    '[servers.x]\ncommand = ["x"]\nenv.A = """\ncanary-1\n  canary-2 = """\n',
    '[servers]\nx = { command = ["x"], env = { A = "canary-1" } }\n',
    'servers.x = { command = ["x"], env = { A = "canary-1" } }\n',
    'servers.x.env.A = "canary-1"\nservers.x.command = ["x"]\n',
    '[servers.x]\nurl = "https://a.example"\nheaders = { A = "canary-1" }\n',
    f'{FAR}oauth = {{ client_id = "a", client_secret = "canary-1" }}\n',
    f'{FAR}[servers.x.oauth]\nclient_id = "a"\nclient_secret = "canary-1"\n',
    '[store]\nurl = "postgresql://me:canary-1@db.example/wall"\n',
]


def changed(old: str, new: str) -> str:
    return diff(load_text(old, "config.toml"), load_text(new, "config.toml"))


@pytest.mark.parametrize("secret", SECRETS)
def test_p14_a_difference_shows_that_a_secret_changed_and_not_what_it_is(secret) -> None:
    said = changed(secret, secret.replace("canary-1", "canary-3"))
    assert "canary" not in said
    assert "…" in said
    said = changed(secret, secret + RULE)
    assert "canary" not in said
    assert said.endswith('+[[rules]]\n+tool = "x"\n+action = "deny"\n')


@pytest.mark.parametrize("secret", SECRETS)
def test_p14_a_secret_that_comes_or_goes_is_not_shown_either(secret) -> None:
    for said in (changed("", secret), changed(secret, "")):
        assert said
        assert "canary" not in said


def test_all_else_is_shown_as_it_is() -> None:
    old = '# one\n[servers.x]\nurl = "https://a.example"  # = here\ntimeout = 5\n\n'
    new = old.replace("a.example", "b.example").replace("\n", "\r\n")
    assert changed(old, new).splitlines() == [
        "--- config.toml",
        "+++ config.toml",
        "@@ -1,5 +1,5 @@",
        " # one",
        " [servers.x]",
        '-url = "https://a.example"  # = here',
        '+url = "https://b.example"  # = here',
        " timeout = 5",
        " ",
    ]


def test_what_did_not_change_has_no_difference() -> None:
    assert changed(SECRETS[0], SECRETS[0]) == ""


def test_a_file_that_was_empty_loses_no_line() -> None:
    assert changed("", RULE).splitlines()[3:] == [f"+{line}" for line in RULE.splitlines()]
