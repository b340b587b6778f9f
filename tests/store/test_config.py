"""Loading the rules file: every form that is accepted, and what it means."""

import re
from pathlib import Path

import pytest

from mcpwall.model import Action, Budget, Condition, Defaults, Origin, Per, RateLimit, Risk, Rule
from mcpwall.store import app, http, remotes, rule_config, schema
from mcpwall.store.config import load, load_text
from mcpwall.store.config_file import TEMPLATE
from mcpwall.store.schema import AgentConfig, ServerConfig


def config(text, **options):
    return load_text(text, "config.toml", **options)


def rule(text):
    (one,) = config(f"[[rules]]\n{text}").rules
    return one


def test_empty_file_means_the_built_in_defaults():
    empty = config("")
    assert empty.rules == ()
    assert empty.defaults == Defaults()
    assert empty.set_defaults == frozenset()
    assert empty.text == ""


def test_whole_file():
    loaded = config("""
[defaults]
read = "ask"
other_methods = "deny"
hold = "2m"

[servers.git]
command = ["uvx", "mcp-server-git"]
env = { TOKEN = "x" }
cwd = "~/src"

[agents."codex"]
hold = 280

[keys]
"calls.follow" = "F"

[[rules]]
id = "cap"
server = "aws*"
tool = ["run_*", "!run_dry"]
agent = "claude-code"
method = "tools/call"
risk = ["execute", "unknown"]
when = { path = { not_under = ["~/src"] } }
action = "ask"
rate_limit = { max = 10, window = 60, per = "session" }
budget = { sum = "cost", max = 2.50, window = "1d" }
reason = "keep it in hand"
enabled = false
""")
    assert loaded.defaults == Defaults(read=Action.ASK, other_methods=Action.DENY, hold_s=120)
    assert loaded.set_defaults == {"read", "other_methods", "hold_s"}
    assert loaded.servers == {
        "git": ServerConfig(("uvx", "mcp-server-git"), {"TOKEN": "x"}, "~/src")
    }
    assert loaded.agents == {"codex": AgentConfig(280)}
    assert loaded.keys == {"calls.follow": "F"}
    assert loaded.rules == (
        Rule(
            id="cap",
            server=("aws*",),
            tool=("run_*", "!run_dry"),
            agent=("claude-code",),
            method=("tools/call",),
            risk=(Risk.EXECUTE, Risk.UNKNOWN),
            when=(Condition("path", "not_under", ["~/src"]),),
            action=Action.ASK,
            rate_limit=RateLimit(10, 60, Per.SESSION),
            budget=Budget("cost", "2.5", 86400),
            reason="keep it in hand",
            enabled=False,
            origin=Origin("config.toml", 18),
        ),
    )
    assert loaded.fields("cap")["budget"] == {"sum": "cost", "max": 2.5, "window": "1d"}
    with pytest.raises(KeyError):
        loaded.fields("none")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ('"50s"', 50),
        ('"10m"', 600),
        ('"2h"', 7200),
        ('"1d"', 86400),
        ('"1w"', 604800),
        ('"1.5 s"', 1.5),
        ("90", 90),
        ("0.25", 0.25),
    ],
)
def test_duration(written, seconds):
    assert config(f"[defaults]\nhold = {written}").defaults.hold_s == seconds


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ('"10/minute"', RateLimit(10, 60)),
        ('"10/60s"', RateLimit(10, 60)),
        ('"10 per minute"', RateLimit(10, 60)),
        ('"3 per 2 hours"', RateLimit(3, 7200)),
        ('"1/second"', RateLimit(1, 1)),
        ('"1 / day"', RateLimit(1, 86400)),
        ('{ max = 5, window = "1h", per = "agent" }', RateLimit(5, 3600, Per.AGENT)),
    ],
)
def test_rate_limit(written, limit):
    assert rule(f"rate_limit = {written}").rate_limit == limit


@pytest.mark.parametrize(
    ("written", "maximum"),
    [
        ("2000", "2000"),
        ("0.1", "0.1"),
        ('"19.99"', "19.99"),
        ("1e3", "1000.0"),
        ('"1E+3"', "1000"),
        ("1_000", "1000"),
    ],
)
def test_budget_is_the_decimal_that_was_written(written, maximum):
    text = f'budget = {{ sum = "amount", max = {written}, window = "1d" }}'
    assert rule(text).budget == Budget("amount", maximum, 86400)


