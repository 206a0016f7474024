"""From what somebody wants to the commands that say so."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import msgspec
import pytest

from recents.client.local_list import LocalList
from recents.client.outbox import Outbox, conversation_of
from recents.client.planning import MOST_COUNTED, Planning, Wish
from recents.client.ranking import GAP
from recents.core.commands import (
    AnyCommand,
    ClearHistory,
    CreateTeam,
    Delete,
    DeleteAll,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Post,
    Read,
    ReadAll,
    SetDraft,
    SetProfile,
)
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation, Kind
from recents.core.membership import Pinned
from recents.core.message import Message
from recents.core.pending import Pending
from tests.client.fake_node import row, token

pytestmark = pytest.mark.asyncio

BOB, CAROL, CREW = Conversation("p2p:bob"), Conversation("p2p:carol"), Conversation("team:t1")
NOBODY = Conversation("p2p:nobody")


def pins(wishes: Sequence[Wish]) -> list[tuple[str, int, str]]:
    commands = [wish.command for wish in wishes]
    assert all(isinstance(command, Pin) for command in commands)
    return [
        (command.conversation[4:], command.rank, command.ext)
        for command in commands
        if isinstance(command, Pin)
    ]


def pinned(name: str, rank: int, ext: str = "") -> InboxEntry:
    return msgspec.structs.replace(row(name), pin=Pinned(rank, ext, 1, 1))


class Desk:
    """A device of Alice's: rows, an outbox, and the messages that it kept."""

    def __init__(self, *rows: InboxEntry, complete: bool = True) -> None:
        self.outbox = Outbox(asyncio.Event())
        self.local = LocalList("alice", self.outbox)
        self.local.restore(rows)
        self.local.complete = complete
        self.kept: list[Message] = []
        ids = itertools.count(1)
        self.plan = Planning(
            "alice", self.local, self.outbox, self._kept, lambda: f"id{next(ids)}"
        )

    async def _kept(self, name: Conversation, before_seq: int, limit: int) -> list[Message]:
        return [message for message in self.kept if message.seq < before_seq][-limit:]

    def keep(self, *senders: str, first: int = 1) -> None:
        for seq, sender in enumerate(senders, start=first):
            known = {"seq": seq, "ordinal": seq, "client_id": f"{seq}", "time_ms": 1}
            self.kept.append(Message(sender=sender, **known))  # type: ignore[arg-type]

    def give(self, command: AnyCommand, **known: object) -> None:
        pending = Pending(number=self.outbox.next_number, command=command, at_ms=9_000)
        name = conversation_of(command)
        names = set() if name is None else {name}
        before = self.local.look(names)
        self.outbox.put(msgspec.structs.replace(pending, **known))
        self.local.show_anew(before)


def bob(**fields: object) -> InboxEntry:
    entry = row("bob", 7, last_seq=5, read_seq=2, unread=3)
    return msgspec.structs.replace(entry, **fields)


def post(name: Conversation = BOB, displayed_seq: int | None = None) -> Post:
    return Post(id="p", conversation=name, client_id="c", displayed_seq=displayed_seq)


async def test_a_wish_stands_in_the_outbox_with_all_that_was_known() -> None:
    wish = Wish(command=post(), seen_seq=3, left=2, seqs={BOB: 1}, epoch=4)
    assert wish.pending(8, 77) == Pending(
        number=8, command=post(), at_ms=77, seen_seq=3, left=2, seqs={BOB: 1}, epoch=4
    )


async def test_R1_a_read_goes_up_to_what_was_received() -> None:
    desk = Desk(bob(read_epoch=3))
    (wish,) = await desk.plan.read(BOB, None)
    assert wish.command == Read(id="id1", conversation=BOB, upto_seq=5, epoch=3)
    assert (wish.seen_seq, wish.left) == (5, None)


async def test_R1_what_a_partial_read_leaves_is_counted_where_all_of_it_is_here() -> None:
    desk = Desk(bob())
    desk.keep("bob", "bob", "bob", "alice", "bob")
    (wish,) = await desk.plan.read(BOB, 2)
    assert wish.left == 2
    desk.kept[4] = msgspec.structs.replace(desk.kept[4], counts=False)
    assert (await desk.plan.read(BOB, 2))[0].left == 1
    desk.kept[2] = msgspec.structs.replace(desk.kept[2], state="recalled")
    assert (await desk.plan.read(BOB, 2))[0].left == 0
    del desk.kept[3]
    assert (await desk.plan.read(BOB, 2))[0].left is None, "there is a gap"
    assert (await desk.plan.read(BOB, 4))[0].left == 0
    assert (await desk.plan.read(BOB, 9))[0].left is None, "the node refuses that"


