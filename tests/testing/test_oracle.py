"""The oracle against the rules of messages, unread and reading, case by case."""

from __future__ import annotations

import pytest

from recents.testing.oracle import Oracle
from tests.testing.oracle_speech import TEAM, row_of, say, team_of, text_shown

# Messages.


def test_M1_seqs_count_up_within_each_conversation() -> None:
    oracle = Oracle()
    assert say(oracle, "alice", "p2p:bob", "a", "b") == 2
    assert say(oracle, "bob", "p2p:alice", "c") == 3
    assert say(oracle, "alice", "p2p:carol", "d") == 1


def test_M2_sending_again_answers_the_first_seq_and_changes_nothing() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    before = oracle.rows("alice"), oracle.rows("bob")
    again = oracle.post(
        "alice", "p2p:bob", client_id="a", at_ms=9_000, text="other", displayed_seq=2
    )
    assert again == 1
    assert (oracle.rows("alice"), oracle.rows("bob")) == before


def test_M2_the_client_id_belongs_to_one_sender_and_one_conversation() -> None:
    oracle = Oracle()
    assert say(oracle, "alice", "p2p:bob", "same") == 1
    assert say(oracle, "bob", "p2p:alice", "same") == 2
    assert say(oracle, "alice", "p2p:carol", "same") == 1
    assert row_of(oracle, "carol", "p2p:alice").unread == 1


def test_M2_a_repeat_after_leaving_still_answers_the_first_seq() -> None:
    oracle = team_of("olga", "alice")
    say(oracle, "alice", TEAM, "a")
    oracle.leave(TEAM, "alice")
    assert say(oracle, "alice", TEAM, "a") == 1


def test_M3_only_messages_that_count_raise_unread() -> None:
    oracle = Oracle()
    oracle.post("alice", "p2p:bob", client_id="1", at_ms=1_000, counts=False)
    assert row_of(oracle, "bob", "p2p:alice").unread == 0
    oracle.post("alice", "p2p:bob", client_id="2", at_ms=1_001)
    assert oracle.countable("bob", "p2p:alice") == [2]


def test_M3_only_messages_that_bump_move_the_row() -> None:
    oracle = Oracle()
    oracle.post("alice", "p2p:bob", client_id="1", at_ms=1_000)
    oracle.post("alice", "p2p:bob", client_id="2", at_ms=2_000, bumps=False)
    assert row_of(oracle, "bob", "p2p:alice").activity_ms == 1_000
    oracle.post("alice", "p2p:bob", client_id="3", at_ms=3_000)
    assert row_of(oracle, "bob", "p2p:alice").activity_ms == 3_000


def test_M3_only_messages_that_preview_become_the_preview() -> None:
    oracle = Oracle()
    oracle.post("alice", "p2p:bob", client_id="1", at_ms=1_000, text="shown")
    oracle.post("alice", "p2p:bob", client_id="2", at_ms=2_000, text="tip", previews=False)
    assert text_shown(oracle, "bob", "p2p:alice") == "shown"
    assert row_of(oracle, "bob", "p2p:alice").last_seq == 2


def test_M4_times_never_decrease_within_a_conversation() -> None:
    oracle = Oracle()
    oracle.post("alice", "p2p:bob", client_id="1", at_ms=5_000)
    oracle.post("bob", "p2p:alice", client_id="2", at_ms=4_000)
    oracle.post("bob", "p2p:carol", client_id="3", at_ms=4_500)
    assert [message.time_ms for message in oracle.history("bob", "p2p:alice")] == [5_000, 5_000]
    assert [message.time_ms for message in oracle.history("bob", "p2p:carol")] == [4_500]


# Unread.


def test_U1_own_messages_are_never_unread() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    assert row_of(oracle, "alice", "p2p:bob").unread == 0
    assert row_of(oracle, "bob", "p2p:alice").unread == 2


@pytest.mark.parametrize("notice", [True, False])
def test_U1_a_recalled_message_is_not_unread(notice: bool) -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b", "c")
    oracle.recall("alice", "p2p:bob", 2, notice=notice)
    assert oracle.countable("bob", "p2p:alice") == [1, 3]


def test_U1_a_message_deleted_for_me_is_not_unread_for_me() -> None:
    oracle = team_of("olga", "alice", "bob")
    say(oracle, "olga", TEAM, "a", "b", "c")
    oracle.delete_message("alice", TEAM, 2)
    assert oracle.countable("alice", TEAM) == [1, 3]
    assert oracle.countable("bob", TEAM) == [1, 2, 3]


def test_U2_unread_is_the_number_of_countable_messages() -> None:
    oracle = team_of("olga", "alice", "bob")
    say(oracle, "olga", TEAM, "1", "2", "3")
    say(oracle, "alice", TEAM, "4")
    say(oracle, "bob", TEAM, "5", "6", "7")
    oracle.read("alice", TEAM, 1)
    oracle.recall("olga", TEAM, 2)
    oracle.delete_message("alice", TEAM, 6)
    assert oracle.countable("alice", TEAM) == [3, 5, 7]
    assert row_of(oracle, "alice", TEAM).unread == 3


