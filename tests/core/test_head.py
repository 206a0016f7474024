"""What all members of a conversation share: rules M1, M3, M4, U2, O2, O3, P1-P3, R6, T2."""

from __future__ import annotations

import msgspec
import pytest

from recents.core.commands import Post
from recents.core.face import Face
from recents.core.head import (
    Head,
    absorb,
    amend,
    dismissed,
    face_of,
    next_message,
    recall_notice,
    receipt_of,
    renamed,
    retract,
    with_avatar,
    with_face,
    with_receipt,
)
from recents.core.ids import Conversation, ConversationKey
from recents.core.message import Message, Preview, edited, preview_of
from tests.core.making import a_message, a_post, head_after

KEY = ConversationKey("p2p:ann|bob")


def newest(
    head: Head, post: Post, sender: str = "ann", at_ms: int = 5_000
) -> tuple[Head, Message]:
    message = next_message(head, post, sender, at_ms)
    return absorb(head, message, head.version + 1), message


def test_m1_a_conversation_begins_with_nothing_in_it() -> None:
    assert msgspec.convert({}, Head) == Head(
        version=0,
        last_seq=0,
        ordinal=0,
        time_ms=0,
        activity_ms=0,
        preview=None,
        last_retraction=0,
        receipts=(0, 0),
        name=None,
        owner=None,
        dismissed=False,
    )


def test_m1_messages_are_numbered_without_gaps() -> None:
    head = Head()
    for seq in range(1, 5):
        head, message = newest(head, a_post(counts=seq != 2, bumps=seq != 3, previews=seq != 4))
        assert (message.seq, head.last_seq) == (seq, seq)


def test_m1_a_message_out_of_turn_is_a_mistake_of_the_program() -> None:
    head = head_after(a_post())
    for seq in (1, 3):
        with pytest.raises(AssertionError, match="in order"):
            absorb(head, a_message(seq), 9)


def test_m3_the_ordinal_numbers_the_messages_that_count() -> None:
    head = Head()
    ordinals = []
    for counts in (True, False, True, False, False):
        head, message = newest(head, a_post(counts=counts))
        assert head.ordinal == message.ordinal
        ordinals.append(message.ordinal)
    assert ordinals == [1, 1, 2, 2, 2]


def test_m3_a_message_that_does_not_bump_leaves_the_place() -> None:
    head = head_after(a_post())
    head, message = newest(head, a_post(bumps=False))
    assert (head.time_ms, head.activity_ms) == (5_000, 1_000)
    assert head.preview == preview_of(message)


def test_m3_a_message_that_does_not_preview_leaves_the_preview() -> None:
    head = head_after(a_post("a"))
    before = head.preview
    head, _ = newest(head, a_post("b", previews=False))
    assert head.preview == before
    assert (head.last_seq, head.ordinal, head.activity_ms) == (2, 2, 5_000)


def test_m4_times_never_decrease_within_a_conversation() -> None:
    head, times = Head(), []
    for at_ms in (1_000, 900, 1_000, 1_001, 0):
        head, message = newest(head, a_post(), at_ms=at_ms)
        times.append(message.time_ms)
    assert times == [1_000, 1_000, 1_000, 1_001, 1_001]
    assert (head.time_ms, head.activity_ms) == (1_001, 1_001)


def test_m4_a_quiet_message_sets_the_time_for_the_next() -> None:
    head, _ = newest(Head(), a_post(bumps=False), at_ms=2_000)
    assert (head.time_ms, head.activity_ms) == (2_000, 0)
    head, message = newest(head, a_post(), at_ms=1_500)
    assert (message.time_ms, head.activity_ms) == (2_000, 2_000)


def test_o2_a_message_never_lowers_the_place_also_where_the_times_before_it_are_not_known() -> (
    None
):
    joined_late = Head(last_seq=1, time_ms=1_000, activity_ms=9_000)
    head, message = newest(joined_late, a_post(), at_ms=5_000)
    assert (message.time_ms, head.activity_ms) == (5_000, 9_000)


