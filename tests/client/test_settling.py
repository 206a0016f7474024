"""What answers, messages and rows mean for the outbox."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from recents.client.outbox import Outbox
from recents.client.settling import Answered, Confirmed, Outcome, Settlement, settle
from recents.core.commands import (
    AnyCommand,
    ClearHistory,
    Delete,
    DeleteAll,
    Mute,
    Post,
    Read,
    ReadAll,
)
from recents.core.entry import InboxEntry
from recents.core.errors import Code, Refused
from recents.core.ids import Conversation
from recents.core.message import Message, Preview
from recents.core.pending import Pending, Refusal, answered, extended, failed, placed
from recents.wire.frames import Posted
from tests.client.fake_node import row

pytestmark = pytest.mark.asyncio

BOB, CAROL = Conversation("p2p:bob"), Conversation("p2p:carol")
NO = Refused(Code.NOT_A_MEMBER, "no", {"team": "t1"})


def post(name: str, conversation: Conversation = BOB) -> Post:
    return Post(id=name, conversation=conversation, client_id=f"c-{name}", text=name)


def pend(number: int, command: AnyCommand, **known: object) -> Pending:
    return msgspec.structs.replace(Pending(number=number, command=command, at_ms=1), **known)


def own(name: str, seq: int, sender: str = "alice") -> dict[Conversation, tuple[Message, ...]]:
    message = Message(seq=seq, ordinal=seq, sender=sender, client_id=f"c-{name}", time_ms=seq)
    return {BOB: (message,)}


def showing(name: str, seq: int, sender: str = "alice") -> InboxEntry:
    """Bob's row with this message in it."""
    preview = Preview(seq=seq, client_id=f"c-{name}", sender=sender, time_ms=seq)
    return msgspec.structs.replace(row("bob", 10, last_seq=seq), preview=preview)


def settled(
    *pending: Pending,
    outcomes: dict[str, Outcome] | None = None,
    messages: dict[Conversation, tuple[Message, ...]] | None = None,
    version: int = 10,
    rows: tuple[InboxEntry, ...] = (),
    other_line: bool = False,
) -> Settlement:
    outbox = Outbox(asyncio.Event())
    for one in pending:
        outbox.put(one)
    by_name = {image.conversation: image for image in rows}
    confirmed = Confirmed(by_name.get, version, other_line)
    return settle("alice", outbox, outcomes or {}, messages or {}, confirmed)


def answered_post(seq: int, version: int) -> Answered:
    return Answered(version, Posted(seq=seq, ordinal=seq, time_ms=seq))


async def test_nothing_came_of_nothing() -> None:
    assert settled() == Settlement()
    assert settled(pend(1, post("a"))) == Settlement()
    assert settled(outcomes={"unknown": Answered(3)}) == Settlement()


@pytest.mark.parametrize(
    ("version", "row_version", "token_version", "leaves"),
    [
        (0, None, 0, True),
        (7, 7, 7, True),
        (7, 9, 9, True),
        (7, 6, 9, False),
        (7, 7, 6, True),
        (7, None, 7, True),
        (7, None, 6, False),
    ],
)
async def test_C3_a_command_leaves_when_its_row_is_there(
    version: int, row_version: int | None, token_version: int, leaves: bool
) -> None:
    rows = () if row_version is None else (row("bob", row_version),)
    read = pend(1, Read(id="r", conversation=BOB))
    came = settled(read, outcomes={"r": Answered(version)}, version=token_version, rows=rows)
    assert came.landed == [1]
    assert came.settled == ({1: None} if leaves else {})
    assert list(came.put) == ([] if leaves else [1])
    if not leaves:
        (kept,) = came.put.values()
        assert (kept.version, kept.waiting) == (version, False)


async def test_C3_one_that_was_answered_before_leaves_when_the_row_comes() -> None:
    read = pend(1, Read(id="r", conversation=BOB), version=7)
    assert settled(read, version=6) == Settlement()
    came = settled(read, rows=(row("bob", 7),), version=7)
    assert (came.settled, came.landed) == ({1: None}, [])


async def test_C3_a_command_for_all_leaves_with_the_token() -> None:
    read_all = pend(1, ReadAll(id="r"), seqs={BOB: 1})
    late = settled(read_all, outcomes={"r": Answered(11)}, rows=(row("bob", 12),))
    assert late.settled == {}
    assert settled(read_all, outcomes={"r": Answered(10)}).settled == {1: None}


async def test_on_another_line_whatever_was_answered_leaves() -> None:
    pending = [pend(1, Read(id="a", conversation=BOB), version=99), pend(2, post("b"))]
    came = settled(*pending, other_line=True)
    assert came.settled == {1: None}
    came = settled(pending[1], outcomes={"b": answered_post(3, 99)}, other_line=True)
    assert came.settled == {2: Posted(seq=3, ordinal=3, time_ms=3)}


