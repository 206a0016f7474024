"""Contract: rows, their order and their sums are what the core says (U2, D2, O1, O4, T2, C2)."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from recents.core.entry import InboxEntry, entry_of, is_visible, row_version
from recents.core.head import Head
from recents.core.ids import Conversation, ConversationKey, key_of, p2p, super_team, team
from recents.core.membership import Membership, head_seen
from recents.core.ordering import Place, place_of
from recents.core.totals import Totals, totals_of
from recents.server.store.port import Seen, Store
from recents.server.store.workspace import Wanted, Workspace
from tests.contracts.batches import START_MS, Batch, history, posted

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
TEAM = team("t1")


def entry(seen: Seen) -> InboxEntry:
    return entry_of(
        seen.account,
        seen.conversation,
        seen.head,
        seen.membership,
        retracted_after_read=seen.retracted_after_read,
    )


async def walk(store: Store, account: str, limit: int) -> tuple[list[Seen], Totals]:
    """Walk all pages of a list that nobody changes meanwhile."""
    rows: list[Seen] = []
    after: Place | None = None
    while True:
        page, totals = await store.page(account, limit, after)
        rows += page
        if len(page) < limit:
            return rows, totals
        after = place_of(entry(page[-1]))


class RandomInbox:
    """An account with rows of every sort, and what its store must have written."""

    def __init__(self, store: Store, seed: int) -> None:
        self.heads: dict[ConversationKey, Head] = {}
        self.memberships: dict[Conversation, Membership] = {}
        self._store = store
        self._random = Random(seed)

    async def grow(self, rows: int) -> None:
        peers = [p2p(f"{self._random.choice('aZ!~_%')}{n}") for n in range(rows * 3 // 4)]
        teams = [
            self._random.choice([team, super_team])(f"t{n}") for n in range(rows - len(peers))
        ]
        for names in (peers[n : n + 20] for n in range(0, len(peers), 20)):
            await self._commit(self._begun(names, sender="me"))
        for name in teams:
            await self._commit(self._batch().create(name, "owner", "me"))
            await self._commit(self._begun([name], sender="owner"))
        for name in self._random.sample([*peers, *teams], rows // 2):
            await self._change(name)
            if self._random.random() < 0.5:
                await self._change(name)
            if self._random.random() < 0.4:
                await self._commit(self._begun([name], sender=self._other(name)))

    def _batch(self) -> Batch:
        """Ties are the rule: there are but 20 different times."""
        return Batch(START_MS + self._random.randrange(20))

    def _other(self, name: Conversation) -> str:
        return name[4:] if name.startswith("p2p:") else "owner"

    def _begun(self, names: list[Conversation], sender: str) -> Batch:
        batch = self._batch()
        for name in names:
            for _ in range(self._random.randrange(4)):
                author = self._random.choice([sender, self._other(name)])
                to = name if author == "me" or not name.startswith("p2p:") else p2p("me")
                client_id = f"c{self._random.randrange(10**12)}"
                if self._random.random() < 0.2:
                    counts = self._random.random() < 0.8
                    batch.post_recalled(author, to, client_id, counts=counts)
                else:
                    batch.post(
                        author,
                        to,
                        client_id,
                        text=f"text {client_id}",
                        counts=self._random.random() < 0.8,
                        bumps=self._random.random() < 0.8,
                        previews=self._random.random() < 0.8,
                    )
        return batch

    async def _change(self, name: Conversation) -> None:
        membership, batch = self.memberships.get(name), self._batch()
        if membership is None:
            return
        last_seq = head_seen(self.heads[key_of("me", name)], membership).last_seq
        seq = self._random.choice([last_seq, self._random.randint(0, last_seq)])
        may_leave = not name.startswith("p2p:") and membership.parting is None
        change = self._random.choice(["read", "read", "delete", "delete", "clear", "team"])
        if change == "read":
            batch.read("me", name, seq)
        elif change == "delete":
            batch.delete("me", name, seq, clear=self._random.random() < 0.5)
        elif change == "clear":
            batch.clear("me", name, seq)
        elif may_leave and self._random.random() < 0.7:
            batch.leave("me", name, removed=self._random.random() < 0.5)
        elif may_leave:
            batch.dismiss(name)
        await self._commit(batch)

    async def _commit(self, batch: Batch) -> None:
        workspace = await batch.commit(self._store)
        self.heads.update(workspace.heads)
        self.memberships.update(
            (Conversation(key if not key.startswith("p2p:") else _peer(key)), membership)
            for (account, key), membership in workspace.memberships.items()
            if account == "me"
        )

    async def rows(self) -> list[Seen]:
        """Return what the rows must be, by brute force."""
        return [await self._row(name) for name in self.memberships]

    async def _row(self, name: Conversation) -> Seen:
        key, membership = key_of("me", name), self.memberships[name]
        head = self.heads[key]
        seen = head_seen(head, membership)
        recalled = [
            message
            for message in await history(self._store, key)
            if message.state == "recalled"
            and message.counts
            and message.sender != "me"
            and membership.read_seq < message.seq <= seen.last_seq
        ]
        return Seen("me", key, name, head, membership, len(recalled))


def _peer(key: str) -> str:
    first, _, second = key[4:].partition("|")
    return p2p(second if first == "me" else first)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_rows_order_and_totals_are_those_of_the_core(store: Store, seed: int) -> None:
    inbox = RandomInbox(store, seed)
    await inbox.grow(700)
    rows = await inbox.rows()
    visible = [seen for seen in rows if is_visible(seen.head, seen.membership)]
    visible.sort(key=lambda seen: place_of(entry(seen)))
    totals = totals_of(entry(seen) for seen in visible)
    assert len(rows) > 500
    assert 300 < len(visible) < len(rows) - 50
    assert totals.unread > totals.unread_conversations > 50
    assert any(seen.retracted_after_read for seen in visible)
    assert all(entry(seen).unread >= 0 for seen in rows)

    for limit in (7, 50, 10_000):
        assert await walk(store, "me", limit) == (visible, totals)
    for version in (0, 1, store.version // 2, store.version - 1, store.version, 2**70):
        changed = await store.changed_since("me", version)
        assert sorted(changed, key=_name) == sorted(
            (seen for seen in rows if row_version(seen.head, seen.membership) > version),
            key=_name,
        )
    looked = await store.look([("me", seen.key) for seen in rows])
    assert sorted(looked, key=_name) == sorted(rows, key=_name)


def _name(seen: Seen) -> Conversation:
    return seen.conversation


async def test_an_account_without_rows_has_an_empty_page(store: Store) -> None:
    assert await store.page("nobody", 50) == ([], Totals())
    assert await store.changed_since("nobody", 0) == []


async def test_a_page_of_no_rows_has_the_totals_all_the_same(store: Store) -> None:
    await posted(store, "bob", p2p("me"), "m1", "m2")
    totals = Totals(unread=2, unread_conversations=1, conversations=1)
    assert await store.page("me", 0) == ([], totals)
    _, after_the_end = await store.page("me", 50, (2**53, "z"))
    assert after_the_end == totals


async def test_look_leaves_out_what_does_not_exist_and_says_nothing_twice(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    key = key_of("alice", BOB)
    found = await store.look(
        [("bob", key), ("bob", key), ("carol", key), ("bob", ConversationKey("team:none"))]
    )
    assert [(seen.account, seen.key, seen.conversation) for seen in found] == [
        ("bob", key, p2p("alice"))
    ]
    assert await store.look([]) == []


async def test_the_head_of_a_conversation(store: Store) -> None:
    workspace = await posted(store, "alice", BOB, "m1")
    key = key_of("alice", BOB)
    assert await store.head(key) == workspace.heads[key]
    assert await store.head(ConversationKey("team:none")) is None


async def test_both_sides_name_the_conversation_by_the_other(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    for account, name in (("alice", BOB), ("bob", p2p("alice"))):
        (seen,), totals = await store.page(account, 50)
        assert (seen.account, seen.conversation) == (account, name)
        assert totals.unread == (account == "bob")


async def test_I2_notes_to_oneself_are_one_row_and_never_unread(store: Store) -> None:
    await posted(store, "me", p2p("me"), "m1", "m2")
    (seen,), totals = await store.page("me", 50)
    assert seen.conversation == p2p("me")
    assert totals == Totals(conversations=1)


async def test_O1_equal_times_are_ordered_by_name_byte_by_byte(store: Store) -> None:
    names = [p2p(name) for name in ("b", "B", "a", "~", "!", "ab", "_", "%", "aB", '"', "'", "\\")]
    names += [team("a"), super_team("a"), team("B")]
    for name in names:
        await Batch().create(name, "me").commit(store) if name[0] != "p" else await posted(
            store, "me", name, "m1"
        )
    rows, _ = await walk(store, "me", 4)
    assert [seen.conversation for seen in rows] == sorted(names, key=lambda name: name.encode())


async def test_O1_case_31_ten_thousand_equal_times_stand_in_one_order(store: Store) -> None:
    names = [p2p(f"peer-{n}") for n in range(10_000)]

    def fill(workspace: Workspace) -> None:
        for name in names:
            key = key_of("me", name)
            head = Head(version=workspace.version, last_seq=1, ordinal=1, activity_ms=START_MS)
            workspace.put_head(key, head)
            workspace.put_membership("me", key, Membership(version=workspace.version))

    await store.transact(Wanted(), fill)
    for limit in (10_000, 1_111):
        rows, totals = await walk(store, "me", limit)
        assert [seen.conversation for seen in rows] == sorted(names)
        assert totals == Totals(unread=10_000, unread_conversations=10_000, conversations=10_000)


async def test_O4_case_25_a_walk_while_rows_move_gives_every_still_row_once(store: Store) -> None:
    random = Random(25)
    names = [p2p(f"peer-{n:03}") for n in range(300)]
    for number, name in enumerate(names):
        await posted(store, "me", name, "first", at_ms=START_MS + number // 10)
    moved: set[Conversation] = set()
    walked: list[Conversation] = []
    after: Place | None = None
    for step in range(1_000):
        rows, totals = await store.page("me", 10, after)
        assert totals.conversations == 300
        page = [seen.conversation for seen in rows]
        assert len(set(page)) == len(page)
        walked += page
        if not rows:
            break
        after = place_of(entry(rows[-1]))
        for name in random.sample(names, 5):
            moved.add(name)
            await posted(store, "me", name, f"again {step}"[:9], at_ms=START_MS + 1_000 + step)
    still = [name for name in walked if name not in moved]
    assert len(moved) < 200
    assert sorted(still) == sorted(set(names) - moved)


async def test_D2_a_deleted_row_is_back_with_the_next_message(store: Store) -> None:
    await Batch().create(TEAM, "bob", "me").commit(store)
    await posted(store, "bob", TEAM, "m1", "m2")
    await Batch().delete("me", TEAM, 2).commit(store)
    assert await store.page("me", 50) == ([], Totals())
    await Batch().rename(TEAM, "Another name").commit(store)
    assert await store.page("me", 50) == ([], Totals())
    await posted(store, "bob", TEAM, "m3")
    (seen,), totals = await store.page("me", 50)
    assert entry(seen).unread == totals.unread == 1


async def test_D2_a_row_deleted_while_empty_stays_away_until_a_message(store: Store) -> None:
    await Batch().create(TEAM, "bob", "me").commit(store)
    await Batch().delete("me", TEAM, 0).commit(store)
    assert await store.page("me", 50) == ([], Totals())
    await posted(store, "bob", TEAM, "m1")
    (_,), totals = await store.page("me", 50)
    assert totals.unread == 1


async def test_T2_who_left_sees_the_row_as_it_was(store: Store) -> None:
    await Batch().create(TEAM, "bob", "me").commit(store)
    await posted(store, "bob", TEAM, "m1", "m2", at_ms=START_MS + 1)
    await Batch().leave("me", TEAM).commit(store)
    left_at = store.version
    await posted(store, "bob", TEAM, "m3", at_ms=START_MS + 2)
    (seen,), totals = await store.page("me", 50)
    row = entry(seen)
    assert (row.last_seq, row.unread, row.activity_ms, row.version) == (
        2,
        2,
        START_MS + 1,
        left_at,
    )
    assert row.membership == "left"
    assert totals == Totals(unread=2, unread_conversations=1, conversations=1)
    assert await store.changed_since("me", left_at) == []
    await Batch().dismiss(TEAM).commit(store)
    assert await store.changed_since("me", left_at) == []


async def test_T2_a_dismissed_team_is_a_changed_row(store: Store) -> None:
    await Batch().create(TEAM, "bob", "me").commit(store)
    await Batch().dismiss(TEAM).commit(store)
    (seen,) = await store.changed_since("me", 1)
    assert entry(seen).membership == "dismissed"


async def test_C2_a_page_and_its_totals_are_of_one_commit(store: Store) -> None:
    await Batch().create(TEAM, "bob", "me").commit(store)

    async def write() -> None:
        for number in range(150):
            await posted(store, "bob", TEAM, f"m{number}")

    async def read() -> int:
        pages = 0
        while not writing.done():
            rows, totals = await store.page("me", 50)
            assert totals == totals_of(map(entry, rows))
            pages += 1
            await asyncio.sleep(0)
        return pages

    writing = asyncio.ensure_future(write())
    await asyncio.sleep(0)
    await read()
    await writing
    assert (await store.page("me", 50))[1].unread == 150
