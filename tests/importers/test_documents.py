"""JSON and YAML have one reading each, or none."""

import pytest

from mcpwall.importers.documents import from_json, from_yaml
from mcpwall.importers.outcome import PolicyError


def test_json_as_it_is():
    assert from_json('{"a": [1, 2.5, "x", true, {}]}') == {"a": [1, 2.5, "x", True, {}]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
        ('{"a": {"b": null}}', "a.b is null"),
        ("null", "the policy is null"),
        ('{"a": [NaN]}', "NaN is no JSON number"),
        ('{"a": 1e999}', "a is a number beyond all bounds"),
        ('{"a": "\\ud800"}', "a holds half a character"),
        ('{"a": 1,}', "this is not JSON"),
        ("", "this is not JSON"),
        ("[" * 100_000, "nested too deep"),
        ("9" * 5_000, "this is not JSON"),
    ],
)
def test_json_that_is_refused(text, says):
    with pytest.raises(PolicyError) as refused:
        from_json(text)
    assert says in str(refused.value)


def test_yaml_as_it_is():
    text = """\
# a comment
one: [1, -2, 2.5, 1e3, true, False]
"two": {a: b, '*': 5/hour}
three:
  - "no"
  - |
    lines
    of text
4: args.a.b
"""
    assert from_yaml(text) == {
        "one": [1, -2, 2.5, 1000.0, True, False],
        "two": {"a": "b", "*": "5/hour"},
        "three": ["no", "lines\nof text\n"],
        "4": "args.a.b",
    }


@pytest.mark.parametrize(
    "word",
    [
        *(
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "010",
            "0x1F",
            "0o17",
            "0b1",
            "1_000",
            "1:30",
            "190:20:30",
        ),
        *("2026-01-31", "2026-1-3 10:00:00", ".5", "1.", "+.inf", ".nan", ".NaN", "1e", "1.2.3"),
    ],
)
def test_yaml_words_that_readers_differ_on_are_refused(word):
    with pytest.raises(PolicyError, match=r"line 2: readers of YAML differ on"):
        from_yaml(f"a: 1\nb: {word}\n")
    assert from_yaml(f'b: "{word}"') == {"b": word}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\na: 2\n", "line 2: the key 'a' is given twice"),
        ('a: 1\n"a": 2\n', "line 2: the key 'a' is given twice"),
        ("a: &x 1\nb: 2\n", "line 1: anchors and aliases"),
        ("a: &x [1]\nb: *x\n", "line 1: anchors and aliases"),
        ("a: *x\n", "line 1: anchors and aliases"),
        ("&x a: 1\n", "line 1: a key must be a plain name"),
        ("a: !!str 1\n", "line 1: the tag"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: the tag"),
        ("!!set {a}\n", "line 1: the tag"),
        ("<<: {a: 1}\n", "line 1: the key '<<' needs quotes"),
        ("[1]: 2\n", "line 1: a key must be a plain name"),
        ("? [1]\n: 2\n", "line 1: a key must be a plain name"),
        ("a:\n", "line 1: nothing is given here"),
        ("a: ~\n", "line 1: nothing is given here"),
        ("a: [1, null]\n", "line 1: nothing is given here"),
        ("a: 1\n---\nb: 1\n", "one document, not 2"),
        ("", "one document, not 0"),
        ("a: [1\n", "line 2: this is not YAML"),
        ("a: \x01\n", "this is not YAML"),
        ("[" * 5_000, "nested too deep"),
        (f"a: {'9' * 5_000}\n", "thousands of digits"),
    ],
)
def test_yaml_that_is_refused(text, says):
    with pytest.raises(PolicyError) as refused:
        from_yaml(text)
    assert says in str(refused.value)
