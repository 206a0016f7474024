"""Contract: messages, heads and memberships come back as they went in (M1–M5)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from recents.core.head import Head
from recents.core.ids import ConversationKey, p2p, super_team, team
from recents.core.membership import Archived, Draft, Membership, Pinned
from recents.core.message import Message, Preview, recalled
from recents.server.store.port import Seen, Store, StoreFailed
from recents.server.store.workspace import Wanted, Workspace
from tests.contracts.batches import START_MS, Batch, history, posted

pytestmark = pytest.mark.asyncio

BOB = p2p("bob")
KEY = ConversationKey("p2p:alice|bob")
LARGEST = 2**53

TEXTS = [
    "",
    "plain",
    "a\0b",
    "\0",
    "\u202eright to left, \U0001f468\u200d\U0001f469\u200d\U0001f467, \ufeff, \uffff, \U0010ffff",
    "'; DROP TABLE messages; --",
    "\r\n\t\x01\x7f\x85\u2028",
    "ä" * 5_000,
    "null",
]
ATTACHMENTS: list[object] = [
    None,
    {},
    [],
    0,
    False,
    "",
    "a\0b",
    {"deep": [{"er": [None, True, 1.5, -(2**63), 2**64, 10**30, "\0", "ß"]}], "": ""},
]


async def between(store: Store, after: int, before: int, limit: int) -> list[int]:
    found = await store.messages(KEY, after_seq=after, before_seq=before, limit=limit)
    return [message.seq for message in found]


async def test_M1_history_gives_the_newest_of_a_range_oldest_first(store: Store) -> None:
    await posted(store, "alice", BOB, *(f"m{n}" for n in range(1, 21)))
    assert await between(store, 0, LARGEST, 100) == list(range(1, 21))
    assert await between(store, 0, LARGEST, 3) == [18, 19, 20]
    assert await between(store, 0, 18, 3) == [15, 16, 17]
    assert await between(store, 5, 8, 100) == [6, 7]
    assert await between(store, 5, 6, 100) == []
    assert await between(store, 20, LARGEST, 100) == []
    assert await between(store, 0, 1, 100) == []
    assert await between(store, 0, LARGEST, 0) == []
    assert await between(store, 9, 5, 100) == []
    assert await between(store, -(2**80), 2**80, 2**80) == list(range(1, 21))


async def test_an_unknown_conversation_has_no_history(store: Store) -> None:
    assert await history(store, "team:none") == []


@pytest.mark.parametrize("text", TEXTS)
async def test_M5_any_text_comes_back_as_it_was(store: Store, text: str) -> None:
    batch = Batch().post("alice", BOB, "m1", text=text)
    workspace = await batch.commit(store)
    assert await history(store, KEY) == batch.messages
    assert batch.messages[0].text == text
    (seen,) = await store.look([("bob", KEY)])
    assert seen.head == workspace.heads[KEY]


@pytest.mark.parametrize("attachment", ATTACHMENTS)
async def test_M5_any_attachment_comes_back_as_it_was(store: Store, attachment: object) -> None:
    batch = Batch().post("alice", BOB, "m1", attachment=attachment)
    await batch.commit(store)
    (message,) = await history(store, KEY)
    assert message.attachment == attachment
    assert type(message.attachment) is type(attachment)


async def test_M3_every_field_of_a_message_comes_back(store: Store) -> None:
    batch = Batch(LARGEST)
    batch.post("alice", BOB, "a", kind="image", mentions=("bob", "@all", "'\"\\"), counts=False)
    batch.post("alice", BOB, "b", bumps=False).post("alice", BOB, "c", previews=False)
    batch.post_recalled("bob", p2p("alice"), "d")
    await batch.commit(store)
    found = await history(store, KEY)
    assert found == [*batch.messages, found[3]]
    assert found[3] == recalled(found[3], "bob")


def head_with(number: int, **others: object) -> Head:
    """Return a head of which every field tells the number."""
    preview = Preview(
        seq=number,
        client_id=f"~{number}",
        sender="!",
        time_ms=number + 1,
        kind="tip",
        text=f"a\0b {number}",
        state="recalled",
        recalled_by="'",
    )
    head = Head(
        version=1,
        last_seq=number + 2,
        ordinal=number + 3,
        time_ms=number + 4,
        activity_ms=number + 5,
        preview=preview,
        last_retraction=number + 6,
        receipts=(number + 7, number + 8),
        name=f"\0 \u202e {number}",
        owner=f'"{number}',
        dismissed=number % 2 == 0,
    )
    return replace(head, **others)


def membership_with(number: int, **others: object) -> Membership:
    """Return a membership of which every field tells the number."""
    membership = Membership(
        version=1,
        joined_ms=number + 1,
        joined_seq=number + 2,
        joined_version=number + 3,
        read_seq=number + 4,
        read_ordinal=number + 5,
        skipped_after_read=number + 6,
        cleared_seq=number + 7,
        deleted_seq=number + 8,
        parting=head_with(number),
        removed=number % 2 == 0,
        read_epoch=number + 9,
        marked_unread=number + 10,
        draft=Draft(f"a\0b \u202e {number}", number + 11),
        mute="none" if number % 2 == 0 else "mentions",
        pin=Pinned(-number, f"p\0 {number}", number + 12, number + 13),
        archived=Archived(number + 14, number + 15, number + 16, number + 17),
        mute_until_ms=number + 18,
        labels=(f"a\0 {number}", f"é {number}"),
        extension=f"e\0 {number}",
    )
    return replace(membership, **others)


def present_with(number: int, **others: object) -> Membership:
    """Return a membership of somebody who is still in and has no draft."""
    return replace(membership_with(number, parting=None, draft=None), **others)


A, B = 2**53, 2**52 + 1
DRAFT = Draft("", 0)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (membership_with(A), membership_with(B)),
        (membership_with(A, parting=None), membership_with(B, parting=None)),
        (membership_with(A, parting=None), membership_with(A)),
        (membership_with(A, parting=None), membership_with(A, parting=None, removed=False)),
        (
            membership_with(A, parting=None),
            membership_with(A, parting=None, read_seq=1, read_ordinal=2, skipped_after_read=3),
        ),
        (
            membership_with(A, parting=None),
            membership_with(A, parting=None, cleared_seq=4, deleted_seq=5),
        ),
        (membership_with(A, parting=None), membership_with(A, parting=None, joined_ms=6)),
        (membership_with(A, parting=None), membership_with(A, parting=None, joined_seq=7)),
        (membership_with(A, parting=None), membership_with(A, parting=None, joined_version=8)),
        (present_with(A), present_with(A, read_epoch=1)),
        (present_with(A), present_with(A, marked_unread=1)),
        (present_with(A), present_with(A, read_epoch=0, marked_unread=0)),
        (present_with(A), present_with(A, mute=None)),
        (present_with(A, mute=None), present_with(A, mute="mentions")),
        (present_with(A), present_with(A, pin=None)),
        (present_with(A), present_with(A, labels=())),
        (present_with(A, labels=()), present_with(A, labels=("x",))),
        (present_with(A), present_with(A, extension="")),
        (present_with(A, extension=""), present_with(A, extension="x")),
        (present_with(A), present_with(A, mute_until_ms=None)),
        (present_with(A), present_with(A, mute_until_ms=1)),
        (present_with(A), present_with(A, archived=None)),
        (present_with(A, archived=None), present_with(A, archived=Archived(0, 0, 0, 0))),
        (present_with(A, pin=None), present_with(A, pin=Pinned(0, "", 0, 0))),
        (present_with(A), present_with(A, draft=DRAFT)),
        (present_with(A, draft=DRAFT), present_with(A)),
        (present_with(A, draft=DRAFT), present_with(A, draft=Draft("ä" * 5_000, 1), read_seq=1)),
        (present_with(A), present_with(A, draft=DRAFT, parting=head_with(B))),
    ],
)
async def test_every_field_of_a_head_and_a_membership_is_kept_and_replaced(
    store: Store, first: Membership, then: Membership
) -> None:
    account, key = "!" * 63, ConversationKey(super_team("~" * 63))
    for head, membership in ((head_with(A), first), (head_with(B), then)):

        def put(work: Workspace, head: Head = head, membership: Membership = membership) -> None:
            work.put_head(key, head)
            work.put_membership(account, key, membership)

        await store.transact(Wanted(heads={key}, memberships={(account, key)}), put)
        (seen,) = await store.look([(account, key)])
        assert seen.head == await store.head(key) == head
        assert seen.membership == membership
        workspace = await store.transact(Wanted(memberships={(account, key)}), lambda _: None)
        assert workspace.membership(account, key) == membership


@pytest.mark.parametrize("text", [text for text in TEXTS if text])
async def test_G6_any_draft_comes_back_as_it_was(store: Store, text: str) -> None:
    await Batch().create(team("t1"), "alice").draft("alice", team("t1"), text).commit(store)
    await store.close()
    await store.open()
    (seen,) = await store.changed_since("alice", 0)
    assert seen.membership.draft == Draft(text, START_MS)


async def test_G6_a_draft_that_no_file_can_hold_is_refused_and_nothing_stored(
    store: Store,
) -> None:
    await Batch().create(team("t1"), "alice").commit(store)
    with pytest.raises(StoreFailed, match="cannot be stored"):
        await Batch().draft("alice", team("t1"), "half a pair: \ud83d").commit(store)
    assert store.version == 1
    (seen,) = await store.changed_since("alice", 0)
    assert seen.membership.draft is None


async def test_G6_sending_clears_a_draft_that_the_store_has(store: Store) -> None:
    await posted(store, "alice", BOB, "m1")
    await Batch().draft("alice", BOB, "soon").commit(store)
    await Batch().read("alice", BOB, 1).draft("bob", p2p("alice"), "mine").commit(store)
    await posted(store, "alice", BOB, "m2")
    drafts = {seen.account: seen.membership.draft for seen in await both(store)}
    assert drafts == {"alice": None, "bob": Draft("mine", START_MS)}


async def test_R3_R4_G2_marks_and_mutes_outlive_messages_and_reopening(store: Store) -> None:
    await posted(store, "bob", p2p("alice"), "m1", "m2")
    await Batch().mark_unread("alice", BOB).mute("alice", BOB, "mentions").commit(store)
    await Batch().unread_from("bob", p2p("alice"), 0).commit(store)
    await posted(store, "alice", BOB, "m3")
    before = await both(store)
    assert [seen.membership.marked_unread for seen in before] == [2, 0]
    assert [seen.membership.read_epoch for seen in before] == [0, 3]
    assert [seen.membership.mute for seen in before] == ["mentions", None]
    await store.close()
    await store.open()
    assert await both(store) == before
    await posted(store, "bob", p2p("alice"), "m4")
    assert [seen.entry().marked_unread for seen in await both(store)] == [True, False]


async def both(store: Store) -> list[Seen]:
    found = await store.look([("alice", KEY), ("bob", KEY)])
    return sorted(found, key=lambda seen: seen.account)


@pytest.mark.parametrize(
    "name", ["!" * 63, "~", "'", '"', "\\", "%", "_", "*", "[a]", "a,b", "{}"]
)
async def test_I1_any_id_is_only_itself(store: Store, name: str) -> None:
    await posted(store, name, p2p("me"), "'\"\\%")
    await posted(store, "other", p2p("me"), "m1")
    again = Batch().post(name, p2p("me"), "'\"\\%")
    await again.commit(store)
    assert store.version == 2
    rows, totals = await store.page("me", 50)
    assert {seen.conversation for seen in rows} == {p2p(name), p2p("other")}
    assert totals.conversations == 2
    (seen,) = await store.changed_since(name, 0)
    assert seen.conversation == p2p("me")


async def test_I1_upper_and_lower_case_are_different(store: Store) -> None:
    await posted(store, "Bob", p2p("me"), "m1")
    await posted(store, "bob", p2p("me"), "m1")
    assert store.version == 2
    assert (await store.page("me", 50))[1].conversations == 2
    assert len(await store.changed_since("Bob", 0)) == 1
    assert await store.changed_since("BOB", 0) == []


async def test_a_message_knows_nothing_of_its_conversation_but_its_place(store: Store) -> None:
    batch = Batch().post("alice", BOB, "m1")
    await batch.commit(store)
    assert batch.messages == [
        Message(seq=1, ordinal=1, sender="alice", client_id="m1", time_ms=1_700_000_000_000)
    ]
