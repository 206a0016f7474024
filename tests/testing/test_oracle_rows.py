"""The oracle against the rules of previews and order, case by case."""

from __future__ import annotations

import pytest

from recents.testing.oracle import (
    ExpectedMessage,
    ExpectedPreview,
    Oracle,
)
from tests.testing.oracle_speech import TEAM, names_of, row_of, say, team_of, text_shown

# Previews.


def test_P1_the_preview_is_the_newest_message_in_short() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    oracle.post("alice", "p2p:bob", client_id="c2", at_ms=2_000, kind="image", text="a cat")
    assert row_of(oracle, "bob", "p2p:alice").preview == ExpectedPreview(
        seq=2,
        client_id="c2",
        sender="alice",
        kind="image",
        time_ms=2_000,
        text="a cat",
        state="normal",
        recalled_by=None,
    )


def test_P1_the_text_is_one_line_of_200_characters() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "1\r\n2\n3\r4\n\n5")
    assert text_shown(oracle, "bob", "p2p:alice") == "1 2 3 4  5"
    say(oracle, "alice", "p2p:bob", "x" * 199 + "\r\n" + "é" + "y" * 9)
    assert text_shown(oracle, "bob", "p2p:alice") == "x" * 199 + " "
    assert oracle.history("bob", "p2p:alice")[1].text == "x" * 199 + "\r\n" + "é" + "y" * 9


def test_P1_a_message_recalled_without_notice_is_not_the_preview() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    oracle.recall("alice", "p2p:bob", 2, notice=False)
    for account, conversation in (("alice", "p2p:bob"), ("bob", "p2p:alice")):
        assert text_shown(oracle, account, conversation) == "a"
        assert [message.seq for message in oracle.history(account, conversation)] == [1]
    oracle.recall("alice", "p2p:bob", 1, notice=False)
    assert row_of(oracle, "bob", "p2p:alice").preview is None


def test_P1_the_preview_comes_after_what_was_cleared() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    oracle.clear_history("bob", "p2p:alice", 1)
    assert text_shown(oracle, "bob", "p2p:alice") == "b"
    oracle.recall("alice", "p2p:bob", 2, notice=False)
    assert row_of(oracle, "bob", "p2p:alice").preview is None
    assert text_shown(oracle, "alice", "p2p:bob") == "a"


def test_P2_a_recalled_preview_becomes_the_notice_in_the_same_place() -> None:
    oracle = team_of("olga", "alice")
    oracle.post("alice", TEAM, client_id="a", at_ms=1_000, text="oops")
    oracle.post("bob", "p2p:alice", client_id="b", at_ms=900)
    oracle.recall("olga", TEAM, 1)
    assert names_of(oracle, "alice") == [TEAM, "p2p:bob"]
    row = row_of(oracle, "alice", TEAM)
    assert row.preview == ExpectedPreview(1, "a", "alice", "text", 1_000, "", "recalled", "olga")
    assert row.activity_ms == 1_000
    assert oracle.history("alice", TEAM) == [
        ExpectedMessage(1, "a", "alice", "text", 1_000, "", "recalled", "olga")
    ]


def test_P2_of_two_recalls_the_first_stands() -> None:
    oracle = team_of("olga", "alice")
    say(oracle, "alice", TEAM, "a")
    oracle.recall("alice", TEAM, 1)
    oracle.recall("olga", TEAM, 1, notice=False)
    preview = row_of(oracle, "olga", TEAM).preview
    assert preview is not None
    assert preview.recalled_by == "alice"


def test_P2_a_message_deleted_for_me_leaves_the_next_older_one() -> None:
    oracle = team_of("olga", "alice")
    say(oracle, "olga", TEAM, "a")
    oracle.post("olga", TEAM, client_id="tip", at_ms=1_500, text="tip", previews=False)
    say(oracle, "olga", TEAM, "b")
    oracle.delete_message("alice", TEAM, 3)
    assert text_shown(oracle, "alice", TEAM) == "a"
    assert text_shown(oracle, "olga", TEAM) == "b"
    oracle.delete_message("alice", TEAM, 1)
    assert row_of(oracle, "alice", TEAM).preview is None
    assert [message.text for message in oracle.history("alice", TEAM)] == ["tip"]


def test_P3_an_edit_changes_the_text_of_the_previewed_message_only() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    before = row_of(oracle, "bob", "p2p:alice")
    oracle.edit("alice", "p2p:bob", 1, "A")
    assert row_of(oracle, "bob", "p2p:alice") == before
    oracle.edit("alice", "p2p:bob", 2, "B")
    row = row_of(oracle, "bob", "p2p:alice")
    assert row.preview == ExpectedPreview(2, "b", "alice", "text", 1_001, "B", "edited", None)
    assert (row.activity_ms, row.unread) == (1_001, 2)
    assert [message.state for message in oracle.history("bob", "p2p:alice")] == ["edited"] * 2


def test_P3_an_edited_message_can_be_recalled_but_not_the_other_way() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    oracle.edit("alice", "p2p:bob", 1, "A")
    oracle.recall("alice", "p2p:bob", 1)
    with pytest.raises(ValueError, match="message 1 of p2p:bob is recalled"):
        oracle.edit("alice", "p2p:bob", 1, "AA")
    preview = row_of(oracle, "bob", "p2p:alice").preview
    assert preview is not None
    assert (preview.text, preview.state) == ("", "recalled")


def test_P4_status_is_that_of_the_previewed_message_if_it_is_mine() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "mine")
    oracle.read("bob", "p2p:alice")
    say(oracle, "bob", "p2p:alice", "theirs")
    assert row_of(oracle, "alice", "p2p:bob").status is None
    assert row_of(oracle, "bob", "p2p:alice").status == "sent"
    oracle.delete_message("alice", "p2p:bob", 2)
    assert row_of(oracle, "alice", "p2p:bob").status == "read"
    oracle.clear_history("alice", "p2p:bob")
    assert row_of(oracle, "alice", "p2p:bob").status is None


