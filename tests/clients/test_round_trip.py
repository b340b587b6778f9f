"""Every agent's file: routed, still readable by the agent, and put back byte for byte."""

from __future__ import annotations

import copy

import pytest

from mcpwall.clients import document, plan, undo
from mcpwall.clients.agents import AGENTS
from mcpwall.clients.survey import survey
from tests.clients.machine import FILES, SECRET, WALL, install, own_reading, places

AT = "2026-11-23T08:00:00Z"


@pytest.fixture(params=sorted(FILES))
def found(request, tmp_path):
    """One agent's file, found where that agent keeps it."""
    at = places(tmp_path)
    install(request.param, at)
    (one,) = survey(at)
    assert one.agent.id == request.param
    return one


def routings(found):
    """All entries that can be routed, under names of their own."""
    good = [entry for entry in found.entries if not entry.why_not]
    assert good
    return [plan.Routing(entry, f"s{number}") for number, entry in enumerate(good)]


def routed(found, wall=WALL, timeout_s=0):
    wanted = [plan.Routing(r.entry, r.server, timeout_s) for r in routings(found)]
    return plan.change(found.document, wanted, wall, AT)


def servers(agent, data):
    """The servers in plain data, by name, as the agent would find them."""
    if agent == "claude-code":
        local = data["projects"]["/home/dev/acme"]["mcpServers"]
        return {**data["mcpServers"], **{f"local:{name}": one for name, one in local.items()}}
    key = {"codex": "mcp_servers", "vscode": "servers", "zed": "context_servers"}.get(agent)
    key = key or {"opencode": "mcp", "goose": "extensions"}.get(agent, "mcpServers")
    found = data[key]
    return {one["name"]: one for one in found} if isinstance(found, list) else found


def started(agent, server):
    """The words that an agent would start, by its own documentation."""
    if agent == "opencode":
        assert server["type"] == "local"
        return server["command"]
    if agent == "goose":
        assert server["type"] == "stdio"
        return [server["cmd"], *server["args"]]
    if isinstance(server["command"], dict):
        return [server["command"]["path"], *server["command"]["args"]]
    assert server.get("type", "stdio") in ("stdio", "local")
    return [server["command"], *server.get("args", [])]


def test_the_agent_starts_the_wall_with_the_very_command_that_was_there(found):
    before = servers(found.agent.id, own_reading(found.place.file))
    change = routed(found)
    document.write(change.after, change.before)
    after = servers(found.agent.id, own_reading(found.place.file))
    assert before.keys() == after.keys()
    names = {r.entry.name: r for r in routings(found)}
    for name, server in after.items():
        routing = names.get(name.removeprefix("local:"))
        if routing is None:
            assert server == before[name]  # what cannot be routed is left alone
            continue
        lead = [*WALL, "stdio", routing.server]
        if routing.entry.url:
            assert started(found.agent.id, server) == lead
            assert not server.keys() & {"url", "httpUrl", "serverUrl", "uri", "headers"}
        else:
            own = started(found.agent.id, before[name])
            assert started(found.agent.id, server) == [*lead, "--", *own]
        kept = before[name].keys() - {"command", "cmd", "args", "type", "url", "uri", "headers"}
        kept -= {"httpUrl", "serverUrl", "bearer_token_env_var"}
        assert {key: server[key] for key in kept} == {key: before[name][key] for key in kept}


def test_everything_else_of_the_file_says_the_same(found):
    before = own_reading(found.place.file)
    change = routed(found)
    document.write(change.after, change.before)
    after = copy.deepcopy(own_reading(found.place.file))
    for data in (before, after):
        servers(found.agent.id, data).clear()
        if found.agent.id == "claude-code":
            data["mcpServers"].clear()
            data["projects"]["/home/dev/acme"]["mcpServers"].clear()
        elif found.agent.id == "continue":
            data["mcpServers"].clear()
    assert before == after


def test_what_is_put_back_is_the_same_byte_for_byte(found):
    file = found.place.file
    original = FILES[found.agent.id].read_bytes()
    change = routed(found)
    document.write(change.after, change.before)
    assert file.read_bytes() != original
    now = document.read(file)
    back, outcomes = undo.put_back(now, change.records)
    document.write(back, now)
    assert file.read_bytes() == original
    assert {outcome.how for outcome in outcomes} == {undo.How.RESTORED}


def test_only_lines_of_routed_entries_change(found):
    diff = routed(found).before.diff(routed(found).after, "x").splitlines()
    gone = [line[1:] for line in diff if line.startswith("-") and not line.startswith("---")]
    old = found.document.text.splitlines()
    assert all(line in old for line in gone)
    assert len(gone) <= 5 * len(routings(found))


