"""The documents say what is so: tests they name exist, records they list are there."""

import re

import pytest

from tests.helpers.programs import ROOT

DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"])
TEST_SOURCES = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))


def test_every_test_that_the_threat_model_names_exists() -> None:
    named = set(re.findall(r"test_p\d\d_\w+", (ROOT / "docs" / "threat-model.md").read_text()))
    assert named
    assert [name for name in sorted(named) if f"def {name}(" not in TEST_SOURCES] == []


def test_every_decision_is_in_the_index_by_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    for record in sorted(folder.glob("[0-9]*.md")):
        number, title = re.match(r"# (\d{4})(?::|\.| —| -)? (.+)\n", record.read_text()).groups()
        assert record.name.startswith(number)
        assert f"| [{number}]({record.name}) | {title} |" in index


@pytest.mark.parametrize("document", DOCS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(document) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []
