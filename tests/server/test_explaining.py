"""Explaining a row from the node's store."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec
import pytest

from recents.core.commands import Delete
from recents.core.entry import Tally
from recents.core.errors import Code, Refused
from recents.core.explain import Explanation, Reason
from recents.core.ids import Conversation
from recents.server import explaining
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Seen, Store
from recents.server.store.sqlite import SqliteStore
from recents.server.store.workspace import MembershipId
from recents.wire.frames import Explain
from tests.server.conftest import Founder
from tests.server.devices import Company, a_post

pytestmark = pytest.mark.asyncio

TEAM = Conversation("team:t1")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "recents.db")


async def told(company: Company, account: str, name: str) -> Explanation:
    query = Explain(id="q", conversation=Conversation(name))
    answer = await company.node.questions.answer(account, query)
    assert isinstance(answer, Explanation)
    return answer


async def test_U1_the_messages_behind_the_badge(found: Founder, store: Store) -> None:
    company = await found(store=store)
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob", "one")
    await bob.post("p2p:alice", "two")
    await alice.do(msgspec.structs.replace(a_post("p2p:bob", "three"), counts=False))
    await alice.post("p2p:bob", "four")
    explanation = await told(company, "bob", "p2p:alice")
    assert (explanation.unread, explanation.counted, explanation.listed) == (2, 2, True)
    assert [one.seq for one in explanation.messages] == [1, 4]
    assert {one.seq: one.reason for one in explanation.uncounted} == {
        2: Reason.OWN,
        3: Reason.SILENT,
    }
    assert (explanation.place.by, explanation.place.seq) == ("message", 4)
    assert explanation.positions.read_by == "joining"


async def test_pages_are_read_back_to_the_read_position(
    found: Founder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "PAGE", 3)
    company = await found(store=store)
    alice, bob = await company.online("alice", "bob")
    for number in range(10):
        await alice.post("p2p:bob", f"{number}")
    await bob.read("p2p:alice", 2)
    explanation = await told(company, "bob", "p2p:alice")
    assert [one.seq for one in explanation.messages] == list(range(3, 11))
    await bob.read("p2p:alice", 10)
    explanation = await told(company, "bob", "p2p:alice")
    assert (explanation.messages, explanation.place.seq) == ((), 10), "read, and still its place"


async def test_D1_a_deleted_row_is_explained_too(found: Founder, store: Store) -> None:
    company = await found(store=store)
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob", "one")
    await bob.do(Delete(id="d1", conversation=Conversation("p2p:alice")))
    explanation = await told(company, "bob", "p2p:alice")
    assert (explanation.listed, explanation.unread) == (False, 0)
    positions = explanation.positions
    assert (positions.deleted_seq, positions.read_seq, positions.read_by) == (1, 1, "deleting")


async def test_of_what_is_not_there_there_is_nothing_to_explain(found: Founder) -> None:
    company = await found()
    await company.online("alice", "bob")
    assert await told(company, "alice", "p2p:bob") == Explanation(
        conversation=Conversation("p2p:bob")
    )
    with pytest.raises(Refused) as refused:
        await told(company, "alice", TEAM)
    assert refused.value.code is Code.NOT_A_MEMBER
    with pytest.raises(Refused) as refused:
        await told(company, "alice", "nobody")
    assert refused.value.code is Code.BAD_VALUE


async def test_a_row_that_changes_meanwhile_is_looked_at_again(
    found: Founder, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    company = await found(store=store)
    alice, _ = await company.online("alice", "bob")
    await alice.post("p2p:bob", "one")
    look, looks = store.look, 0

    async def look_before_a_recall(pairs: Collection[MembershipId]) -> list[Seen]:
        nonlocal looks
        looks += 1
        (seen,) = await look(pairs)
        return [msgspec.structs.replace(seen, tally=Tally(retracted_after_read=looks == 1))]

    monkeypatch.setattr(store, "look", look_before_a_recall)
    explanation = await told(company, "bob", "p2p:alice")
    assert (explanation.unread, explanation.counted, looks) == (1, 1, 2)
