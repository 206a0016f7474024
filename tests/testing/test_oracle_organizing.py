"""The oracle against the rules of marks, drafts and mutes, and its copies, case by case."""

from __future__ import annotations

import copy

import pytest

from recents.testing.oracle import ExpectedDraft, Oracle
from tests.testing.oracle_speech import TEAM, empty_row, names_of, row_of, say, sums, team_of

ALICE, BOB = "p2p:alice", "p2p:bob"


def after_reading(*texts: str) -> Oracle:
    """Alice wrote `texts` to bob, who has read them."""
    oracle = Oracle()
    say(oracle, "alice", BOB, *texts)
    oracle.read("bob", ALICE)
    return oracle


def is_marked(oracle: Oracle) -> bool:
    return row_of(oracle, "bob", ALICE).marked_unread


# The dot.


def test_R4_a_dot_is_a_flag_and_not_a_number() -> None:
    oracle = after_reading("a", "b")
    oracle.mark_unread("bob", ALICE)
    assert is_marked(oracle)
    totals = oracle.totals("bob")
    assert (totals.marked_unread, totals.unread, totals.unread_conversations) == (1, 0, 0)
    assert not row_of(oracle, "alice", BOB).marked_unread


def test_R4_any_reading_that_knew_of_it_clears_it() -> None:
    oracle = after_reading("a", "b")
    for number, late in enumerate([None, 1, 0], start=1):
        oracle.mark_unread("bob", ALICE)
        oracle.read("bob", ALICE, late, marks_known=None if late is None else number)
        assert not is_marked(oracle)
    oracle.mark_unread("bob", ALICE)
    oracle.read_all("bob", kinds=["team"])
    assert is_marked(oracle)
    oracle.read_all("bob")
    assert oracle.totals("bob").marked_unread == 0


def test_R4_a_reader_that_did_not_know_of_it_leaves_it() -> None:
    oracle = Oracle()
    say(oracle, "alice", BOB, "a")
    oracle.mark_unread("bob", ALICE)
    oracle.read("bob", ALICE, marks_known=0)
    assert (is_marked(oracle), row_of(oracle, "bob", ALICE).unread) == (True, 0)
    oracle.mark_unread("bob", ALICE)
    oracle.read("bob", ALICE, marks_known=1)
    assert is_marked(oracle)
    oracle.read("bob", ALICE, marks_known=2)
    assert not is_marked(oracle)


def test_R4_what_is_not_in_the_list_gets_no_dot() -> None:
    oracle = after_reading("a")
    oracle.mark_unread("bob", "p2p:nobody")
    oracle.delete("bob", ALICE)
    oracle.mark_unread("bob", ALICE)
    assert oracle.marks("bob") == {ALICE: 0}
    say(oracle, "alice", BOB, "b")
    assert not is_marked(oracle)


def test_R4_sending_clears_it_only_with_what_was_on_screen() -> None:
    oracle = after_reading("a")
    oracle.mark_unread("bob", ALICE)
    say(oracle, "bob", ALICE, "b")
    assert is_marked(oracle)
    oracle.post("bob", ALICE, client_id="c", at_ms=3_000, displayed_seq=1, marks_known=0)
    assert is_marked(oracle)
    oracle.post("bob", ALICE, client_id="d", at_ms=3_000, displayed_seq=1)
    assert not is_marked(oracle)


def test_D1_a_dot_goes_with_the_row_and_with_nothing_less() -> None:
    oracle = after_reading("a", "b")
    oracle.mark_unread("bob", ALICE)
    oracle.clear_history("bob", ALICE)
    assert is_marked(oracle)
    oracle.delete("bob", ALICE, 1)
    assert not is_marked(oracle), "the row of then is deleted, that of now has newer messages"
    oracle.mark_unread("bob", ALICE)
    oracle.delete("bob", ALICE, 1)
    assert is_marked(oracle), "D6: that was deleted before"


# Unread again.


def test_R3_messages_are_unread_again_from_a_seq_on() -> None:
    oracle = after_reading("a", "b", "c")
    oracle.mark_unread_from("bob", ALICE, 2)
    assert oracle.countable("bob", ALICE) == [2, 3]
    assert row_of(oracle, "bob", ALICE).read_seq == 1
    assert not is_marked(oracle)


def test_R3_exactly_these_messages() -> None:
    oracle = Oracle()
    say(oracle, "alice", BOB, "a", "b", "c")
    oracle.mark_unread_from("bob", ALICE, 3)
    assert oracle.countable("bob", ALICE) == [3]


