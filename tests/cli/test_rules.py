"""`mcpwall rules`: what it prints, and its exit codes."""

import io
import json

import pytest

from mcpwall.cli import main

CONFIG = """\
[defaults]
execute = "deny"

[[rules]]
id = "no-rm"
server = "fs"
tool = "delete_*"
when = { path = { not_under = ["/tmp"] } }
action = "deny"
reason = "not outside of /tmp"

[[rules]]
id = "slow"
rate_limit = "5/hour"
enabled = false

[[rules]]
id = "sum"
tool = "pay"
budget = { sum = "amount", max = 20, window = "90s" }
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own, and a project directory to stand in."""
    monkeypatch.setenv("MCPWALL_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def write(path, text):
    path.write_text(text)
    path.chmod(0o600)


@pytest.fixture
def config(home):
    path = home / "home" / "config.toml"
    write(path, CONFIG)
    return path


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main.run(["rules", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def call(home, **fields):
    path = home / "call.json"
    path.write_text(json.dumps(fields))
    return path


def test_list_has_a_line_for_each_rule_and_the_defaults(config, run):
    code, out, err = run("list")
    assert (code, err) == (0, "")
    *rules, defaults = [" ".join(line.split()) for line in out.splitlines()]
    assert rules == [
        "ID ON DO WHEN LIMIT FROM",
        'no-rm on deny fs.delete_* path not_under ["/tmp"] config.toml:4',
        "slow off limit * 5 in 1h per tool config.toml:12",
        "sum on limit *.pay amount 20 in 90s per tool config.toml:17",
    ]
    assert defaults == (
        "no rule: read allow, write ask, execute deny, destructive ask, financial ask, unknown "
        "ask; other requests allow"
    )


def test_list_as_json(config, run):
    _, out, _ = run("list", "--json")
    first, *_ = map(json.loads, out.splitlines())
    assert first["id"] == "no-rm"
    assert first["origin"] == {"file": "config.toml", "line": 4, "project": False}


def test_list_without_a_config(run):
    code, out, _ = run("list")
    assert code == 0
    assert out.startswith("no rules in ")


def test_list_shows_the_projects_rules_too(config, home, run):
    (home / "project" / ".mcpwall.toml").write_text('[[rules]]\nid = "ours"\naction = "ask"\n')
    _, out, _ = run("list")
    assert any(line.startswith("ours ") for line in out.splitlines())


def test_p10_foreign_text_is_spelled_out(config, home, run):
    text = '[[rules]]\nid = "x"\ntool = "a\\u001b]0;b\\u0007"\naction = "deny"\n'
    write(config, text)
    _, out, _ = run("list")
    assert "a‹ESC›]0;b‹BEL›" in out
    _, out, _ = run("test", call(home, server="\x1b[2J", tool="\u202e"))
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_check_of_a_sound_file(config, home, run):
    assert run("check") == (0, f"{config}: 3 rules, nothing wrong\n", "")
    other = home / "other.toml"
    write(other, '[[rules]]\naction = "deny"\n')
    assert run("check", other) == (0, f"{other}: 1 rule, nothing wrong\n", "")


def test_check_says_all_that_is_wrong(config, run):
    write(config, '[[rules]]\ntol = "x"\naction = "no"\n')
    code, out, err = run("check")
    assert (code, out) == (2, "")
    first, second = err.splitlines()
    assert first == f"{config}:2: unknown key 'tol' in [[rules]]; did you mean 'tool'?"
    assert second.startswith(f"{config}:3: action must be one of ")


def test_check_of_a_missing_file(home, run):
    code, out, _ = run("check")
    assert code == 0
    assert "the built-in defaults are in force" in out
    code, _, err = run("check", home / "none.toml")
    assert code == 2
    assert "No such file" in err


def test_p06_check_reads_a_projects_file_as_one(home, run):
    path = home / "project" / ".mcpwall.toml"
    path.write_text('[[rules]]\naction = "allow"\n')
    code, _, err = run("check", path)
    assert code == 2
    assert "may only tighten" in err


def test_test_says_verdict_rules_and_why(config, home, run):
    file = call(home, server="fs", tool="delete_file", arguments={"path": "/etc/x"}, agent="codex")
    code, out, _ = run("test", file)
    assert code == 0
    assert out.startswith("deny  fs.delete_file\n")
    assert "not outside of /tmp" in out
    assert "no-rm (config.toml:4)" in out
    assert "risk    destructive: " in out


def test_test_as_json(config, home, run):
    file = call(home, server="fs", tool="x", risk="execute")
    _, out, _ = run("test", file, "--json")
    verdict = json.loads(out)
    assert (verdict["action"], verdict["cause"], verdict["risk"]) == ("deny", "default", "execute")


def test_test_reads_stdin_and_judges_relative_paths_from_here(config, home, run, monkeypatch):
    write(config, CONFIG.replace('"/tmp"', json.dumps(str(home / "project"))))
    for path, action in (("here.txt", "ask"), ("../there.txt", "deny")):
        told = {"server": "fs", "tool": "delete_file", "arguments": {"path": path}}
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(told)))
        _, out, _ = run("test", "-")
        assert out.startswith(f"{action} ")


def test_test_goes_by_the_class_that_is_set_unless_the_call_says_one(config, home, run):
    write(config, '[servers.fs.risk]\nfrob = "destructive"\n[defaults]\ndestructive = "deny"\n')
    _, out, _ = run("test", call(home, server="fs", tool="frob"))
    assert out.startswith("deny ")
    assert "destructive: set by you in config.toml:2; the wall found unknown" in out
    _, out, _ = run("test", call(home, server="fs", tool="frob", risk="read"))
    assert out.startswith("allow ")


def test_list_says_which_classes_are_set(config, run):
    write(config, '[servers.fs.risk]\n"fr\\u001bob" = "read"\n')
    _, out, _ = run("list")
    assert out.splitlines()[-1] == "set by you: fs.fr‹ESC›ob read (config.toml:2)"


def test_test_with_other_rules(config, home, run):
    other = home / "other.toml"
    write(other, '[defaults]\nunknown = "deny"\n')
    _, out, _ = run("test", call(home, server="fs", tool="frob"), "--config", other)
    assert out.startswith("deny ")


def test_p06_test_judges_by_the_projects_rules_too(config, home, run):
    (home / "project" / ".mcpwall.toml").write_text('[[rules]]\nid = "ours"\naction = "deny"\n')
    _, out, _ = run("test", call(home, server="fs", tool="read_file"))
    assert out.startswith("deny ")
    assert "ours (" in out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "this is not JSON: "),
        ("5", "the call must be an object, not a number"),
        ("{}", "the key 'server' is missing in the call"),
        ('{"server": "a", "tol": "b"}', "unknown key 'tol' in the call; did you mean 'tool'?"),
        ('{"server": "a", "tool": "b", "arguments": []}', "arguments must be an object"),
        ('{"server": "a", "tool": "b", "risk": "reed"}', "risk must be one of read, write"),
        ("[" * 100_000, "this is not JSON"),
    ],
)
def test_call_that_cannot_be_read(config, home, run, text, says):
    (home / "call.json").write_text(text)
    code, out, err = run("test", home / "call.json")
    assert (code, out) == (2, "")
    assert err.startswith(f"mcpwall: {home / 'call.json'}: {says}")
    assert err.count("\n") == 1


