"""`mcpwall import`: what it writes, what it says, and what it refuses."""

import json
import tomllib
from pathlib import Path

import pytest

from mcpwall.cli import main
from mcpwall.store.config import load_text
from tests.helpers.programs import ROOT

PUBLISHED = ROOT / "tests" / "importers" / "policylayer.json"
MINE = """\
# my own rules

[[rules]]
id = "mine"   # stays
tool = "pay"
action = "ask"
# and so does this
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MCPWALL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def config(home):
    """The rules file, with rules of the person's own."""
    path = home / "home" / "config.toml"
    path.parent.mkdir(mode=0o700)
    path.write_text(MINE)
    path.chmod(0o600)
    return path


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main.run(["import", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_the_published_example_becomes_rules_with_comments(home, run):
    code, out, err = run(PUBLISHED, "--server", "aws")
    assert (code, err) == (0, "")
    path = home / "home" / "config.toml"
    lines = out.splitlines()
    assert [line.partition(":")[0] for line in lines[:-2]] == ["note"] * 3
    assert lines[-2] == f"{path}: 3 rules added"
    assert "asks in the app first: allow rule aws.allowed is new" in lines[-1]
    text = path.read_text()
    assert [rule.id for rule in load_text(text, "config.toml").rules] == [
        "aws.default",
        "aws.allowed",
        "aws.sam_local_invoke_rate",
    ]
    assert (
        "\n# tools.sam_local_invoke.limits of policylayer.json\n[[rules]]\n"
        'id = "aws.sam_local_invoke_rate"\n' in text
    )
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_the_person_wrote_stays(config, run):
    assert run(PUBLISHED, "--server", "aws")[0] == 0
    assert config.read_text().startswith(MINE)


def test_a_second_import_changes_nothing_and_says_so(config, run):
    run(PUBLISHED, "--server", "aws")
    before = config.read_text()
    code, out, _ = run(PUBLISHED, "--server", "aws")
    assert code == 0
    assert out.splitlines()[-1] == f"{config}: all 3 rules are there already; nothing was changed"
    assert config.read_text() == before


def test_the_same_policy_for_another_server_is_added_beside_it(config, run):
    run(PUBLISHED, "--server", "aws")
    code, out, _ = run(PUBLISHED, "--server", "aws-test")
    assert (code, "3 rules added" in out) == (0, True)


def test_a_dry_run_prints_toml_and_writes_nothing(home, config, run):
    code, out, err = run(PUBLISHED, "--server", "aws", "--dry-run")
    assert (code, err) == (0, "")
    assert config.read_text() == MINE
    assert len(load_text(out, "out").rules) == 3
    run(PUBLISHED, "--server", "aws")
    assert config.read_text().endswith(out[out.index("\n# default of") :])


def test_a_dry_run_without_a_config_makes_none(home, run):
    code, out, _ = run(PUBLISHED, "--dry-run")
    assert code == 0
    assert "# no --server was named" in out
    assert len(tomllib.loads(out)["rules"]) == 3
    assert not (home / "home").exists()


def test_yaml_is_read_by_its_name(home, run):
    (home / "p.yml").write_text('version: "1"\ndefault: deny\ntools: {look: {rules: []}}\n')
    code, out, _ = run(home / "p.yml", "--server", "s")
    assert (code, "2 rules added" in out) == (0, True)


def test_a_rule_that_was_changed_since_is_not_overwritten(config, run):
    run(PUBLISHED, "--server", "aws")
    changed = config.read_text().replace("max = 10", "max = 5")
    config.write_text(changed)
    code, out, err = run(PUBLISHED, "--server", "aws")
    assert (code, out) == (2, "")
    assert "a rule aws.sam_local_invoke_rate already, which says something else" in err
    assert config.read_text() == changed


def refused(run, config, *arguments):
    """The error of an import that must change nothing."""
    before = config.read_text()
    code, out, err = run(*arguments)
    assert (code, out, config.read_text()) == (2, "", before)
    assert err.startswith("mcpwall: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("p.json", "{", "this is not JSON"),
        ("p.json", json.dumps({"version": "1", "default": "deny", "tool": {}}), "did you mean"),
        ("p.json", json.dumps({"version": "1", "default": "allow"}), "--server NAME"),
        ("p.yaml", "a: &x 1\n", "line 1: anchors"),
        ("p.toml", "", "the name must end in .json (PolicyLayer) or .yaml (Intercept)"),
        ("p.json", "\x1b[2J", "this is not JSON"),
        ("p.json", " " * (1 << 20) + "{}", "is larger than 1024 KiB"),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(config, run, name, text, says):
    Path(name).write_text(text)
    err = refused(run, config, name)
    assert says in err
    assert "\x1b" not in err


def test_files_that_cannot_be_read(home, config, run):
    assert "No such file" in refused(run, config, home / "none.json")
    assert "Is a directory" in refused(run, config, home)
    (home / "p.json").write_bytes(b"\xff")
    assert "this is not UTF-8" in refused(run, config, home / "p.json")


def test_a_config_that_does_not_load_is_left_alone(config, run):
    config.write_text("[[rules]]\n")
    assert "config.toml:1: " in refused(run, config, PUBLISHED)


def test_rules_written_as_one_list_must_be_edited_by_hand(config, run):
    config.write_text('rules = [{ tool = "a", action = "deny" }]\n')
    assert "edited by hand" in refused(run, config, PUBLISHED)


def test_p17_a_config_that_others_may_write_is_left_alone(config, run):
    config.chmod(0o666)
    assert "others may write to it" in refused(run, config, PUBLISHED)


def test_p10_foreign_text_is_spelled_out(home, config, run):
    hostile = {"version": "1", "default": "deny", "tools": {"a\x1b]0;b\x07*": {}, "\u202e": {}}}
    (home / "p.json").write_text(json.dumps(hostile))
    for option in (["--dry-run"], []):
        code, out, _ = run(home / "p.json", "--server", "s\x9b", *option)
        assert code == 0
        assert out.replace("\n", "").isprintable()
    assert len(load_text(config.read_text(), "config.toml").rules) == 3