async def test_R1_what_is_kept_beyond_the_row_is_not_counted() -> None:
    desk = Desk(bob())
    desk.keep(*["bob"] * 6)
    assert (await desk.plan.read(BOB, 2))[0].left == 3


async def test_only_so_many_are_counted() -> None:
    desk = Desk(bob(last_seq=MOST_COUNTED + 1))
    desk.keep(*["bob"] * (MOST_COUNTED + 1))
    assert (await desk.plan.read(BOB, 1))[0].left == MOST_COUNTED
    assert (await desk.plan.read(BOB, 0))[0].left is None


async def test_R2_D6_on_nothing_nothing_is_commanded() -> None:
    plan = Desk(bob()).plan
    assert await plan.read(NOBODY, None) == await plan.read(NOBODY, 3) == []
    assert await plan.mark_unread(NOBODY) == []
    assert await plan.delete(NOBODY, clear_history=False) == []
    (wish,) = await plan.delete(NOBODY, clear_history=True)
    assert wish == Wish(command=Delete(id="id1", conversation=NOBODY, clear_history=True))


async def test_while_rows_are_missing_the_node_decides() -> None:
    plan = Desk(bob(), complete=False).plan
    (read,) = await plan.read(NOBODY, None)
    assert read.command == Read(id="id1", conversation=NOBODY)
    (exact,) = await plan.read(NOBODY, 3)
    assert exact == Wish(command=Read(id="id2", conversation=NOBODY, upto_seq=3))
    (mark,) = await plan.mark_unread(NOBODY)
    assert mark.command == MarkUnread(id="id3", conversation=NOBODY)
    (delete,) = await plan.delete(NOBODY, clear_history=False)
    assert delete.command == Delete(id="id4", conversation=NOBODY)


async def test_a_row_of_this_device_alone_ends_at_nothing() -> None:
    desk = Desk()
    desk.give(post())
    (read,) = await desk.plan.read(BOB, None)
    (delete,) = await desk.plan.delete(BOB, clear_history=False)
    assert isinstance(read.command, Read)
    assert isinstance(delete.command, Delete)
    assert read.command.upto_seq == delete.command.upto_seq == 0


async def test_R3_who_marked_it_here_knows_all_marks() -> None:
    desk = Desk(bob(read_epoch=3))
    assert desk.plan.known_epoch(BOB) == 3
    assert desk.plan.known_epoch(NOBODY) is None
    desk.give(Mute(id="m", conversation=BOB))
    assert desk.plan.known_epoch(BOB) == 3
    desk.give(MarkUnread(id="m", conversation=BOB))
    assert desk.plan.known_epoch(BOB) is None


async def test_U6_a_message_tells_what_was_on_screen() -> None:
    desk = Desk(bob(read_epoch=3))
    desk.keep(*["bob"] * 5)
    (plain,) = await desk.plan.post(post())
    assert plain == Wish(command=post())
    (wish,) = await desk.plan.post(post(displayed_seq=4))
    assert isinstance(wish.command, Post)
    assert (wish.command.epoch, wish.seen_seq, wish.left) == (3, 5, 1)
    (new,) = await desk.plan.post(post(NOBODY, displayed_seq=0))
    assert (new.seen_seq, new.left) == (0, None)


async def test_M2_a_message_that_is_on_its_way_is_not_given_again() -> None:
    desk = Desk()
    desk.give(post())
    assert await desk.plan.post(post()) == []
    echo = desk.plan.on_its_way(post())
    assert echo is not None
    assert (echo.client_id, echo.sender, echo.time_ms) == ("c", "alice", 9_000)
    (elsewhere,) = await desk.plan.post(post(CAROL))
    assert elsewhere.command == post(CAROL)


async def test_R4_a_dot_is_put_on_a_row() -> None:
    (wish,) = await Desk(bob()).plan.mark_unread(BOB)
    assert wish.command == MarkUnread(id="id1", conversation=BOB)


