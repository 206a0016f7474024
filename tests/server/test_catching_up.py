"""What changed since a token: rules O1, O4, C3 (docs/protocol.md, section 4)."""

from __future__ import annotations

import asyncio

import pytest

from recents.core.commands import Delete, DeleteAll
from recents.core.entry import InboxEntry
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.core.ordering import place_of
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Seen
from recents.wire.frames import Bye, CaughtUp
from recents.wire.sync_token import token_of
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, messages_in, new_id, rows_in

pytestmark = pytest.mark.asyncio

SMALL = Settings(first_page_rows=3, rows_per_frame=4)


def _rows(pages: list[CaughtUp]) -> list[InboxEntry]:
    return [row for page in pages for row in page.rows]


async def _busy(company: Company, conversations: int) -> Device:
    """Return a device of alice, who has so many conversations."""
    (alice,) = await company.online("alice")
    for number in range(conversations):
        await company.hire(f"u{number}")
        await alice.post(f"p2p:u{number}")
    return alice


async def test_a_first_start_with_nothing_is_one_page(company: Company) -> None:
    await company.hire("alice")
    (page,) = await company.device("alice").greet()
    assert (page.rows, page.gone, page.reset) == ((), (), True)
    assert page.totals is not None
    assert page.totals.conversations == 0
    assert page.token == token_of(company.node.store.epoch, 0)


@pytest.mark.parametrize(
    ("conversations", "sizes"), [(2, [2]), (3, [3]), (4, [3, 1]), (7, [3, 4]), (12, [3, 4, 4, 1])]
)
async def test_a_first_start_gives_the_newest_rows_with_totals_then_the_rest(
    found: Founder, conversations: int, sizes: list[int]
) -> None:
    company = await found(SMALL)
    await _busy(company, conversations)
    pages = await company.device("alice").greet()
    assert [len(page.rows) for page in pages] == sizes
    assert [page.reset for page in pages] == [True] + [False] * (len(sizes) - 1)
    assert [page.totals is not None for page in pages] == [page.reset for page in pages]
    rows = _rows(pages)
    assert [row.conversation for row in rows[:2]] == [
        f"p2p:u{conversations - 1}",
        f"p2p:u{conversations - 2}",
    ]
    assert rows == sorted(rows, key=place_of)
    totals = pages[0].totals
    assert totals is not None
    assert totals.conversations == conversations


async def test_nothing_changed_is_one_small_page(company: Company) -> None:
    alice = await _busy(company, 5)
    token = (await company.device("alice").greet())[-1].token
    (page,) = await company.device("alice").greet(token)
    assert page == CaughtUp(token=token)
    await alice.settle()


async def test_only_what_changed_is_sent_and_what_is_gone(company: Company) -> None:
    alice = await _busy(company, 5)
    token = (await company.device("alice").greet())[-1].token
    await alice.read("p2p:u1")
    await alice.post("p2p:u2")
    await alice.do(Delete(id=new_id(), conversation=Conversation("p2p:u3")))
    rows, gone = await company.device("alice").greet(token)
    assert (rows.reset, rows.totals, rows.token) == (False, None, None)
    assert [row.conversation for row in rows.rows] == ["p2p:u2", "p2p:u1"]
    assert [gone.conversation for gone in gone.gone] == ["p2p:u3"]


async def test_changes_come_in_pages_rows_before_gone(found: Founder) -> None:
    company = await found(SMALL)
    alice = await _busy(company, 12)
    token = (await company.device("alice").greet())[-1].token
    await alice.do(DeleteAll(id="1"))
    for number in range(5):
        await alice.post(f"p2p:u{number}")
    pages = await company.device("alice").greet(token)
    assert [(len(page.rows), len(page.gone)) for page in pages] == [(4, 0), (1, 0), (0, 4), (0, 3)]


async def test_what_is_not_visible_is_not_mentioned_on_a_first_start(company: Company) -> None:
    alice = await _busy(company, 2)
    await alice.do(DeleteAll(id="1"))
    (page,) = await company.device("alice").greet()
    assert (page.rows, page.gone) == ((), ())


@pytest.mark.parametrize(
    "since", ["0123456789abcdef.1", "{epoch}.9999", "{epoch}.999999999999999"]
)
async def test_c3_a_foreign_or_future_token_starts_from_nothing(
    company: Company, since: str
) -> None:
    await _busy(company, 2)
    (page,) = await company.device("alice").greet(since.format(epoch=company.node.store.epoch))
    assert page.reset
    assert len(page.rows) == 2


@pytest.mark.parametrize("since", ["", "garbage", "{epoch}.", "{epoch}.-1", "{epoch}.1\n", "x.1"])
async def test_a_token_that_no_node_made_is_refused(company: Company, since: str) -> None:
    await company.hire("alice")
    device = company.device("alice")
    await device.send(device.hello(since.format(epoch=company.node.store.epoch)))
    (bye,) = device.peer.frames
    assert isinstance(bye, Bye)
    assert (bye.code, bye.retry_after_s) == (Code.BAD_VALUE, None)
    assert device.peer.close_reason == Code.BAD_VALUE
    assert company.node.devices == 1, "until its door notices"


class SlowStore(MemoryStore):
    """Lets something happen while a device catches up."""

    async def changed_since(self, account: str, version: int) -> list[Seen]:
        found = await super().changed_since(account, version)
        await self.meanwhile()
        return found

    async def meanwhile(self) -> None:
        return


async def test_c3_changes_during_a_catch_up_are_delivered_after_it(found: Founder) -> None:
    store = SlowStore()
    company = await found(store=store)
    bob, alice = await company.online("bob", "alice")
    await alice.create_team("team:t1", "bob")

    async def talk() -> None:
        await alice.post("p2p:bob", "meanwhile")
        await alice.post("team:t1", "in the team")
        assert device.told(CaughtUp) == []

    store.meanwhile = talk  # type: ignore[method-assign]
    device = company.device("bob")
    pages = await device.greet()
    assert [row.conversation for row in _rows(pages)] == ["team:t1"]
    changes = await device.changes()
    assert set(rows_in(changes)) == {"p2p:alice", "team:t1"}
    assert ("p2p:alice", "meanwhile") in messages_in(changes)
    assert pages[-1].token != changes[-1].token
    await bob.settle()


async def test_a_slow_device_keeps_no_other_from_catching_up(found: Founder) -> None:
    company = await found(Settings(catch_ups_at_once=1, first_page_rows=1, backlog_bytes=10))
    await _busy(company, 20)
    slow = company.device("alice")
    slow.peer.held_up = True
    task = asyncio.create_task(slow.send(slow.hello()))
    await slow.until(lambda: bool(slow.peer.frames))
    pages = await company.device("alice").greet()
    assert len(_rows(pages)) == 20
    assert not task.done()
    slow.peer.let_go()
    await task
    assert len(_rows(slow.told(CaughtUp))) == 20
