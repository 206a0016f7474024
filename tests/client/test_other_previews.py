"""P5: rows whose preview is the newest message of another kind."""

from __future__ import annotations

import random

import pytest

from recents.client.settings import Settings
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake
from recents.core.ids import Conversation
from recents.wire.frames import History
from tests.cases.world import Device, World
from tests.client.offline import hear_nothing

pytestmark = pytest.mark.asyncio


async def first(device: Device, *kinds: str) -> InboxEntry:
    page = await device.client.inbox.list(1, exclude_preview_kinds=kinds)
    return page.entries[0]


async def test_p5_the_newest_message_of_another_kind_in_the_same_place(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await alice.client.messages.send("p2p:bob", "hello")
    await alice.client.messages.send("p2p:bob", "not shown", previews=False)
    await bob.client.messages.send("p2p:alice", "a call", kind="notice")
    await bob.client.messages.send("p2p:alice", "soup", kind="photo")
    await alice.caught_up()
    plain = await first(alice)
    seen = [await first(alice, *kinds) for kinds in (["photo"], ["photo", "notice"], ["gif"])]
    assert [row.preview and row.preview.text for row in seen] == ["a call", "hello", "soup"]
    assert seen[2] == plain
    assert (seen[0].status, seen[1].status) == (None, "sent")
    assert {(row.place_ms, row.unread, row.last_seq) for row in seen} == {
        (plain.place_ms, plain.unread, plain.last_seq)
    }
    nothing = await first(alice, "text", "notice", "photo")
    assert (nothing.preview, nothing.status, nothing.last_seq) == (None, None, 4)
    await alice.client.messages.send("p2p:bob", "mine", kind="photo")
    await bob.client.inbox.mark_read("p2p:alice")
    await alice.caught_up()
    assert (await first(alice)).status == "read"
    hello = await first(alice, "photo", "notice")
    assert (hello.preview and hello.preview.text, hello.status) == ("hello", "read")


async def test_p5_the_node_is_asked_once_for_each_change_of_a_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send("p2p:alice", "text")
    await bob.client.messages.send("p2p:alice", "photo", kind="photo")
    await alice.caught_up()
    asked: list[object] = []
    answer = world.node.questions.answer

    async def counting(account: str, query: object) -> object:
        asked.extend([query] if isinstance(query, History) else [])
        return await answer(account, query)  # type: ignore[arg-type]  # any question

    monkeypatch.setattr(world.node.questions, "answer", counting)
    for _ in range(3):
        await first(alice, "photo")
        await first(alice, "gif")
    assert len(asked) == 1
    await bob.client.messages.send("p2p:alice", "another", kind="photo")
    await alice.caught_up()
    await first(alice, "photo")
    assert len(asked) == 2


async def test_p5_offline_what_was_seen_decides(world: World) -> None:
    alice, bob = await world.online("alice", "bob")
    await bob.client.messages.send("p2p:alice", "photo", kind="photo")
    await alice.client.inbox.set_draft("p2p:bob", "so")
    await alice.caught_up()
    await alice.go_offline()
    assert (await first(alice, "photo")).preview is None
    await alice.client.messages.send("p2p:bob", "on its way")
    await alice.client.messages.send("p2p:bob", "as well", kind="photo")
    row = await first(alice, "photo")
    assert (row.preview and row.preview.text, row.status) == ("on its way", "sending")
    await alice.come_back()
    row = await first(alice, "photo")
    assert (row.preview and row.preview.text, row.status) == ("on its way", "sent")


async def test_p5_a_team_that_the_node_has_not_heard_of(world: World) -> None:
    alice = await world.login("alice", settings=Settings(first_delay_s=0.001, closing_s=0))
    await hear_nothing(alice)
    creating = alice.client.teams.create("Lunch", id="lunch")
    sending = alice.client.messages.send("team:lunch", "photo", kind="photo")
    await alice.go_offline()
    await creating
    await sending
    assert (await first(alice, "photo")).preview is None


async def test_p5_the_same_as_looking_at_every_message(world: World) -> None:
    """Law: for random kinds, beyond the first pages, the same as the whole history says."""
    alice, bob = await world.online("alice", "bob")
    chance = random.Random(5)
    where = Conversation("p2p:alice")
    for number in range(60):
        kind = chance.choices(["text", "photo", "notice"], [1, 20, 20])[0]
        await bob.client.messages.send(where, f"{number}", kind=kind, previews=number % 7 > 0)
        await alice.caught_up()
        if number % 4:
            continue
        history = await alice.client.messages.history("p2p:bob", limit=1_000)
        for kinds in (["photo"], ["photo", "notice"], ["text", "photo"]):
            expected = [
                one.text for one in history.messages if one.previews and one.kind not in kinds
            ]
            rows = (await alice.client.inbox.list(exclude_preview_kinds=kinds)).entries
            shown = [row.preview.text for row in rows if row.preview]
            assert shown == expected[-1:]


async def test_one_text_is_the_callers_mistake(world: World) -> None:
    alice = await world.login("alice")
    with pytest.raises(CallerMistake, match="exclude_preview_kinds takes several"):
        await alice.client.inbox.list(exclude_preview_kinds="photo")