async def test_R3_a_mark_counts_from_its_message_on_but_not_what_was_cleared() -> None:
    desk = Desk(bob(read_seq=5, unread=0))
    desk.keep(*["bob"] * 5)
    (wish,) = await desk.plan.mark_unread_from(BOB, 3)
    assert wish.command == MarkUnreadFrom(id="id1", conversation=BOB, seq=3)
    assert (wish.seen_seq, wish.left) == (5, 3)
    desk = Desk(bob(read_seq=5, unread=0, cleared_seq=4))
    desk.keep("bob", first=5)
    assert (await desk.plan.mark_unread_from(BOB, 3))[0].left == 1
    (unknown,) = await desk.plan.mark_unread_from(NOBODY, 3)
    assert (unknown.seen_seq, unknown.left) == (0, None)


async def test_D5_clearing_ends_at_what_was_received() -> None:
    plan = Desk(bob()).plan
    (wish,) = await plan.clear_history(BOB)
    assert wish.command == ClearHistory(id="id1", conversation=BOB, upto_seq=5)
    assert wish.seen_seq == 5
    (exact,) = await plan.clear_history(BOB, 3)
    assert exact.command == ClearHistory(id="id2", conversation=BOB, upto_seq=3)
    (nothing,) = await plan.clear_history(NOBODY)
    assert nothing == Wish(command=ClearHistory(id="id3", conversation=NOBODY))


async def test_D2_deleting_ends_at_what_was_received() -> None:
    plan = Desk(bob()).plan
    (wish,) = await plan.delete(BOB, clear_history=False)
    assert wish == Wish(command=Delete(id="id1", conversation=BOB, upto_seq=5), seen_seq=5)
    (exact,) = await plan.delete(BOB, 3, clear_history=False)
    assert exact.command == Delete(id="id2", conversation=BOB, upto_seq=3)


@pytest.mark.parametrize(("complete", "upto_seq"), [(True, 3), (False, None)])
async def test_D3_D5_the_history_of_a_row_that_is_gone_ends_at_what_was_kept(
    complete: bool, upto_seq: int | None
) -> None:
    desk = Desk(complete=complete)
    desk.keep("bob", "bob", "bob")
    (delete,) = await desk.plan.delete(BOB, clear_history=True)
    (clear,) = await desk.plan.clear_history(BOB)
    for wish in (delete, clear):
        assert isinstance(wish.command, Delete | ClearHistory)
        assert (wish.command.upto_seq, wish.seen_seq) == (upto_seq, upto_seq or 0)


async def test_D2_what_was_received_of_a_row_is_what_the_node_confirmed() -> None:
    desk = Desk(bob())
    desk.give(post(CAROL))
    assert desk.plan.received(BOB) == 5
    assert desk.plan.received(CAROL) == 0, "what is on its way has no place yet"
    assert desk.plan.received(NOBODY) is None


async def test_R5_all_are_read_as_they_were_at_the_token() -> None:
    desk = Desk(
        bob(), row("carol", 6, marked_unread=True), row("team:t1", 5, unread=1), row("read", 4)
    )
    (wish,) = await desk.plan.read_all(None, token(9))
    assert wish.command == ReadAll(id="id1", upto=token(9))
    assert (wish.seqs, wish.epoch) == ({BOB: 5, CAROL: 1, CREW: 1}, 9)
    (wish,) = await desk.plan.read_all([Kind.TEAM], token(9))
    assert wish.command == ReadAll(id="id2", kinds=(Kind.TEAM,), upto=token(9))
    assert wish.seqs == {CREW: 1}


async def test_R5_D4_rows_seen_before_are_covered_as_they_were_seen() -> None:
    desk = Desk(bob(), row("carol", 6, last_seq=2, unread=1))
    seen = [bob(last_seq=4)]
    (read,) = await desk.plan.read_all(None, token(5), seen)
    (delete,) = await desk.plan.delete_all(None, token(5), seen, clear_history=False)
    assert read.seqs == delete.seqs == {BOB: 4}


async def test_R5_what_was_marked_here_is_read_by_a_command_of_its_own() -> None:
    desk = Desk(bob(unread=0), row("carol", 6, unread=1), row("team:t1", 5))
    desk.give(MarkUnread(id="m", conversation=BOB))
    desk.give(Read(id="n", conversation=CAROL, upto_seq=0))
    everything, own = await desk.plan.read_all([Kind.P2P], token(9))
    assert everything.seqs == {BOB: 5, CAROL: 1}
    assert own.command == Read(id="id2", conversation=BOB, upto_seq=5)


