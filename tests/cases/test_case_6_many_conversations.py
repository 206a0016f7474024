"""Case 6: who has 5,000 conversations pays for what changed, not for what is there."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from recents.client.client import Client
from recents.client.opening import assemble
from recents.client.settings import Settings
from recents.client.store.memory import MemoryDeviceStore
from recents.core.commands import CreateTeam, Post
from recents.core.ids import Conversation
from recents.wire.codec import decode_node_frame
from recents.wire.frames import CaughtUp, Hello
from tests.cases.counting_link import CountingLink
from tests.cases.world import World, until

pytestmark = pytest.mark.asyncio

CONVERSATIONS = 5_000
_AT_ONCE = 500


class Phone:
    """A device that keeps its copy while its program is started again and again."""

    def __init__(self, world: World, secret: str) -> None:
        self.link = CountingLink(world.node)
        self._hello = Hello(protocol=1, account="alice", token=secret)
        self._store = MemoryDeviceStore(lambda: "phone")
        self._ids = (f"{number:x}" for number in itertools.count(1))

    @asynccontextmanager
    async def started(self) -> AsyncIterator[Client]:
        """Start the program and wait until it is synced; what went over the link is counted."""
        self.link.begin_anew()
        client = assemble(
            self.link,
            self._hello,
            Settings(first_delay_s=0.001, longest_delay_s=0.001),
            self._store,
            lambda: 0,
            lambda: 0.5,
            lambda: next(self._ids),
        )
        async with client:
            assert await client.synced(10)
            yield client

    def caught_up(self) -> list[CaughtUp]:
        """The pages of the catch-up."""
        frames = [decode_node_frame(frame) for frame in self.link.told]
        return [frame for frame in frames if isinstance(frame, CaughtUp)]

    def bytes_after_the_welcome(self) -> int:
        welcome, *rest = self.link.told
        assert msgspec.json.decode(welcome)["type"] == "welcome"
        return sum(map(len, rest))


async def phone_with_many_conversations(world: World) -> Phone:
    """Make an account with many teams, and a phone that knows them all."""
    # Watching every task makes this ten times slower.
    asyncio.get_running_loop().set_debug(False)
    await world.hire("alice")
    for at in range(0, CONVERSATIONS, _AT_ONCE):
        await asyncio.gather(
            *(
                world.node.command("alice", CreateTeam(id=f"c{number}", conversation=team(number)))
                for number in range(at, at + _AT_ONCE)
            )
        )
    _, secret = await world.node.accounts.give_token("alice")
    phone = Phone(world, secret)
    async with phone.started() as me:
        assert (await me.inbox.totals()).conversations == CONVERSATIONS
    return phone


def team(number: int) -> Conversation:
    return Conversation(f"team:t{number:04}")


async def test_case_6_an_unchanged_list_costs_one_request_and_a_few_bytes(world: World) -> None:
    phone = await phone_with_many_conversations(world)

    async with phone.started() as me:
        page = await me.inbox.list(limit=CONVERSATIONS + 1)
        assert page.entries == await world.rows("alice")
        assert page.totals.conversations == len(page.entries) == CONVERSATIONS
        (hello,) = phone.link.asked
        assert b'"type":"hello"' in hello
        assert phone.bytes_after_the_welcome() <= 200

        # The same when the connection was lost.
        phone.link.begin_anew()
        await phone.link.cut()
        await until(lambda: me.state != "synced")
        assert await me.synced(10)
        assert len(phone.link.asked) == 1
        assert phone.bytes_after_the_welcome() <= 200


async def test_case_6_of_a_changed_list_the_changed_rows_are_told(world: World) -> None:
    phone = await phone_with_many_conversations(world)
    changed = {team(number) for number in range(0, CONVERSATIONS, CONVERSATIONS // 10)}
    for number, conversation in enumerate(sorted(changed)):
        post = Post(id=f"p{number}", conversation=conversation, client_id=f"m{number}", text="hi")
        await world.node.command("alice", post)

    async with phone.started() as me:
        (page,) = phone.caught_up()
        assert {row.conversation for row in page.rows} == changed
        assert len(phone.link.asked) == 1
        assert phone.bytes_after_the_welcome() <= 400 * len(changed)
        listed = await me.inbox.list(limit=CONVERSATIONS)
        assert listed.entries == await world.rows("alice")
        assert {row.conversation for row in listed.entries[: len(changed)]} == changed
