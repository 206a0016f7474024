"""Rows at a version: no row is newer than the token beside it (rules C1, R5, D4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

import pytest

from recents.server.store.memory import MemoryStore
from recents.server.store.port import Seen
from recents.server.store.workspace import MembershipId
from recents.wire.frames import CaughtUp, Changed
from recents.wire.sync_token import version_in
from tests.server.conftest import Founder
from tests.server.devices import Company, a_post

pytestmark = pytest.mark.asyncio

TEAM = "team:t1"


class OvertakenStore(MemoryStore):
    """Something is committed between the moment of asking and that of reading, once."""

    def __init__(self) -> None:
        super().__init__()
        self.overtake: Callable[[], Awaitable[object]] | None = None

    async def look(self, pairs: Collection[MembershipId]) -> list[Seen]:
        await self._be_overtaken()
        return await super().look(pairs)

    async def changed_since(self, account: str, version: int) -> list[Seen]:
        await self._be_overtaken()
        return await super().changed_since(account, version)

    async def _be_overtaken(self) -> None:
        overtake, self.overtake = self.overtake, None
        if overtake is not None:
            await overtake()


async def _team(found: Founder) -> tuple[Company, OvertakenStore]:
    store = OvertakenStore()
    company = await found(store=store)
    await company.hire("ann", "bob", "cid")
    return company, store


def _versions(company: Company, frame: Changed | CaughtUp) -> tuple[int, list[int]]:
    assert frame.token is not None
    version = version_in(frame.token, company.node.store.epoch, company.node.store.version)
    assert version is not None
    return version, [row.version for row in frame.rows] + [mark.version for mark in frame.gone]


async def test_R5_no_row_is_newer_than_its_token(found: Founder) -> None:
    company, store = await _team(found)
    ann, bob = await company.online("ann", "bob")
    await ann.create_team(TEAM, "bob", "cid")
    await bob.settle()
    store.overtake = lambda: company.node.command("cid", a_post(TEAM, "overtakes"))
    await ann.post(TEAM, "is overtaken")
    await bob.until(lambda: _last_seq(bob.peer.frames) == 2)
    frames = [frame for frame in bob.peer.frames if isinstance(frame, Changed)]
    for frame in frames:
        version, rows = _versions(company, frame)
        assert all(row <= version for row in rows)


async def test_what_was_overtaken_arrives_with_all_messages(found: Founder) -> None:
    company, store = await _team(found)
    ann, bob = await company.online("ann", "bob")
    await ann.create_team(TEAM, "bob", "cid")
    await bob.settle()
    store.overtake = lambda: company.node.command("cid", a_post(TEAM, "second"))
    await ann.post(TEAM, "first")
    await bob.until(lambda: _last_seq(bob.peer.frames) == 2)
    texts = [
        message.text
        for frame in bob.peer.frames
        if isinstance(frame, Changed)
        for messages in frame.messages.values()
        for message in messages
    ]
    assert texts == ["first", "second"]


async def test_R5_a_catch_up_is_not_newer_than_its_token(found: Founder) -> None:
    company, store = await _team(found)
    (ann,) = await company.online("ann")
    await ann.post("p2p:bob", "one")
    store.overtake = lambda: company.node.command("ann", a_post("p2p:bob", "two"))
    pages = await company.device("bob").greet()
    version, rows = _versions(company, pages[-1])
    assert rows
    assert all(row <= version for row in rows)


def _last_seq(frames: Sequence[object]) -> int:
    seqs = [row.last_seq for one in frames if isinstance(one, Changed) for row in one.rows]
    return seqs[-1] if seqs else 0
