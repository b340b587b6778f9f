"""Changes to the rules: as small as a careful person's, and exact."""

import difflib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.store import files, rule_tables, toml_values
from mcpwall.store.config import ConfigError, load_text
from mcpwall.store.config_file import ConfigFile
from mcpwall.store.difference import diff
from mcpwall.store.edit import EditError, drop_rule, put_rule, toggle_rule
from tests.store.written import FILE


def config(text=FILE):
    return load_text(text, "config.toml")


def changed_lines(old, new):
    """The lines taken out (-) and put in (+)."""
    lines = difflib.unified_diff(old, new, n=0, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def changes(old, new):
    return changed_lines(old.text.split("\n"), new.text.split("\n"))


def rm_id():
    return config().tables[1].id


def test_changed_value_keeps_the_rest_of_its_table():
    fields = {"id": "cap", "tool": ["a", "b"], "rate_limit": {"max": 5, "window": 60}}
    assert changes(config(), put_rule(config(), fields, "cap")) == [
        "-rate_limit = { max = 3, window = 60 }   # three a minute",
        "+rate_limit = { max = 5, window = 60 }   # three a minute",
    ]


def test_added_and_removed_keys():
    fields = {"id": "cap", "rate_limit": {"max": 3, "window": 60, "per": "agent"}, "reason": "é"}
    new = put_rule(config(), fields, "cap")
    assert changes(config(), new) == [
        "-tool = [",
        '-    "a",  # first',
        '-    "b",',
        "-]",
        "-rate_limit = { max = 3, window = 60 }   # three a minute",
        '+rate_limit = { max = 3, window = 60, per = "agent"}   # three a minute',
        '+reason = "é"',
    ]
    assert new.fields("cap") == fields


def test_rule_without_an_id_stays_without_one():
    for extra in ({}, {"id": rm_id()}):
        new = put_rule(config(), {**extra, "tool": "rm", "action": "ask"}, rm_id())
        assert changes(config(), new) == ['-action = "deny"', '+action = "ask"']


def test_condition_in_a_table_of_its_own():
    fields = {"id": "paths", "action": "ask", "when": {"path": {"not_under": ["~/src", "/tmp"]}}}
    assert changes(config(), put_rule(config(), fields, "paths")) == [
        '-not_under = ["~/src"]  # home',
        '+not_under = ["~/src", "/tmp"]  # home',
    ]


def test_new_rule_goes_to_the_end_in_the_usual_order():
    fields = {
        "action": "deny",
        "when": {"path": {"regex": r"\.env$"}, "user.name": "x"},
        "tool": ["a", "b"],
    }
    new = put_rule(config(), fields)
    assert new.text == FILE + (
        "\n[[rules]]\n"
        'tool = ["a", "b"]\n'
        'when = {path = {regex = \'\\.env$\'}, "user.name" = "x"}\n'
        'action = "deny"\n'
    )
    assert new.tables[-1].fields == fields


def test_new_rule_in_an_unfinished_last_line():
    assert put_rule(config('[defaults]\nread = "ask"'), {"action": "deny"}).text == (
        '[defaults]\nread = "ask"\n\n[[rules]]\naction = "deny"\n'
    )


def test_dropped_rule_takes_its_own_comments_along_and_no_others():
    assert changes(config(), drop_rule(config(), "cap")) == [
        "-",
        "-# keep it slow",
        "-[[rules]]",
        '-id   = "cap"          # aligned by hand',
        "-tool = [",
        '-    "a",  # first',
        '-    "b",',
        "-]",
        "-rate_limit = { max = 3, window = 60 }   # three a minute",
    ]
    assert changes(config(), drop_rule(config(), rm_id())) == [
        "-[[rules]]",
        '-tool = "rm"',
        '-action = "deny"',
        '-# reason = "later"',
        "-",
    ]


def test_dropped_last_rule_leaves_no_gap():
    text = "# top\n"
    one = put_rule(config(text), {"action": "deny"})
    assert drop_rule(one, one.rules[0].id).text == text


def test_toggle():
    off = toggle_rule(config(), rm_id(), enabled=False)
    assert changes(config(), off) == ["+enabled = false"]
    assert not off.rules[1].enabled
    assert toggle_rule(off, rm_id(), enabled=True).rules[1].enabled
    assert toggle_rule(off, rm_id(), enabled=False) is off


def test_rule_that_is_written_twice_is_one_rule():
    text = '[[rules]]\naction = "deny"\n\n[[rules]] # again\naction = "deny"\n'
    twice = config(text)
    name = twice.rules[0].id
    assert put_rule(twice, {"action": "ask"}, name).text == text.replace("deny", "ask")
    assert drop_rule(twice, name).text == ""
    with pytest.raises(EditError, match="says the same already"):
        put_rule(twice, {"action": "deny"})


def test_windows_line_ends_stay():
    new = put_rule(config(FILE.replace("\n", "\r\n")), {"tool": "rm", "action": "ask"}, rm_id())
    assert new.text == FILE.replace('"deny"', '"ask"').replace("\n", "\r\n")
    added = put_rule(config(FILE.replace("\n", "\r\n")), {"action": "ask"})
    assert added.text.count("\n") == added.text.count("\r\n")


def test_comment_like_line_in_a_string_is_no_comment():
    text = '[[rules]]\nid = "a"\naction = "deny"\nreason = """\n# x"""\n[[rules]]\naction = "ask"\n'
    one = config(text)
    assert drop_rule(one, one.tables[1].id).text == text[: text.index('[[rules]]\naction = "ask"')]


def test_unknown_rule():
    for change in (
        lambda: put_rule(config(), {"action": "deny"}, "gone"),
        lambda: drop_rule(config(), "gone"),
        lambda: toggle_rule(config(), "gone", enabled=False),
    ):
        with pytest.raises(EditError, match=r"config\.toml has no rule 'gone' any more"):
            change()


def test_fields_that_do_not_load_are_refused_with_the_reason():
    with pytest.raises(ConfigError, match="tool is an empty list"):
        put_rule(config(), {"tool": [], "action": "deny"})
    with pytest.raises(ConfigError, match="unknown key 'tol'"):
        put_rule(config(), {"tol": "a", "action": "deny"}, "cap")
    with pytest.raises(ConfigError, match="the id 'cap' is taken"):
        put_rule(config(), {"id": "cap", "action": "deny"})
    with pytest.raises(EditError, match="TOML has no null"):
        put_rule(config(), {"when": {"a": None}, "action": "deny"})
    with pytest.raises(ConfigError, match="half a character"):
        put_rule(config(), {"tool": "\ud800", "action": "deny"})


@pytest.mark.parametrize(
    "text",
    [
        'rules = [{ id = "a", action = "deny" }]\n',
        '[[rules]]\nid = "a"\naction = "deny"\n[keys]\n[rules.when]\nx = 1\n',
    ],
)
def test_rule_that_is_not_in_one_piece_is_left_to_the_person(text):
    for change in (
        lambda: put_rule(config(text), {"action": "ask"}),
        lambda: put_rule(config(text), {"action": "ask"}, "a"),
        lambda: drop_rule(config(text), "a"),
    ):
        with pytest.raises(EditError, match="has to be edited by hand"):
            change()


def test_result_that_says_anything_else_is_never_written(monkeypatch):
    """The last check: whatever the editing of text did, only what was asked gets through."""
    remove = rule_tables.remove
    monkeypatch.setattr(
        rule_tables, "remove", lambda text, block: remove(text, block).replace("[servers.git]", "")
    )
    with pytest.raises(ConfigError):
        drop_rule(config(), "cap")
    monkeypatch.setattr(
        rule_tables, "remove", lambda text, block: remove(text, block).replace("deny", "allow")
    )
    with pytest.raises(EditError, match="cannot be written into"):
        drop_rule(config(), "cap")


def test_diff_is_unified_and_empty_for_no_change():
    assert diff(config(), config()) == ""
    text = diff(config(), toggle_rule(config(), "cap", enabled=False))
    assert text.startswith("--- config.toml\n+++ config.toml\n@@ ")
    assert "+enabled = false\n" in text


# --- any file, any change -----------------------------------------------------------------------

WORDS = st.text(alphabet="ab#[]=\"'\\\n\x7fé", min_size=1, max_size=5)
TOOLS = st.text(alphabet="ab#=\"'\n\x7fé*", min_size=1, max_size=5)
ARGUMENTS = st.sampled_from(["a", "é", "user.name", "items[].url", r"a\.b", "a b"])
OPERANDS = st.integers(-9, 9) | WORDS | st.booleans() | st.lists(WORDS, max_size=2)
FIELDS = st.fixed_dictionaries(
    {"tool": st.lists(TOOLS, min_size=1, max_size=2), "action": st.just("ask")},
    optional={
        "reason": st.text(max_size=5),
        "enabled": st.booleans(),
        "when": st.dictionaries(
            ARGUMENTS,
            OPERANDS | st.fixed_dictionaries({"equals": OPERANDS}),
            min_size=1,
            max_size=2,
        ),
        "rate_limit": st.just("5/minute") | st.just({"max": 5, "window": 60}),
    },
)
GAPS = st.sampled_from(
    ["", "\n", "\n\n", "# a\n", "\n# b\n\n", "# c\n# [[rules]]\n", "\n[keys]\n", "\n[agents.x]\n"]
)
STYLES = st.sampled_from(["inline", "tables", "dotted"])


def pairs(prefix, value):
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from pairs([*prefix, key], inner)
    else:
        yield prefix, value


def literal(value):
    return toml_values.item(value).as_string()


def written(fields, style):
    """A rule in one of the ways in which people write them."""
    lines = ["[[rules]] # head"]
    for key, value in fields.items():
        if not isinstance(value, dict) or style == "inline":
            lines.append(f"{key} = {literal(value)} # {key}")
        elif style == "dotted":
            lines += [
                f"{'.'.join(map(literal, at))} = {literal(v)}" for at, v in pairs([key], value)
            ]
    if style == "tables":
        for key, value in fields.items():
            if isinstance(value, dict):
                lines.append(f"  [rules.{key}]")
                lines += [f"  {literal(name)} = {literal(v)} # in" for name, v in value.items()]
    return "\n".join([*lines, ""])


@st.composite
def documents(draw):
    """A config of a few rules in various styles, and the gaps between them."""
    parts = [draw(GAPS.filter(lambda gap: "[a" not in gap and "[k" not in gap))]
    seen = set()
    for number in range(draw(st.integers(1, 4))):
        parts.append(written({"id": f"r{number}", **draw(FIELDS)}, draw(STYLES)))
        gap = draw(GAPS)
        while gap in seen and "\n[" in gap:
            gap = draw(GAPS)
        seen.add(gap)
        parts.append(gap)
    return "".join(parts)


def others(text, rule):
    """Lines of the document without those from the header of a rule to the next header."""
    lines = text.split("\n")
    kept, inside = [], False
    starts = {one.origin.line: one.id for one in load_text(text, "c").rules}
    for number, line in enumerate(lines, 1):
        if number in starts or line in ("[keys]", "[agents.x]"):
            inside = starts.get(number) == rule
        if not inside:
            kept.append(line)
    return kept


@given(documents(), FIELDS, st.data())
def test_changing_one_rule_keeps_all_other_lines(text, fields, data):
    before = load_text(text, "c")
    rule = data.draw(st.sampled_from(before.rules)).id
    after = put_rule(before, {"id": rule, **fields}, rule)
    assert others(after.text, rule) == others(text, rule)
    assert after.fields(rule) == {"id": rule, **fields}
    assert [table.id for table in after.tables] == [table.id for table in before.tables]


@given(documents(), st.data())
def test_dropping_one_rule_keeps_all_other_lines(text, data):
    before = load_text(text, "c")
    rule = data.draw(st.sampled_from(before.rules)).id
    after = drop_rule(before, rule)
    assert [t.id for t in after.tables] == [t.id for t in before.tables if t.id != rule]
    # beside the table's own lines: comments above it may go, comments far below it may stay
    beside = changed_lines(others(text, rule), after.text.split("\n"))
    assert all(line in ("-", "+") or line.startswith(("-#", "+#")) for line in beside)
    assert all(line[0] == "-" or line == "+" for line in changes(before, after))


@given(documents(), st.data())
def test_turning_a_rule_off_and_on_changes_one_line_of_it(text, data):
    before = load_text(text, "c")
    rule = data.draw(st.sampled_from(before.rules))
    off = toggle_rule(before, rule.id, enabled=not rule.enabled)
    taken = [line for line in changes(before, off) if line[0] == "-"]
    assert all(line.startswith("-enabled = ") for line in taken)
    assert others(off.text, rule.id) == others(text, rule.id)


@given(st.lists(FIELDS, max_size=4), st.data())
def test_put_drop_undo_and_redo_come_back_to_the_same_text(tmp_path_factory, rules, data):
    path = tmp_path_factory.mktemp("c") / "config.toml"
    files.write_atomic(str(path), "# mine\n")
    file = ConfigFile.open(str(path))
    texts = [file.config.text]
    for fields in rules:
        try:
            texts.append(file.put(fields).text)
        except EditError:
            continue  # the same rule again
        if data.draw(st.booleans()):
            texts.append(file.drop(file.config.tables[-1].id).text)
    back = [file.config.text]
    while file.undo_steps:
        back.append(file.undo().text)
    assert back == texts[::-1]
    forth = [file.config.text]
    while file.redo_steps:
        forth.append(file.redo().text)
    assert forth == texts
    assert tomllib.loads(path.read_text()) == tomllib.loads(texts[-1])