@pytest.mark.parametrize(
    ("written", "conditions"),
    [
        ("when = { amount = 5 }", [("amount", "equals", 5)]),
        ("when.amount = 5", [("amount", "equals", 5)]),
        ("when = { tags = ['a', 'b'] }", [("tags", "equals", ["a", "b"])]),
        ("when = { amount = { gt = 5, lt = 9 } }", [("amount", "gt", 5), ("amount", "lt", 9)]),
        ('when."user.name".glob = "x*"', [("user.name", "glob", "x*")]),
        ("when = { filter = { equals = { a = 1 } } }", [("filter", "equals", {"a": 1})]),
        ("[rules.when]\npath = { exists = true }", [("path", "exists", True)]),
    ],
)
def test_conditions(written, conditions):
    one = rule(f'action = "deny"\n{written}')
    assert list(one.when) == [Condition(*parts) for parts in conditions]


def test_same_rule_twice_is_one_with_the_place_of_the_first():
    text = '[[rules]]\ntool = "a"\naction = "deny"\n'
    loaded = config(text * 2)
    assert [one.origin.line for one in loaded.rules] == [1]
    assert [table.id for table in loaded.tables] == [loaded.rules[0].id] * 2
    named = '[[rules]]\nid = "x"\naction = "deny"\n'
    assert len(config(named * 2).rules) == 1


def test_project_file_sets_some_defaults_over_the_users():
    user = config('[defaults]\nread = "ask"\nwrite = "allow"\nhold = "9s"').defaults
    project = config('[defaults]\nwrite = "ask"\nexecute = "deny"', project=True)
    over = project.defaults_over(user)
    assert over == Defaults(read=Action.ASK, write=Action.ASK, execute=Action.DENY, hold_s=9)


def test_project_rules_know_where_they_come_from():
    (one,) = load_text('[[rules]]\naction = "deny"', ".mcpwall.toml", project=True).rules
    assert one.origin == Origin(".mcpwall.toml", 1, project=True)


def test_loaded_file_is_called_by_its_name_or_as_asked(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b'[defaults]\r\nread = "ask"\r\n')
    path.chmod(0o600)
    assert load(str(path)).file == "config.toml"
    assert load(str(path), name="./c.toml").file == "./c.toml"
    assert load(str(path)).text == '[defaults]\r\nread = "ask"\r\n'


def test_project_file_may_be_anybodys(tmp_path):
    path = tmp_path / ".mcpwall.toml"
    path.write_text('[[rules]]\naction = "deny"\n')
    path.chmod(0o666)
    assert len(load(str(path), project=True).rules) == 1


def test_keys_are_named_with_or_without_quotes():
    quoted = config('[keys]\n"calls.follow" = "F"\n"app.quit" = "Q"')
    assert config('[keys]\ncalls.follow = "F"\n[keys.app]\nquit = "Q"').keys == quoted.keys


def test_p14_secrets_in_a_config_are_not_in_its_repr():
    text = '[servers.x]\ncommand = ["x"]\nenv = { TOKEN = "canary-7" }'
    assert "canary-7" not in repr(config(text))


# --- the example --------------------------------------------------------------------------------

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
WORD = re.compile(r"(?<![\w-])[a-z_]+(?= = )")


def test_example_loads_and_shows_the_built_in_defaults():
    example = config(EXAMPLE.read_text())
    assert example.defaults == Defaults()
    assert {"read", "unknown", "other_methods", "unattended", "hold_s"} < example.set_defaults
    assert example.servers
    assert example.agents
    assert example.keys
    assert {rule.action for rule in example.rules} == {None, *Action}


def test_example_has_every_key_and_explains_every_choice():
    text = EXAMPLE.read_text()
    tables = (
        schema.DEFAULTS,
        rule_config.RULE,
        rule_config.RATE_LIMIT,
        rule_config.BUDGET,
        schema.SERVER,
        remotes.OAUTH,
        http.HTTP,
        app.APP,
        schema.AGENT,
    )
    assert {key for keys in tables for key in keys} - set(WORD.findall(text)) == set()
    for choices in (Action, Per, Risk):
        assert " | ".join(choices) in text


def test_template_of_a_new_file_loads():
    assert config(TEMPLATE).rules == ()