@pytest.mark.parametrize(("complete", "upto"), [(True, None), (False, token(3))])
async def test_R5_D4_without_all_rows_every_row_is_named(complete: bool, upto: str | None) -> None:
    desk = Desk(bob(), row("carol", 6), row("team:t1", 5, unread=1), complete=complete)
    reads = await desk.plan.read_all(None, upto)
    assert {type(wish.command) for wish in reads} == {Read}
    assert len(reads) == 2
    deletes = await desk.plan.delete_all([Kind.P2P], upto, clear_history=True)
    assert [wish.command for wish in deletes] == [
        Delete(id="id3", conversation=BOB, upto_seq=5, clear_history=True),
        Delete(id="id4", conversation=CAROL, upto_seq=1, clear_history=True),
    ]


async def test_D4_all_are_deleted_as_they_were_at_the_token() -> None:
    desk = Desk(bob(), row("team:t1", 5))
    (wish,) = await desk.plan.delete_all(None, token(9), clear_history=True)
    assert wish.command == DeleteAll(id="id1", upto=token(9), clear_history=True)
    assert (wish.seqs, wish.epoch) == ({BOB: 5, CREW: 1}, None)
    (wish,) = await desk.plan.delete_all([Kind.TEAM], token(9), clear_history=False)
    assert wish.command == DeleteAll(id="id2", kinds=(Kind.TEAM,), upto=token(9))
    assert wish.seqs == {CREW: 1}


@pytest.mark.parametrize(
    "made",
    [
        post(CAROL),
        SetDraft(id="s", conversation=CAROL, text="hm"),
        CreateTeam(id="t", conversation=CREW),
    ],
)
async def test_D4_what_was_made_here_is_deleted_by_a_command_of_its_own(made: AnyCommand) -> None:
    assert not isinstance(made, ReadAll | DeleteAll | SetProfile)
    desk = Desk(bob())
    desk.give(Mute(id="m", conversation=BOB))
    desk.give(made)
    everything, own = await desk.plan.delete_all(None, token(9), clear_history=False)
    assert everything.seqs == {BOB: 5, made.conversation: 0}
    assert own.command == Delete(id="id2", conversation=made.conversation, upto_seq=0)


# Pins


async def test_g1_a_new_pin_goes_on_top_and_one_that_is_there_keeps_its_place() -> None:
    assert pins(await Desk(row("bob")).plan.pin(BOB, "red")) == [("bob", 0, "red")]
    desk = Desk(row("bob"), pinned("carol", 7, "old"), pinned("dave", 3))
    assert pins(await desk.plan.pin(BOB, "")) == [("bob", 3 - GAP, "")]
    assert pins(await desk.plan.pin(CAROL, "new")) == [("carol", 7, "new")]
    assert pins(await desk.plan.pin(NOBODY, "")) == [("nobody", 3 - GAP, "")], "the node says no"


async def test_g1_a_pin_moves_before_another_or_to_the_end_and_keeps_its_text() -> None:
    desk = Desk(pinned("bob", 0, "b"), pinned("carol", 8, "c"), pinned("dave", 20), row("eve"))
    dave, eve = Conversation("p2p:dave"), Conversation("p2p:eve")
    assert pins(await desk.plan.move_pin(dave, CAROL)) == [("dave", 4, "")]
    assert pins(await desk.plan.move_pin(CAROL, BOB)) == [("carol", -GAP, "c")]
    assert pins(await desk.plan.move_pin(BOB, None)) == [("bob", 20 + GAP, "b")]
    assert pins(await desk.plan.move_pin(BOB, eve)) == [("bob", 20 + GAP, "b")], "eve has none"
    assert pins(await desk.plan.move_pin(eve, BOB)) == [("eve", -GAP, "")], "now it has one"
    assert pins(await desk.plan.move_pin(BOB, BOB)) == [("bob", 20 + GAP, "b")]


async def test_g1_where_there_is_no_room_the_rows_below_are_moved_first() -> None:
    desk = Desk(pinned("bob", 1), pinned("carol", 2, "c"), pinned("dave", 3, "d"), row("eve"))
    assert pins(await desk.plan.move_pin(Conversation("p2p:eve"), CAROL)) == [
        ("dave", 1 + 3 * GAP, "d"),
        ("carol", 1 + 2 * GAP, "c"),
        ("eve", 1 + GAP, ""),
    ]
