"""The three readers: the same data as a real parser, and each value where it says."""

import json
import tomllib
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.clients import json_spans, syntax, toml_spans, yaml_spans
from mcpwall.clients.nodes import UnreadableError, spliced

JSONC = """\
// servers
{
\t"servers": { /* two */
\t\t"a.b": {"command" : "npx", "args": [
\t\t\t"-y", // yes
\t\t\t"x\\u00e9\\"",
\t\t]},
\t},
\t"n": [1, -2.5e3, true, null, [], {}]
}
"""
TOML = """\
top = 1 # one
"quoted key" = 'x'
[mcp_servers.fs]
command = "npx"
args = [
  "-y", # yes
  "x",
]
env = { A = "1", B.C = '''x''' }
[mcp_servers.fs.more]
at = 2026-01-02T03:04:05Z
text = \"\"\"
two
lines\"\"\"
[mcp_servers]
dotted.command = "uvx"
dotted.args = []
[[list]]
a = 1
[[list]]
a = 2
[list.inner]
b = nan
"""
YAML = """\
# goose
extensions:
  fs:   # files
    cmd: npx
    args:
    - -y
    - "x y"
    envs: {A: 1, B: [x, 'y']}
    text: |
      two
      lines
  other: {cmd: uvx, args: [a, b]}

empty:
"""

# some 400 bytes that stand for ten million values
ALIASES = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 8)
)


def places(node, text):
    """Every value with the text that stands where it is said to stand."""
    yield node.value, text[node.start : node.end]
    for part in [*node.items, *(member.node for member in node.members.values())]:
        yield from places(part, text)


def test_json_with_comments_is_read_with_its_places():
    node = json_spans.parse(JSONC)
    server = node.members["servers"].node.members["a.b"]
    assert server.node.value == {"command": "npx", "args": ["-y", 'xé"']}
    assert JSONC[server.start :].startswith('"a.b": {')
    assert JSONC[server.node.start : server.node.end].startswith('{"command"')
    assert JSONC[server.node.start : server.node.end].endswith("]}")
    for value, source in places(node, JSONC):
        if not isinstance(value, dict | list):
            assert json.loads(source) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    node = json_spans.parse(text)
    assert node.value == value
    assert text[node.start : node.end] == text
    for part, source in places(node, text):
        assert json.loads(source) == part


def test_toml_is_read_with_its_places():
    node = toml_spans.parse(TOML)
    for key, value in tomllib.loads(TOML).items():
        if key != "list":  # it holds nan, which is not equal to itself
            assert node.value[key] == value
    servers = node.members["mcp_servers"].node.members
    fs = servers["fs"].node
    assert TOML[fs.start : fs.end].startswith("[mcp_servers.fs]\ncommand")
    assert TOML[fs.start : fs.end].endswith("B.C = '''x''' }")
    assert fs.block
    assert not fs.members["env"].node.block
    dotted = servers["dotted"].node
    assert TOML[dotted.start : dotted.end] == 'dotted.command = "uvx"\ndotted.args = []'
    args = fs.members["args"].node
    assert [TOML[item.start : item.end] for item in args.items] == ['"-y"', '"x"']


def test_yaml_is_read_with_its_places():
    node = yaml_spans.parse(YAML)
    assert node.value == yaml.safe_load(YAML)
    servers = node.members["extensions"].node.members
    fs = servers["fs"].node
    assert YAML[fs.start : fs.end].startswith("cmd: npx")
    args = fs.members["args"].node
    assert args.block
    assert YAML[args.start : args.end] == '- -y\n    - "x y"'
    assert not servers["other"].node.block


def test_aliases_are_followed():
    node = yaml_spans.parse("a: &a [1, 2]\nb: *a\n")
    assert node.value == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("reader", "text", "line"),
    [
        (json_spans.parse, '{\n"a": 1\n"b": 2}', 3),
        (json_spans.parse, '{"a": [1, 2}', 1),
        (json_spans.parse, "{'a': 1}", 1),
        (json_spans.parse, '{"a": 1}\n}', 2),
        (json_spans.parse, '\n{"a": "x\ny"}', 2),
        (json_spans.parse, '{"a": "\\q"}', 1),
        (json_spans.parse, "{,}", 1),
        (json_spans.parse, "", 1),
        (json_spans.parse, "[" * 5000, 1),
        (toml_spans.parse, "a = 1\n[x\n", 2),
        (toml_spans.parse, "a = 1\na = 2", 2),
        (toml_spans.parse, "a = " + "[" * 5000, 1),
        (yaml_spans.parse, "a: 1\nb: [", 2),
        (yaml_spans.parse, "a: 1\n\tb: 2", 2),
        (yaml_spans.parse, "a: 1\n---\nb: 2", 2),
        (yaml_spans.parse, "a: !!python/name:os.system x", 1),
        (yaml_spans.parse, "a: \x07", 1),
        (yaml_spans.parse, "[" * 5000, 1),
        (yaml_spans.parse, ALIASES, 1),
        (toml_spans.parse, "x = 1\n" + "a." * 5000 + "b = 1", 2),
        (toml_spans.parse, "[" + "a." * 5000 + "b]", 1),
        (toml_spans.parse, "a = {" + "b." * 5000 + "c = 1}", 1),
        (yaml_spans.parse, "a: 1\nb: !!int ''", 2),
        (yaml_spans.parse, "a: 1\nb: !!bool maybe", 2),
        (yaml_spans.parse, "a: 1\nb: !!timestamp soon", 2),
        (yaml_spans.parse, "a: 1\nb: 2024-13-45", 2),
    ],
)
def test_what_does_not_parse_is_named_with_its_line(reader, text, line):
    with pytest.raises(UnreadableError) as caught:
        reader(text)
    assert caught.value.line == line
    assert caught.value.what


