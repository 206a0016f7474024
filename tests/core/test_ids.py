"""Names of accounts, conversations and their keys: rules I1-I3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.core.errors import Code, Refused
from recents.core.ids import (
    Conversation,
    ConversationKey,
    Kind,
    check_conversation,
    check_display_name,
    check_encodable,
    check_id,
    is_p2p,
    key_of,
    kind_of,
    named_by,
    p2p,
    parties_of,
    super_team,
    team,
)

IDS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, blacklist_characters=":|/#"),
    min_size=1,
    max_size=63,
)

NO_IDS = {
    "empty": "",
    "64 bytes": "x" * 64,
    "a blank": "a b",
    "a colon": "a:b",
    "a bar": "a|b",
    "a slash": "a/b",
    "a hash": "a#b",
    "a colon first": ":a",
    "a hash last": "a#",
    "a newline last": "a\n",
    "a newline": "\n",
    "a tab": "a\tb",
    "NUL": "a\x00",
    "DEL": "a\x7f",
    "an umlaut": "jürgen",
    "a wide letter": "\uff41",  # its width aside an "a"
    "an emoji": "👋",
}


@pytest.mark.parametrize("text", ["a", "Bob", "x" * 63, "!", "~", "a.b-c_d@e+f", "0", "@all"])
def test_i1_an_id_is_printable_ascii(text: str) -> None:
    assert check_id(text) == text


@pytest.mark.parametrize("text", NO_IDS.values(), ids=NO_IDS)
def test_i1_anything_else_is_refused_when_it_is_made(text: str) -> None:
    for make in (check_id, p2p, team, super_team):
        with pytest.raises(Refused) as refused:
            make(text)
        assert refused.value.code is Code.BAD_VALUE


def test_i1_the_refusal_says_which_id_and_quotes_a_part_of_it() -> None:
    with pytest.raises(Refused, match=r"^'a b' is not a valid account id: use 1 to 63"):
        p2p("a b")
    with pytest.raises(Refused, match=r"is not a valid team id"):
        team("a b")
    with pytest.raises(Refused, match=r"is not a valid team id"):
        super_team("a b")
    with pytest.raises(Refused) as refused:
        check_id("y" * 1_000)
    assert str(refused.value).count("y") < 100


def test_i1_ids_differ_by_case() -> None:
    assert p2p("Bob") != p2p("bob")
    assert key_of("ann", p2p("Bob")) != key_of("ann", p2p("bob"))


def test_i1_a_display_name_is_any_text_of_128_characters() -> None:
    for name in ("", "Zoë :|/#", "三" * 128, "👋" * 128):
        assert check_display_name(name) == name
    with pytest.raises(Refused, match=r"129 characters; use at most 128") as refused:
        check_display_name("三" * 129)
    assert refused.value.code is Code.BAD_VALUE


def test_i1_text_that_utf_8_cannot_carry_is_refused() -> None:
    check_encodable("plain", "name")
    check_encodable("👋 is a whole pair", "name")
    with pytest.raises(Refused, match="character 2 of the name is half a surrogate") as refused:
        check_encodable("hi\ud83d", "name")
    assert refused.value.code is Code.BAD_VALUE
    with pytest.raises(Refused, match="half a surrogate pair"):
        check_display_name("\udc00")


def test_i2_both_sides_have_the_same_key_in_byte_order() -> None:
    assert key_of("alice", p2p("bob")) == "p2p:alice|bob"
    assert key_of("bob", p2p("alice")) == "p2p:alice|bob"
    assert key_of("bob", p2p("Zoe")) == "p2p:Zoe|bob", "capitals come first, byte by byte"
    assert key_of("a", p2p("a!")) == "p2p:a|a!", "the shorter of two comes first"


def test_i2_notes_to_oneself_have_a_key() -> None:
    assert key_of("ann", p2p("ann")) == "p2p:ann|ann"
    assert parties_of(ConversationKey("p2p:ann|ann")) == ("ann", "ann")
    assert named_by("ann", ConversationKey("p2p:ann|ann")) == "p2p:ann"


def test_i2_an_account_names_a_conversation_by_the_peer() -> None:
    key = ConversationKey("p2p:alice|bob")
    assert parties_of(key) == ("alice", "bob")
    assert named_by("alice", key) == "p2p:bob"
    assert named_by("bob", key) == "p2p:alice"


@given(IDS, IDS)
def test_i2_name_and_key_lead_to_each_other(one: str, other: str) -> None:
    key = key_of(one, p2p(other))
    assert key == key_of(other, p2p(one))
    assert set(parties_of(key)) == {one, other}
    assert named_by(one, key) == p2p(other)
    assert named_by(other, key) == p2p(one)


def test_i2_the_key_of_a_team_is_its_name() -> None:
    for name in (team("t1"), super_team("big")):
        assert key_of("ann", name) == ConversationKey(name)
        assert named_by("ann", key_of("ann", name)) == name


def test_i3_there_are_three_kinds() -> None:
    assert list(Kind) == ["p2p", "team", "super_team"]
    assert [kind_of(name) for name in (p2p("b"), team("t"), super_team("s"))] == list(Kind)
    assert kind_of(ConversationKey("p2p:a|b")) is Kind.P2P
    assert is_p2p(p2p("team"))
    assert not is_p2p(team("p2p"))
    assert not is_p2p(super_team("p2p"))


@pytest.mark.parametrize("text", ["p2p:bob", "team:t1", "super_team:big", "p2p:" + "x" * 63])
def test_a_conversation_is_a_kind_and_an_id(text: str) -> None:
    assert check_conversation(text) == Conversation(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "bob", "p2p:", ":bob", "P2P:bob", "channel:c", " p2p:bob", "p2p: bob", "p2p:bob\n"),
        *("p2p:a|b", "p2p:a:b", "team:a/b", "team:a#b", "team:jürgen", "p2p:" + "x" * 64),
    ],
)
def test_anything_else_names_no_conversation(text: str) -> None:
    with pytest.raises(
        Refused, match="does not name a conversation: write p2p:ACCOUNT"
    ) as refused:
        check_conversation(text)
    assert refused.value.code is Code.BAD_VALUE