def test_U3_numbers_have_no_cap() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", *[str(number) for number in range(1_234)])
    assert row_of(oracle, "bob", "p2p:alice").unread == 1_234


def test_U5_a_new_member_starts_without_unread() -> None:
    oracle = team_of("olga")
    say(oracle, "olga", TEAM, "old")
    oracle.add_members(TEAM, ["alice"], at_ms=2_000)
    row = row_of(oracle, "alice", TEAM)
    assert (row.unread, row.read_seq, row.last_seq) == (0, 1, 1)
    say(oracle, "olga", TEAM, "new")
    assert oracle.countable("alice", TEAM) == [2]


def test_U5_a_new_member_sees_what_was_said_before() -> None:
    oracle = team_of("olga")
    say(oracle, "olga", TEAM, "old")
    oracle.add_members(TEAM, ["alice"], at_ms=2_000)
    assert text_shown(oracle, "alice", TEAM) == "old"


def test_U5_rejoin_starts_without_unread() -> None:
    oracle = team_of("olga", "alice")
    say(oracle, "olga", TEAM, "before")
    oracle.leave(TEAM, "alice")
    say(oracle, "olga", TEAM, "during")
    oracle.add_members(TEAM, ["alice"], at_ms=3_000)
    row = row_of(oracle, "alice", TEAM)
    assert (row.unread, row.read_seq, row.membership) == (0, 2, "member")
    say(oracle, "olga", TEAM, "after")
    assert oracle.countable("alice", TEAM) == [3]


def test_U5_adding_a_member_again_changes_nothing() -> None:
    oracle = team_of("olga", "alice")
    say(oracle, "olga", TEAM, "a")
    before = oracle.rows("alice")
    oracle.add_members(TEAM, ["alice"], at_ms=9_000)
    assert oracle.rows("alice") == before


def test_U6_sending_reads_nothing_by_itself() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    say(oracle, "bob", "p2p:alice", "c")
    row = row_of(oracle, "bob", "p2p:alice")
    assert (row.unread, row.read_seq) == (2, 0)


def test_U6_sending_reads_up_to_what_was_on_screen() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b", "c")
    oracle.post("bob", "p2p:alice", client_id="d", at_ms=2_000, displayed_seq=2)
    assert oracle.countable("bob", "p2p:alice") == [3]
    assert row_of(oracle, "bob", "p2p:alice").read_seq == 2


def test_U6_what_was_on_screen_is_told_to_the_peer() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    oracle.post("bob", "p2p:alice", client_id="b", at_ms=2_000, previews=False, displayed_seq=1)
    assert row_of(oracle, "alice", "p2p:bob").status == "read"


def test_U6_more_than_the_newest_cannot_have_been_on_screen() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    with pytest.raises(ValueError, match="no place in p2p:alice"):
        oracle.post("bob", "p2p:alice", client_id="b", at_ms=2_000, displayed_seq=2)
    assert row_of(oracle, "bob", "p2p:alice").last_seq == 1


# Reading.


def test_R1_reading_moves_forward_only() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b", "c")
    oracle.read("bob", "p2p:alice", 2)
    assert oracle.countable("bob", "p2p:alice") == [3]
    oracle.read("bob", "p2p:alice", 1)
    assert row_of(oracle, "bob", "p2p:alice").read_seq == 2


def test_R1_reading_without_a_seq_reads_all_there_is_now() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    oracle.read("bob", "p2p:alice")
    assert row_of(oracle, "bob", "p2p:alice").unread == 0
    say(oracle, "alice", "p2p:bob", "c")
    assert oracle.countable("bob", "p2p:alice") == [3]


def test_R1_reading_beyond_the_newest_is_refused() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    with pytest.raises(ValueError, match="2 is no place in p2p:alice: bob knows 0 to 1"):
        oracle.read("bob", "p2p:alice", 2)
    assert row_of(oracle, "bob", "p2p:alice").read_seq == 0


def test_R2_reading_twice_or_the_unknown_changes_nothing() -> None:
    oracle = team_of("olga")
    say(oracle, "alice", "p2p:bob", "a")
    oracle.read("bob", "p2p:alice")
    before = oracle.rows("bob")
    oracle.read("bob", "p2p:alice")
    oracle.read("bob", "p2p:nobody")
    oracle.read("bob", TEAM)
    assert oracle.rows("bob") == before
    with pytest.raises(ValueError, match="no place in team:t1"):
        oracle.read("bob", TEAM, 1)


def test_R5_reading_all_covers_exactly_the_kinds() -> None:
    oracle = team_of("olga", "bob")
    oracle.create_team("super_team:s", owner="olga", members=["bob"], at_ms=100)
    for conversation in (TEAM, "super_team:s", "p2p:bob"):
        say(oracle, "olga", conversation, "a")
    oracle.read_all("bob", kinds=["team", "p2p"])
    assert {row.conversation: row.unread for row in oracle.rows("bob")} == {
        TEAM: 0,
        "super_team:s": 1,
        "p2p:olga": 0,
    }
    oracle.read_all("bob")
    assert oracle.totals("bob").unread == 0


