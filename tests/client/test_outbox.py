"""Commands in order: what is sent, what waits, who hears."""

from __future__ import annotations

import asyncio
import gc
import itertools

import msgspec
import pytest

from recents.client.outbox import Outbox, Ticket, conversation_of, encoded_size
from recents.core.commands import (
    AnyCommand,
    ClearHistory,
    Delete,
    DeleteAll,
    Post,
    Read,
    ReadAll,
)
from recents.core.errors import Code, Refused
from recents.core.ids import Conversation
from recents.core.pending import Pending, Refusal, answered, failed, retried
from recents.wire import codec
from recents.wire.frames import Posted

pytestmark = pytest.mark.asyncio

BOB, CAROL = Conversation("p2p:bob"), Conversation("p2p:carol")
POSTED = Posted(seq=1, ordinal=1, time_ms=5)
_ids = itertools.count(1)


def outbox_of(*commands: AnyCommand) -> tuple[Outbox, list[Pending]]:
    outbox = Outbox(asyncio.Event())
    return outbox, [put(outbox, command) for command in commands]


def put(outbox: Outbox, command: AnyCommand) -> Pending:
    pending = Pending(number=outbox.next_number, command=command, at_ms=1)
    outbox.put(pending)
    return pending


def post(name: Conversation = BOB, text: str = "") -> Post:
    number = next(_ids)
    return Post(id=f"p{number}", conversation=name, client_id=f"c{number}", text=text)


def read(name: Conversation = BOB) -> Read:
    return Read(id=f"r{next(_ids)}", conversation=name)


def delete(name: Conversation = BOB) -> Delete:
    return Delete(id=f"d{next(_ids)}", conversation=name, upto_seq=1)


def ids(frames: list[bytes]) -> list[str | None]:
    return [codec.readable_id(frame) for frame in frames]


def ids_of(*pending: Pending) -> list[str]:
    return [one.command.id for one in pending]


def refused(pending: Pending) -> Pending:
    return failed(pending, Refusal(Code.NOT_A_MEMBER, "no"))


async def test_C4_commands_are_sent_in_order_and_once_on_a_connection() -> None:
    outbox, given = outbox_of(post(), read(), post(CAROL))
    assert ids(outbox.take(256)) == ids_of(*given)
    assert outbox.take(256) == []


async def test_C4_a_lost_connection_sends_what_is_unanswered_again_in_order() -> None:
    outbox, (first, second, third) = outbox_of(post(), read(), read())
    outbox.take(256)
    outbox.put(answered(second, 7))
    outbox.landed(2)
    outbox.wake.clear()
    outbox.rewind()
    assert outbox.wake.is_set()
    fourth = put(outbox, read())
    assert ids(outbox.take(256)) == ids_of(first, third, fourth)


async def test_C4_what_came_from_the_disk_goes_before_what_is_new() -> None:
    outbox = Outbox(asyncio.Event())
    assert outbox.next_number == 1
    for number in (3, 8):
        outbox.put(Pending(number=number, command=read(), at_ms=1))
    assert outbox.next_number == 9
    outbox.discard(8)
    assert outbox.next_number == 9, "a number is never used again"


async def test_no_more_are_in_flight_than_a_node_reads() -> None:
    outbox, given = outbox_of(read(), read(), read())
    assert ids(outbox.take(2)) == ids_of(*given[:2])
    assert outbox.take(2) == []
    outbox.wake.clear()
    outbox.put(answered(given[0], 5))
    outbox.landed(1)
    assert outbox.wake.is_set()
    assert ids(outbox.take(2)) == ids_of(given[2])
    outbox.discard(2)
    fourth = put(outbox, read())
    assert ids(outbox.take(2)) == ids_of(fourth)


async def test_a_message_never_grows_beyond_what_a_node_takes() -> None:
    outbox, given = outbox_of(*(post(text="x" * 5_000) for _ in range(700)))
    sent: list[str | None] = []
    sizes = []
    while frames := outbox.take(10_000):
        sizes.append(len(codec.join(frames)))
        sent += ids(frames)
    assert max(sizes) <= codec.MAX_DEVICE_MESSAGE_BYTES
    assert len(sizes) > 1
    assert sent == ids_of(*given)


