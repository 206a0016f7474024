"""Searching rows while they change."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from recents.client.settings import Settings
from recents.core.errors import CallerMistake
from recents.core.replica import Gone
from tests.client.fake_node import FakeNode, changed, first_page, make_client, names, row, settle

pytestmark = pytest.mark.asyncio


async def test_a_search_sees_every_change(node: FakeNode) -> None:
    team = replace(row("team:t", text="Mittags"), name="Küche")
    node.greets = [
        [first_page(row("anna", text="Grüße"), row("bob", text="hello", at=2_000), team)]
    ]
    async with make_client(node) as me:
        assert await me.synced(5)
        assert names(await me.inbox.search("GRUSSE")) == ["p2p:anna"]
        assert names(await me.inbox.search("kuche")) == ["team:t"]
        node.connection.say(changed(row("bob", 2, text="grüße zurück", at=3_000), row("carol", 2)))
        await settle()
        assert names(await me.inbox.search("grüße")) == ["p2p:bob", "p2p:anna"]
        assert names(await me.inbox.search("grüße", limit=1)) == ["p2p:bob"]
        assert await me.inbox.search("hello") == ()
        assert names(await me.inbox.search("CAROL")) == ["p2p:carol"]
        renamed = replace(team, version=3, name="张伟明")
        node.connection.say(changed(renamed, gone=(Gone(team.conversation, 2),)))
        await settle()
        assert await me.inbox.search("kuche") == ()
        assert (
            names(await me.inbox.search("zw")) == names(await me.inbox.search("伟")) == ["team:t"]
        )
        node.connection.say(changed(gone=(Gone(team.conversation, 4),)))
        await settle()
        assert await me.inbox.search("zw") == ()
        assert await me.inbox.search(" ") == ()


async def test_the_rows_found_are_those_of_the_list(node: FakeNode) -> None:
    """With what is still on its way to the node on top."""
    node.greets, node.answers = [[first_page(row("anna"), row("bob"))]], None
    async with make_client(node, Settings(closing_s=0)) as me:
        assert await me.synced(5)
        await me.inbox.search("anna")
        saving = asyncio.create_task(me.inbox.set_draft("p2p:bob", "buy milk"))
        await settle()
        (found,) = await me.inbox.search("milk")
        assert found == await me.inbox.get("p2p:bob")
    await saving


async def test_mistakes_of_the_caller(node: FakeNode) -> None:
    async with make_client(node) as me:
        with pytest.raises(CallerMistake, match="limit is 0"):
            await me.inbox.search("x", limit=0)
        with pytest.raises(CallerMistake, match="no text"):
            await me.inbox.search(None)  # type: ignore[arg-type]  # the mistake
