"""The modules that a release compiles hold nothing that the compiler would read another way.

mypyc drops the keywords of a class (`frozen`, `gc`, `rename` of a Struct), knows no asynchronous
generators and no lone surrogates in texts, may work out the bound of a slice twice, and may leave
an attribute unset that has a default: where that is None, or in a class of a builtin's.
"""

import ast
import importlib.util
import os
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOOKS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
LISTED = [path.removeprefix("/") for path in HOOKS["wheel"]["hooks"]["mypyc"]["include"]]
COMPILED = "MCPWALL_TEST_COMPILED" in os.environ
HARMLESS = {"len"}


def reason(node: ast.AST) -> str:
    """What compiled code would do differently here, '' for nothing."""
    if isinstance(node, ast.Slice):
        bounds = [bound for bound in (node.lower, node.upper, node.step) if bound]
        calls = [n for bound in bounds for n in ast.walk(bound) if isinstance(n, ast.Call)]
        if any(ast.unparse(call.func) not in HARMLESS for call in calls):
            return "a call in the bound of a slice"
    if isinstance(node, ast.ClassDef) and node.keywords:
        return "a class with keywords"
    if isinstance(node, ast.ClassDef) and any("Struct" in ast.unparse(n) for n in node.bases):
        return "a Struct"
    if isinstance(node, ast.ClassDef) and any(map(_is_none, _defaults(node))):
        return "an attribute that is None by default"
    if isinstance(node, ast.ClassDef) and _defaults(node) and _is_builtin(node):
        return "an attribute with a default in a class of a builtin's"
    if isinstance(node, ast.AsyncFunctionDef) and any(
        isinstance(n, ast.Yield) for n in ast.walk(node)
    ):
        return "an asynchronous generator"
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return "a lone surrogate" if any(0xD800 <= ord(char) <= 0xDFFF for char in text) else ""


def _defaults(node: ast.ClassDef) -> list[ast.expr]:
    """What attributes are by default; __slots__ is none."""
    made = [each for each in node.body if isinstance(each, ast.Assign | ast.AnnAssign)]
    return [each.value for each in made if each.value and "__slots__" not in ast.unparse(each)]


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_builtin(node: ast.ClassDef) -> bool:
    bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
    return any(base in {"dict", "list", "set", "str", "int", "bytes"} for base in bases)


def unsound(text: str) -> list[str]:
    """The places in a module where compiled code would do something else."""
    return [
        f"line {getattr(node, 'lineno', '?')}: {why}"
        for node in ast.walk(ast.parse(text))
        if (why := reason(node))
    ]


@pytest.mark.parametrize("path", LISTED)
def test_what_is_compiled_means_the_same_as_python(path):
    assert unsound((ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "data = data[end.write(data):]",
        "class Row(Struct): pass",
        "class Row(Base, frozen=True): pass",
        "async def feed():\n    yield 1",
        'LOW = "\\ud800"',
        "class Row:\n    id: str | int | None = None",
        "class Row(dict[str, int]):\n    size = 0",
    ],
)
def test_the_check_sees_what_it_looks_for(text):
    assert unsound(text)


@pytest.mark.parametrize("path", LISTED)
def test_the_tests_run_the_modules_that_they_are_meant_to(path):
    name = path.removesuffix(".py").replace("/", ".")
    origin = importlib.util.find_spec(name).origin
    assert origin.endswith(".so") == COMPILED, f"{origin}: left over from another build?"
