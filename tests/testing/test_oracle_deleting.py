"""The oracle against the rules of deleting and teams, case by case."""

from __future__ import annotations

import pytest

from recents.testing.oracle import Oracle
from tests.testing.oracle_speech import (
    TEAM,
    empty_row,
    names_of,
    row_of,
    say,
    sums,
    team_of,
    text_shown,
)

# Deleting.


def test_D1_a_deleted_row_leaves_the_list_and_the_totals() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    say(oracle, "carol", "p2p:bob", "c")
    assert oracle.totals("bob") == sums(3, 2, 2)
    oracle.delete("bob", "p2p:alice")
    assert names_of(oracle, "bob") == ["p2p:carol"]
    assert oracle.totals("bob") == sums(1, 1, 1)
    oracle.read("bob", "p2p:carol")
    assert oracle.totals("bob") == sums(0, 0, 1)


def test_D1_history_stays_and_others_notice_nothing() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    before = oracle.rows("alice")
    oracle.delete("bob", "p2p:alice")
    assert [message.text for message in oracle.history("bob", "p2p:alice")] == ["a"]
    assert oracle.rows("alice") == before


def test_D2_a_new_message_brings_the_row_back_with_unread_from_there() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    oracle.delete("bob", "p2p:alice")
    say(oracle, "alice", "p2p:bob", "c")
    assert oracle.countable("bob", "p2p:alice") == [3]
    assert text_shown(oracle, "bob", "p2p:alice") == "c"


def test_D2_any_message_brings_it_back_even_one_that_shows_nothing() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    oracle.delete("bob", "p2p:alice")
    oracle.post(
        "alice", "p2p:bob", client_id="b", at_ms=2_000, counts=False, bumps=False, previews=False
    )
    row = row_of(oracle, "bob", "p2p:alice")
    assert (row.unread, row.activity_ms, row.last_seq) == (0, 1_000, 2)
    assert text_shown(oracle, "bob", "p2p:alice") == "a"


def test_D2_nothing_but_a_message_brings_it_back() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "olga", TEAM, "a", "b")
    oracle.delete("bob", TEAM)
    oracle.rename(TEAM, "Two")
    oracle.recall("olga", TEAM, 2)
    oracle.edit("olga", TEAM, 1, "A")
    oracle.read("bob", TEAM, 1)
    oracle.read("olga", TEAM)
    oracle.delete("bob", TEAM, 1)
    assert oracle.rows("bob") == []


def test_D2_what_the_device_had_not_seen_keeps_the_row() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b", "c")
    oracle.delete("bob", "p2p:alice", 2)
    assert oracle.countable("bob", "p2p:alice") == [3]
    assert row_of(oracle, "bob", "p2p:alice").read_seq == 2


def test_D2_an_empty_team_can_be_deleted_and_comes_back() -> None:
    oracle = team_of("olga", "bob")
    oracle.delete("bob", TEAM)
    assert oracle.rows("bob") == []
    say(oracle, "olga", TEAM, "a")
    assert row_of(oracle, "bob", TEAM).unread == 1


def test_D2_joining_again_brings_the_row_back() -> None:
    oracle = team_of("olga", "bob")
    oracle.leave(TEAM, "bob")
    oracle.delete("bob", TEAM)
    say(oracle, "olga", TEAM, "unheard")
    assert oracle.rows("bob") == []
    oracle.add_members(TEAM, ["bob"], at_ms=2_000)
    assert names_of(oracle, "bob") == [TEAM]
    oracle.delete("bob", TEAM)
    oracle.leave(TEAM, "bob")
    oracle.add_members(TEAM, ["bob"], at_ms=3_000)
    assert names_of(oracle, "bob") == [TEAM]


def test_D3_deleting_with_history_takes_the_messages_too() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    oracle.delete("bob", "p2p:alice", clear_history=True)
    assert oracle.rows("bob") == []
    assert oracle.history("bob", "p2p:alice") == []
    assert len(oracle.history("alice", "p2p:bob")) == 2
    oracle.post("alice", "p2p:bob", client_id="c", at_ms=2_000, previews=False)
    assert row_of(oracle, "bob", "p2p:alice").preview is None


def test_D3_only_up_to_what_the_device_had() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    oracle.delete("bob", "p2p:alice", 1, clear_history=True)
    assert [message.seq for message in oracle.history("bob", "p2p:alice")] == [2]