def test_call_that_is_not_there(config, home, run):
    code, _, err = run("test", home / "none.json")
    assert code == 2
    assert "none.json: No such file" in err


@pytest.mark.parametrize("command", [("list",), ("test", "call.json")])
def test_config_that_does_not_load(config, home, run, command, monkeypatch):
    write(config, "[[rules]]\n")
    call(home, server="a", tool="b")
    monkeypatch.chdir(home)
    code, out, err = run(*command)
    assert (code, out) == (2, "")
    assert err.startswith("mcpwall: config.toml:1: ")
    assert err.count("\n") == 1


def test_earlier_calls_of_the_agent_can_be_given(config, run, tmp_path):
    leak = '[[rules]]\nid = "leak"\nafter = { reads = "secrets" }\nreach = "net"\naction = "deny"\n'
    write(config, leak)
    what = {"server": "web", "tool": "fetch", "reach": "net"}
    file = tmp_path / "call.json"
    file.write_text(json.dumps(what))
    assert run("test", file)[1].startswith("allow  web.fetch")
    file.write_text(json.dumps({**what, "before": [{"server": "notes", "tool": "get_secret"}]}))
    said = run("test", file)[1]
    assert said.startswith("deny  web.fetch")
    assert "because notes.get_secret was called just before, in call 1" in said
    file.write_text(json.dumps({**what, "before": [{"server": "notes"}]}))
    code, _, error = run("test", file)
    assert (code, "the key 'tool' is missing in an earlier call" in error) == (2, True)


def test_what_a_tool_can_do_is_guessed_from_its_arguments_too(config, run, tmp_path):
    write(config, '[[rules]]\nreach = "net"\naction = "deny"\n')
    file = tmp_path / "call.json"
    for arguments, verdict in ({}, "allow"), ({"url": "https://example.com"}, "deny"):
        file.write_text(json.dumps({"server": "x", "tool": "fetch", "arguments": arguments}))
        assert run("test", file)[1].startswith(f"{verdict}  x.fetch")
    file.write_text(json.dumps({"server": "x", "tool": "look_up", "arguments": {"command": "ls"}}))
    assert 'its argument "command"' in run("test", file)[1]


def test_list_says_what_a_rule_asks_of_earlier_calls(config, run):
    write(
        config,
        '[[rules]]\nid = "r"\nafter = { tool = "get_*", reads = ["secrets"], within = "30m" }\n'
        'repeat = 3\nmore_than = "30/minute"\naction = "ask"\nreach = "net"\n',
    )
    said = run("list")[1]
    assert "reach net  after get_* that reads secrets within 30m  the same call more than 3" in said
    assert "more than 30 calls in 60s" in said
