"""What is wrong in a rules file is said with file, line, and what to do; all of it at once."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcpwall.store.config import ConfigError, load, load_text


def errors(text, **options):
    with pytest.raises(ConfigError) as caught:
        load_text(text, "config.toml", **options)
    found = caught.value.errors
    assert found[0] is caught.value
    assert all("\n" not in str(error) for error in found)
    return [str(error) for error in found]


def error(text, **options):
    (one,) = errors(text, **options)
    return one


def test_all_errors_of_a_file_are_reported_in_its_order():
    found = errors("""
[defaults]
read = "alow"
[[rules]]
tol = "x"
action = "deny"
[[rules]]
tool = []
rate_limit = { max = 0, window = "x" }
[rule]
[servers.git]
command = "uvx mcp-server-git"
""")
    assert [text.partition(";")[0] for text in found] == [
        "config.toml:3: defaults.read must be one of allow, ask, deny, not 'alow'",
        "config.toml:5: unknown key 'tol' in [[rules]]",
        "config.toml:8: tool is an empty list, which matches nothing",
        "config.toml:9: rate_limit.max must be at least 1",
        "config.toml:9: rate_limit.window must be a duration, not 'x'",
        "config.toml:10: unknown key 'rule' in the file",
        "config.toml:12: servers.git.command must be a list of strings, not a string",
    ]
    assert [text.partition("; ")[2] for text in found][:3] == [
        "did you mean 'allow'?",
        "did you mean 'tool'?",
        "leave the key out to match all",
    ]


def test_error_has_its_parts():
    with pytest.raises(ConfigError) as caught:
        load_text('[defaults]\nreed = "ask"', "config.toml")
    one = caught.value
    assert (one.file, one.line) == ("config.toml", 2)
    assert one.what == "unknown key 'reed' in [defaults]"
    assert one.fix == "did you mean 'read'?"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = ", 1),
        ("[defaults]\nread = \n", 2),
        ("[defaults]\n[defaults]", 2),
        ("[defaults]\nread = 'a'\nread = 'b'\n", 3),
        ("[defaults]\nread = [\n\n", 2),
        ("\ufeff[defaults]", 1),
    ],
)
def test_text_that_is_no_toml(text, line):
    assert error(text).startswith(f"config.toml:{line}: this is not valid TOML: ")


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000, "a = " + "9" * 5000, "a." * 5000 + "a = 1", "a = '\ud800'"]
)
def test_text_that_no_parser_likes(text):
    assert error(text).startswith("config.toml")


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("id = 5", "id must be a string, not a number"),
        ("id = 'a b'", "id is 'a b'"),
        ("server = 5", "server must be a string or a list of strings, not a number"),
        ("tool = ['a', 5]", "tool must be a string or a list of strings, not a number"),
        ("tool = ''", "tool has an empty pattern"),
        ("tool = ['a', '!']", "tool has an empty pattern"),
        ("risk = 'exec'", "risk must be one of read, write, execute"),
        ("when = 'x'", "when must be a table, not a string"),
        ("when = {}", "when is empty"),
        ("when = { path = {} }", "when.path has no operator"),
        ("when = { at = 1999-01-01 }", "when.at must be JSON data, not a date or time"),
        ("when = { n = nan }", "when.n must be a finite number"),
        ("when = { n = { gt = inf } }", "when.n must be a finite number"),
        ("action = 'refuse'", "action must be one of allow, approve, ask, deny"),
        ("action = true", "action must be a string, not true or false"),
        ("rate_limit = 10", "rate_limit must be a table, not a number"),
        ("rate_limit = 'ten a day'", "rate_limit is 'ten a day'"),
        ("rate_limit = '10/fortnight'", "rate_limit is '10/fortnight'"),
        ("rate_limit = '0/minute'", "rate_limit must be at least 1"),
        ("rate_limit = '5/0s'", "rate_limit must be more than nothing"),
        ("rate_limit = { max = 5 }", "the key 'window' is missing in rate_limit"),
        ("rate_limit = { max = 5.5, window = 1 }", "rate_limit.max must be a whole number"),
        ("rate_limit = { max = true, window = 1 }", "rate_limit.max must be a whole number"),
        ("rate_limit = { max = 2_000_000, window = 1 }", "rate_limit.max must be at most"),
        ("rate_limit = { max = 5, window = -1 }", "rate_limit.window must be more than nothing"),
        ("rate_limit = { max = 5, window = '400d' }", "rate_limit.window must be more than"),
        ("rate_limit = { max = 5, window = inf }", "rate_limit.window must be more than"),
        ("rate_limit = { max = 5, window = nan }", "rate_limit.window must be more than"),
        ("rate_limit = { max = 5, window = true }", "rate_limit.window must be a duration"),
        ("rate_limit = { max = 5, window = 1, per = 'user' }", "rate_limit.per must be one of"),
        ("budget = '5/day'", "budget must be a table, not a string"),
        ("budget = { sum = '', max = 1, window = 1 }", "budget.sum must name an argument"),
        ("budget = { sum = 'a', max = 'x', window = 1 }", "budget.max must be a number"),
        ("budget = { sum = 'a', max = 0, window = 1 }", "budget.max must be a number above 0"),
        ("budget = { sum = 'a', max = nan, window = 1 }", "budget.max must be a number above 0"),
        ("budget = { sum = 'a', max = '1e99', window = 1 }", "budget.max must have at most"),
        ("budget = { sum = 'a', max = '1e-99', window = 1 }", "budget.max must have at most"),
        ("enabled = 1", "enabled must be true or false, not a number"),
        ("reason = ['x']", "reason must be a string, not a list"),
        (f"reason = '{'x' * 501}'", "reason has 501 characters"),
    ],
)
def test_wrong_value_in_a_rule(key, says):
    rest = "" if key.startswith("action") else '\naction = "deny"'
    assert error(f"[[rules]]\n{key}{rest}").startswith(f"config.toml:2: {says}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[servers.x]", "config.toml:1: servers.x has neither command nor url; say how"),
        ("[servers]\nx = 1", "config.toml:2: servers.x must be a table"),
        ("[servers.'a/b']\ncommand = ['x']", "config.toml:1: servers.a/b is no name"),
        ("[servers.x]\ncommand = []", "config.toml:2: servers.x.command must be a list"),
        ("[servers.x]\ncommand = ['']", "config.toml:2: servers.x.command has no program"),
        ("[servers.x]\ncommand = ['x']\nenv = {A = 1}", "config.toml:3: servers.x.env.A must be"),
        ("[servers.x]\ncommand = ['x']\nurls = 'y'", "config.toml:3: unknown key 'urls'"),
        ("[agents.codex]\nhold = '280'", "config.toml:2: agents.codex.hold must be a duration"),
        ("[keys]\nquit = 5", "config.toml:2: keys.quit must be a string"),
        ("keys = 5", "config.toml:1: keys must be a table"),
        ("rules = 5", "config.toml:1: rules must be a list"),
        ("rules = [5]", "config.toml:1: a rule must be a table"),
        ("[rules]\ntool = 'x'", "config.toml:1: rules must be a list, not a table; head each"),
    ],
)
def test_wrong_value_elsewhere(text, says):
    assert error(text).startswith(says)


@pytest.mark.parametrize("value", ["allow", "ask", "approve"])
def test_unattended_cannot_permit(value):
    assert "a call that nobody looked at was not approved" in error(
        f"[defaults]\nunattended = '{value}'"
    )


@pytest.mark.parametrize("key", ["read", "write", "unknown", "other_methods"])
def test_default_cannot_be_a_standing_approval(key):
    assert "must be one of allow, ask, deny" in error(f"[defaults]\n{key} = 'approve'")


@pytest.mark.parametrize("action", ["allow", "approve"])
def test_p06_project_file_with_a_loosening_rule_is_refused(action):
    text = f"[[rules]]\ntool = 'x'\naction = '{action}'"
    assert error(text, project=True) == (
        f"config.toml:3: action is '{action}', but a project's file may only tighten; put this "
        "into your own config.toml"
    )


def test_p06_project_file_has_no_other_powers():
    found = errors(
        (
            "[servers.x]\ncommand = ['x']\n[keys]\nq = 'a'\n[agents.x]\nhold = 1\n"
            "[defaults]\nread = 'allow'\nhold = 5"
        ),
        project=True,
    )
    assert [text.partition(": ")[2].partition(" in ")[0].partition(",")[0] for text in found] == [
        "unknown key 'command'",
        "unknown key 'keys'",
        "unknown key 'agents'",
        "defaults.read is 'allow'",
        "unknown key 'hold'",
    ]


def test_same_id_for_different_rules():
    text = "[[rules]]\nid = 'a'\naction = 'deny'\n\n[[rules]]\nid = 'a'\naction = 'ask'\n"
    assert error(text) == (
        "config.toml:6: the id 'a' is taken by the rule in line 1; give each rule an id of its own"
    )


def test_rule_that_does_nothing():
    assert error("\n[[rules]]\ntool = 'x'").startswith("config.toml:2: ")


def test_rules_that_the_judge_refuses_are_all_reported_with_the_line_of_the_key():
    found = errors("""