def test_D4_deleting_all_covers_exactly_the_kinds() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "alice", "p2p:bob", "a")
    say(oracle, "carol", "p2p:bob", "a")
    oracle.delete_all("bob", kinds=["p2p"])
    assert names_of(oracle, "bob") == [TEAM]
    assert len(oracle.history("bob", "p2p:carol")) == 1
    say(oracle, "alice", "p2p:bob", "b")
    assert oracle.countable("bob", "p2p:alice") == [2]
    oracle.delete_all("bob", clear_history=True)
    assert oracle.rows("bob") == []
    assert oracle.history("bob", "p2p:alice") == []
    assert len(oracle.history("bob", "p2p:carol")) == 1, "its row was gone already"


def test_R5_a_row_that_is_gone_gives_no_receipt() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    oracle.delete("bob", "p2p:alice")
    oracle.read_all("bob")
    assert row_of(oracle, "alice", "p2p:bob").status == "sent"


def test_D4_what_the_device_did_not_know_is_not_touched() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "alice", "p2p:bob", "a", "b")
    say(oracle, "carol", "p2p:bob", "c")
    oracle.delete_all("bob", upto={"p2p:alice": 1, "p2p:carol": 1})
    assert names_of(oracle, "bob") == ["p2p:alice", TEAM]
    assert oracle.countable("bob", "p2p:alice") == [2]


def test_D5_clearing_keeps_the_row_in_its_place_empty_and_read() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    oracle.clear_history("bob", "p2p:alice")
    assert oracle.rows("bob") == [empty_row("p2p:alice", at_ms=1_001, last_seq=2, cleared_seq=2)]
    assert oracle.history("bob", "p2p:alice") == []
    assert len(oracle.history("alice", "p2p:bob")) == 2


def test_D5_clearing_never_goes_back() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b", "c")
    oracle.clear_history("bob", "p2p:alice", 2)
    oracle.clear_history("bob", "p2p:alice", 1)
    oracle.delete("bob", "p2p:alice", 1, clear_history=True)
    assert [message.text for message in oracle.history("bob", "p2p:alice")] == ["c"]
    assert oracle.countable("bob", "p2p:alice") == [3]


def test_D6_deleting_what_is_not_there_succeeds_and_creates_nothing() -> None:
    oracle = team_of("olga")
    oracle.delete("bob", "p2p:alice")
    oracle.delete("bob", TEAM, clear_history=True)
    oracle.clear_history("bob", "p2p:alice")
    oracle.delete_all("bob")
    assert oracle.rows("bob") == []
    say(oracle, "alice", "p2p:bob", "a")
    assert row_of(oracle, "bob", "p2p:alice").unread == 1


# Teams.


def test_T1_a_team_is_there_for_every_member_at_once_without_unread() -> None:
    oracle = team_of("olga", "alice")
    expected = empty_row(TEAM, at_ms=100, name="One")
    assert oracle.rows("olga") == [expected]
    assert oracle.rows("alice") == [expected]
    assert oracle.rows("bob") == []


def test_T1_only_members_send_and_see() -> None:
    oracle = team_of("olga")
    say(oracle, "olga", TEAM, "a")
    with pytest.raises(ValueError, match="mallory is not a member of team:t1"):
        say(oracle, "mallory", TEAM, "b")
    with pytest.raises(ValueError, match="mallory is not a member of team:nowhere"):
        say(oracle, "mallory", "team:nowhere", "b")
    for change in (oracle.recall, oracle.delete_message):
        with pytest.raises(ValueError, match="mallory"):
            change("mallory", TEAM, 1)
    assert oracle.history("mallory", TEAM) == []
    assert oracle.countable("mallory", TEAM) == []
    assert row_of(oracle, "olga", TEAM).last_seq == 1


