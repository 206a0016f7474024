"""One account's state in one conversation: rules U, R1, R3, R4, D1-D6, G2, G6, T1, T2, O2."""

from __future__ import annotations

import msgspec
import pytest

from recents.core.head import Head
from recents.core.membership import (
    NEVER_DELETED,
    Archived,
    Draft,
    Membership,
    Position,
    advance,
    after_own_removal,
    after_own_send,
    first_readable,
    head_seen,
    is_archived,
    is_present,
    joined,
    parted,
    read_upto,
    unread_from,
    unread_marked,
    was_archived,
    with_draft,
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


def test_i1_an_alias_survives_leaving_and_joining_again() -> None:
    gone = parted(changed(MEMBER, alias="Crew"), HEAD, 8, removed=True)
    assert joined(HEAD, 9, 9, gone).alias == "Crew"


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


def test_g2_joining_again_keeps_the_mute_and_no_mark_and_no_draft() -> None:
    kept = {"mute": "mentions", "read_epoch": 7, "marked_unread": 6, "draft": Draft("x", 99)}
    gone = changed(MEMBER, parting=Head(), **kept)
    again = joined(HEAD, at_ms=950, version=9, previous=gone)
    assert again == msgspec.structs.replace(joined(HEAD, at_ms=950, version=9), mute="mentions")


def test_o2_a_row_never_sinks_when_its_account_joins_again() -> None:
    assert joined(HEAD, at_ms=99, version=9, previous=MEMBER).joined_ms == 100
    assert joined(HEAD, at_ms=101, version=9, previous=MEMBER).joined_ms == 101


def test_u6_an_own_message_is_skipped_and_nothing_is_read() -> None:
    assert after_own_send(MEMBER, a_message(10), 8) == changed(MEMBER, skipped_after_read=2)


def test_m3_an_own_message_that_does_not_count_is_not_skipped_either() -> None:
    assert after_own_send(MEMBER, a_message(10, counts=False), 8) is MEMBER


@pytest.mark.parametrize("counts", [True, False])
def test_g6_sending_clears_the_draft(counts: bool) -> None:
    drafted = changed(MEMBER, draft=Draft("dear", 5))
    after = after_own_send(drafted, a_message(10, counts=counts), 8)
    assert after == changed(MEMBER, skipped_after_read=2 if counts else 1)
    assert after_own_send(drafted, a_message(10), 9).version == 9


def test_r4_sending_leaves_the_dot() -> None:
    marked = changed(MEMBER, marked_unread=8)
    assert after_own_send(marked, a_message(10), 9).marked_unread == 8


def test_u1_a_message_deleted_for_oneself_is_skipped() -> None:
    assert after_own_removal(MEMBER, "bob", a_message(5), 8) == changed(
        MEMBER, skipped_after_read=2, last_hidden=5
    )


def test_p2_deleting_a_message_that_is_not_unread_changes_the_row_and_no_number() -> None:
    for message in (a_message(4), a_message(3), a_message(5, counts=False), a_message(5, "bob")):
        after = after_own_removal(MEMBER, "bob", message, 8)
        assert after == changed(MEMBER, last_hidden=message.seq)
        newer = msgspec.structs.replace(MEMBER, last_hidden=9)
        assert after_own_removal(newer, "bob", message, 8).last_hidden == 9


def test_r1_reading_moves_position_and_counters_together() -> None:
    assert advance(MEMBER, HERE, 8) == changed(
        MEMBER, read_seq=6, read_ordinal=5, skipped_after_read=2
    )


def test_r1_reading_only_moves_forward() -> None:
    for seq in (0, 3, 4):
        assert advance(MEMBER, Position(seq, 0, 9), 8) is MEMBER


MOVED_BACK = msgspec.structs.replace(MEMBER, read_epoch=5)
READ = {"read_seq": 6, "read_ordinal": 5, "skipped_after_read": 2}


@pytest.mark.parametrize("epoch", [None, 5, 6])
def test_r3_who_knew_of_the_mark_reads_on(epoch: int | None) -> None:
    assert read_upto(MOVED_BACK, HERE, 8, epoch) == changed(MOVED_BACK, **READ)


@pytest.mark.parametrize("epoch", [0, 4])
def test_r3_who_did_not_know_of_the_mark_leaves_it(epoch: int) -> None:
    assert read_upto(MOVED_BACK, HERE, 8, epoch) is MOVED_BACK


def test_r3_without_an_epoch_all_marks_are_known() -> None:
    marked = msgspec.structs.replace(MOVED_BACK, marked_unread=6)
    assert read_upto(marked, HERE, 8) == changed(MOVED_BACK, **READ)


def test_r1_who_never_marked_anything_is_read_by_everybody() -> None:
    assert read_upto(MEMBER, HERE, 8, 0) == changed(MEMBER, **READ)
    assert read_upto(MEMBER, Position(4, 3), 8, 0) is MEMBER


def test_r4_a_mark_is_known_by_its_commit() -> None:
    assert unread_marked(MEMBER, 8) == changed(MEMBER, marked_unread=8)
    again = unread_marked(unread_marked(MEMBER, 8), 9)
    assert again == msgspec.structs.replace(MEMBER, version=9, marked_unread=9)


@pytest.mark.parametrize("seq", [0, 4, 6])
@pytest.mark.parametrize(("epoch", "stays"), [(None, 0), (6, 0), (5, 0), (4, 5), (0, 5)])
def test_r4_any_reading_that_knew_of_the_dot_clears_it(
    seq: int, epoch: int | None, stays: int
) -> None:
    marked = msgspec.structs.replace(MEMBER, marked_unread=5)
    after = read_upto(marked, Position(seq, 5, 2), 8, epoch)
    assert after.marked_unread == stays
    assert after.read_seq == max(seq, 4)
    assert after.version == (3 if stays and seq <= 4 else 8)


def test_r3_r4_the_two_marks_are_known_one_by_one() -> None:
    both = msgspec.structs.replace(MEMBER, read_epoch=6, marked_unread=5)
    assert read_upto(both, HERE, 8, 5) == changed(both, marked_unread=0)
    other = msgspec.structs.replace(MEMBER, read_epoch=5, marked_unread=6)
    assert read_upto(other, HERE, 8, 5) == changed(other, **READ)


def test_r3_the_one_way_back() -> None:
    assert unread_from(MEMBER, Position(2, 1, 3), 8) == changed(
        MEMBER, read_epoch=8, read_seq=2, read_ordinal=1, skipped_after_read=3
    )


def test_r3_exactly_what_comes_after_is_unread_also_further_on() -> None:
    assert unread_from(MEMBER, HERE, 8) == changed(MEMBER, read_epoch=8, **READ)


def test_r3_a_mark_leaves_the_dot_and_what_was_deleted() -> None:
    member = msgspec.structs.replace(MEMBER, marked_unread=3, deleted_seq=2, cleared_seq=1)
    after = unread_from(member, Position(2, 1), 8)
    assert (after.marked_unread, after.deleted_seq, after.cleared_seq) == (3, 2, 1)


def test_r3_a_mark_where_nothing_moves_is_a_mark_still() -> None:
    here = Position(MEMBER.read_seq, MEMBER.read_ordinal, MEMBER.skipped_after_read)
    assert unread_from(MEMBER, here, 8) == changed(MEMBER, read_epoch=8)


def test_u1_nothing_is_unread_before_joining_or_clearing() -> None:
    assert first_readable(MEMBER) == 1
    assert first_readable(msgspec.structs.replace(MEMBER, cleared_seq=3)) == 3
    assert first_readable(msgspec.structs.replace(MEMBER, joined_seq=4, cleared_seq=3)) == 4


DRAFTED = msgspec.structs.replace(MEMBER, draft=Draft("dear", 50))


def test_g6_the_last_writer_wins() -> None:
    assert with_draft(MEMBER, "dear", 50, 8) == changed(MEMBER, draft=Draft("dear", 50))
    assert with_draft(DRAFTED, "dear a", 60, 8) == changed(MEMBER, draft=Draft("dear a", 60))


def test_g6_the_same_text_again_changes_nothing() -> None:
    assert with_draft(DRAFTED, "dear", 60, 8) is DRAFTED
    assert with_draft(MEMBER, "", 60, 8) is MEMBER


def test_g6_an_empty_text_clears_it() -> None:
    assert with_draft(DRAFTED, "", 60, 8) == changed(MEMBER)


def test_o2_a_draft_that_goes_on_never_sinks_its_row() -> None:
    assert with_draft(DRAFTED, "dear a", 40, 8).draft == Draft("dear a", 50)
    cleared = with_draft(DRAFTED, "", 40, 8)
    assert with_draft(cleared, "new", 40, 9).draft == Draft("new", 40), "the place was given back"


def test_d1_the_dot_goes_with_its_row_and_draft_and_mute_stay() -> None:
    kept = {"draft": Draft("dear", 50), "mute": "none", "read_epoch": 5}
    member = msgspec.structs.replace(MEMBER, marked_unread=6, **kept)
    for clear_history in (True, False):
        after = without_row(member, HERE, 8, clear_history=clear_history)
        assert after.marked_unread == 0
        assert (after.draft, after.mute, after.read_epoch) == (Draft("dear", 50), "none", 5)
        assert after.read_seq == 6, "a late deletion deletes all the same"
    again = unread_marked(without_row(member, HERE, 8, clear_history=False), 9)
    assert without_row(again, HERE, 10, clear_history=False) is again, "D6"


def test_d5_clearing_the_history_leaves_the_dot() -> None:
    marked = msgspec.structs.replace(MEMBER, marked_unread=6)
    assert without_history(marked, HERE, 8).marked_unread == 6


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


AWAY = changed(MEMBER, archived=Archived(9, 6, 0, 5))


def test_G4_own_messages_leave_a_row_archived_and_others_do_not() -> None:
    assert is_archived(HEAD, AWAY)
    sent = after_own_send(AWAY, a_message(10), 8)
    assert sent.archived == Archived(9, 6, 1, 5)
    later = msgspec.structs.replace(HEAD, last_seq=10, ordinal=7)
    assert is_archived(later, sent)
    assert not is_archived(later, AWAY)
    muted = msgspec.structs.replace(AWAY, mute="none")
    assert is_archived(later, muted)
    assert not is_archived(later, muted, mentioned=1)


def test_G4_who_had_not_heard_of_an_archiving_saw_the_row_in_the_list() -> None:
    end = Position(9, 6)
    assert was_archived(AWAY, end, upto=5)
    assert not was_archived(AWAY, end, upto=4)
    assert not was_archived(MEMBER, end)