[[rules]]
tool = "x"
action = "deny"
when = { "user.name" = { regexx = "a" } }
[[rules]]
action = "deny"
[rules.when.path]
regex = "("
""")
    assert [line.partition(": when.")[0] for line in found] == ["config.toml:5", "config.toml:9"]
    assert 'did you mean "regex"' in found[0]


def test_p10_foreign_text_in_an_error_is_escaped_and_short():
    text = error('"\\u001b]52;c;x\\u0007\\u202e' + "y" * 1000 + '" = 1')
    assert text.isprintable()
    assert len(text) < 200


def test_files_that_cannot_be_read(tmp_path):
    path = tmp_path / "config.toml"
    with pytest.raises(ConfigError, match="No such file"):
        load(str(path))
    path.write_bytes(b"a = 1\nb = '\xff'\n")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"config\.toml:2: this is not UTF-8; save the file"):
        load(str(path))
    path.chmod(0o606)
    with pytest.raises(ConfigError, match=f"chmod go-w {path}"):
        load(str(path))


def test_p13_keys_of_many_parts_are_refused_before_they_are_parsed():
    deep = '."a"' * 60_000
    assert error(f"# a\n[x]\na{deep} = 1") == "config.toml:3: this key has too many parts"
    assert error(f" [[ a . {deep[1:]} ]]").endswith("this key has too many parts")
    assert error(f"a = {{ b = 1, a{deep} = 1 }}").endswith("this key has too many parts")
    nested = "{ a.a.a.a.a.a.a.a = " * 50 + "1" + " }" * 50
    assert error(f"a = {nested}").startswith("config.toml:1: unknown key 'a'")
    sentence = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v"
    assert load_text(f'[[rules]]\naction="deny"\nreason="{sentence}"', "c").rules


@pytest.mark.parametrize(
    "lists",
    [[["a{9}%d", "b{9}%d"] for _ in range(150)], [[r"\pL{40}%d"] * 20], [["[x%d"] * 300]],
    ids=["many", "large", "bad"],
)
def test_p13_a_projects_expressions_are_bounded_before_they_are_compiled(lists):
    """What a repository brings must not cost the wall minutes and gigabytes."""
    rules = ""
    for number, texts in enumerate(lists):
        written = ", ".join(f"'{text % at}'" for at, text in enumerate(texts))
        when = f"when = {{ x = {{ regex = [{written}] }} }}"
        rules += f'[[rules]]\nid = "r{number}"\n{when}\naction = "deny"\n'
    with pytest.raises(ConfigError, match="regular expressions of this file are too many"):
        load_text(rules, ".mcpwall.toml", project=True)
    few = rules.partition('[[rules]]\nid = "r9"')[0]
    if len(lists) > 1:
        assert len(load_text(few, ".mcpwall.toml", project=True).rules) == 9
        assert len(load_text(rules, "config.toml").rules) == len(lists)


def test_p13_a_project_has_so_many_rules():
    rules = "".join(f'[[rules]]\ntool = "t{n}"\naction = "deny"\n' for n in range(201))
    with pytest.raises(ConfigError, match="at most 200 rules") as caught:
        load_text(rules, ".mcpwall.toml", project=True)
    assert caught.value.line == 601
    assert len(load_text(rules, "config.toml").rules) == 201
    assert (
        len(load_text(rules.partition('[[rules]]\ntool = "t200"')[0], "p", project=True).rules)
        == 200
    )


def test_p13_a_file_of_mistakes_has_a_bounded_answer():
    found = errors("".join(f"wrong{number} = 1\n" for number in range(20_000)))
    assert len(found) == 101
    assert found[-1] == "config.toml:101: 19900 more mistakes from here"


@given(st.text() | st.text(alphabet="[]{}='\"\n.#,rules10 \\") | st.text(alphabet="[a.]\n="))
@example("[[rules]]\n[rules.when]\n")
@example("[[rules.x]]")
@example("[[rules]]\nwhen" + ".a" * 3000 + " = 1")
@example("a='''''''\n")
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(ConfigError):
        load_text(text, "config.toml")
