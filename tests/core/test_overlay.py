"""What pending commands make of a row; and that it is what the node will make of it."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recents.core.commands import (
    AddMembers,
    AnyCommand,
    ClearHistory,
    CreateTeam,
    Delete,
    DeleteAll,
    DeleteMessages,
    DismissTeam,
    Edit,
    LeaveTeam,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Post,
    Read,
    ReadAll,
    Recall,
    RenameTeam,
    SetAlias,
    SetDraft,
    SetProfile,
    SetTeamAvatar,
    Unpin,
)
from recents.core.entry import InboxEntry
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.core.membership import (
    Draft,
)
from recents.core.message import Message, Preview
from recents.core.overlay import changed_here, shown
from recents.core.pending import Pending, Refusal, answered, failed
from tests.core.talk import BOB, Talk
from tests.core.talk_deeds import Deed, command_of, deeds, left_of, user_sees

CREW = Conversation("team:t1")
replace = msgspec.structs.replace
_numbers = itertools.count(1)


def pending(command: AnyCommand, *, at_ms: int = 9_000, **known: object) -> Pending:
    made = Pending(number=next(_numbers), command=command, at_ms=at_ms)
    return replace(made, **known)


def post(text: str = "mine", name: Conversation = BOB, **fields: object) -> Post:
    made = Post(id="r", conversation=name, client_id=text, text=text)
    return replace(made, **fields)


def preview(seq: int, text: str = "theirs", sender: str = "bob") -> Preview:
    return Preview(seq=seq, client_id=text, sender=sender, time_ms=1_000 + seq, text=text)


def row(conversation: Conversation = BOB, **fields: object) -> InboxEntry:
    """Five messages of Bob's, the last three unread."""
    made = InboxEntry(
        conversation=conversation,
        version=7,
        activity_ms=1_005,
        last_seq=5,
        read_seq=2,
        unread=3,
        preview=preview(5),
    )
    return replace(made, **fields)


def see(confirmed: InboxEntry | None, *commands: Pending, name: Conversation = BOB) -> InboxEntry:
    seen = shown("ann", name, confirmed, commands)
    assert seen is not None
    return seen


def hides(confirmed: InboxEntry | None, *commands: Pending) -> bool:
    return shown("ann", BOB, confirmed, commands) is None


# Messages.


def test_without_commands_a_row_is_shown_as_it_is() -> None:
    marked = row(marked_unread=True, read_epoch=4, mute="none", draft=Draft("d", 5), status="read")
    assert see(marked) == marked
    assert hides(None)


def test_P4_a_message_on_its_way_is_shown_on_top_and_moves_the_row_up() -> None:
    seen = see(row(), pending(post()))
    assert seen.preview is not None
    assert (seen.preview.text, seen.preview.seq, seen.preview.time_ms) == ("mine", 0, 9_000)
    assert (seen.status, seen.activity_ms, seen.unread, seen.last_seq) == ("sending", 9_000, 3, 5)
    assert (seen.version, seen.read_seq) == (7, 2)


def test_O2_a_message_on_its_way_never_moves_the_row_down() -> None:
    assert see(row(activity_ms=9_500), pending(post())).activity_ms == 9_500


def test_P4_its_status_goes_forward() -> None:
    one = pending(post())
    refusal = Refusal(Code.NOT_A_MEMBER, "no")
    assert see(row(), failed(one, refusal)).status == "failed"
    assert see(row(), one).status == "sending"
    assert see(row(), answered(one, 8, 6)).status == "sent"


def test_M2_a_message_that_the_row_shows_already_is_shown_once() -> None:
    there = row(preview=preview(5, "mine", "ann"), status="read", unread=0)
    assert see(there, pending(post())) == there
    assert see(there, pending(post("other"))).status == "sending"
    assert see(row(preview=preview(5, "mine", "bob")), pending(post())).status == "sending"


def test_M3_a_message_without_preview_or_bump_changes_neither() -> None:
    quiet = post(previews=False, bumps=False, counts=False)
    assert see(row(), pending(quiet)) == row()
    before = see(row(), pending(post("loud")), pending(quiet))
    assert before.preview is not None
    assert (before.preview.text, before.status) == ("loud", "sending")
    sent = see(row(), answered(pending(post("loud")), 8, 6), pending(quiet))
    assert sent.status == "sent", "the status is that of the message shown (P4)"