def test_a_message_is_as_it_was_posted() -> None:
    post = Post(
        id="r1",
        conversation=Conversation("p2p:bob"),
        client_id="c7",
        kind="image",
        text="a cat",
        attachment={"url": "cat.png"},
        mentions=("bob",),
        counts=False,
        bumps=False,
        previews=False,
    )
    assert next_message(head_after(a_post(), a_post()), post, "ann", 7_000) == Message(
        seq=3,
        ordinal=2,
        sender="ann",
        client_id="c7",
        time_ms=7_000,
        kind="image",
        text="a cat",
        attachment={"url": "cat.png"},
        mentions=("bob",),
        counts=False,
        bumps=False,
        previews=False,
    )


def test_absorb_keeps_what_is_not_the_messages_business() -> None:
    before = Head(
        version=3, last_retraction=9, receipts=(1, 2), name="One", owner="olga", dismissed=True
    )
    after, message = newest(before, a_post("hi"))
    assert after == Head(
        version=4,
        last_seq=1,
        ordinal=1,
        time_ms=5_000,
        activity_ms=5_000,
        preview=preview_of(message),
        last_retraction=9,
        receipts=(1, 2),
        name="One",
        owner="olga",
        dismissed=True,
    )


def test_p2_recalling_the_previewed_message_shows_the_notice_in_the_same_place() -> None:
    head, message = newest(head_after(a_post("a")), a_post("b"))
    notice = recall_notice(message, "olga")
    after = retract(head, message, 9, fallback=notice)
    assert notice == Preview(
        seq=2,
        client_id="c1",
        sender="ann",
        time_ms=5_000,
        state="recalled",
        recalled_by="olga",
    )
    assert after == msgspec.structs.replace(
        head, version=9, preview=notice, last_retraction=2, changes=1
    )


def test_p1_recalling_it_without_notice_shows_the_next_older_one() -> None:
    head, message = newest(Head(), a_post("a"))
    older = head.preview
    head, message = newest(head, a_post("b"))
    assert retract(head, message, 9, fallback=older).preview == older
    assert retract(head, message, 9, fallback=None).preview is None


def test_p2_recalling_an_older_message_leaves_the_preview() -> None:
    head, first = newest(Head(), a_post("a"))
    head, second = newest(head, a_post("b"))
    after = retract(head, first, 9, fallback=recall_notice(first, "ann"))
    assert after.preview == preview_of(second)
    assert (after.version, after.last_retraction) == (9, 1)


def test_p2_recalling_where_nothing_is_shown_leaves_it_so() -> None:
    head, message = newest(Head(), a_post(previews=False))
    assert retract(head, message, 9, fallback=recall_notice(message, "ann")).preview is None


def test_u2_the_newest_retraction_is_kept_and_only_counting_messages_matter() -> None:
    head, messages = Head(), []
    for counts in (True, True, False):
        head, message = newest(head, a_post(counts=counts))
        messages.append(message)
    after = retract(head, messages[1], 9, fallback=None)
    after = retract(after, messages[0], 10, fallback=None)
    assert (after.last_retraction, after.version) == (2, 10)
    assert retract(head, messages[2], 9, fallback=None).last_retraction == 0
    assert retract(after, messages[2], 9, fallback=None).last_retraction == 2
    assert (after.last_seq, after.ordinal) == (3, 2), "nothing ever lowers them"


def test_p3_an_edit_changes_the_preview_of_the_shown_message_and_moves_nothing() -> None:
    head, message = newest(head_after(a_post("a")), a_post("b"))
    after = amend(head, edited(message, "B\n!"), 9)
    assert after.preview is not None
    assert (after.preview.text, after.preview.state) == ("B !", "edited")
    assert after == msgspec.structs.replace(head, version=9, preview=after.preview, changes=1)


