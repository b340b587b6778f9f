"""Where things live, as an app in a terminal and a shim that an agent started must both see it."""

import pytest

from mcpwall import home


@pytest.fixture(autouse=True)
def person(monkeypatch):
    monkeypatch.delenv("MCPWALL_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/dev")


def test_the_socket_is_where_an_agent_that_keeps_few_variables_finds_it_too(monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    in_a_terminal = home.socket_file()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert home.socket_file() == in_a_terminal


def test_the_socket_is_in_the_state_directory_that_is_the_users_alone():
    assert home.socket_file() == f"{home.state_dir()}/engine.sock"


def test_all_is_under_the_home_that_is_asked_for(monkeypatch):
    monkeypatch.setenv("MCPWALL_HOME", "/w")
    places = (home.config_file(), home.audit_file(), home.socket_file())
    assert places == ("/w/config.toml", "/w/state/audit.db", "/w/state/engine.sock")


def test_a_socket_path_that_no_system_takes_is_named(monkeypatch):
    monkeypatch.setenv("MCPWALL_HOME", "/" + "w" * 120)
    with pytest.raises(ValueError, match="set MCPWALL_HOME to a shorter directory"):
        home.socket_file()