def test_the_first_message_makes_a_row() -> None:
    seen = see(None, pending(post()))
    assert (seen.version, seen.last_seq, seen.activity_ms, seen.unread) == (0, 0, 9_000, 0)
    assert seen.read_epoch == 0, "nobody has marked it (R3)"


def test_U6_a_message_reads_what_was_on_screen_by_who_knew_the_marks() -> None:
    displayed = pending(post(displayed_seq=4, epoch=1), seen_seq=5, left=1)
    assert see(row(), displayed).unread == 1
    assert see(row(read_epoch=2), displayed).unread == 3


def test_G6_sending_clears_the_draft() -> None:
    assert see(row(draft=Draft("d", 2_000)), pending(post())).draft is None


# Reading.


def test_R1_what_arrives_after_a_read_stays_unread() -> None:
    read = pending(Read(id="r", conversation=BOB, upto_seq=5), seen_seq=5)
    assert (see(row(), read).unread, see(row(), read).read_seq) == (0, 5)
    later = row(last_seq=7, unread=5, preview=preview(7))
    assert (see(later, read).unread, see(later, read).read_seq) == (2, 5)


def test_R1_a_read_without_a_position_reads_all() -> None:
    assert see(row(), pending(Read(id="r", conversation=BOB))).unread == 0


def test_R1_a_message_on_its_way_is_read_but_has_no_place_yet() -> None:
    seen = see(row(), pending(post()), pending(Read(id="r", conversation=BOB)))
    assert (seen.unread, seen.read_seq) == (0, 5)


def test_R1_a_partial_read_counts_what_the_device_knew() -> None:
    def read(left: int | None) -> Pending:
        return pending(Read(id="r", conversation=BOB, upto_seq=3), seen_seq=5, left=left)

    assert see(row(), read(1)).unread == 1, "one of the two was counted"
    assert see(row(), read(None)).unread == 2, "at most as many as there are"
    assert see(row(last_seq=6, unread=4), read(1)).unread == 2, "and what came since"
    assert see(row(unread=1), read(None)).unread == 1, "a read never makes anything unread"


def test_R1_a_read_below_the_position_changes_nothing() -> None:
    read = pending(Read(id="r", conversation=BOB, upto_seq=1), seen_seq=5)
    assert see(row(), read) == row()


def test_R3_a_newer_mark_stands() -> None:
    read = Read(id="r", conversation=BOB, upto_seq=5, epoch=3)
    assert see(row(read_epoch=4), pending(read, seen_seq=5)).unread == 3
    dotted = row(marked_unread=True, read_epoch=4)
    assert see(dotted, pending(read, seen_seq=5)).marked_unread
    knowing = pending(replace(read, epoch=4), seen_seq=5)
    assert (see(dotted, knowing).unread, see(dotted, knowing).marked_unread) == (0, False)


def test_R3_unread_again_from_a_message_on() -> None:
    mark = pending(MarkUnreadFrom(id="r", conversation=BOB, seq=2), seen_seq=5, left=4)
    seen = see(row(read_seq=5, unread=0), mark)
    assert (seen.unread, seen.read_seq, seen.read_epoch) == (4, 1, 0)
    assert see(row(read_seq=5, unread=0, cleared_seq=3), mark).unread == 2


def test_R3_reading_a_part_of_what_was_made_unread() -> None:
    mark = pending(MarkUnreadFrom(id="r", conversation=BOB, seq=1), seen_seq=5, left=5)
    read = pending(Read(id="s", conversation=BOB, upto_seq=3), seen_seq=5, left=2)
    assert see(row(read_seq=5, unread=0), mark, read).unread == 2


def test_R4_a_dot_and_a_read_take_turns() -> None:
    mark = pending(MarkUnread(id="m", conversation=BOB))
    read = pending(Read(id="r", conversation=BOB, upto_seq=5), seen_seq=5)
    assert (see(row(), mark).marked_unread, see(row(), mark).unread) == (True, 3)
    assert not see(row(), mark, read).marked_unread
    assert see(row(), read, mark).marked_unread
    delete = pending(Delete(id="d", conversation=BOB, upto_seq=5), seen_seq=5)
    assert not see(row(), delete, mark, pending(post())).marked_unread, "no row, no dot"