def test_R3_the_peer_keeps_its_receipt() -> None:
    oracle = after_reading("a", "b")
    oracle.mark_unread_from("bob", ALICE, 1)
    assert row_of(oracle, "alice", BOB).status == "read"


def test_R3_a_late_reading_does_not_undo_it_but_the_peer_is_told() -> None:
    oracle = after_reading("a")
    say(oracle, "alice", BOB, "b", "c")
    oracle.mark_unread_from("bob", ALICE, 1)
    oracle.read("bob", ALICE, 3, marks_known=0)
    assert oracle.countable("bob", ALICE) == [1, 2, 3]
    assert row_of(oracle, "alice", BOB).status == "read"
    oracle.read("bob", ALICE, 2, marks_known=1)
    assert oracle.countable("bob", ALICE) == [3]


def test_R3_a_reader_may_know_of_the_dot_and_not_of_the_mark_after_it() -> None:
    oracle = after_reading("a")
    oracle.mark_unread("bob", ALICE)
    oracle.mark_unread_from("bob", ALICE, 1)
    oracle.read("bob", ALICE, marks_known=1)
    assert (is_marked(oracle), oracle.countable("bob", ALICE)) == (False, [1])


def test_R3_what_was_cleared_or_before_joining_stays_read() -> None:
    oracle = team_of("olga")
    say(oracle, "olga", TEAM, "a", "b")
    oracle.add_members(TEAM, ["bob"], at_ms=2_000)
    say(oracle, "olga", TEAM, "c", "d", "e")
    oracle.mark_unread_from("bob", TEAM, 1)
    assert oracle.countable("bob", TEAM) == [3, 4, 5]
    assert row_of(oracle, "bob", TEAM).read_seq == 2
    oracle.clear_history("bob", TEAM, 4)
    oracle.mark_unread_from("bob", TEAM, 1)
    assert oracle.countable("bob", TEAM) == [5]


@pytest.mark.parametrize("seq", [-1, 0, 3])
def test_R3_only_a_message_that_is_there_can_be_unread_again(seq: int) -> None:
    oracle = after_reading("a", "b")
    with pytest.raises(ValueError, match=f"bob knows no message {seq} in {ALICE}"):
        oracle.mark_unread_from("bob", ALICE, seq)
    with pytest.raises(ValueError, match="bob knows no message 1 in p2p:carol"):
        oracle.mark_unread_from("bob", "p2p:carol", 1)
    assert oracle.marks("bob") == {ALICE: 0}


def test_T2_who_left_can_mark_what_it_saw() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "olga", TEAM, "a")
    oracle.leave(TEAM, "bob")
    say(oracle, "olga", TEAM, "b")
    oracle.read("bob", TEAM)
    oracle.mark_unread_from("bob", TEAM, 1)
    oracle.mark_unread("bob", TEAM)
    assert oracle.countable("bob", TEAM) == [1]
    assert row_of(oracle, "bob", TEAM).marked_unread
    with pytest.raises(ValueError, match="no message 2"):
        oracle.mark_unread_from("bob", TEAM, 2)


def test_U5_joining_again_forgets_marks_and_draft_and_keeps_the_mute() -> None:
    oracle = team_of("olga", "bob")
    say(oracle, "olga", TEAM, "a")
    oracle.mark_unread_from("bob", TEAM, 1)
    oracle.mark_unread("bob", TEAM)
    oracle.set_draft("bob", TEAM, "d", at_ms=5_000)
    oracle.mute("bob", TEAM, "none")
    oracle.leave(TEAM, "bob")
    oracle.add_members(TEAM, ["bob"], at_ms=2_000)
    row = row_of(oracle, "bob", TEAM)
    assert (row.unread, row.marked_unread, row.draft, row.mute) == (0, False, None, "none")
    assert oracle.marks("bob") == {TEAM: 2}
    say(oracle, "olga", TEAM, "b")
    oracle.read("bob", TEAM, marks_known=0)
    assert row_of(oracle, "bob", TEAM).unread == 0


def test_R5_a_late_reading_of_everything_leaves_newer_marks() -> None:
    oracle = after_reading("a")
    say(oracle, "carol", BOB, "b")
    newest, marks = oracle.newest("bob"), oracle.marks("bob")
    oracle.mark_unread_from("bob", ALICE, 1)
    oracle.read_all("bob", upto=newest, marks_known=marks)
    assert {row.conversation: row.unread for row in oracle.rows("bob")} == {
        ALICE: 1,
        "p2p:carol": 0,
    }
    oracle.read_all("bob", upto=newest, marks_known={})
    assert oracle.totals("bob").unread == 1
    oracle.read_all("bob", upto=newest, marks_known=oracle.marks("bob"))
    assert oracle.totals("bob").unread == 0


