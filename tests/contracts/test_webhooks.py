"""Contract: webhooks, and the messages of all conversations in the order of their commits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from recents.core.head import Head
from recents.core.ids import ConversationKey
from recents.core.message import Message
from recents.server.store.port import Store, Webhook
from recents.server.store.workspace import Wanted, Workspace

pytestmark = pytest.mark.asyncio

HOOK = Webhook("w1", "https://example.org/ü", ("message.sent",), "whsec_x", 100, 7)


async def test_webhooks_are_kept_over_a_restart_and_take_no_version(store: Store) -> None:
    older = replace(HOOK, webhook_id="w2", created_ms=99)
    await store.add_webhook(HOOK)
    await store.add_webhook(older)
    await store.close()
    await store.open()
    assert await store.webhooks() == [older, HOOK]
    assert store.version == store.rows_written == 0


async def test_only_position_and_state_change(store: Store) -> None:
    await store.add_webhook(HOOK)
    state = {"position": 9, "failing_since_ms": 1, "disabled_ms": 2, "failure": "answered 500"}
    assert await store.note_webhook(replace(HOOK, url="x", secret="y", **state))
    assert await store.webhooks() == [replace(HOOK, **state)]
    assert await store.note_webhook(HOOK)
    assert await store.webhooks() == [HOOK]


async def test_a_webhook_is_forgotten_once(store: Store) -> None:
    await store.add_webhook(HOOK)
    assert await store.remove_webhook("w1")
    assert not await store.remove_webhook("w1")
    assert not await store.note_webhook(HOOK)
    assert await store.webhooks() == []


async def test_messages_come_in_the_order_of_their_commits(store: Store) -> None:
    assert await store.newest_position() == 0
    assert await store.messages_behind(0, 10) == []
    written: list[tuple[ConversationKey, Message]] = []
    for number, name in enumerate(["team:b", "team:a", "team:b", "team:c", "team:a"]):
        key = ConversationKey(name)
        seq = sum(one == key for one, _ in written) + 1
        message = Message(
            seq=seq, ordinal=seq, sender="alice", client_id=f"c{number}", time_ms=number,
            attachment={"a": 1}, mentions=("bob",),
        )  # fmt: skip
        await store.transact(Wanted(), _appending(key, message))
        written.append((key, message))
    found = await store.messages_behind(0, 10)
    assert [(one.key, one.message) for one in found] == written
    positions = [one.position for one in found]
    assert positions == sorted(set(positions))
    assert await store.newest_position() == positions[-1]
    assert await store.messages_behind(positions[1], 2) == found[2:4]
    assert await store.messages_behind(positions[-1], 2) == []


def _appending(key: ConversationKey, message: Message) -> Callable[[Workspace], None]:
    def decide(workspace: Workspace) -> None:
        workspace.append(key, message)
        workspace.put_head(key, Head(version=workspace.version, last_seq=message.seq))

    return decide