def test_R5_reading_all_covers_the_rows_it_was_given_with() -> None:
    everything = pending(ReadAll(id="r"), seqs={BOB: 5}, epoch=3)
    assert see(row(), everything).unread == 0
    assert see(row(last_seq=6, unread=4), everything).unread == 1
    assert see(row(read_epoch=4), everything).unread == 3
    other = pending(ReadAll(id="r"), seqs={CREW: 5}, epoch=3)
    assert see(row(), other) == row()


# Deleting.


def test_D1_a_deleted_row_is_away_and_back_with_the_next_message() -> None:
    delete = pending(Delete(id="d", conversation=BOB, upto_seq=5), seen_seq=5)
    assert hides(row(), delete)
    assert hides(row(), pending(Delete(id="d", conversation=BOB)))
    back = see(row(last_seq=6, unread=4, preview=preview(6)), delete)
    assert (back.unread, back.read_seq, back.cleared_seq) == (1, 5, 0)
    mine = see(row(), delete, pending(post()))
    assert (mine.unread, mine.status) == (0, "sending")


def test_D2_a_deletion_covers_the_messages_in_front_of_it() -> None:
    assert hides(row(), pending(post()), pending(Delete(id="d", conversation=BOB, upto_seq=5)))
    assert hides(None, pending(post()), pending(Delete(id="d", conversation=BOB, upto_seq=0)))


def test_D3_D5_history_goes_up_to_there() -> None:
    delete = Delete(id="d", conversation=BOB, upto_seq=5, clear_history=True)
    assert see(row(), pending(delete), pending(post())).cleared_seq == 5
    for clear in (
        ClearHistory(id="c", conversation=BOB, upto_seq=5),
        ClearHistory(id="c", conversation=BOB),
    ):
        seen = see(row(status="sent"), pending(clear))
        assert (seen.preview, seen.status, seen.unread) == (None, None, 0)
        assert (seen.activity_ms, seen.cleared_seq) == (1_005, 5)


def test_D5_clearing_covers_a_message_on_its_way_but_not_its_place() -> None:
    seen = see(row(), pending(post()), pending(ClearHistory(id="c", conversation=BOB, upto_seq=5)))
    assert (seen.preview, seen.cleared_seq, seen.activity_ms) == (None, 5, 9_000)


def test_D4_deleting_all_covers_the_rows_it_was_given_with() -> None:
    everything = pending(DeleteAll(id="d", clear_history=True), seqs={BOB: 5})
    assert hides(row(), everything)
    back = see(row(last_seq=6, unread=4, preview=preview(6)), everything)
    assert (back.unread, back.cleared_seq) == (1, 5)
    assert see(row(), pending(DeleteAll(id="d"), seqs={CREW: 5})) == row()


@pytest.mark.parametrize(
    "command",
    [
        Read(id="r", conversation=BOB, upto_seq=1),
        MarkUnread(id="r", conversation=BOB),
        Delete(id="r", conversation=BOB),
        Mute(id="r", conversation=BOB, level="none"),
        Pin(id="r", conversation=BOB, rank=0),
        Unpin(id="r", conversation=BOB),
        SetDraft(id="r", conversation=BOB),
        DeleteAll(id="r"),
    ],
)
def test_R2_D6_on_nothing_nothing_is_shown(command: AnyCommand) -> None:
    assert hides(None, pending(command))


# Drafts and muting.


def test_G6_a_draft_orders_the_row_and_gives_back_the_place() -> None:
    drafted = see(row(), pending(SetDraft(id="r", conversation=BOB, text="hm")))
    assert (drafted.draft, drafted.place_ms) == (Draft("hm", 9_000), 9_000)
    emptied = see(drafted, pending(SetDraft(id="r", conversation=BOB)))
    assert (emptied.draft, emptied.place_ms) == (None, 1_005)


