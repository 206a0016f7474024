"""One account's state in one conversation: rules U1, U2, U5, U6, R1, D1-D6, T1, T2, O2."""

from __future__ import annotations

import msgspec

from recents.core.head import Head
from recents.core.membership import (
    NEVER_DELETED,
    Membership,
    Position,
    advance,
    after_own_removal,
    after_own_send,
    head_seen,
    is_present,
    joined,
    parted,
    without_history,
    without_row,
)
from tests.core.making import a_message

HEAD = Head(version=7, last_seq=9, ordinal=6, time_ms=900, activity_ms=900)
MEMBER = Membership(
    version=3,
    joined_ms=100,
    joined_seq=1,
    joined_version=2,
    read_seq=4,
    read_ordinal=3,
    skipped_after_read=1,
)
HERE = Position(6, 5, 2)


def changed(membership: Membership, **fields: object) -> Membership:
    """The membership in a later commit, with these fields and no others changed."""
    result: Membership = msgspec.structs.replace(membership, version=8, **fields)
    return result


def test_u5_a_new_member_has_read_everything_of_before() -> None:
    assert joined(HEAD, at_ms=950, version=8) == Membership(
        version=8, joined_ms=950, joined_seq=9, joined_version=8, read_seq=9, read_ordinal=6
    )


def test_t1_the_founders_begin_at_the_beginning() -> None:
    founder = joined(Head(), at_ms=50, version=1)
    assert founder == Membership(version=1, joined_ms=50, joined_version=1)
    assert founder.deleted_seq == NEVER_DELETED


def test_u5_joining_again_is_the_same_but_what_was_cleared_stays_cleared() -> None:
    gone = changed(MEMBER, parting=Head(), removed=True, cleared_seq=3, deleted_seq=4)
    again = joined(HEAD, at_ms=950, version=9, previous=gone)
    assert again == msgspec.structs.replace(joined(HEAD, at_ms=950, version=9), cleared_seq=3)
    assert (again.parting, again.removed, again.deleted_seq) == (None, False, NEVER_DELETED)


def test_o2_a_row_never_sinks_when_its_account_joins_again() -> None:
    assert joined(HEAD, at_ms=99, version=9, previous=MEMBER).joined_ms == 100
    assert joined(HEAD, at_ms=101, version=9, previous=MEMBER).joined_ms == 101


def test_u6_an_own_message_is_skipped_and_nothing_is_read() -> None:
    assert after_own_send(MEMBER, a_message(10), 8) == changed(MEMBER, skipped_after_read=2)


def test_m3_an_own_message_that_does_not_count_is_not_skipped_either() -> None:
    assert after_own_send(MEMBER, a_message(10, counts=False), 8) is MEMBER


def test_u1_a_message_deleted_for_oneself_is_skipped() -> None:
    assert after_own_removal(MEMBER, "bob", a_message(5), 8) == changed(
        MEMBER, skipped_after_read=2
    )


def test_p2_deleting_a_message_that_is_not_unread_changes_the_row_and_no_number() -> None:
    for message in (a_message(4), a_message(3), a_message(5, counts=False), a_message(5, "bob")):
        assert after_own_removal(MEMBER, "bob", message, 8) == changed(MEMBER)


def test_r1_reading_moves_position_and_counters_together() -> None:
    assert advance(MEMBER, HERE, 8) == changed(
        MEMBER, read_seq=6, read_ordinal=5, skipped_after_read=2
    )


def test_r1_reading_only_moves_forward() -> None:
    for seq in (0, 3, 4):
        assert advance(MEMBER, Position(seq, 0, 9), 8) is MEMBER


def test_d1_deleting_the_row_reads_and_hides_up_to_there() -> None:
    assert without_row(MEMBER, HERE, 8, clear_history=False) == changed(
        MEMBER, deleted_seq=6, read_seq=6, read_ordinal=5, skipped_after_read=2
    )


def test_d1_deleting_what_was_read_leaves_the_read_position() -> None:
    assert without_row(MEMBER, Position(2, 2), 8, clear_history=False) == changed(
        MEMBER, deleted_seq=2
    )


def test_d3_deleting_with_the_history_clears_it_too() -> None:
    assert without_row(MEMBER, HERE, 8, clear_history=True) == changed(
        MEMBER, deleted_seq=6, cleared_seq=6, read_seq=6, read_ordinal=5, skipped_after_read=2
    )


def test_d1_an_empty_row_can_be_deleted() -> None:
    empty = Membership(version=3, joined_ms=100)
    after = without_row(empty, Position(0, 0), 8, clear_history=False)
    assert after == changed(empty, deleted_seq=0)


def test_d6_deleting_twice_changes_nothing_the_second_time() -> None:
    once = without_row(MEMBER, HERE, 8, clear_history=True)
    for position in (HERE, Position(5, 4)):
        for clear_history in (True, False):
            assert without_row(once, position, 9, clear_history=clear_history) is once


def test_d3_the_history_can_go_after_the_row_went() -> None:
    once = without_row(MEMBER, HERE, 8, clear_history=False)
    assert without_row(once, HERE, 8, clear_history=True) == changed(once, cleared_seq=6)


def test_d5_clearing_reads_up_to_there_and_hides_no_row() -> None:
    assert without_history(MEMBER, HERE, 8) == changed(
        MEMBER, cleared_seq=6, read_seq=6, read_ordinal=5, skipped_after_read=2
    )
    assert without_history(MEMBER, Position(2, 2), 8) == changed(MEMBER, cleared_seq=2)


def test_d5_clearing_only_moves_forward() -> None:
    once = without_history(MEMBER, HERE, 8)
    assert without_history(once, HERE, 9) is once
    assert without_history(once, Position(5, 4), 9) is once


def test_t2_who_left_keeps_what_it_saw() -> None:
    left = parted(MEMBER, HEAD, 8, removed=False)
    assert left == changed(MEMBER, parting=HEAD)
    assert head_seen(Head(last_seq=99), left) is HEAD


def test_t2_who_was_removed_knows_it() -> None:
    assert parted(MEMBER, HEAD, 8, removed=True) == changed(MEMBER, parting=HEAD, removed=True)


def test_t2_leaving_twice_keeps_the_first_parting() -> None:
    left = parted(MEMBER, HEAD, 8, removed=False)
    assert parted(left, Head(last_seq=99), 9, removed=True) is left


def test_t2_leaving_a_team_without_messages_is_leaving_too() -> None:
    left = parted(Membership(), Head(), 8, removed=False)
    assert left.parting == Head()
    assert head_seen(HEAD, left) == Head()
    assert not is_present(HEAD, left)


def test_t1_only_present_members_of_living_teams_may_send() -> None:
    assert is_present(HEAD, MEMBER)
    assert not is_present(HEAD, None)
    assert not is_present(HEAD, parted(MEMBER, HEAD, 8, removed=False))
    assert not is_present(msgspec.structs.replace(HEAD, dismissed=True), MEMBER)


def test_a_member_sees_the_head_as_it_is() -> None:
    assert head_seen(HEAD, MEMBER) is HEAD
