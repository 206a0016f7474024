"""Contract: rows, their order and sums are what the core says (U2, R4, D2, G, O1, O4, T2, C2)."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from msgspec.structs import replace

from recents.core.commands import Archive, Pin, Unarchive, Unpin
from recents.core.entry import InboxEntry, entry_of, is_visible, row_version
from recents.core.head import Head
from recents.core.ids import Conversation, ConversationKey, key_of, p2p, super_team, team
from recents.core.membership import Membership
from recents.core.ordering import Place, place_of
from recents.core.totals import Totals, totals_of
from recents.server.store.port import Seen, Store
from recents.server.store.workspace import Wanted, Workspace
from tests.contracts.batches import START_MS, Batch, posted
from tests.contracts.random_inbox import RandomInbox

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
TEAM = team("t1")


def entry(seen: Seen) -> InboxEntry:
    return entry_of(seen.account, seen.conversation, seen.head, seen.membership, seen.tally)


async def walk(
    store: Store, account: str, limit: int, archived: bool | None = None
) -> tuple[list[Seen], Totals]:
    """Walk all pages of a list that nobody changes meanwhile."""
    rows: list[Seen] = []
    after: Place | None = None
    while True:
        page, totals = await store.page(account, limit, after, archived=archived)
        rows += page
        if len(page) < limit:
            return rows, totals
        after = place_of(entry(page[-1]))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_rows_order_and_totals_are_those_of_the_core(store: Store, seed: int) -> None:
    inbox = RandomInbox(store, seed)
    await inbox.grow(700)
    rows = inbox.rows()
    visible = [seen for seen in rows if is_visible(seen.head, seen.membership)]
    visible.sort(key=lambda seen: place_of(entry(seen)))
    totals = totals_of(entry(seen) for seen in visible)
    assert len(rows) > 500
    assert 300 < len(visible) < len(rows) - 50
    assert totals.unread > totals.unread_conversations > 50
    assert totals.unread > totals.muted_unread > 5
    assert totals.conversations > totals.marked_unread > 5
    assert any(seen.tally.retracted_after_read for seen in visible)
    assert any(seen.tally.mentions_me and seen.tally.mentions_all for seen in visible)
    assert any(seen.tally.preview_hidden and seen.tally.older for seen in visible)
    assert totals.mentions > totals.muted_mentions > 0
    assert any(row.place_ms > row.activity_ms for row in map(entry, visible))
    assert all(entry(seen).unread >= 0 for seen in rows)
    assert 5 < sum(entry(seen).pinned for seen in visible) < 50

    for limit in (7, 50, 10_000):
        assert await walk(store, "me", limit) == (visible, totals)
        for which in (True, False):
            some = [seen for seen in visible if entry(seen).archived is which]
            assert len(some) > 20
            assert await walk(store, "me", limit, which) == (some, totals)
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


async def test_O2_a_draft_gives_a_row_its_place_and_gives_it_back(store: Store) -> None:
    for number, name in enumerate("abc"):
        await posted(store, "me", p2p(name), "m1", at_ms=START_MS + number)

    async def order(limit: int) -> str:
        rows, _ = await walk(store, "me", limit)
        return "".join(seen.conversation[4:] for seen in rows)

    assert await order(1) == "cba"
    for text, at_ms, expected in (
        ("soon", START_MS + 1, "cab"),
        ("sooner", START_MS + 9, "acb"),
        ("", START_MS + 99, "cba"),
        ("late", START_MS - 9, "cba"),
    ):
        await Batch(at_ms).draft("me", p2p("a"), text).commit(store)
        assert await order(1) == await order(10) == expected
    await Batch(START_MS + 9).draft("me", p2p("b"), "soon").commit(store)
    assert await order(1) == "bca"
    await posted(store, "me", p2p("b"), "m2", at_ms=START_MS + 1)
    assert await order(1) == "cba", "sending clears the draft"


async def test_G1_O1_pinned_rows_stand_first_by_rank_then_name(store: Store) -> None:
    for number, name in enumerate("abcde"):
        await posted(store, "me", p2p(name), "m1", at_ms=START_MS + number)
    for name, rank in (("b", 2**53 - 1), ("d", -5), ("c", -5), ("a", 1 - 2**53)):
        await (
            Batch()
            .organize("me", Pin(id="c", conversation=p2p(name), rank=rank, ext="x"))
            .commit(store)
        )
    for limit in (1, 2, 10):
        rows, totals = await walk(store, "me", limit)
        assert "".join(seen.conversation[4:] for seen in rows) == "acdbe"
        assert totals == Totals(conversations=5)
    await Batch().organize("me", Unpin(id="c", conversation=p2p("a"))).commit(store)
    await Batch().delete("me", p2p("c"), 1).commit(store)
    await posted(store, "me", p2p("c"), "m2", at_ms=START_MS + 9)
    rows, _ = await walk(store, "me", 2)
    assert "".join(seen.conversation[4:] for seen in rows) == "dbcea", "c came back without a pin"


async def test_G4_case_23_archived_rows_are_neither_in_the_list_nor_in_the_totals(
    store: Store,
) -> None:
    await Batch().create(TEAM, "bob", "me").commit(store)
    await posted(store, "bob", TEAM, "m1", "m2")
    await posted(store, "bob", p2p("me"), "m3")
    await Batch().organize("me", Archive(id="c", conversation=TEAM)).commit(store)
    rest = Totals(unread=1, unread_conversations=1, conversations=1)
    for which, names in ((False, [BOB]), (True, [TEAM]), (None, [BOB, TEAM])):
        rows, totals = await walk(store, "me", 1, which)
        assert ([seen.conversation for seen in rows], totals) == (names, rest)
    await posted(store, "me", TEAM, "m4")
    assert (await store.page("me", 5))[1] == rest, "an own message does not bring it back"
    await posted(store, "bob", TEAM, "m5")
    assert (await store.page("me", 5))[1] == Totals(
        unread=4, unread_conversations=2, conversations=2
    )
    await Batch().mute("me", TEAM, "none").commit(store)
    await Batch().organize("me", Archive(id="c", conversation=TEAM)).commit(store)
    await posted(store, "bob", TEAM, "m6")
    assert (await store.page("me", 5))[1] == rest, "nor does anything where it is muted"
    await Batch().mute("me", TEAM, None).commit(store)
    assert (await store.page("me", 5))[1] == rest
    await Batch().organize("me", Unarchive(id="c", conversation=TEAM)).commit(store)
    assert (await store.page("me", 5))[1].unread == 5


async def test_U4_R4_totals_tell_muted_and_marked_rows_apart(store: Store) -> None:
    for name, client_ids in (("a", "12"), ("b", "123"), ("c", "")):
        await Batch().create(team(name), "bob", "me").commit(store)
        await posted(store, "bob", team(name), *client_ids)
    totals = Totals(unread=5, unread_conversations=2, conversations=3)
    assert (await store.page("me", 0))[1] == totals
    await Batch().mute("me", team("b"), "mentions").mark_unread("me", team("c")).commit(store)
    totals = replace(totals, muted_unread=3, marked_unread=1)
    assert (await store.page("me", 0))[1] == totals
    await Batch().mark_unread("me", team("b")).delete("me", team("c"), 0).commit(store)
    totals = replace(totals, conversations=2)
    assert (await store.page("me", 0))[1] == totals
    await Batch().mute("me", team("b"), None).commit(store)
    assert (await store.page("me", 0))[1] == replace(totals, muted_unread=0)


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


async def test_G2_mutes_that_end_are_found_the_earliest_first(store: Store) -> None:
    assert (await store.mutes_ending(2**70, 9), await store.next_mute_end()) == ([], None)
    ends = {"a": START_MS + 5, "b": START_MS + 3, "c": None, "d": START_MS + 5}
    for name, until_ms in ends.items():
        await Batch().create(team(name), "bob", "me").commit(store)
        await Batch().mute("me", team(name), "none", until_ms).commit(store)
    await Batch().mute("bob", team("d"), "mentions", START_MS + 4).commit(store)
    found = await store.mutes_ending(START_MS + 5, 9)
    assert [(end.account, end.key, end.until_ms) for end in found] == [
        ("me", "team:b", START_MS + 3),
        ("bob", "team:d", START_MS + 4),
        ("me", "team:a", START_MS + 5),
        ("me", "team:d", START_MS + 5),
    ]
    assert found[1].version == store.version
    assert await store.mutes_ending(START_MS + 5, 2) == found[:2]
    assert await store.mutes_ending(START_MS + 3, 9) == found[:1]
    assert await store.next_mute_end() == START_MS + 3
    await Batch().mute("me", team("b"), None).commit(store)
    await store.close()
    await store.open()
    assert await store.next_mute_end() == START_MS + 4
