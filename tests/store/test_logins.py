import os
import stat
from pathlib import Path

import pytest

from mcpwall.store import keyrings
from mcpwall.store.logins import Login, Logins, LoginStoreError

LOGIN = Login(
    url="https://mcp.example.com/mcp",
    access_token="canary-access",
    token_endpoint="https://auth.example.com/token",
    client_id="id-1",
    refresh_token="canary-refresh",
    ends_ms=1_000,
    client_secret="canary-secret",
)


class Ring:
    """A keyring in memory; `fault` is raised by each use of it."""

    priority = 5

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.fault: Exception | None = None

    def get_keyring(self):
        return self

    def get_password(self, *entry):
        self._fail()
        return self.entries.get(entry)

    def set_password(self, service, user, value):
        self._fail()
        self.entries[service, user] = value

    def delete_password(self, *entry):
        del self.entries[entry]

    def _fail(self) -> None:
        if self.fault:
            raise self.fault


@pytest.fixture
def ring(monkeypatch) -> Ring:
    made = Ring()
    monkeypatch.setattr(keyrings, "_keyring", lambda: made)
    return made


@pytest.fixture
def no_ring(ring) -> None:
    ring.priority = 0.5  # a backend that keeps plain text


@pytest.fixture
def logins(tmp_path) -> Logins:
    return Logins(str(tmp_path / "logins"))


def test_nobody_has_logged_in(logins, no_ring) -> None:
    assert logins.load("shop") is None
    logins.forget("shop")


def test_p17_without_a_keyring_a_login_is_in_a_file_that_only_the_user_can_read(
    logins, no_ring, tmp_path
) -> None:
    place = logins.save("shop", LOGIN)
    assert place == str(tmp_path / "logins" / "shop.json")
    assert stat.S_IMODE(Path(place).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "logins").stat().st_mode) == 0o700
    assert logins.load("shop") == LOGIN
    assert logins.load("Shop") is None
    logins.forget("shop")
    assert logins.load("shop") is None
    assert list((tmp_path / "logins").iterdir()) == []


def test_with_a_keyring_it_is_in_no_file(logins, ring, tmp_path) -> None:
    assert logins.save("shop", LOGIN) == "the keyring"
    assert not (tmp_path / "logins").exists()
    assert logins.load("shop") == LOGIN
    assert Logins(str(tmp_path / "another wall")).load("shop") is None
    logins.forget("shop")
    assert logins.load("shop") is None
    assert ring.entries == {}


def test_a_keyring_that_comes_later_takes_over_from_the_file(logins, ring, tmp_path) -> None:
    ring.priority = 0
    logins.save("shop", LOGIN)
    ring.priority = 5
    assert logins.load("shop") == LOGIN
    logins.save("shop", LOGIN)
    assert list((tmp_path / "logins").iterdir()) == []
    assert logins.load("shop") == LOGIN


def test_a_keyring_that_is_locked_leaves_it_to_the_file(logins, ring, tmp_path) -> None:
    ring.fault = RuntimeError("canary")
    assert logins.save("shop", LOGIN) == str(tmp_path / "logins" / "shop.json")
    assert logins.load("shop") == LOGIN
    with pytest.raises(LoginStoreError) as caught:
        logins.load("other")
    assert "the keyring cannot be used (RuntimeError)" in str(caught.value)


def test_p14_a_login_shows_none_of_its_secrets() -> None:
    assert f"{LOGIN} {LOGIN!r} {LOGIN.__rich_repr__()}".count("canary") == 0


def spoil_mode(file) -> None:
    file.chmod(0o622)


def spoil_directory(file) -> None:
    file.parent.chmod(0o755)


def spoil_content(file) -> None:
    file.write_text('{"canary": 1')


def spoil_coding(file) -> None:
    file.write_bytes(b"\xff")


def spoil_link(file) -> None:
    os.link(file, file.with_name("second"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_mode, "others may write to it (mode 0622); run: chmod go-w"),
        (spoil_directory, "others may look into it (mode 0755); run: chmod 700"),
        (spoil_content, "the login at shop is damaged; run `mcpwall login shop`"),
        (spoil_coding, "is not UTF-8"),
        (spoil_link, "has 2 names (hard links)"),
    ],
)
def test_p17_a_file_that_cannot_be_trusted_is_not_used(
    logins, no_ring, tmp_path, spoil, says
) -> None:
    logins.save("shop", LOGIN)
    spoil(tmp_path / "logins" / "shop.json")
    with pytest.raises(LoginStoreError) as caught:
        logins.load("shop")
    assert says in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_login_that_cannot_be_kept_says_so(tmp_path, no_ring) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LoginStoreError):
        Logins(str(tmp_path / "file" / "logins")).save("shop", LOGIN)
