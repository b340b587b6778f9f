import pytest

from mcpwall.store.config import ConfigError, load_text
from mcpwall.store.config_file import loosens
from mcpwall.store.shared.address import Kind, StoreUrlError, address


@pytest.mark.parametrize(
    ("url", "kind", "name"),
    [
        ("redis://h", Kind.REDIS, "redis://h"),
        ("rediss://u:canary@h:1/2?x=canary", Kind.REDIS, "rediss://h:1/2"),
        ("valkey://:canary@h:6379/0", Kind.REDIS, "valkey://h:6379/0"),
        ("postgresql://u:canary@[::1]:5/db?password=canary", Kind.POSTGRES, "postgresql://[::1]:5/db"),
    ],
)  # fmt: skip
def test_p14_a_store_is_called_by_a_name_without_secrets(url: str, kind: Kind, name: str) -> None:
    found = address(url)
    assert (found.kind, found.name) == (kind, name)
    assert "canary" not in repr(found)


def test_p14_what_a_driver_says_is_cleaned() -> None:
    found = address("postgresql://me:can%40ary@h/db?sslmode=no")
    said = f'bad URI "{found.url}":\n  password can@ary, can%40ary; sslmode=no'
    cleaned = found.clean(said)
    assert "ary" not in cleaned
    assert "\n" not in cleaned


def test_valkey_is_reached_as_redis_is() -> None:
    assert address("valkey://h/1").url == "redis://h/1"


@pytest.mark.parametrize("url", ["", "http://h", "redis:///0", "redis://h:x", "redis://[h", "h:1"])
def test_what_leads_to_no_store_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(StoreUrlError) as error:
        address(url)
    assert not url or url not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        '[store]\nurl = "http://h"',
        "[store]",
        "[store]\nurl = 5",
        '[store]\nurl = "redis://h"\nkind = "redis"',
        'store = "redis://h"',
        '[store]\nurl = "redis://$h"',
        '[store]\nurl = "${env:TEAM_STORE}"',
    ],
)
def test_a_wrong_setting_is_an_error_with_a_line(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_text(text, "config.toml")
    assert str(error.value).startswith(("config.toml:1", "config.toml:2", "config.toml:3"))


def test_a_setting_may_refer_to_what_an_engine_gets() -> None:
    for url in ("${env:MCPWALL_STORE}", "redis://u:${keyring:mcpwall/store}@h", "redis://h"):
        assert load_text(f'[store]\nurl = "{url}"', "config.toml").store


def test_a_project_cannot_name_a_store() -> None:
    with pytest.raises(ConfigError, match="unknown key 'store'"):
        load_text('[store]\nurl = "redis://h"', ".mcpwall.toml", project=True)


def test_p14_a_password_in_a_config_is_not_in_its_repr() -> None:
    config = load_text('[store]\nurl = "redis://:canary@h"', "config.toml")
    assert "canary" not in repr(config)


def test_another_store_loosens_and_the_first_does_not() -> None:
    none = load_text("", "config.toml")
    one, two = (load_text(f'[store]\nurl = "redis://{h}"', "config.toml") for h in "ab")
    assert loosens(none, one) == loosens(one, one) == ()
    assert loosens(one, two) == ("calls would be counted in another shared store",)
    assert loosens(one, none) == (
        "calls would no longer be counted together with those of other walls",
    )