def test_no_secret_is_kept_elsewhere(found):
    change = routed(found)
    assert not any(SECRET in repr(record) for record in change.records)


def test_twice_changes_nothing(found):
    change = routed(found)
    document.write(change.after, change.before)
    again = document.read(found.place.file)
    for routing in routings(found):
        entry = routing.entry
        now = next(
            e
            for e in type(found)(found.agent, found.place, again).entries
            if (e.keys, e.name) == (entry.keys, entry.name)
        )
        assert now.routed
        assert now.routed.name == routing.server
        assert now.command == entry.words


def test_a_longer_time_out_goes_with_it_and_is_taken_back(found):
    change = routed(found, timeout_s=900)
    back, _ = undo.put_back(change.after, change.records)
    assert back.whole == found.document.whole
    if found.agent.timeout is not None:
        assert f"{900 * found.agent.timeout.unit}" in change.after.text


def test_a_wall_of_its_own_home_is_told_where_it_is(found):
    change = routed(found, ("/usr/bin/env", "MCPWALL_HOME=/w", *WALL))
    back, _ = undo.put_back(change.after, change.records)
    assert back.whole == found.document.whole


# --- a person's edits in between ----------------------------------------------------------------


def edited(found, change, old, new):
    text = change.after.text
    assert text.count(old) == 1
    now = change.after.changed(text.replace(old, new))
    return undo.put_back(now, change.records)


def test_an_edit_outside_of_the_entries_survives(found):
    change = routed(found)
    name = {".toml": "# note\n", ".yaml": "# note\n"}.get(found.document.path.suffix, "\n")
    now = change.after.changed(name + change.after.text)
    back, outcomes = undo.put_back(now, change.records)
    assert back.text == name + found.document.text
    assert {outcome.how for outcome in outcomes} == {undo.How.RESTORED}


@pytest.mark.parametrize("found", ["claude-code"], indirect=True)
def test_an_edit_of_the_environment_survives(found):
    back, outcomes = edited(found, routed(found), '"canary-secret-1"', '"changed"')
    assert back.text == found.document.text.replace('"canary-secret-1"', '"changed"')
    hows = {outcome.record.name: outcome.how for outcome in outcomes}
    assert hows.pop("filesystem") == undo.How.UNWRAPPED
    assert set(hows.values()) == {undo.How.RESTORED}


@pytest.mark.parametrize("found", ["codex", "goose", "opencode", "cursor"], indirect=True)
def test_an_entry_that_was_written_anew_is_unwrapped_by_its_meaning(found):
    change = routed(found)
    text = change.after.text
    for record in change.records:
        for piece in record.pieces:
            if "stdio" in piece.after:  # as another program would write the same strings
                text = text.replace(piece.after, piece.after.replace(", ", " ,  "))
                text = text.replace(f'"{record.server}"', f"'{record.server}'")
    if found.document.path.suffix in (".json", ".jsonc"):
        text = text.replace("'", '"')
    now = change.after.changed(text)
    back, outcomes = undo.put_back(now, change.records)
    stdio = {r.server: r.entry for r in routings(found) if r.entry.words}
    for outcome in outcomes:
        if outcome.record.server in stdio:
            assert outcome.how in (undo.How.UNWRAPPED, undo.How.RESTORED)
    again = type(found)(found.agent, found.place, back)
    words = {entry.name: entry.words for entry in again.entries}
    assert all(words[entry.name] == entry.words for entry in stdio.values())


@pytest.mark.parametrize("found", ["gemini"], indirect=True)
def test_what_the_person_took_out_or_routed_away_stays_so(found):
    change = routed(found)
    text = change.after.text
    start, end = text.index('"noArgs"'), text.index("}", text.index('"noArgs"'))
    now = change.after.changed(text[:start] + '"mine": {"command": "x"' + text[end:])
    back, outcomes = undo.put_back(now, change.records)
    hows = {outcome.record.name: outcome.how for outcome in outcomes}
    assert hows["noArgs"] == undo.How.GONE
    assert '"mine": {"command": "x"}' in back.text


def test_every_agent_is_found_on_every_platform(tmp_path):
    for platform in ("linux", "darwin", "win32"):
        at = places(tmp_path / platform, platform)
        for agent in AGENTS:
            install(agent.id, at)
        assert [one.agent.id for one in survey(at)] == [agent.id for agent in AGENTS]
