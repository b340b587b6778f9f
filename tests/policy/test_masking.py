from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwall.policy.masking import MARK, WALK_MAX, Marks, Mask, names_secret, unmasked
from mcpwall.policy.match import Names

KEY = b"k" * 32
MASK = Mask(key=KEY)
encode = msgspec.json.Encoder(order="deterministic").encode


def hide(arguments: Any, mask: Mask = MASK, schema: str = "") -> tuple[Any, Marks]:
    return mask.arguments(arguments, encode(arguments), schema=schema)


@pytest.mark.parametrize(
    "name",
    [
        *("password", "newPassword", "db_passwd", "token", "access-token", "API_KEY", "apiKey"),
        *("Authorization", "client_secret", "credentials", "private_key", "Set-Cookie"),
    ],
)
def test_p14_a_value_is_hidden_by_its_name(name: str) -> None:
    hidden, marks = hide({"deep": [{name: "plain words", "n": 5}]})
    mark = hidden["deep"][0][name]
    assert mark.startswith("⟨secret 11 chars, ")
    assert marks == {mark: "plain words"}
    assert hidden["deep"][0]["n"] == 5


@pytest.mark.parametrize(
    "name",
    [
        *("path", "max_tokens", "next_page_token", "keyboard", "secret_name", "tokenizer", "key"),
        *("password_policy", "author", "primary_key", ""),
    ],
)
def test_other_names_hide_nothing(name: str) -> None:
    arguments = {name: "plain words"}
    assert hide(arguments) == (arguments, {})
    assert not names_secret(name)


SECRETS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a" * 30,
    "glpat-" + "a" * 20,
    "sk-proj-" + "a1" * 20,
    "sk_live_" + "a1" * 12,
    "xoxb-1234567890-abcdef",
    "AIza" + "a" * 35,
    "npm_" + "a" * 36,
    "hf_" + "a" * 34,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-nature",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\ndef\n-----END OPENSSH PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\ncut off",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_p14_known_formats_are_hidden_inside_a_text(secret: str) -> None:
    text = f"before {secret}" if "cut off" in secret else f"before {secret} after"
    hidden, marks = hide({"body": [text]})
    assert secret not in str(hidden)
    assert hidden["body"][0].startswith(f"before {MARK}")
    assert unmasked(hidden, marks) == {"body": [text]}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("above", ["headers", "password"])
def test_p14_known_formats_are_hidden_in_names_too(secret: str, above: str) -> None:
    arguments = {secret: "x", above: {"by": [{secret: "plain words"}]}}
    hidden, marks = hide(arguments)
    assert secret not in str(hidden)
    assert unmasked(hidden, marks) == arguments


def test_p02_a_number_and_the_text_that_spells_it_are_put_back_as_what_they_were() -> None:
    arguments = {"password": "12345678", "token": 12345678, "secret": [1, "1", 1.0, "1.0"]}
    hidden, marks = hide(arguments)
    assert len(marks) == 6
    assert repr(unmasked(hidden, marks)) == repr(arguments)


@pytest.mark.parametrize("naming", ["name", "key", "variable", "header", "field"])
def test_p14_a_value_is_hidden_by_the_name_beside_it(naming: str) -> None:
    pairs = [
        {naming: "API_KEY", "value": "plain words", "n": 5},
        {naming: "editor", "value": "plain words"},
    ]
    hidden, marks = hide({**pairs[0], "env": pairs})
    (mark,) = marks
    shown = {naming: "API_KEY", "value": mark, "n": 5}
    assert hidden == {**shown, "env": [shown, pairs[1]]}
    assert unmasked(hidden, marks) == {**pairs[0], "env": pairs}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: token abcdef123456", "Authorization: token {}"),
        ('"authorization": "abcdef123456"', '"authorization": "{}"'),
        ("curl -H 'Authorization: Bearer abcdef123456' x", "curl -H 'Authorization: Bearer {}' x"),
        ("postgres://me:hunter2@db/x", "postgres://me:{}@db/x"),
        ("export API_KEY=abcdef123 && run", "export API_KEY={} && run"),
        ('{"password": "hunter22"}', '{{"password": "{}"}}'),
        ("https://x.example/?token=abcdef123&y=1", "https://x.example/?token={}&y=1"),
    ],
)
def test_what_follows_a_telling_word_is_hidden(text: str, kept: str) -> None:
    hidden, marks = hide({"command": text})
    (mark,) = marks
    assert hidden == {"command": kept.format(mark)}
    assert MASK.text(text) == kept.format(mark)