_WORDS = (
    *(
        "a",
        "b",
        "'",
        '"',
        "[",
        "]",
        "{",
        "}",
        ":",
        ": ",
        ",",
        "=",
        ".",
        "-",
        "- ",
        "? ",
        "| ",
        "> ",
    ),
    *("\n", "  ", "\t", "#", "//", "/*", "*/", "\\", "&x ", "*x", "!!int ", "!!float ", "!!set "),
    *("!!null ", "!!binary ", "!!timestamp ", "!!pairs ", "!", "<<", "%", "---", "...", "\ufeff"),
    *("1", "0x", "1:2", "2024-13-45", "1e999", "nan", "~", "true", "null", "\0", "\ud800", "\x85"),
)


@pytest.mark.parametrize("reader", [json_spans.parse, toml_spans.parse, yaml_spans.parse])
@given(words=st.lists(st.sampled_from(_WORDS), max_size=12))
def test_whatever_a_file_holds_it_is_read_or_named(reader, words):
    with suppress(UnreadableError):
        reader("".join(words))


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (json_spans.parse, '{"a": {"x": 1}, "a": {"y": 2}}'),
        (yaml_spans.parse, "a: {x: 1}\na: {y: 2}\n"),
    ],
)
def test_a_key_that_is_written_twice_is_known(reader, text):
    node = reader(text)
    assert node.doubled == {"a"}
    assert node.value == {"a": {"y": 2}}


# --- writing ------------------------------------------------------------------------------------


def prepended(kind, text, key="a"):
    array = kind.parse(text).members[key].node
    return spliced(text, [kind.prepend(text, array, ["p", 'q "r"'])])


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (syntax.JSON, '{"a": ["x"]}', '{"a": ["p", "q \\"r\\"", "x"]}'),
        (syntax.JSON, '{"a": []}', '{"a": ["p", "q \\"r\\""]}'),
        (
            syntax.JSON,
            '{\r\n\t"a": [\r\n\t\t"x" // y\r\n\t]}',
            '{\r\n\t"a": [\r\n\t\t"p",\r\n\t\t"q \\"r\\"",\r\n\t\t"x" // y\r\n\t]}',
        ),
        (syntax.TOML, "a = ['x']", 'a = ["p", "q \\"r\\"", \'x\']'),
        (syntax.YAML, "a: [x]", 'a: ["p", "q \\"r\\"", x]'),
        (syntax.YAML, "a:\n- x\n", 'a:\n- "p"\n- "q \\"r\\""\n- x\n'),
        (syntax.YAML, "a:\n  -  x\n", 'a:\n  - "p"\n  - "q \\"r\\""\n  -  x\n'),
        (syntax.YAML, "a: []", 'a: ["p", "q \\"r\\""]'),
    ],
)
def test_items_come_first_in_the_way_the_list_is_written(kind, before, after):
    assert prepended(kind, before) == after
    assert kind.parse(after).value["a"][:2] == ["p", 'q "r"']


def added(kind, text, *path, key="k"):
    node = kind.parse(text)
    for part in path[:-1]:
        node = node.members[part].node if isinstance(part, str) else node.items[part]
    return spliced(text, [kind.add(text, node, node.members[path[-1]], key, '"v"')])


@pytest.mark.parametrize(
    ("kind", "before", "path", "after"),
    [
        (syntax.JSON, '{"a":1}', ["a"], '{"a":1, "k":"v"}'),
        (syntax.JSON, '{\n  "a" : 1\n}', ["a"], '{\n  "a" : 1,\n  "k" : "v"\n}'),
        (syntax.JSON, '{\n  "a": 1, // x\n}', ["a"], '{\n  "a": 1,\n  "k": "v", // x\n}'),
        (syntax.TOML, "a=1\nb=2\n", ["a"], 'a=1\nk="v"\nb=2\n'),
        (syntax.TOML, "[t]\n  a = 1", ["t", "a"], '[t]\n  a = 1\n  k = "v"'),
        (syntax.TOML, "t.s.a = 1", ["t", "s", "a"], 't.s.a = 1\nt.s.k = "v"'),
        (syntax.TOML, "t = {a = 1}", ["t", "a"], 't = {a = 1, k = "v"}'),
        (syntax.TOML, "'a' = 1", ["a"], "'a' = 1\n'k' = \"v\""),
        (syntax.YAML, "a: 1\nb: 2\n", ["a"], 'a: 1\nk: "v"\nb: 2\n'),
        (syntax.YAML, "t:\n  a: 1 # x\n", ["t", "a"], 't:\n  a: 1\n  k: "v" # x\n'),
        (syntax.YAML, "t: {a: 1}", ["t", "a"], 't: {a: 1, k: "v"}'),
        (syntax.YAML, "t:\n- a: 1\n  b: 2", ["t", 0, "a"], 't:\n- a: 1\n  k: "v"\n  b: 2'),
    ],
)
def test_a_member_is_added_in_the_way_its_neighbour_is_written(kind, before, path, after):
    assert added(kind, before, *path) == after
    node = kind.parse(after).value
    for part in path[:-1]:
        node = node[part]
    assert node["k"] == "v"