@pytest.mark.parametrize("marks_known", [-1, 2])
def test_R3_nobody_knows_of_more_marks_than_there_are(marks_known: int) -> None:
    oracle = Oracle()
    say(oracle, "alice", BOB, "a")
    oracle.mark_unread("bob", ALICE)
    with pytest.raises(ValueError, match=f"bob marked p2p:alice 1 times, not {marks_known}"):
        oracle.read("bob", ALICE, marks_known=marks_known)
    assert row_of(oracle, "bob", ALICE).unread == 1


# Drafts.


def test_G6_a_draft_stands_in_its_row_for_its_author() -> None:
    oracle = after_reading("a")
    oracle.set_draft("bob", ALICE, "dear", at_ms=3_000)
    assert row_of(oracle, "bob", ALICE).draft == ExpectedDraft("dear", 3_000)
    assert row_of(oracle, "alice", BOB).draft is None
    oracle.set_draft("bob", ALICE, "dear alice", at_ms=4_000)
    oracle.set_draft("bob", ALICE, "dear alice", at_ms=9_000)
    assert row_of(oracle, "bob", ALICE).draft == ExpectedDraft("dear alice", 4_000)
    oracle.set_draft("bob", ALICE, at_ms=5_000)
    assert row_of(oracle, "bob", ALICE).draft is None


def test_O2_a_draft_gives_the_row_a_place_and_takes_it_back() -> None:
    oracle = after_reading("a")
    say(oracle, "carol", BOB, "b")
    oracle.post("carol", BOB, client_id="c", at_ms=2_000)
    assert names_of(oracle, "bob") == ["p2p:carol", ALICE]
    oracle.set_draft("bob", ALICE, "dear", at_ms=3_000)
    row = row_of(oracle, "bob", ALICE)
    assert (row.place_ms, row.activity_ms) == (3_000, 1_000)
    assert names_of(oracle, "bob") == [ALICE, "p2p:carol"]
    assert row_of(oracle, "alice", BOB).place_ms == 1_000
    oracle.set_draft("bob", ALICE, at_ms=4_000)
    assert names_of(oracle, "bob") == ["p2p:carol", ALICE]


def test_O2_a_draft_never_sinks_its_row() -> None:
    oracle = after_reading("a")
    oracle.set_draft("bob", ALICE, "old", at_ms=500)
    assert row_of(oracle, "bob", ALICE).place_ms == 1_000
    oracle.set_draft("bob", ALICE, "new", at_ms=3_000)
    oracle.set_draft("bob", ALICE, "newer", at_ms=2_500)
    assert row_of(oracle, "bob", ALICE).draft == ExpectedDraft("newer", 3_000)
    oracle.set_draft("bob", ALICE, at_ms=2_500)
    oracle.set_draft("bob", ALICE, "another", at_ms=2_600)
    assert row_of(oracle, "bob", ALICE).draft == ExpectedDraft("another", 2_600)


def test_G6_sending_clears_the_draft_of_the_sender() -> None:
    oracle = after_reading("a")
    oracle.set_draft("bob", ALICE, "dear", at_ms=3_000)
    oracle.set_draft("alice", BOB, "well", at_ms=3_000)
    say(oracle, "bob", ALICE, "dear")
    assert row_of(oracle, "bob", ALICE).draft is None
    assert row_of(oracle, "alice", BOB).draft == ExpectedDraft("well", 3_000)
    oracle.set_draft("bob", ALICE, "again", at_ms=4_000)
    say(oracle, "bob", ALICE, "dear")
    assert row_of(oracle, "bob", ALICE).draft is not None, "M2: that was sent before"


def test_G6_a_first_draft_begins_a_conversation_for_its_author_alone() -> None:
    oracle = Oracle()
    oracle.set_draft("bob", ALICE, "", at_ms=500)
    assert oracle.rows("bob") == []
    oracle.set_draft("bob", ALICE, "dear", at_ms=1_000)
    assert names_of(oracle, "bob") == [ALICE]
    assert oracle.rows("alice") == []
    oracle.set_draft("bob", ALICE, at_ms=2_000)
    assert oracle.rows("bob") == [empty_row(ALICE, at_ms=1_000)]


