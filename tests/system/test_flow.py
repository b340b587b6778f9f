"""What one agent does over several servers, with real processes: leaks, secrets, and the record."""

from __future__ import annotations

import json
from pathlib import Path

from tests.helpers.programs import mcpwall
from tests.system.conftest import OPEN_RULES
from tests.system.processes import kill_engine

LEAK = '\n[[rules]]\nafter = { reads = "secrets" }\nreach = "net"\naction = "deny"\n'
CANARY = "canary-5e1d7c"
TOKEN = "ghp_" + "c4naRy" * 6
TOOLS = [
    {"name": "read_secret", "inputSchema": {"type": "object"}},
    {"name": "fetch", "inputSchema": {"type": "object", "properties": {"url": {}}}},
    {"name": "login", "inputSchema": {"type": "object", "properties": {"password": {}}}},
]


def tools(path: Path) -> Path:
    path.write_text(json.dumps(TOOLS))
    return path


def said(response) -> str:
    return response["result"]["content"][0]["text"]


def test_one_line_stops_a_secret_on_its_way_to_the_net(home, agent, rules, tmp_path):
    rules(OPEN_RULES + LEAK)
    log, listed = tmp_path / "log", tools(tmp_path / "tools.json")
    with agent(server="notes", tools=listed) as notes, agent(server="web", tools=listed) as web:
        notes.open()
        web.open()
        assert "isError" not in web.call("fetch", {"url": "https://a.example"})["result"]
        notes.call("read_secret")
        refused = web.call("fetch", {"url": "https://b.example"})
        assert "because notes.read_secret was called" in said(refused)
        kill_engine(home)
        with agent(server="web", tools=listed, log=log) as again:
            again.open()
            assert "in call 2" in said(again.call("fetch", {"url": "https://c.example"}))
        assert b"c.example" not in log.read_bytes()
    assert mcpwall(home, "replay").splitlines()[-1] == "4 verdicts made again: 0 differ"


def test_p14_a_secret_is_in_no_file_and_in_no_output(home, agent, rules, tmp_path):
    rules(OPEN_RULES)
    log, listed = tmp_path / "log", tools(tmp_path / "tools.json")
    with agent(server="web", tools=listed, log=log, stderr=f"token={CANARY}") as client:
        client.open()
        client.call("login", {"password": CANARY})
        client.call("fetch", {"url": f"https://me:{CANARY}@host/?token={TOKEN}"})
        client.request("resources/read", {"uri": f"https://host/?api_key={CANARY}"})
        assert CANARY.encode() in log.read_bytes()  # the server got it
        outputs = [mcpwall(home, "log", "--json"), mcpwall(home, "log"), mcpwall(home, "status")]
        files = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert outputs[0].count("secret 13 chars") >= 3
    assert any(b"token=" in data for data in files.values())
    found = [path.name for path, data in files.items() if CANARY.encode() in data]
    found += [path.name for path, data in files.items() if TOKEN.encode() in data]
    assert found == []
    assert not any(CANARY in output or TOKEN in output for output in outputs)
    counts = json.loads(mcpwall(home, "replay", "--json").splitlines()[-1])
    assert counts == {"same": 3, "differ": 0, "missing": {}}  # no rule looks at arguments
