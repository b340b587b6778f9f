"""The documents say what is so: tests they name exist, records they list are there."""

import re

import pytest

from mcpwall.cli.commands import COMMANDS
from mcpwall.tui.keys import ACTIONS
from tests.helpers.programs import ROOT

DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"])
PROMISES = re.findall(
    r"^\| P(\d+) \| .+ \| (.+) \|$", (ROOT / "docs" / "threat-model.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize(("number", "shown_in"), PROMISES)
def test_every_promise_is_shown_where_the_threat_model_says(number, shown_in) -> None:
    files = re.findall(r"`([^`]+)`", shown_in)
    assert files
    for file in files:
        assert f"def test_p{int(number):02}_" in (ROOT / file).read_text()


def test_the_threat_model_has_every_promise_that_tests_are_named_after() -> None:
    tests = [test.read_text() for test in ROOT.glob("tests/**/test_*.py")]
    shown = {int(number) for text in tests for number in re.findall(r"def test_p(\d+)_", text)}
    numbers = [int(number) for number, _ in PROMISES]
    assert numbers == sorted(numbers)
    assert set(numbers) == shown == set(range(1, 20))


def test_the_index_of_decisions_goes_by_their_numbers() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    numbers = re.findall(r"^\| \[(\d{4})\]", index, re.MULTILINE)
    assert numbers == sorted(set(numbers))


def test_every_decision_is_in_the_index_by_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    for record in sorted(folder.glob("[0-9]*.md")):
        number, title = re.match(r"# (\d{4}): (.+)\n", text := record.read_text()).groups()
        assert record.name.startswith(number)
        assert "**Status:** " in text
        assert f"| [{number}]({record.name}) | {title} |" in index


@pytest.mark.parametrize("document", DOCS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(document) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


MAPPED = ("engine", "policy", "protocol", "store", "transport", "transport/http")


@pytest.mark.parametrize("room", MAPPED)
def test_every_module_stands_on_the_map_of_its_room(room) -> None:
    folder = ROOT / "mcpwall" / room
    words = set(re.findall(r"\w+", (folder / "__init__.py").read_text()))
    names = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    families = {name for name in names if f"{name.split('_')[0]}_" in words}  # `port_…`
    lost = names - words - families
    assert lost == set(), f"say in {room}/__init__.py what they do"


README = (ROOT / "README.md").read_text()
KEYS = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`.+?`) \|", README, re.MULTILINE)))
MEANT = (
    *("app.calls", "app.review", "app.rules", "app.servers", "app.sessions", "app.audit"),
    "app.review",
    *("review.allow", "review.confirm", "review.deny", "review.deny_why"),
    *("review.edit", "review.reveal", "review.remember"),
    *("review.group", "calls.reason", "calls.rule", "calls.mark"),
    *("rules.new", "rules.edit", "rules.undo", "rules.editor"),
    *("servers.accept", "servers.block", "servers.hide", "servers.risk"),
    *("app.guard", "app.filter", "app.lockdown", "app.help", "app.detach", "app.stop"),
)


def test_the_readme_names_the_keys_that_the_app_has() -> None:
    keys = {action.id: action.keys for action in ACTIONS}
    assert [key for key, id_ in zip(KEYS, MEANT, strict=True) if key not in keys[id_]] == []


def test_the_readme_names_commands_that_there_are() -> None:
    named = set(re.findall(r"^mcpwall (\w+)", README, re.MULTILINE))
    assert len(named) > 5
    assert named <= set(COMMANDS)