def test_R5_reading_all_covers_left_and_dismissed_teams() -> None:
    oracle = team_of("olga", "bob")
    oracle.create_team("team:t2", owner="olga", members=["bob"], at_ms=100)
    say(oracle, "olga", TEAM, "a")
    say(oracle, "olga", "team:t2", "a")
    oracle.leave(TEAM, "bob")
    oracle.dismiss("team:t2")
    assert oracle.totals("bob").unread == 2
    oracle.read_all("bob")
    assert oracle.totals("bob").unread == 0


def test_R5_what_arrived_after_the_command_stays_unread() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    say(oracle, "carol", "p2p:bob", "c")
    oracle.read_all("bob", upto={"p2p:alice": 1})
    assert oracle.countable("bob", "p2p:alice") == [2]
    assert oracle.countable("bob", "p2p:carol") == [1]


def test_R5_a_bad_command_on_all_changes_nothing() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    with pytest.raises(ValueError, match="no place in p2p:carol"):
        oracle.read_all("bob", upto={"p2p:alice": 1, "p2p:carol": 1})
    with pytest.raises(ValueError, match="no kind 'people'"):
        oracle.read_all("bob", kinds=["people"])
    assert row_of(oracle, "bob", "p2p:alice").unread == 1


def test_R5_the_newest_of_each_conversation_is_what_a_device_can_name() -> None:
    oracle = team_of("olga", "alice", "bob")
    say(oracle, "olga", TEAM, "a")
    oracle.leave(TEAM, "bob")
    say(oracle, "olga", TEAM, "b")
    say(oracle, "alice", "p2p:bob", "x", "y")
    oracle.delete("bob", "p2p:alice")
    assert oracle.newest("alice") == {TEAM: 2, "p2p:bob": 2}
    assert oracle.newest("bob") == {TEAM: 1, "p2p:alice": 2}
    assert oracle.newest("nobody") == {}


def test_R5_reading_all_tells_the_peers() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    oracle.read_all("bob")
    assert row_of(oracle, "alice", "p2p:bob").status == "read"


def test_R6_the_peers_reading_turns_the_status_to_read() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a", "b")
    assert row_of(oracle, "alice", "p2p:bob").status == "sent"
    oracle.read("bob", "p2p:alice", 1)
    assert row_of(oracle, "alice", "p2p:bob").status == "sent"
    oracle.read("bob", "p2p:alice", 2)
    assert row_of(oracle, "alice", "p2p:bob").status == "read"
    assert row_of(oracle, "bob", "p2p:alice").status is None


def test_R6_another_reading_never_changes_my_count() -> None:
    oracle = team_of("olga", "alice", "bob")
    say(oracle, "olga", TEAM, "a", "b")
    oracle.read("bob", TEAM)
    assert row_of(oracle, "alice", TEAM).unread == 2
    assert row_of(oracle, "olga", TEAM).status == "sent"


def test_R6_deleting_and_clearing_tell_the_peer_nothing() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:bob", "a")
    oracle.delete("bob", "p2p:alice")
    oracle.clear_history("bob", "p2p:alice")
    assert row_of(oracle, "alice", "p2p:bob").status == "sent"
    oracle.read("bob", "p2p:alice")
    assert row_of(oracle, "alice", "p2p:bob").status == "read"


def test_R6_notes_to_oneself_are_sent_and_never_unread() -> None:
    oracle = Oracle()
    say(oracle, "alice", "p2p:alice", "milk")
    oracle.read("alice", "p2p:alice")
    row = row_of(oracle, "alice", "p2p:alice")
    assert (row.unread, row.status) == (0, "sent")


def test_U1_each_message_that_does_not_count_has_a_reason() -> None:
    oracle = Oracle()
    for number, (sender, counts) in enumerate([("bob", True), ("alice", True), ("bob", False)]):
        oracle.post(
            sender,
            "p2p:alice" if sender == "bob" else "p2p:bob",
            client_id=f"m{number}",
            at_ms=1_000,
            counts=counts,
        )
    for number in (4, 5, 6):
        oracle.post("bob", "p2p:alice", client_id=f"m{number}", at_ms=1_000)
    oracle.recall("bob", "p2p:alice", 4)
    oracle.delete_message("alice", "p2p:bob", 5)
    assert oracle.countable("alice", "p2p:bob") == [1, 6]
    assert oracle.uncounted("alice", "p2p:bob") == {
        2: "own",
        3: "silent",
        4: "recalled",
        5: "deleted",
    }
    oracle.read("alice", "p2p:bob", 4)
    assert oracle.uncounted("alice", "p2p:bob") == {5: "deleted"}
    assert oracle.uncounted("alice", "p2p:nobody") == {}
