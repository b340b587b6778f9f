import json

import pytest

from mcpwall.protocol.results import (
    declares_changes,
    declaring_changes,
    with_instructions,
    with_tools,
)

ODD = b'{"name":"b", "n":1.50e2,\t"big":123456789012345678901234567890, "x":"\\u00e9"}'
PAGE = (
    b'{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a"},%b],"nextCursor":"2","_meta":{"k":'
    b"1.0}}}" % ODD
)


def hide(*names: str):
    return lambda raw: None if json.loads(raw)["name"] in names else raw


def test_a_page_that_is_shown_as_it_is_goes_on_as_it_came() -> None:
    assert with_tools(PAGE, hide("z")) is PAGE


def test_a_definition_is_replaced_and_all_else_stays_to_the_byte() -> None:
    pinned = b'{"name":"a", "x":1.0}'
    shown = with_tools(PAGE, lambda raw: pinned if b'"a"' in raw else raw)
    assert b"[%b,%b]" % (pinned, ODD) in shown
    assert b'"_meta":{"k":1.0}' in shown


@pytest.mark.parametrize(
    ("said", "after"), [("Obey.", {"instructions": "Obey.", "k": 1.5}), ("", {"k": 1.5})]
)
def test_the_instructions_of_an_opening_are_replaced(said: str, after: object) -> None:
    line = b'{"id":1,"result":{"instructions":"Disobey.","k":1.50}}'
    told = with_instructions(line, said)
    assert json.loads(told)["result"] == after
    assert b'"k":1.50' in told


def test_an_opening_that_cannot_be_read_is_replaced_whole() -> None:
    told = with_instructions(b'{"id":1,"result":{"instructions":"Disobey.","k":NaN}}', "Obey.")
    assert b"Disobey" not in told
    assert json.loads(told)["error"]["code"] == -32603


def test_what_stays_is_the_same_to_the_byte() -> None:
    shown = with_tools(PAGE, hide("a"))
    assert ODD in shown
    assert b'"_meta":{"k":1.0}' in shown
    assert json.loads(shown) == {
        **json.loads(PAGE),
        "result": {**json.loads(PAGE)["result"], "tools": [json.loads(ODD)]},
    }


def test_a_page_that_empties_keeps_its_cursor() -> None:
    result = json.loads(with_tools(PAGE, hide("a", "b")))["result"]
    assert result["tools"] == []
    assert result["nextCursor"] == "2"


def test_a_list_is_never_to_be_kept() -> None:
    line = b'{"id":1,"result":{"tools":[],"ttlMs":60000,"cacheScope":"public","o":1}}'
    result = json.loads(with_tools(line, hide()))["result"]
    assert result == {"tools": [], "ttlMs": 0, "cacheScope": "private", "o": 1}
    plain = b'{"id":1,"result":{"tools":[]}}'
    assert with_tools(plain, hide()) is plain


def test_pages_in_a_batch_are_changed_each() -> None:
    line = b"[" + PAGE + b',{"jsonrpc":"2.0","id":8,"result":{"tools":[]}}]'
    first, second = json.loads(with_tools(line, hide("b")))
    assert [tool["name"] for tool in first["result"]["tools"]] == ["a"]
    assert second == {"jsonrpc": "2.0", "id": 8, "result": {"tools": []}}


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a","n":NaN}]}}',
        b'[{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a","n":NaN}]}}]',
        b'{"jsonrpc":"2.0","id":7,"result":{"tools":{"name":"a"}}}',
    ],
)
def test_what_cannot_be_read_shows_nothing(line: bytes) -> None:
    told = json.loads(with_tools(line, hide("a")))
    (answer,) = told if isinstance(told, list) else [told]
    assert answer["id"] == 7
    assert answer["error"]["code"] == -32603


def test_what_nests_too_deep_is_answered_however_deep_that_is() -> None:
    for depth in range(900, 1_010):
        nested = b'{"a":' * depth + b"1" + b"}" * depth
        line = b'{"id":7,"result":{"tools":[{"name":"a","x":' + nested + b"}]}}"
        for told in (with_tools(line, hide()), with_tools(b"[" + line + b"]", hide())):
            assert told in (line, b"[" + line + b"]") or b'"error"' in told


@pytest.mark.parametrize("line", [b'{"id":1,"error":{"code":1}}', b'{"id":1,"result":[]}'])
def test_an_answer_that_is_no_list_goes_on(line: bytes) -> None:
    assert with_tools(line, hide("a")) is line


@pytest.mark.parametrize(
    ("capabilities", "declared", "after"),
    [
        ('{"tools":{}}', True, {"tools": {"listChanged": True}}),
        ('{"tools":{"listChanged":false},"x":1.0}', True, {"tools": {"listChanged": True}, "x": 1}),
        ('{"tools":{"listChanged":true}}', True, {"tools": {"listChanged": True}}),
        ('{"prompts":{}}', False, {"prompts": {}}),
        ("7", False, 7),
    ],
)
def test_an_opening_declares_that_tools_change(
    capabilities: str, declared: bool, after: object
) -> None:
    line = f'{{"id":1,"result":{{"capabilities":{capabilities},"k":1.50}}}}'.encode()
    told, says = declaring_changes(line)
    assert says is declared
    assert json.loads(told)["result"]["capabilities"] == after
    assert b'"k":1.50' in told
    assert declares_changes(told) is declared