async def test_M2_a_message_leaves_when_it_is_seen() -> None:
    pending = [pend(1, post("a")), pend(2, post("b"))]
    came = settled(*pending, messages=own("a", 4))
    assert came.settled == {1: Posted(seq=4, ordinal=4, time_ms=4)}
    assert came.landed == [1]
    assert settled(*pending, messages=own("a", 4, sender="bob")) == Settlement()
    elsewhere = settled(pend(1, post("a", CAROL)), messages=own("a", 4))
    assert elsewhere == Settlement()


async def test_M2_a_message_that_is_seen_together_with_its_answer_leaves_once() -> None:
    came = settled(pend(1, post("a")), outcomes={"a": answered_post(4, 99)}, messages=own("a", 4))
    assert (came.landed, came.put, came.posted) == ([1], {}, {})
    assert came.settled == {1: Posted(seq=4, ordinal=4, time_ms=4)}


async def test_M2_a_failed_message_that_is_seen_after_all_leaves() -> None:
    late = failed(pend(1, post("a")), Refusal(Code.OVERLOADED, "busy"))
    assert list(settled(late, messages=own("a", 4)).settled) == [1]


async def test_M2_where_it_stands_is_kept_until_its_row_is_there() -> None:
    came = settled(pend(1, post("a")), outcomes={"a": answered_post(4, 11)})
    assert came.settled == {}
    assert came.posted == {1: Posted(seq=4, ordinal=4, time_ms=4)}
    assert (came.put[1].version, came.put[1].seq) == (11, 4)


async def test_M2_what_was_said_before_is_told_when_the_row_comes() -> None:
    outbox = Outbox(asyncio.Event())
    outbox.put(pend(1, post("a"), version=11, seq=4))
    posted = Posted(seq=4, ordinal=4, time_ms=4)
    outbox.note(1, posted)
    confirmed = Confirmed({BOB: row("bob", 11)}.get, 11)
    assert settle("alice", outbox, {}, {}, confirmed).settled == {1: posted}


async def test_P4_a_message_that_a_row_shows_has_its_place_before_its_answer() -> None:
    one = pend(1, post("a"))
    came = settled(one, rows=(showing("a", 4),))
    assert came == Settlement(put={1: placed(one, 4)})


async def test_P4_a_row_that_shows_another_message_says_nothing_of_this_one() -> None:
    one = pend(1, post("a"))
    bare = msgspec.structs.replace(row("bob", 10), preview=None)
    for there in (showing("b", 4), showing("a", 4, sender="bob"), bare):
        assert settled(one, rows=(there,)) == Settlement()


async def test_P4_a_place_is_given_once_and_to_messages_that_wait() -> None:
    one = pend(1, post("a"))
    for known in (placed(one, 3), failed(one, Refusal(Code.OVERLOADED, "busy"))):
        assert settled(known, rows=(showing("a", 4),)) == Settlement()


async def test_P4_a_refused_message_fails() -> None:
    came = settled(pend(1, post("a")), outcomes={"a": NO})
    (kept,) = came.put.values()
    assert kept.refusal == Refusal(Code.NOT_A_MEMBER, "no", {"team": "t1"})
    assert (came.settled, came.landed) == ({}, [1])
    assert came.refused == [(pend(1, post("a")), NO)]


async def test_C4_any_other_refused_command_leaves() -> None:
    came = settled(pend(1, Mute(id="m", conversation=BOB)), outcomes={"m": NO})
    assert (came.settled, came.put, came.landed) == ({1: NO}, {}, [1])
    assert len(came.refused) == 1


@pytest.mark.parametrize(
    ("later", "leaves"),
    [
        (pend(2, Delete(id="d", conversation=BOB)), True),
        (pend(2, DeleteAll(id="d"), seqs={BOB: 1}), True),
        (pend(2, DeleteAll(id="d"), seqs={CAROL: 1}), False),
        (pend(2, ReadAll(id="d"), seqs={BOB: 1}), False),
        (pend(2, Delete(id="d", conversation=CAROL)), False),
        (pend(2, Read(id="d", conversation=BOB)), False),
    ],
)
async def test_D1_a_message_that_is_refused_after_its_row_was_deleted_leaves(
    later: Pending, leaves: bool
) -> None:
    came = settled(pend(1, post("a")), later, outcomes={"a": NO})
    assert came.settled == ({1: NO} if leaves else {})
    assert len(came.refused) == 1, "but it is told"


async def test_D1_a_deletion_in_front_of_it_leaves_a_refused_message_alone() -> None:
    came = settled(
        pend(1, Delete(id="d", conversation=BOB)), pend(2, post("a")), outcomes={"a": NO}
    )
    assert came.put[2].failed