# Order.


def test_O1_newest_activity_first_then_the_name_byte_by_byte() -> None:
    oracle = Oracle()
    for peer, at_ms in (("b", 2_000), ("a", 2_000), ("B", 2_000), ("z", 3_000), ("c", 1_000)):
        oracle.post(peer, "p2p:me", client_id="1", at_ms=at_ms)
    oracle.create_team("team:a", owner="me", at_ms=2_000)
    oracle.create_team("super_team:a", owner="me", at_ms=2_000)
    assert names_of(oracle, "me") == [
        "p2p:z",
        "p2p:B",
        "p2p:a",
        "p2p:b",
        "super_team:a",
        "team:a",
        "p2p:c",
    ]


def test_O2_creating_and_joining_are_activity() -> None:
    oracle = team_of("olga")
    oracle.post("olga", TEAM, client_id="a", at_ms=1_000)
    oracle.add_members(TEAM, ["bob"], at_ms=2_000)
    assert row_of(oracle, "olga", TEAM).activity_ms == 1_000
    assert row_of(oracle, "bob", TEAM).activity_ms == 2_000
    oracle.create_team("team:t2", owner="olga", at_ms=3_000)
    assert row_of(oracle, "olga", "team:t2").activity_ms == 3_000


def test_O2_joining_again_never_takes_activity_back() -> None:
    oracle = team_of("olga")
    oracle.add_members(TEAM, ["bob"], at_ms=2_000)
    oracle.leave(TEAM, "bob")
    oracle.add_members(TEAM, ["bob"], at_ms=1_500)
    assert row_of(oracle, "bob", TEAM).activity_ms == 2_000
    oracle.leave(TEAM, "bob")
    oracle.add_members(TEAM, ["bob"], at_ms=4_000)
    assert row_of(oracle, "bob", TEAM).activity_ms == 4_000


def test_O2_a_conversation_begins_with_its_first_message_even_an_import() -> None:
    oracle = Oracle()
    oracle.post("alice", "p2p:bob", client_id="a", at_ms=1_000, bumps=False)
    oracle.post("alice", "p2p:bob", client_id="b", at_ms=2_000, bumps=False)
    assert row_of(oracle, "alice", "p2p:bob").activity_ms == 1_000
    assert row_of(oracle, "bob", "p2p:alice").activity_ms == 1_000


def test_O2_activity_never_goes_down() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    oracle.recall("alice", "p2p:bob", 2, notice=False)
    oracle.delete_message("bob", "p2p:alice", 2)
    oracle.read("bob", "p2p:alice")
    oracle.clear_history("bob", "p2p:alice")
    oracle.delete("bob", "p2p:alice", clear_history=True)
    oracle.post("alice", "p2p:bob", client_id="c", at_ms=3_000, bumps=False)
    assert row_of(oracle, "bob", "p2p:alice").activity_ms == 1_001


def test_O3_nothing_but_bumping_messages_moves_a_row() -> None:
    oracle = team_of("olga", "bob")
    oracle.post("olga", TEAM, client_id="a", at_ms=1_000)
    oracle.post("alice", "p2p:bob", client_id="a", at_ms=2_000)
    oracle.rename(TEAM, "Renamed")
    oracle.edit("olga", TEAM, 1, "A")
    oracle.recall("olga", TEAM, 1)
    oracle.read("bob", TEAM)
    oracle.add_members(TEAM, ["carol"], at_ms=5_000)
    oracle.post("olga", TEAM, client_id="b", at_ms=6_000, bumps=False)
    assert names_of(oracle, "bob") == ["p2p:alice", TEAM]
    oracle.post("olga", TEAM, client_id="c", at_ms=6_000)
    assert names_of(oracle, "bob") == [TEAM, "p2p:alice"]


# Calls that nobody could have accepted.


def test_names_that_cannot_be_are_refused() -> None:
    oracle = team_of("olga")
    with pytest.raises(ValueError, match="'bob' is not the name of a conversation"):
        oracle.read("olga", "bob")
    with pytest.raises(ValueError, match="'group:bob' is not the name of a conversation"):
        oracle.read("olga", "group:bob")
    with pytest.raises(ValueError, match="'p2p:' is not the name of a conversation"):
        oracle.post("olga", "p2p:", client_id="a", at_ms=1_000)
    with pytest.raises(ValueError, match="'p2p:bob' is not the name of a team"):
        oracle.create_team("p2p:bob", owner="olga", at_ms=1_000)
    with pytest.raises(ValueError, match="team:t1 exists already"):
        oracle.create_team(TEAM, owner="bob", at_ms=1_000)
    with pytest.raises(ValueError, match="there is no team:t2"):
        oracle.rename("team:t2", "Two")


@pytest.mark.parametrize("seq", [0, 2])
def test_messages_that_are_not_there_are_refused(seq: int) -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    with pytest.raises(ValueError, match=f"there is no message {seq} in p2p:bob"):
        oracle.recall("alice", "p2p:bob", seq)
    with pytest.raises(ValueError, match=f"there is no message {seq} in p2p:bob"):
        oracle.edit("alice", "p2p:bob", seq, "A")
    with pytest.raises(ValueError, match=f"alice knows no message {seq} in p2p:bob"):
        oracle.delete_message("alice", "p2p:bob", seq)
    with pytest.raises(ValueError, match="-1 is no place in p2p:bob"):
        oracle.read("alice", "p2p:bob", -1)
