"""Sharp edges of working offline; with a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from recents.client.client import Client
from recents.client.outbox import Outbox
from recents.core.commands import Delete, Post
from recents.core.errors import CallerMistake, Unavailable
from recents.core.pending import Pending
from tests.cases.world import World, until
from tests.client.offline import ALICE, BOB, same_as_a_new_device, texts

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("how", ["clear_history", "delete"])
async def test_D2_what_came_unseen_is_not_cleared_with_a_row_that_is_gone(
    world: World, how: str
) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send(ALICE, "seen")
    await alice.caught_up()
    await alice.client.inbox.delete(BOB)
    await alice.go_offline()
    if how == "clear_history":
        await alice.client.inbox.clear_history(BOB)
    else:
        await alice.client.inbox.delete(BOB, clear_history=True)
    await bob.client.messages.send(ALICE, "unseen")
    await alice.come_back()
    await alice.client.flush()
    assert (await alice.row(BOB)).unread == 1
    assert await texts(alice, BOB) == ["unseen"]
    await same_as_a_new_device(world, alice)


async def test_what_is_done_to_an_attachment_after_sending_is_not_sent(world: World) -> None:
    alice, _ = await world.online("alice", "bob")
    await alice.go_offline()
    attachment: dict[str, object] = {"pages": (1, 2)}
    message = await alice.client.messages.send(BOB, attachment=attachment)
    attachment["pages"] = {3}
    await alice.come_back()
    assert await alice.client.flush(5)
    page = await alice.client.messages.history(BOB)
    assert [one.attachment for one in page.messages] == [message.attachment] == [{"pages": [1, 2]}]


async def test_M2_the_same_client_id_twice_offline_is_one_message(world: World) -> None:
    alice, _ = await world.online("alice", "bob")
    await alice.go_offline()
    first = await alice.client.messages.send(BOB, "once", client_id="m1")
    second = await alice.client.messages.send(BOB, "twice", client_id="m1")
    assert (second.text, second.status, second) == ("once", "sending", first)
    assert alice.client.unsent == 1
    await alice.come_back()
    await alice.client.flush()
    assert await texts(alice, BOB) == ["once"]


async def test_M2_the_same_client_id_in_two_conversations_is_two_messages(world: World) -> None:
    alice, _, _ = await world.online("alice", "bob", "carol")
    await alice.go_offline()
    for name in (BOB, "p2p:carol", "p2p:carol", BOB):
        assert (await alice.client.messages.send(name, name, client_id="m1")).text == name
    assert alice.client.unsent == 2
    assert await texts(alice, "p2p:carol") == ["p2p:carol"]
    await alice.come_back()
    await alice.client.flush()
    assert await texts(alice, BOB) == [BOB]


async def test_P4_a_message_that_failed_is_found_beside_another_one_on_its_way(
    world: World,
) -> None:
    alice, _ = await world.online("alice", "bob")
    await alice.go_offline()
    await alice.client.messages.send("p2p:zoe", "fails", client_id="m1")
    await alice.reconnect()
    await alice.go_offline()
    await alice.client.messages.send(BOB, "on its way", client_id="m1")
    await alice.client.messages.send("p2p:zoe", "fails as well", client_id="m2")
    await alice.client.messages.discard("m1")
    assert await texts(alice, "p2p:zoe") == ["fails as well"]
    assert await texts(alice, BOB) == ["on its way"]


@pytest.mark.parametrize(
    "give",
    [
        lambda me: me.inbox.mark_read(BOB, True),
        lambda me: me.inbox.delete(BOB, clear_history=1),
        lambda me: me.inbox.delete_all(clear_history=1),
        lambda me: me.inbox.set_draft(BOB, ["a", "list"]),
        lambda me: me.messages.send(BOB, "hello", counts=1),
        lambda me: me.messages.send(BOB, b"hello"),
    ],
)
async def test_D7_what_could_not_be_read_at_the_next_start_is_not_kept(
    world: World, give: Callable[[Client], Awaitable[object]]
) -> None:
    alice, _ = await world.online("alice", "bob")
    await alice.client.messages.send(BOB, "hello")
    await alice.go_offline()
    with pytest.raises(CallerMistake):
        await give(alice.client)
    assert alice.client.unsent == 0
    await alice.client.inbox.mark_unread(BOB)


async def test_nobody_waits_for_a_client_that_is_closed(world: World) -> None:
    alice, _ = await world.online("alice", "bob")
    await alice.go_offline()
    await alice.client.messages.send(BOB, "later")
    flushing = asyncio.create_task(alice.client.flush())
    syncing = asyncio.create_task(alice.client.synced())
    await asyncio.sleep(0)
    await alice.client.close()
    assert await flushing is False
    with pytest.raises(Unavailable, match="closed"):
        await syncing
    assert await alice.client.flush() is False


async def test_a_network_that_swallows_everything_holds_up_no_call(world: World) -> None:
    alice, _ = await world.online("alice", "bob")
    await alice.go_offline()
    await until(lambda: "cut off" in str(alice.client.trouble))
    swallowing = asyncio.Event()
    opened = alice.link.open

    async def never() -> object:
        swallowing.set()
        await asyncio.Event().wait()
        return await opened()

    alice.link.open = never  # type: ignore[assignment, method-assign]  # a network that is silent
    await swallowing.wait()
    assert alice.client.state == "connecting"
    message = await alice.client.messages.send(BOB, "hello")
    assert message.status == "sending"
    assert (await alice.client.messages.history(BOB)).complete is False
    assert alice.client.state == "connecting", "nothing waited for the attempt to end"


async def test_an_empty_page_of_the_copy_has_no_older_one(world: World) -> None:
    alice, _ = await world.online("alice", "bob")
    await alice.go_offline()
    page = await alice.client.messages.history(BOB)
    assert (page.messages, page.more, page.complete) == ((), False, False)


async def test_what_is_no_number_is_the_callers_mistake(world: World) -> None:
    (alice,) = await world.online("alice")
    with pytest.raises(CallerMistake, match="upto_seq"):
        await alice.client.inbox.mark_read(BOB, "7")  # type: ignore[arg-type]
    with pytest.raises(CallerMistake, match="seq"):
        await alice.client.inbox.mark_unread_from(BOB, "7")  # type: ignore[arg-type]


async def test_D2_a_deletion_that_was_held_back_goes_when_the_message_leaves() -> None:
    outbox = Outbox(asyncio.Event())
    post = Post(id="c1", conversation=BOB, client_id="m1")
    outbox.put(Pending(number=1, command=post, at_ms=1, version=5, seq=1))
    outbox.put(Pending(number=2, command=Delete(id="c2", conversation=BOB), at_ms=1))
    assert outbox.take(10) == []
    outbox.wake.clear()
    outbox.discard(1)
    assert outbox.wake.is_set()
    assert len(outbox.take(10)) == 1