@pytest.mark.parametrize(
    "text",
    ["the password is changed", "a basic token", "key: value", "sk-short", "user@host", "a:b@"],
)
def test_plain_words_stay(text: str) -> None:
    assert hide({"body": text}) == ({"body": text}, {})


FORM = {"type": "string", "title": "Password", "description": "of your account", "minLength": 8}


def asked(properties: Any, **more: Any) -> Any:
    return {"message": "log in", "form": {"type": "object", "properties": properties, **more}}


def test_the_form_of_a_secret_that_is_asked_for_is_none() -> None:
    arguments = asked({"password": FORM, "user": {"type": "string"}}, required=["password"])
    assert hide(arguments, schema="form") == (arguments, {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("default", "hunter2"),
            ("const", "hunter2"),
            ("enum", ["hunter2"]),
            ("pattern", "hunter2"),
        ),
        *(
            ("oneOf", [{"const": "hunter2"}]),
            ("examples", ["hunter2"]),
            ("default", {"a": "hunter2"}),
        ),
        *(("type", "hunter2"), ("format", "hunter2"), ("type", ["hunter2"]), ("Title", "hunter2")),
        *(("title", ["hunter2"]), ("title", {"type": "hunter2"}), ("minLength", "hunter2")),
        *(("minLength", 1.5), ("minimum", 481516), ("default", 481516), ("x", "hunter2")),
        *(("properties", {"title": "hunter2"}), ("title", SECRETS[0]), ("description", SECRETS[1])),
    ],
)
def test_p14_what_a_form_says_of_the_value_of_a_secret_is_hidden(key: str, value: Any) -> None:
    hidden, marks = hide(asked({"password": {**FORM, key: value}}), schema="form")
    assert marks
    told = hidden["form"]["properties"]["password"]
    assert {name: told[name] for name in FORM if name != key} == {
        name: FORM[name] for name in FORM if name != key
    }
    text = encode(hidden).decode()
    assert not any(each in text for each in ("hunter2", "481516", "1.5", *SECRETS))


@pytest.mark.parametrize(
    ("arguments", "schema"),
    [
        (asked({"password": {"title": "hunter2"}}), ""),  # no argument is known to be a schema
        (asked({"password": {"title": "hunter2"}}), "other"),
        ({"form": [{"properties": {"password": {"title": "hunter2"}}}]}, "form"),
        ({"form": {"properties": [{"password": {"title": "hunter2"}}]}}, "form"),
        ({"form": {"inner": {"properties": {"password": {"title": "hunter2"}}}}}, "form"),
        ({"in": {"form": {"properties": {"password": {"title": "hunter2"}}}}}, "form"),
        ({"form": {"password": {"title": "hunter2"}}}, "form"),
        ({"": {"properties": {"password": {"title": "hunter2"}}}}, ""),
        (asked({"password": "hunter2"}), "form"),
        (asked({"password": ["hunter2"]}), "form"),
        (asked({"login": {"password": {"title": "hunter2"}}}), "form"),
        (asked({"a": {"type": "string"}}, password={"title": "hunter2"}), "form"),
        (asked({"a": {"name": "API_KEY", "value": "hunter2"}}), "form"),
    ],
)
def test_p14_what_only_looks_like_a_form_hides_its_secrets(arguments: Any, schema: str) -> None:
    hidden, marks = hide(arguments, schema=schema)
    assert set(marks.values()) == {"hunter2"}
    assert "hunter2" not in encode(hidden).decode()


@pytest.mark.parametrize("name", ["form", "properties"])
def test_p14_a_form_is_hidden_where_the_config_names_it(name: str) -> None:
    hidden, _ = hide(asked({"password": {"title": "hunter2"}}), Mask(names=[name]), "form")
    assert "hunter2" not in encode(hidden).decode()


def test_secrets_of_the_config_are_hidden_wherever_they_are() -> None:
    mask = Mask(key=KEY, values=['correct "horse" battery', "short"])
    hidden, marks = hide({"q": 'is it correct "horse" battery?', "s": "short"}, mask)
    assert hidden == {"q": f"is it {next(iter(marks))}?", "s": "short"}


def test_names_of_the_config_are_hidden_whatever_they_hold() -> None:
    hidden, _ = hide({"pin": 1234, "on": True, "none": None, "x": 1}, Mask(names=["pin", "o*"]))
    assert hidden["pin"].startswith(MARK)
    assert (hidden["on"], hidden["none"], hidden["x"]) == (True, None, 1)


