"""docs/import.md shows what an import really makes, and leaves no operator out."""

import re
from pathlib import Path

from mcpwall.importers.conditions import OPERATORS
from mcpwall.importers.read import read_policy
from mcpwall.store.config import load_text
from mcpwall.store.edit import add_rules
from tests.helpers.programs import ROOT

TEXT = (ROOT / "docs" / "import.md").read_text()


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return found


def test_the_example_is_the_published_one_and_becomes_what_the_page_says():
    published = Path(__file__).with_name("policylayer.json").read_text()
    assert re.sub(r"\s", "", block("json")) == re.sub(r"\s", "", published)
    found = read_policy(block("json"), "policylayer.json", "aws")
    assert add_rules(load_text("", "config.toml"), found.rules).text == block("toml")


def test_the_page_speaks_of_every_operator():
    assert [name for name in OPERATORS if f"`{name}`" not in TEXT] == []