def test_G6_a_draft_to_somebody_new_makes_a_row_but_not_in_an_unknown_team() -> None:
    seen = see(None, pending(SetDraft(id="r", conversation=BOB, text="hm")))
    assert (seen.draft, seen.activity_ms) == (Draft("hm", 9_000), 9_000)
    in_team = pending(SetDraft(id="r", conversation=CREW, text="hm"))
    assert shown("ann", CREW, None, [in_team]) is None


def test_G2_muting_and_unmuting() -> None:
    quiet = see(row(), pending(Mute(id="r", conversation=BOB, level="mentions")))
    assert (quiet.mute, quiet.unread) == ("mentions", 3)
    assert see(quiet, pending(Mute(id="r", conversation=BOB))).mute is None


# Teams.


def test_T1_a_new_team_is_shown_and_can_be_talked_in() -> None:
    create = pending(CreateTeam(id="r", conversation=CREW, name="Crew"), at_ms=8_000)
    seen = see(None, create, name=CREW)
    assert (seen.name, seen.unread, seen.activity_ms, seen.preview) == ("Crew", 0, 8_000, None)
    talk = see(None, create, pending(post("hi", CREW)), name=CREW)
    assert (talk.status, talk.activity_ms) == ("sending", 9_000)
    there = row(CREW, name="Known")
    assert see(there, create, name=CREW) == there


def test_T2_renaming_leaving_and_dismissing() -> None:
    there = row(CREW, name="Crew")
    rename = pending(RenameTeam(id="r", conversation=CREW, name="New"))
    assert see(there, rename, name=CREW).name == "New"
    leave = pending(LeaveTeam(id="r", conversation=CREW))
    assert see(there, leave, name=CREW).membership == "left"
    dismiss = pending(DismissTeam(id="r", conversation=CREW))
    assert see(there, dismiss, name=CREW).membership == "dismissed"
    removed = row(CREW, membership="removed")
    assert see(removed, rename, name=CREW).membership == "removed"


def test_ones_own_new_face_is_shown_with_the_notes_to_oneself() -> None:
    notes = Conversation("p2p:ann")
    there = row(notes, name="Ann", avatar="a.png")
    rename = pending(SetProfile(id="r", name="Bea"))
    assert see(there, rename, name=notes) == replace(there, name="Bea")
    assert see(there, pending(SetProfile(id="r", avatar="")), name=notes).avatar == ""
    nameless = pending(SetProfile(id="r", name=""))
    assert see(there, rename, nameless, name=notes).name is None


def test_ones_own_new_face_changes_no_other_row() -> None:
    rename = pending(SetProfile(id="r", name="Bea", avatar="b.png"))
    there = row(name="Bob", avatar="bob.png")
    assert see(there, rename) == there
    assert see(row(CREW, name="Crew"), rename, name=CREW) == row(CREW, name="Crew")


def test_o3_a_message_on_its_way_leaves_the_face_of_its_row() -> None:
    seen = see(row(name="Bob", avatar="bob.png"), pending(post()))
    assert (seen.name, seen.avatar, seen.status) == ("Bob", "bob.png", "sending")


def test_T2_a_new_avatar_of_a_team() -> None:
    there = row(CREW, name="Crew", avatar="old.png")
    paint = pending(SetTeamAvatar(id="r", conversation=CREW, avatar="new.png"))
    assert see(there, paint, name=CREW) == replace(there, avatar="new.png")
    left = replace(there, membership="left")
    assert see(left, paint, name=CREW) == left


def test_I1_an_alias_is_shown_at_once() -> None:
    there = row(name="Bob", alias="B")
    assert see(there, pending(SetAlias(id="r", conversation=BOB, alias="Dear"))).title == "Dear"
    assert see(there, pending(SetAlias(id="r", conversation=BOB))).title == "Bob"
    assert see(there, pending(post())).title == "B"


def test_who_else_is_in_a_team_no_row_shows() -> None:
    add = pending(AddMembers(id="r", conversation=CREW, members=("bob",)))
    assert see(row(CREW), add, name=CREW) == row(CREW)


# What the node makes of it.