@pytest.mark.parametrize(
    ("names", "looked_through"),
    [
        (["pin"], False),
        (["*_otp", "my[xyz]pin?"], False),
        (["?*"], True),
        (["[ab]*"], True),
        (["pin", "*"], True),
        (["!other"], True),
    ],
)
def test_names_of_the_config_cost_nothing_where_they_are_not(
    names: list[str], looked_through: bool
) -> None:
    mask = Mask(names=names)
    assert mask.may_hide(b'{"body":"plain"}') is looked_through
    for name in ("pin", "a_otp", "myxpin1", "b"):
        if Names(names).match(name):
            assert mask.arguments({name: "v"}, encode({name: "v"}))[1]


def test_equal_secrets_have_equal_marks_and_another_key_other_ones() -> None:
    one, two = (hide({"token": "t"}, Mask(key=key))[0]["token"] for key in (KEY, b"other"))
    assert one == hide({"a": {"token": "t"}})[0]["a"]["token"] != two
    assert MASK.digest("d") != Mask(key=b"other").digest("d") != "d"


@pytest.mark.parametrize(
    "secret",
    [
        "hR7kQ2vXz9LmT4bWcY8pN1sJdF5gA0eK/uVo3iBx",
        "q8Zr2LwX5tKd9VbN3yHc7JmP4sGf6TaEuR1oQiW0",
        "V2h5IGRvIHlvdSByZWFkIHRoaXMgdGV4dD8gR28gb24u",
    ],
)
def test_p14_what_looks_drawn_at_random_is_hidden(secret: str) -> None:
    arguments = {"note": f"use {secret} for it"}
    hidden, marks = Mask(key=b"k").arguments(arguments, msgspec.json.encode(arguments))
    assert list(marks.values()) == [secret]
    assert hidden["note"].startswith("use ⟨secret ")
    assert hidden["note"].endswith("⟩ for it")


@pytest.mark.parametrize(
    "text",
    [
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "550e8400-e29b-41d4-a716-446655440000",
        "/home/dev/Projects/Acme2024/src/Components/Button3.tsx",
        "getUserAccountInformationByEmailAddressV2",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "a_long_snake_case_name_of_something_2024_11_23",
    ],
)
def test_hashes_names_and_paths_are_not_drawn_at_random(text: str) -> None:
    arguments = {"note": f"see {text}"}
    assert Mask(key=b"k").arguments(arguments, msgspec.json.encode(arguments))[1] == {}


def test_p14_many_long_secrets_of_the_config_are_found() -> None:
    values = [f"{number:04}".join("-abcdefgh"[number % 8 :] * 300) for number in range(40)]
    mask = Mask(values=values, key=b"k")
    for value in values:
        arguments = {"note": f"see {value}!"}
        hidden, marks = mask.arguments(arguments, msgspec.json.encode(arguments))
        assert list(marks.values()) == [value]
        assert value not in str(hidden)
    assert not mask.may_hide(b'{"note":"see nothing"}')


def test_p14_more_names_than_can_be_looked_for_at_once_are_found_all_the_same() -> None:
    mask = Mask(names=[f"field{number:05}" + "x" * 200 for number in range(2_000)], key=b"k")
    arguments = {"field01999" + "x" * 200: "plain words"}
    _, marks = mask.arguments(arguments, msgspec.json.encode(arguments))
    assert list(marks.values()) == ["plain words"]


def test_secrets_can_be_kept() -> None:
    arguments = {"password": "x"}
    assert hide(arguments, Mask(on=False)) == (arguments, {})
    assert Mask(on=False).text(SECRETS[0]) == SECRETS[0]


def test_p13_what_is_too_large_to_look_through_is_hidden_whole() -> None:
    hidden, _ = hide({"token": "t", "body": "x" * WALK_MAX})
    (said,) = hidden
    assert said.endswith("bytes, not looked through for secrets⟩")
    plain = {"body": "x" * WALK_MAX}
    assert hide(plain)[0] is plain


json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([*SECRETS, "plain", "⟨"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("password", "body", "name", "value")), inner, max_size=3)
        | st.dictionaries(st.sampled_from((*SECRETS, "n")), inner, max_size=2)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(("api_key", "body", "x")), json, max_size=3))
def test_what_is_hidden_can_be_put_back_and_hiding_twice_changes_nothing(arguments: Any) -> None:
    hidden, marks = hide(arguments)
    assert unmasked(hidden, marks) == arguments
    assert not any(secret in str(hidden) for secret in SECRETS[:11])
    assert hide(hidden)[0] == hidden
