"""Arguments against a tool's schema, within bounds whatever the schema says."""

from __future__ import annotations

import pytest

from mcpwall.engine.schema import PROBLEMS_MAX, SchemaUnusableError, problems

DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    ("schema", "arguments", "expected"),
    [
        ({}, {"a": 1}, []),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1}, []),
        ({"properties": {"a": {"type": "integer"}}}, {"a": "x"}, ["a: 'x' is not of type"]),
        ({"required": ["a"]}, {}, ["the arguments: 'a' is a required property"]),
        ({"properties": {"a": {"enum": [1, 2]}}}, {"a": 3}, ["a: 3 is not one of [1, 2]"]),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1}, ["no argument 'b'"]),
        ({"additionalProperties": {"type": "string"}}, {"b": 1}, ["b: 1 is not of type 'string'"]),
        ({"patternProperties": {"^x": {"type": "string"}}}, {"x1": 1}, ["x1: 1 is not of type"]),
        (
            {"patternProperties": {"^x": {}}, "additionalProperties": False},
            {"x1": 1, "y": 2},
            ["no argument 'y'"],
        ),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [{}, {}]}, ["a: has the same item"]),
        ({"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "null"}}},
         {"a": 1}, ["a: 1 is not of type 'null'"]),
        ({"$schema": DRAFT_7, "properties": {"a": {"exclusiveMinimum": 0}}}, {"a": 0}, ["a: 0"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(schema, arguments, expected):
    found = problems(schema, arguments)
    assert len(found) == len(expected)
    for problem, words in zip(found, expected, strict=True):
        assert words in problem


def test_not_more_is_said_than_a_person_can_read():
    schema = {"additionalProperties": False}
    found = problems(schema, {f"a{n}" * 200: n for n in range(50)})
    assert len(found) == PROBLEMS_MAX
    assert all(len(problem) <= 300 for problem in found)


@pytest.mark.parametrize("dialect", [{}, {"$schema": DRAFT_7}], ids=["", "other dialect below"])
def test_p13_a_pattern_made_to_backtrack_takes_no_time(dialect):
    part = {**dialect, "pattern": "(a+)+$"}
    assert len(problems({"properties": {"a": part}}, {"a": "a" * 5_000 + "b"})) == 1


BRANCHES = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n - 1}"}] * 2} for n in range(1, 60)}


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"pattern": "(?=x)"}}},
        {"properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}},
        {"$ref": "#"},
        {"$ref": "#/$defs/d59", "$defs": {"d0": {"type": "object"}, **BRANCHES}},
        {"properties": {"a": {"type": 5}}},
        {"properties": 5},
        {"unevaluatedProperties": False},
        {"properties": {"a": {"minLength": "x"}}},
    ],
    ids=["look-ahead", "remote", "circle", "exponential", "type", "properties", "open", "length"],
)
def test_p13_a_schema_that_cannot_be_checked_in_bounds_passes_nothing(schema):
    with pytest.raises(SchemaUnusableError):
        problems(schema, {"a": "s"})