@pytest.mark.parametrize(("room_left", "together"), [(1, 2), (-1, 1)])
async def test_a_message_is_as_full_as_a_node_takes(room_left: int, together: int) -> None:
    first, second = post(text="x"), post(text="x")
    room = codec.MAX_DEVICE_MESSAGE_BYTES - len(codec.join(map(codec.encode, (first, second))))
    longer = msgspec.structs.replace(second, text="x" * (1 + room - room_left))
    outbox, _ = outbox_of(first, longer)
    assert len(outbox.take(9)) == together


async def test_a_command_too_large_for_any_message_holds_nothing_up() -> None:
    outbox, (large, small) = outbox_of(post(text="x" * codec.MAX_DEVICE_MESSAGE_BYTES), read())
    assert ids(outbox.take(9)) == ids_of(large)
    assert ids(outbox.take(9)) == ids_of(small)


async def test_what_was_answered_or_failed_is_not_sent() -> None:
    outbox, (first, second, third) = outbox_of(read(), post(), read())
    outbox.put(answered(first, 5))
    outbox.put(refused(second))
    assert (outbox.waiting, len(outbox)) == (1, 3)
    assert ids(outbox.take(9)) == ids_of(third)


@pytest.mark.parametrize("end", [delete, lambda: ClearHistory(id="c", conversation=BOB)])
async def test_D2_a_deletion_waits_for_the_messages_in_front_of_it(end: object) -> None:
    assert callable(end)
    outbox, (first, second, third, fourth) = outbox_of(post(), post(), end(), read(CAROL))
    assert ids(outbox.take(9)) == ids_of(first, second)
    outbox.put(answered(first, 5, 1))
    outbox.landed(1)
    assert outbox.take(9) == []
    outbox.put(answered(second, 6, 2))
    outbox.landed(2)
    assert outbox.take(9) == [], "answered, but the rows do not show it: its place may extend it"
    outbox.discard(1)
    outbox.discard(2)
    assert ids(outbox.take(9)) == ids_of(third, fourth)


async def test_D2_when_a_message_leaves_the_deletion_behind_it_may_go() -> None:
    outbox, (_, deletion) = outbox_of(post(), delete())
    outbox.take(9)
    outbox.wake.clear()
    outbox.discard(1)
    assert outbox.wake.is_set()
    assert ids(outbox.take(9)) == ids_of(deletion)


async def test_D2_a_failed_message_or_one_behind_it_holds_no_deletion_up() -> None:
    outbox, (first, second, third) = outbox_of(post(), delete(), post())
    outbox.put(refused(first))
    assert ids(outbox.take(9)) == ids_of(second, third)
    outbox, given = outbox_of(post(CAROL), delete(), DeleteAll(id="all"))
    assert ids(outbox.take(9)) == ids_of(*given)


async def test_a_conversation_is_concerned_by_its_own_and_by_those_for_all() -> None:
    outbox, (one, two, three, four) = outbox_of(read(), ReadAll(id="a"), read(CAROL), post())
    assert outbox.concerning(BOB) == [one, two, four]
    assert outbox.concerning(CAROL) == [two, three]
    assert outbox.concerning(Conversation("p2p:dan")) == [two]
    assert outbox.of(BOB) == [one, four]
    assert outbox.conversations() == {BOB, CAROL}
    outbox.discard(2)
    assert (outbox.concerning(BOB), outbox.concerning(CAROL)) == ([one, four], [three])
    for number in (1, 3, 4):
        outbox.discard(number)
    assert (outbox.concerning(BOB), outbox.of(BOB), outbox.conversations()) == ([], [], set())
    assert conversation_of(two.command) is None


async def test_a_message_that_is_sent_again_stands_behind_all() -> None:
    outbox, (first, second) = outbox_of(post(), post())
    outbox.put(refused(first))
    outbox.discard(1)
    again = retried(refused(first), outbox.next_number, 2)
    outbox.put(again)
    assert [pending.number for pending in outbox] == [2, 3]
    assert outbox.get(first.command.id) == again
    assert ids(outbox.take(9)) == ids_of(second, again)