@pytest.mark.parametrize("how", ["left", "removed"])
def test_T2_who_is_gone_sees_the_team_as_it_was(how: str) -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "olga", TEAM, "a", "b")
    (oracle.leave if how == "left" else oracle.remove_member)(TEAM, "bob")
    say(oracle, "olga", TEAM, "c")
    oracle.edit("olga", TEAM, 1, "A")
    oracle.recall("olga", TEAM, 2)
    oracle.rename(TEAM, "Two")
    oracle.dismiss(TEAM)
    (row,) = oracle.rows("bob")
    assert (row.membership, row.name, row.unread, row.last_seq) == (how, "One", 2, 2)
    assert row.activity_ms == 1_001
    assert row.preview is not None
    assert row.preview.text == "b"
    shown = [(message.text, message.state) for message in oracle.history("bob", TEAM)]
    assert shown == [("A", "edited"), ("", "recalled")], "of what is recalled nothing is kept"
    assert row_of(oracle, "olga", TEAM).name == "Two"


def test_T2_who_is_gone_can_read_and_delete_what_was_there() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "olga", TEAM, "a", "b", "c")
    oracle.leave(TEAM, "bob")
    say(oracle, "olga", TEAM, "d")
    oracle.read("bob", TEAM, 1)
    oracle.delete_message("bob", TEAM, 3)
    assert oracle.countable("bob", TEAM) == [2]
    assert text_shown(oracle, "bob", TEAM) == "b"
    with pytest.raises(ValueError, match="4 is no place in team:t1: bob knows 0 to 3"):
        oracle.read("bob", TEAM, 4)
    with pytest.raises(ValueError, match="bob knows no message 4"):
        oracle.delete_message("bob", TEAM, 4)
    oracle.delete("bob", TEAM)
    assert oracle.rows("bob") == []


def test_T2_who_is_gone_can_change_nothing_for_the_others() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "bob", TEAM, "a")
    oracle.leave(TEAM, "bob")
    with pytest.raises(ValueError, match="bob can no longer post to team:t1"):
        say(oracle, "bob", TEAM, "b")
    with pytest.raises(ValueError, match="bob is not a member"):
        oracle.recall("bob", TEAM, 1)
    with pytest.raises(ValueError, match="bob is not a member"):
        oracle.edit("bob", TEAM, 1, "A")
    assert text_shown(oracle, "olga", TEAM) == "a"


def test_T2_of_two_partings_the_first_stands() -> None:
    oracle = team_of("olga", "bob")
    oracle.leave(TEAM, "bob")
    say(oracle, "olga", TEAM, "a")
    oracle.remove_member(TEAM, "bob")
    oracle.remove_member(TEAM, "nobody")
    assert row_of(oracle, "bob", TEAM).membership == "left"
    assert row_of(oracle, "bob", TEAM).last_seq == 0
    assert oracle.rows("nobody") == []


def test_T2_a_dismissed_team_stays_and_takes_nothing_new() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "olga", TEAM, "a", "b")
    oracle.dismiss(TEAM)
    row = row_of(oracle, "bob", TEAM)
    assert (row.membership, row.unread, row.name) == ("dismissed", 2, "One")
    assert row_of(oracle, "olga", TEAM).membership == "dismissed"
    with pytest.raises(ValueError, match="olga can no longer post"):
        say(oracle, "olga", TEAM, "c")
    for change in (oracle.leave, oracle.remove_member, oracle.rename):
        with pytest.raises(ValueError, match="team:t1 is dismissed"):
            change(TEAM, "bob")
    with pytest.raises(ValueError, match="team:t1 is dismissed"):
        oracle.add_members(TEAM, ["carol"], at_ms=2_000)
    oracle.read("bob", TEAM, 1)
    assert oracle.countable("bob", TEAM) == [2]
    oracle.delete("bob", TEAM)
    assert oracle.rows("bob") == []


def test_T2_the_owner_dismisses_and_cannot_leave() -> None:
    oracle = team_of("olga")
    for parting in (oracle.leave, oracle.remove_member):
        with pytest.raises(ValueError, match="olga owns team:t1"):
            parting(TEAM, "olga")
    assert row_of(oracle, "olga", TEAM).membership == "member"


def test_T2_joining_again_shows_what_was_missed_but_not_what_was_cleared() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "olga", TEAM, "a")
    oracle.clear_history("bob", TEAM)
    oracle.leave(TEAM, "bob")
    say(oracle, "olga", TEAM, "b")
    oracle.rename(TEAM, "Two")
    oracle.add_members(TEAM, ["bob"], at_ms=3_000)
    assert [message.text for message in oracle.history("bob", TEAM)] == ["b"]
    assert row_of(oracle, "bob", TEAM).name == "Two"
