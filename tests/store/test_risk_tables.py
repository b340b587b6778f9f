"""A class of risk is written into config.toml as a careful person would."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.model import Risk
from mcpwall.store.config import load_text
from mcpwall.store.edit import EditError, set_risk

RULES = """
# slow
[[rules]]
tool = "rm"
action = "deny"
"""


def edited(text, server="git", tool="push", risk=Risk.WRITE):
    return set_risk(load_text(text, "config.toml"), server, tool, risk).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[servers.git.risk]\npush = "write"\n'),
        ("# mine", '# mine\n\n[servers.git.risk]\npush = "write"\n'),
        (
            "[defaults]\nread = 'ask'\n" + RULES,
            "[defaults]\nread = 'ask'\n\n[servers.git.risk]\npush = \"write\"\n" + RULES,
        ),
        (
            "[defaults]\nread = 'ask'\n# so\n\n# --- rules ---\n" + RULES,
            "[defaults]\nread = 'ask'\n# so\n\n[servers.git.risk]\npush = \"write\"\n"
            "\n# --- rules ---\n" + RULES,
        ),
        ("# mine\n" + RULES, '# mine\n\n[servers.git.risk]\npush = "write"\n' + RULES),
        (
            '[servers.git]\ndefault = "deny" # cut\n# more\n\n[servers.b]\nurl = "https://b.x"\n',
            (
                '[servers.git]\ndefault = "deny" # cut\n# more\n\n'
                '[servers.git.risk]\npush = "write"\n\n[servers.b]\nurl = "https://b.x"\n'
            ),
        ),
        (
            '[servers.a]\nurl = "https://a.example"\n[servers.a.oauth]\nscopes = ["x"]\n' + RULES,
            '[servers.a]\nurl = "https://a.example"\n[servers.a.oauth]\nscopes = ["x"]\n'
            '\n[servers.git.risk]\npush = "write"\n' + RULES,
        ),
        (
            '[servers.git.risk]\n# known\npull   = "read"  # aligned\n' + RULES,
            '[servers.git.risk]\n# known\npull   = "read"  # aligned\npush = "write"\n' + RULES,
        ),
        (
            "[servers.git.risk]\n'push' = 'read' # no\n",
            "[servers.git.risk]\n'push' = \"write\" # no\n",
        ),
        (
            '[servers.git]\ndefault = "deny"\nrisk = { pull = "read" }\n',
            '[servers.git]\ndefault = "deny"\nrisk = {pull = "read", push = "write"}\n',
        ),
        ("# a\r\n[servers.git.risk]\r\npull = 'read'\r\n", None),
    ],
)
def test_a_class_is_added_or_changed_and_all_else_stays(before, after):
    got = edited(before)
    crlf = before.replace("'read'\r\n", "'read'\r\npush = \"write\"\r\n")
    assert got == (crlf if after is None else after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[servers.git.risk]\npush = "read"\n', ""),
        ('# mine\n\n# of git\n[servers.git.risk]\npush = "read"\n' + RULES, "# mine\n" + RULES),
        (
            '[servers.git.risk]\npull = "read" # a\npush = "read" # b\n# c\n',
            '[servers.git.risk]\npull = "read" # a\n# c\n',
        ),
        ('[servers.git]\nrisk = { push = "read" }\n\n[http]\n', "[http]\n"),
        (
            '[servers.git]\ndefault = "deny"\nrisk.push = "read"\n',
            '[servers.git]\ndefault = "deny"\n',
        ),
    ],
)
def test_a_class_is_taken_out_with_the_table_that_it_leaves_empty(before, after):
    assert edited(before, risk=None) == after


def test_a_class_that_is_there_already_changes_nothing():
    config = load_text('[servers.git.risk]\npush = "write"\n', "c")
    assert set_risk(config, "git", "push", Risk.WRITE) is config
    assert set_risk(config, "git", "pull", None) is config


def test_a_key_stays_as_it_was_written():
    before = '[servers.git.risk]\n"p[u]sh" = "read"\n'
    assert edited(before) == '[servers.git.risk]\n"p[u]sh" = "write"\n'


@pytest.mark.parametrize(
    "text",
    [
        'servers = { git = { command = ["git"] } }\n',
        '[servers]\ngit = { command = ["git"] }\n',
        'servers.git.command = ["git"]\nservers.git.risk.pull = "read"\n',
    ],
)
def test_what_cannot_be_edited_in_its_own_lines_is_refused(text):
    with pytest.raises(EditError, match=r"config\.toml (has to be edited by hand|.*safely)"):
        edited(text)


names = st.text(st.sampled_from('ab*[!?."\\ \t\u202e☃'), min_size=1, max_size=5)
risks = st.sampled_from([risk for risk in Risk if risk is not Risk.UNKNOWN])
STARTS = ("", RULES, '[servers.b]\ncommand = ["b"]\n' + RULES, '[servers.a]\nurl = "https://a.x"\n')


@given(
    st.sampled_from(STARTS),
    st.lists(st.tuples(st.sampled_from(("a", "b", "c d")), names, st.none() | risks), max_size=8),
)
def test_after_any_edits_the_file_says_what_was_set_last_and_all_else_as_before(start, edits):
    config, wanted = load_text(start, "c"), {}
    for server, tool, risk in edits:
        config = set_risk(config, server, tool, risk)
        wanted[server, tool] = risk
    said = {(s, tool): r.risk for s, some in config.risks.items() for tool, r in some.items()}
    assert said == {key: risk for key, risk in wanted.items() if risk is not None}
    assert config.rules == tuple(rule for rule in load_text(config.text, "c").rules)
    assert tomllib.loads(config.text).get("rules") == tomllib.loads(start).get("rules")
    for (server, tool), risk in wanted.items():
        if risk is not None:
            config = set_risk(config, server, tool, None)
    assert tomllib.loads(config.text) == tomllib.loads(start)