async def test_commands_are_found_by_their_names() -> None:
    outbox, (one, two) = outbox_of(post(), read())
    assert isinstance(one.command, Post)
    name, client_id = one.command.conversation, one.command.client_id
    assert outbox.message(name, client_id) == one
    assert outbox.message(name, "other") is None
    assert outbox.message(Conversation("p2p:zoe"), client_id) is None
    assert (outbox.get(two.command.id), outbox.get("other")) == (two, None)
    outbox.discard(1)
    outbox.discard(1)
    assert outbox.message(name, client_id) is None
    assert outbox.get(one.command.id) is None
    assert list(outbox) == [two]


async def test_where_a_message_stands_is_remembered_until_it_leaves() -> None:
    outbox, _ = outbox_of(post())
    outbox.note(1, POSTED)
    assert outbox.posted(1) == POSTED
    outbox.discard(1)
    assert outbox.posted(1) is None


async def test_callers_hear_what_became_of_their_command() -> None:
    outbox, given = outbox_of(post(), read(), read())
    one, two, three = map(outbox.ticket, given)
    assert [ticket.pending for ticket in (one, two, three)] == given
    outbox.settle(1, POSTED)
    outbox.settle(2, Refused(Code.BEYOND_END, "no"))
    outbox.settle(9, None)
    assert await one.answer == POSTED
    with pytest.raises(Refused):
        await two.answer
    outbox.let_all_go()
    assert await three.answer is None
    outbox.settle(3, POSTED)
    assert await three.answer is None


async def test_a_caller_that_was_let_go_hears_no_more() -> None:
    ticket = Ticket(Pending(number=1, command=read(), at_ms=1))
    ticket.let_go()
    ticket.let_go()
    ticket.settle(Refused(Code.BEYOND_END, "no"))
    assert await ticket.answer is None


async def test_nobody_need_listen_to_a_refusal() -> None:
    heard: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    ticket = Ticket(Pending(number=1, command=read(), at_ms=1))
    ticket.settle(Refused(Code.BEYOND_END, "no"))
    del ticket
    gc.collect()
    assert heard == []


@pytest.mark.looptime
async def test_waiting_for_the_last_answer() -> None:
    outbox, (one, two) = outbox_of(read(), read())
    assert not await outbox.empty_within(3)
    assert asyncio.get_running_loop().time() == pytest.approx(3)
    waiting = asyncio.create_task(outbox.empty_within(None))
    outbox.put(answered(one, 5))
    outbox.landed(1)
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.put(answered(two, 5))
    outbox.landed(2)
    assert await waiting
    assert await Outbox(asyncio.Event()).empty_within(0)


@pytest.mark.looptime
async def test_what_was_taken_out_is_not_waited_for() -> None:
    outbox, _ = outbox_of(read())
    waiting = asyncio.create_task(outbox.empty_within(3))
    await asyncio.sleep(1)
    outbox.discard(1)
    assert await waiting
    assert asyncio.get_running_loop().time() == pytest.approx(1)


@pytest.mark.looptime
async def test_waiting_ends_where_there_is_no_hope() -> None:
    outbox, _ = outbox_of(read())
    hopeless = False
    waiting = asyncio.create_task(outbox.empty_within(60, lambda: hopeless))
    await asyncio.sleep(1)
    hopeless = True
    outbox.let_all_go()
    assert not await waiting
    assert asyncio.get_running_loop().time() == pytest.approx(1)


async def test_the_size_of_commands_is_that_of_the_largest() -> None:
    small, large = read(), post(text="x" * 1_000)
    assert encoded_size([small, large, small]) == len(codec.encode(large))
    assert encoded_size([]) == 0
    with pytest.raises(TypeError):
        encoded_size([msgspec.structs.replace(large, attachment=object())])


@pytest.mark.parametrize("wrong", [{"counts": 1}, {"counts": None}, {"text": b"bytes"}])
async def test_what_would_be_read_as_something_else_has_no_size(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        encoded_size([msgspec.structs.replace(post(), **wrong)])