def test_p3_an_edit_of_another_message_changes_the_version_only() -> None:
    head, first = newest(Head(), a_post("a"))
    head, _ = newest(head, a_post("b"))
    after = amend(head, edited(first, "A"), 9)
    assert after == msgspec.structs.replace(head, version=9, changes=1)
    bare, message = newest(Head(), a_post(previews=False))
    after = amend(bare, edited(message, "A"), 9)
    assert after == msgspec.structs.replace(bare, version=9, changes=1)


def test_r6_each_side_has_its_own_receipt() -> None:
    head = with_receipt(Head(), KEY, "bob", 4, version=2)
    assert (receipt_of(head, KEY, "ann"), receipt_of(head, KEY, "bob")) == (0, 4)
    head = with_receipt(head, KEY, "ann", 3, version=3)
    assert head == Head(version=3, receipts=(3, 4))


def test_r1_receipts_only_move_forward() -> None:
    head = with_receipt(Head(), KEY, "ann", 3, version=2)
    assert with_receipt(head, KEY, "ann", 3, version=9) is head
    assert with_receipt(head, KEY, "ann", 2, version=9) is head
    assert with_receipt(head, KEY, "ann", 4, version=9).receipts == (4, 0)


def test_r6_notes_to_oneself_have_one_receipt() -> None:
    key = ConversationKey("p2p:ann|ann")
    head = with_receipt(Head(), key, "ann", 3, version=2)
    assert receipt_of(head, key, "ann") == 3


def test_o3_a_new_name_moves_no_row_and_the_same_name_is_no_change() -> None:
    head = msgspec.structs.replace(head_after(a_post()), name="One", owner="olga")
    after = renamed(head, "Two", 9)
    assert after == msgspec.structs.replace(head, name="Two", version=9)
    assert renamed(after, "Two", 10) is after


def test_o3_a_new_face_moves_no_row_and_the_same_face_is_no_change() -> None:
    key = ConversationKey("p2p:ann|bob")
    head = head_after(a_post())
    ann, bob = Face("Ann", "a.png"), Face("Bob")
    after = with_face(with_face(head, key, "ann", ann, 9), key, "bob", bob, 10)
    assert after == msgspec.structs.replace(head, faces=(ann, bob), version=10)
    assert (face_of(after, key, "ann"), face_of(after, key, "bob")) == (ann, bob)
    assert with_face(after, key, "ann", Face("Ann", "a.png"), 11) is after


def test_o3_a_new_avatar_of_a_team_moves_no_row_and_the_same_is_no_change() -> None:
    head = msgspec.structs.replace(head_after(a_post()), name="One", owner="olga")
    after = with_avatar(head, "t.png", 9)
    assert after == msgspec.structs.replace(head, avatar="t.png", version=9)
    assert with_avatar(after, "t.png", 10) is after


def test_i2_notes_to_oneself_show_ones_own_face() -> None:
    key = ConversationKey("p2p:ann|ann")
    head = with_face(Head(), key, "ann", Face("Ann"), version=2)
    assert face_of(head, key, "ann") == Face("Ann")
    assert head.faces == (Face("Ann"), Face("Ann"))


def test_t2_a_team_ends_once() -> None:
    head = msgspec.structs.replace(head_after(a_post()), name="One", owner="olga")
    after = dismissed(head, 9)
    assert after == msgspec.structs.replace(head, dismissed=True, version=9)
    assert dismissed(after, 10) is after


def test_g3_the_newest_message_that_mentions_anybody_is_remembered() -> None:
    head, first = newest(Head(), a_post("a", mentions=("bob",)))
    assert head.last_mention == 1
    head, _ = newest(head, a_post("b"))
    head, _ = newest(head, a_post("c", mentions=("bob",), counts=False))
    assert head.last_mention == 1, "one that does not count mentions nobody"
    head, third = newest(head, a_post("d"))
    head = amend(head, edited(third, "D", ("@all",)), 9)
    assert head.last_mention == 4
    assert amend(head, edited(first, "A"), 9).last_mention == 4
