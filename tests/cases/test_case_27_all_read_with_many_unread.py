"""Case 27: reading everything is one command, however many messages are unread."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from recents.client.changes import ChangeBatch
from recents.client.opening import assemble
from recents.client.settings import Settings
from recents.client.store.memory import MemoryDeviceStore
from recents.core.commands import CreateTeam, Post
from recents.core.ids import Conversation
from recents.wire.codec import decode_node_frame
from recents.wire.frames import Answer, Changed, Hello
from tests.cases.counting_link import CountingLink
from tests.cases.world import World

pytestmark = pytest.mark.asyncio

TEAMS = tuple(Conversation(f"team:t{number:02}") for number in range(20))
MESSAGES = 2_500
"""In each team: 50,000 in all."""

_AT_ONCE = 500


async def fill(world: World) -> str:
    """Let alice have 50,000 unread messages; return a token for her."""
    # Watching every task makes this ten times slower.
    asyncio.get_running_loop().set_debug(False)
    await world.hire("alice", "bob")
    for team in TEAMS:
        create = CreateTeam(id=f"c-{team}", conversation=team, members=("alice",))
        await world.node.command("bob", create)
        for at in range(0, MESSAGES, _AT_ONCE):
            ids = [f"{team}-{number}" for number in range(at, at + _AT_ONCE)]
            posts = (Post(id=one, conversation=team, client_id=one, text=one) for one in ids)
            await asyncio.gather(*(world.node.command("bob", post) for post in posts))
    _, secret = await world.node.accounts.give_token("alice")
    return secret


async def test_case_27_all_read_with_50_000_unread_is_no_work_per_message(world: World) -> None:
    secret = await fill(world)
    link = CountingLink(world.node)
    ids = (f"{number:x}" for number in itertools.count(1))
    me = assemble(
        link,
        Hello(protocol=1, account="alice", token=secret),
        Settings(),
        MemoryDeviceStore(lambda: "phone"),
        lambda: 0,
        lambda: 0.5,
        lambda: next(ids),
    )
    batches: list[ChangeBatch] = []
    async with me:
        assert await me.synced(10)
        assert (await me.inbox.totals()).unread == len(TEAMS) * MESSAGES == 50_000
        me.inbox.on_change(batches.append)
        link.begin_anew()
        store = world.node.store
        commits, rows = store.version, store.rows_written

        await me.inbox.mark_all_read()

        assert (await me.inbox.totals()).unread == 0
        assert [len(batch.updated) for batch in batches] == [len(TEAMS)], "one batch"
        assert batches[0].totals.unread == 0
        (read_all,) = link.asked
        assert b'"type":"read_all"' in read_all
        assert store.version - commits == 1
        assert store.rows_written - rows == len(TEAMS), "a membership each, and no message"
        answer, changed = sorted(map(decode_node_frame, link.told), key=lambda f: type(f).__name__)
        assert isinstance(answer, Answer)
        assert isinstance(changed, Changed)
        assert len(changed.rows) == len(TEAMS)
        assert not changed.messages
    assert all(row.unread == 0 for row in await world.rows("alice"))