@pytest.mark.parametrize("speaker", ["alice", "bob"])
def test_G6_both_may_have_drafted_before_anybody_spoke(speaker: str) -> None:
    oracle = Oracle()
    oracle.set_draft("bob", ALICE, "b", at_ms=1_000)
    oracle.set_draft("alice", BOB, "a", at_ms=2_000)
    other = "alice" if speaker == "bob" else "bob"
    oracle.post(speaker, f"p2p:{other}", client_id="1", at_ms=1_500)
    assert row_of(oracle, speaker, f"p2p:{other}").draft is None
    row = row_of(oracle, other, f"p2p:{speaker}")
    assert (row.unread, row.draft is None, row.last_seq) == (1, False, 1)
    assert row_of(oracle, "alice", BOB).activity_ms == 2_000
    assert row_of(oracle, "bob", ALICE).activity_ms == 1_500


def test_G6_the_peer_of_a_draft_joins_with_the_first_message() -> None:
    oracle = Oracle()
    oracle.set_draft("bob", ALICE, "b", at_ms=1_000)
    oracle.post("alice", BOB, client_id="1", at_ms=1_500, bumps=False)
    assert row_of(oracle, "alice", BOB).activity_ms == 1_500
    assert row_of(oracle, "bob", ALICE).unread == 1
    assert oracle.countable("alice", BOB) == []


def test_G6_a_draft_to_a_team_one_never_was_in_is_refused() -> None:
    oracle = team_of("olga", "alice")
    with pytest.raises(ValueError, match="bob is not a member of team:t1"):
        oracle.set_draft("bob", TEAM, "x", at_ms=1)
    oracle.set_draft("bob", TEAM, "", at_ms=1)
    oracle.leave(TEAM, "alice")
    oracle.set_draft("alice", TEAM, "x", at_ms=1)
    assert row_of(oracle, "alice", TEAM).draft == ExpectedDraft("x", 1)


def test_G6_deleting_the_row_leaves_the_draft() -> None:
    oracle = after_reading("a")
    oracle.set_draft("bob", ALICE, "dear", at_ms=3_000)
    oracle.delete("bob", ALICE, clear_history=True)
    assert oracle.rows("bob") == []
    oracle.set_draft("bob", ALICE, "dear a", at_ms=4_000)
    assert oracle.rows("bob") == [], "D2: only a message brings it back"
    oracle.post("alice", BOB, client_id="b", at_ms=2_000)
    assert row_of(oracle, "bob", ALICE).draft == ExpectedDraft("dear a", 4_000)


# Mutes.


def test_U4_muting_changes_no_count_but_the_badge() -> None:
    oracle = after_reading()
    say(oracle, "alice", BOB, "a", "b")
    say(oracle, "carol", BOB, "c")
    oracle.mute("bob", ALICE, "mentions")
    row, totals = row_of(oracle, "bob", ALICE), oracle.totals("bob")
    assert (row.unread, row.mute, row.place_ms) == (2, "mentions", 1_001)
    assert (totals.unread, totals.unread_conversations) == (3, 2)
    assert (totals.muted_unread, totals.badge) == (2, 1)
    assert row_of(oracle, "alice", BOB).mute is None
    oracle.mute("bob", ALICE)
    assert oracle.totals("bob") == sums(3, 2, 2)


def test_G2_only_what_is_there_can_be_muted() -> None:
    oracle = Oracle()
    oracle.mute("bob", ALICE)
    with pytest.raises(ValueError, match="bob has no p2p:alice to mute"):
        oracle.mute("bob", ALICE, "none")
    with pytest.raises(ValueError, match="there is no level 'some'"):
        oracle.mute("bob", ALICE, "some")


# Copies.


@pytest.mark.parametrize("how", [Oracle.copy, copy.deepcopy])
def test_a_copy_knows_the_same_and_goes_its_own_way(how: object) -> None:
    assert callable(how)
    oracle = team_of("alice", "bob")
    say(oracle, "alice", BOB, "a", "b")
    say(oracle, "alice", TEAM, "t")
    oracle.set_draft("bob", ALICE, "draft", at_ms=1_000)
    before = {account: oracle.rows(account) for account in ("alice", "bob")}
    other = how(oracle)
    assert {account: other.rows(account) for account in before} == before
    other.read("bob", ALICE)
    other.mark_unread("bob", ALICE)
    other.set_draft("bob", ALICE, "other", at_ms=2_000)
    other.delete_message("bob", TEAM, 1)
    other.recall("alice", BOB, 2)
    other.rename(TEAM, "Two")
    say(other, "bob", ALICE, "c")
    other.leave(TEAM, "bob")
    assert {account: oracle.rows(account) for account in before} == before
    assert row_of(other, "alice", BOB).unread == 1, "both sides of a copy are in it"
    assert row_of(other, "alice", TEAM).name == "Two"
    assert say(oracle, "bob", ALICE, "d") == 3
