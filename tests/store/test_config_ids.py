"""Ids of rules that have none: the same for the same selection, whatever else is edited."""

from collections import Counter

import pytest

from mcpwall.store import rule_ids
from mcpwall.store.config import load_text

RULE = """
[[rules]]
server = "aws"
tool = ["a", "!b"]
when = { x = 1, y = { gt = 2 } }
rate_limit = { max = 3, window = 60 }
"""


def ids(text):
    return [rule.id for rule in load_text(text, "c").rules]


def id_of(text):
    (one,) = ids(text)
    return one


def test_id_is_short_and_known():
    assert id_of(RULE) == "r4ba511"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[[rules]]", "# moved and commented\n[defaults]\n\n[[rules]]"),
        ("max = 3", "max = 9"),
        ("window = 60", 'window = "1m"'),
        ("{ max = 3, window = 60 }", '"3/minute"'),
        ('server = "aws"', 'server = ["aws"]'),
        ('["a", "!b"]', '["!b", "a"]'),
        ("x = 1, y = { gt = 2 }", "y = { gt = 2 }, x = { equals = 1 }"),
        ('server = "aws"', 'server = "aws"\nreason = "r"'),
        ('server = "aws"', 'server = "aws"\nenabled = false'),
        ('server = "aws"', 'server = "aws"\naction = "ask"'),
    ],
)
def test_id_stays(old, new):
    assert old in RULE
    assert id_of(RULE.replace(old, new)) == id_of(RULE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"aws"', '"gcp"'),
        ('"!b"', '"b"'),
        ("x = 1", "x = 2"),
        ("x = 1", "x = true"),
        ("x = 1", "x = 1.0"),
        ("gt = 2", "gte = 2"),
        ("window = 60", "window = 61"),
        ("window = 60", 'window = 60, per = "agent"'),
        ('server = "aws"', 'agent = "aws"'),
        ('server = "aws"', 'server = "aws"\nrisk = "read"'),
    ],
)
def test_id_differs(old, new):
    assert id_of(RULE.replace(old, new)) != id_of(RULE)


def test_rules_that_differ_only_in_what_they_do_get_numbers():
    deny = '[[rules]]\ntool = "a"\naction = "deny"\n'
    ask = deny.replace("deny", "ask")
    first = id_of(deny)
    assert ids(deny + ask) == [first, f"{first}-2"]
    assert ids(ask + deny) == [first, f"{first}-2"]
    assert ids(deny + ask + deny + ask) == [first, f"{first}-2"]


def test_id_that_was_given_to_another_rule_is_not_used_again():
    text = '[[rules]]\ntool = "a"\naction = "deny"\n'
    taken = f'[[rules]]\nid = "{id_of(text)}"\ntool = "b"\naction = "deny"\n'
    assert ids(text + taken) == [f"{id_of(text)}-2", id_of(text)]


def test_p13_many_rules_with_the_same_selection_get_their_ids_in_one_pass(monkeypatch):
    """Each rule is looked at a bounded number of times, however many select the same."""
    looks = Counter()
    content = rule_ids._content

    def counted(rule):
        looks[rule.reason] += 1
        return content(rule)

    monkeypatch.setattr(rule_ids, "_content", counted)
    text = "".join(f'[[rules]]\nreason = "{n}"\naction = "deny"\n' for n in range(300))
    assert len(set(ids(text))) == 300
    assert max(looks.values()) == 1