@pytest.mark.parametrize(
    ("command", "seqs", "leaves"),
    [
        (Delete(id="d", conversation=BOB), {}, True),
        (ClearHistory(id="d", conversation=BOB), {}, True),
        (DeleteAll(id="d"), {BOB: 1}, True),
        (DeleteAll(id="d"), {CAROL: 1}, False),
        (ReadAll(id="d"), {BOB: 1}, False),
        (Read(id="d", conversation=BOB), {}, False),
    ],
)
async def test_D1_failed_messages_go_with_their_row(
    command: AnyCommand, seqs: dict[Conversation, int], leaves: bool
) -> None:
    before = failed(pend(1, post("a")), Refusal(Code.NOT_A_MEMBER, "no"))
    after = failed(pend(3, post("b")), Refusal(Code.NOT_A_MEMBER, "no"))
    on_its_way = pend(4, post("c"))
    end = pend(2, command, seqs=seqs)
    came = settled(before, end, after, on_its_way, outcomes={"d": Answered(0)})
    assert set(came.settled) == ({1, 2} if leaves else {2})


async def test_D1_what_was_answered_stays_until_its_row_is_there() -> None:
    before = answered(pend(1, Read(id="r", conversation=BOB)), 11)
    delete = pend(2, Delete(id="d", conversation=BOB))
    assert settled(before, delete, outcomes={"d": Answered(0)}).settled == {2: None}


async def test_D2_a_message_that_is_in_extends_the_deletions_behind_it() -> None:
    deletions = [
        pend(2, Delete(id="d", conversation=BOB, upto_seq=3), seen_seq=3),
        pend(4, ClearHistory(id="e", conversation=BOB, upto_seq=None)),
    ]
    other = pend(5, Delete(id="f", conversation=CAROL, upto_seq=0))
    outcomes: dict[str, Outcome] = {"a": answered_post(4, 10), "b": answered_post(5, 10)}
    came = settled(
        pend(1, post("a")),
        deletions[0],
        pend(3, post("b")),
        deletions[1],
        other,
        outcomes=outcomes,
        rows=(row("bob", 10),),
    )
    first, second = came.put[2], came.put[4]
    assert isinstance(first.command, Delete)
    assert isinstance(second.command, ClearHistory)
    assert (first.command.upto_seq, first.seen_seq) == (4, 4), "not what was sent after it"
    assert second.command.upto_seq == 5
    assert 5 not in came.put


async def test_D2_by_being_seen_as_well() -> None:
    delete = pend(2, Delete(id="d", conversation=BOB, upto_seq=3))
    came = settled(pend(1, post("a")), delete, messages=own("a", 4))
    assert isinstance(came.put[2].command, Delete)
    assert came.put[2].command.upto_seq == 4


@pytest.mark.parametrize(("unread", "upto"), [(1, 3), (0, 6)])
async def test_D2_what_somebody_wrote_in_between_is_not_covered_unseen(
    unread: int, upto: int
) -> None:
    delete = pend(2, Delete(id="d", conversation=BOB, upto_seq=3))
    rows = (row("bob", 10, unread=unread),)
    came = settled(pend(1, post("a")), delete, outcomes={"a": answered_post(6, 10)}, rows=rows)
    now = came.put.get(2, delete).command
    assert isinstance(now, Delete)
    assert now.upto_seq == upto


async def test_D2_the_first_message_extends_a_deletion_that_ends_at_nothing() -> None:
    delete = pend(2, Delete(id="d", conversation=BOB, upto_seq=0))
    came = settled(pend(1, post("a")), delete, messages=own("a", 1))
    assert came.put == {2: extended(delete, 1)}


async def test_D2_without_a_row_nobody_knows_what_is_in_between() -> None:
    delete = pend(2, Delete(id="d", conversation=BOB, upto_seq=3))
    assert settled(pend(1, post("a")), delete, messages=own("a", 6)).put == {}


async def test_D2_a_message_without_a_place_extends_nothing() -> None:
    delete = pend(2, Delete(id="d", conversation=BOB, upto_seq=3))
    came = settled(
        pend(1, post("a")), delete, outcomes={"a": Answered(10)}, rows=(row("bob", 10),)
    )
    assert (came.settled, came.put) == ({1: None}, {})


async def test_D2_a_deletion_that_covers_it_or_was_answered_stays_as_it_is() -> None:
    further = pend(2, Delete(id="d", conversation=BOB, upto_seq=9))
    done = pend(3, Delete(id="e", conversation=BOB, upto_seq=3), version=11)
    same = pend(4, Delete(id="f", conversation=BOB, upto_seq=4))
    came = settled(
        pend(1, post("a")),
        further,
        done,
        same,
        outcomes={"a": answered_post(4, 10)},
        rows=(row("bob", 10),),
    )
    assert came.put == {}


async def test_C4_what_was_answered_is_not_answered_again() -> None:
    read = pend(1, Read(id="r", conversation=BOB), version=11)
    late = failed(pend(2, post("a")), Refusal(Code.NOT_A_MEMBER, "no"))
    outcomes: dict[str, Outcome] = {"r": NO, "a": answered_post(4, 10)}
    assert settled(read, late, outcomes=outcomes) == Settlement()