@settings(max_examples=400)
@given(st.lists(st.tuples(st.booleans(), deeds), max_size=12), st.lists(deeds), st.integers(0, 2))
def test_C3_what_is_shown_is_what_the_node_will_make_of_it(
    history: list[tuple[bool, Deed]], given_offline: list[Deed], arriving: int
) -> None:
    talk = Talk()
    for number, (mine, deed) in enumerate(history):
        talk.now_ms += 10
        command = command_of(deed, talk.head.last_seq, None, number)
        if mine or not isinstance(command, Post):
            talk.commit(command, talk.now_ms)
        else:
            talk.commit(replace(command, displayed_seq=None), talk.now_ms, "bob")
    confirmed = talk.row()
    if confirmed is None:
        # A device without the row knows nothing to begin with; there are tests above for that.
        return
    newest, marked = talk.head.last_seq, False
    outbox: list[Pending] = []
    for number, deed in enumerate(given_offline, start=100):
        talk.now_ms += 10
        epoch = None if marked else confirmed.read_epoch
        command = command_of(deed, newest, epoch, number)
        if isinstance(command, MarkUnreadFrom) and not newest:
            continue
        marked |= isinstance(command, MarkUnread | MarkUnreadFrom)
        given_now = pending(command, at_ms=talk.now_ms, seen_seq=newest)
        outbox.append(answered(replace(given_now, left=left_of(command, talk)), 10**9))
    for number in range(arriving):
        talk.commit(post(f"new{number}"), talk.now_ms, "bob")
    expected_row = shown("ann", BOB, talk.row(), outbox)
    for one in outbox:
        command = one.command
        if isinstance(command, Delete | ClearHistory) and not arriving:
            # Rule 3 of the outbox: the messages in front of it are in by then, and covered.
            command = replace(command, upto_seq=talk.head.last_seq)
        talk.commit(command, one.at_ms)
    assert user_sees(expected_row) == user_sees(talk.row())


def test_P4_a_message_that_a_row_has_shown_has_no_echo_any_more() -> None:
    known = pending(post(), seq=5)
    assert see(row(preview=preview(6, "newer"), last_seq=6), known).status is None
    assert shown("ann", BOB, None, [known]) is None, "nor where that row is gone"


@pytest.mark.parametrize("there", [row(preview=preview(4)), row(last_seq=6, preview=preview(6))])
def test_P4_an_answered_message_that_the_row_has_passed_has_no_echo(there: InboxEntry) -> None:
    assert see(there, answered(pending(post()), 8, 5)) == there


@pytest.mark.parametrize("state", ["left", "removed", "dismissed"])
def test_T2_who_is_out_of_a_team_sees_it_as_it_was(state: str) -> None:
    there = row(CREW, name="Crew", membership=state)
    commands: list[AnyCommand] = [
        RenameTeam(id="r", conversation=CREW, name="Other"),
        LeaveTeam(id="r", conversation=CREW),
        DismissTeam(id="r", conversation=CREW),
    ]
    assert see(there, *map(pending, commands), name=CREW) == there


# Messages that change.


def message(seq: int, sender: str = "bob", **fields: object) -> Message:
    made = Message(seq=seq, ordinal=seq, sender=sender, client_id=f"c{seq}", time_ms=seq)
    return replace(made, **fields)


def recall(seq: int, name: Conversation = BOB, *, notice: bool = True) -> Recall:
    return Recall(id="r", conversation=name, seq=seq, notice=notice)


def edit(seq: int, text: str, name: Conversation = BOB) -> Edit:
    return Edit(id="r", conversation=name, seq=seq, text=text)


def test_p2_a_recalled_message_shows_its_notice_or_the_one_before() -> None:
    mine = row(preview=preview(5, "mine", "ann"), status="read")
    seen = see(mine, pending(recall(5)))
    assert seen.preview == replace(
        preview(5, "mine", "ann"), text="", state="recalled", recalled_by="ann"
    )
    assert (seen.status, seen.place_ms) == ("read", mine.place_ms)
    older = see(mine, pending(recall(5, notice=False), older=preview(4, "older", "ann")))
    assert (older.preview, older.status) == (preview(4, "older", "ann"), "read")
    theirs = see(mine, pending(recall(5, notice=False), older=preview(4)))
    assert (theirs.preview, theirs.status) == (preview(4), None)
    assert see(mine, pending(recall(5, notice=False))).preview is None
    assert see(mine, pending(recall(4))) == mine, "another one is shown"
    twice = see(mine, pending(recall(5)), pending(recall(5, notice=False)))
    assert twice == seen, "the first one stands"
    assert see(row(), pending(recall(5))) == row(), "in P2P only one's own can be recalled"


def test_u2_what_an_owner_takes_back_is_unread_no_longer() -> None:
    crew = row(CREW, mentions_me=1, mentions_all=1)
    known = message(4, mentions=("@all", "ann"))
    taken = pending(recall(4, CREW), messages=(known,))
    seen = see(crew, taken, taken, name=CREW)
    assert (seen.unread, seen.mentions_me, seen.mentions_all) == (2, 0, 1)
    for nothing in (message(4, "ann"), message(4, state="gone"), message(4, counts=False)):
        assert see(crew, pending(recall(4, CREW), messages=(nothing,)), name=CREW).unread == 3
    read = pending(Read(id="r", conversation=CREW, upto_seq=5), seen_seq=5)
    seen = see(crew, taken, read, name=CREW)
    assert (seen.unread, seen.mentions_me, seen.mentions_all) == (0, 0, 0)


def test_p3_an_edit_changes_what_is_shown_of_ones_own_message() -> None:
    mine = row(preview=preview(5, "mine", "ann"), status="sent")
    seen = see(mine, pending(edit(5, "a\nb")))
    assert seen.preview is not None
    assert (seen.preview.text, seen.preview.state) == ("a b", "edited")
    assert see(mine, pending(edit(4, "x"))) == mine
    assert see(row(), pending(edit(5, "x"))) == row()
    assert see(row(preview=None), pending(edit(5, "x"))).preview is None


def test_a_kept_message_is_shown_as_it_will_be() -> None:
    mine = message(4, "ann", text="a")
    dot = MarkUnread(id="r", conversation=BOB)
    commands = [pending(edit(4, "b")), pending(edit(3, "x")), pending(dot)]
    assert changed_here("ann", mine, commands).text == "b"
    taken = changed_here("ann", mine, [pending(recall(4)), pending(edit(4, "c"))])
    assert (taken.state, taken.recalled_by, taken.text) == ("recalled", "ann", "")
    gone = changed_here("ann", mine, [pending(recall(4, notice=False))])
    assert gone.state == "gone"
    assert changed_here("ann", message(4), [pending(recall(4)), pending(edit(4, "b"))]) == (
        message(4)
    )


def test_g3_mentions_are_counted_as_far_as_the_device_can() -> None:
    named = row(mentions_me=2, mentions_all=1)
    upto_4 = Read(id="r", conversation=BOB, upto_seq=4)

    def mentions(*commands: Pending) -> tuple[int, int]:
        seen = see(named, *commands)
        return seen.mentions_me, seen.mentions_all

    assert mentions(pending(upto_4, seen_seq=5)) == (1, 1), "the most that it can be"
    known = pending(upto_4, seen_seq=5, left=1, left_mentions=(0, 1))
    assert mentions(known) == (0, 1)
    back = MarkUnreadFrom(id="r", conversation=BOB, seq=4)
    assert mentions(pending(back, seen_seq=5, left=2, left_mentions=(1, 0))) == (1, 0)
    everything = pending(ReadAll(id="r"), seqs={BOB: 5})
    assert mentions(everything) == (0, 0)
    shown_up_to = post(displayed_seq=4)
    assert mentions(pending(shown_up_to, seen_seq=5, left=1, left_mentions=(1, 0))) == (1, 0)
    assert mentions(pending(post(displayed_seq=0), seen_seq=5)) == (2, 1)


def test_p2_u2_a_message_deleted_for_me_is_neither_shown_nor_counted() -> None:
    gone = DeleteMessages(id="r", conversation=BOB, seqs=(4, 5))
    known = (message(4), message(5))
    seen = see(row(), pending(gone, messages=known, older=preview(3)))
    assert (seen.preview, seen.unread) == (preview(3), 1)
    elsewhere = DeleteMessages(id="r", conversation=BOB, seqs=(1,))
    assert see(row(), pending(elsewhere, messages=(message(1),))) == row()
    assert changed_here("ann", message(4), [pending(gone)]).state == "gone"
    assert changed_here("ann", message(3), [pending(gone)]) == message(3)
