"""Drafts, mutes, pins, the archive, as devices see them: rules G, O2, U4, D1, D2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio

from recents.core.commands import (
    AddLabel,
    Archive,
    Delete,
    DeleteAll,
    LeaveTeam,
    MarkUnread,
    Mute,
    MuteLevel,
    Pin,
    Read,
    ReadAll,
    RemoveLabel,
    RemoveMember,
    SetDraft,
    SetExtension,
    Unarchive,
    Unpin,
)
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.server.store.sqlite import SqliteStore
from recents.wire.frames import ListRows, Rows
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, gone_in, new_id, rows_in

pytestmark = pytest.mark.asyncio

ALICE, BOB, CAROL = (Conversation(f"p2p:{name}") for name in ("alice", "bob", "carol"))
TEAM = Conversation("team:t1")

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "recents.db"),
}


@pytest_asyncio.fixture(params=STORES)
async def company(request: pytest.FixtureRequest, found: Founder, tmp_path: Path) -> Company:
    return await found(store=STORES[request.param](tmp_path))


async def draft(device: Device, conversation: Conversation, text: str) -> int:
    return await device.do(SetDraft(id=new_id(), conversation=conversation, text=text))


async def mute(device: Device, conversation: Conversation, level: MuteLevel | None) -> int:
    return await device.do(Mute(id=new_id(), conversation=conversation, level=level))


async def order(device: Device) -> list[str]:
    page = await device.result(ListRows(id=new_id()), Rows)
    return [row.conversation for row in page.rows]


# Drafts


async def test_g6_a_draft_is_on_all_my_devices_and_nobody_else_notices(company: Company) -> None:
    alice, other, bob = await company.online("alice", "alice", "bob")
    await alice.post(BOB)
    for device in (alice, other, bob):
        await device.changes()
    await draft(alice, BOB, "Dear\nBob 👋")
    for device in (alice, other):
        row = rows_in(await device.changes())[BOB]
        assert row.draft is not None
        assert row.draft.text == "Dear\nBob 👋"
    assert bob.peer.frames == []
    assert await bob.changes() == []
    assert (await bob.rows())[ALICE].draft is None


async def test_g6_the_last_writer_wins_and_the_same_text_is_no_event(company: Company) -> None:
    alice, other, _ = await company.online("alice", "alice", "bob")
    await draft(alice, BOB, "one")
    await draft(other, BOB, "two")
    (row,) = (await alice.rows()).values()
    assert row.draft is not None
    assert row.draft.text == "two"
    await alice.changes()
    version = company.node.store.version
    assert await draft(alice, BOB, "two") == row.version
    assert await alice.changes() == []
    assert company.node.store.version == version


async def test_g6_sending_clears_it_also_from_another_device(company: Company) -> None:
    alice, other, _ = await company.online("alice", "alice", "bob")
    await draft(alice, BOB, "one")
    await other.post(BOB, "two")
    row = rows_in(await alice.changes())[BOB]
    assert (row.draft, row.last_seq) == (None, 1)


async def test_g6_another_one_s_message_does_not_clear_it(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await draft(alice, BOB, "one")
    await bob.post(ALICE)
    row = (await alice.rows())[BOB]
    assert row.draft is not None
    assert row.unread == 1


async def test_o2_a_draft_moves_the_row_and_clearing_it_gives_the_place_back(
    company: Company,
) -> None:
    alice, _, _ = await company.online("alice", "bob", "carol")
    await alice.post(BOB)
    await alice.post(CAROL)
    before = (await alice.rows())[BOB]
    assert await order(alice) == [CAROL, BOB]
    await draft(alice, BOB, "Hm")
    assert await order(alice) == [BOB, CAROL]
    row = (await alice.rows())[BOB]
    assert row.activity_ms == before.activity_ms
    assert row.place_ms > before.place_ms
    await draft(alice, BOB, "")
    assert await order(alice) == [CAROL, BOB]
    assert (await alice.rows())[BOB].place_ms == before.place_ms


async def test_g6_d1_a_draft_begins_a_conversation_for_its_author_alone(
    company: Company,
) -> None:
    alice, other, bob = await company.online("alice", "alice", "bob")
    await draft(alice, BOB, "Shall I?")
    row = rows_in(await other.changes())[BOB]
    assert (row.last_seq, row.preview, row.unread) == (0, None, 0)
    assert await bob.changes() == [], "not even a token"
    assert await bob.rows() == {}
    assert await bob.history(ALICE) == []
    fresh = company.device("bob")
    assert [(page.rows, page.gone) for page in await fresh.greet()] == [((), ())]
    await bob.do(Read(id=new_id(), conversation=ALICE))
    await bob.do(MarkUnread(id=new_id(), conversation=ALICE))
    assert await bob.rows() == {}
    await alice.post(BOB, "Hello")
    row = rows_in(await bob.changes())[ALICE]
    assert (row.unread, row.last_seq, row.draft) == (1, 1, None)
    assert (await alice.rows())[BOB].unread == 0


async def test_g6_the_first_message_may_come_from_the_other_side(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await draft(alice, BOB, "Shall I?")
    await bob.post(ALICE, "Hello")
    row = rows_in(await alice.changes())[BOB]
    assert (row.unread, row.last_seq) == (1, 1)
    assert row.draft is not None
    assert (await bob.rows())[ALICE].unread == 0


async def test_g6_both_sides_may_have_a_draft(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await draft(alice, BOB, "from alice")
    await alice.changes()
    await draft(bob, ALICE, "from bob")
    assert alice.peer.frames == []
    await alice.post(BOB, "Hello")
    assert (await alice.rows())[BOB].draft is None
    row = (await bob.rows())[ALICE]
    assert row.draft is not None
    assert (row.draft.text, row.unread) == ("from bob", 1)


async def test_g6_i2_a_draft_of_a_note_to_oneself(company: Company) -> None:
    alice, other = await company.online("alice", "alice")
    await draft(alice, ALICE, "milk")
    assert set(rows_in(await other.changes())) == {ALICE}
    await alice.post(ALICE, "milk")
    assert rows_in(await other.changes())[ALICE].draft is None


async def test_g6_d1_a_draft_brings_no_deleted_row_back_and_is_kept_for_when_it_comes(
    company: Company,
) -> None:
    alice, other, bob = await company.online("alice", "alice", "bob")
    await bob.post(ALICE)
    await draft(alice, BOB, "one")
    await alice.do(Delete(id=new_id(), conversation=BOB))
    await other.changes()
    await draft(alice, BOB, "two")
    changes = await other.changes()
    assert rows_in(changes) == {}
    assert {gone.conversation for gone in gone_in(changes)} <= {BOB}
    assert await alice.rows() == {}
    await bob.post(ALICE)
    row = (await alice.rows())[BOB]
    assert row.draft is not None
    assert (row.draft.text, row.unread) == ("two", 1)


async def test_g6_a_draft_in_a_team_is_its_author_s_alone(company: Company) -> None:
    alice, bob, other = await company.online("alice", "bob", "bob")
    await alice.create_team(TEAM, "bob")
    for device in (alice, bob, other):
        await device.changes()
    await draft(bob, TEAM, "Soup?")
    assert rows_in(await other.changes())[TEAM].draft is not None
    assert alice.peer.frames == []


async def test_g6_where_no_draft_can_be_it_is_refused_and_nothing_begins(
    company: Company,
) -> None:
    alice, bob = await company.online("alice", "bob")
    await bob.create_team(TEAM)
    version = company.node.store.version
    for conversation, code in [
        ("p2p:nobody", Code.UNKNOWN_ACCOUNT),
        (TEAM, Code.NOT_A_MEMBER),
        ("team:unknown", Code.NOT_A_MEMBER),
    ]:
        name = Conversation(conversation)
        command = SetDraft(id=new_id(), conversation=name, text="x")
        assert await alice.refused(command) is code
        assert await draft(alice, name, "") == 0, "clearing what is not there succeeds"
    too_long = SetDraft(id=new_id(), conversation=BOB, text="x" * 5_001)
    assert await alice.refused(too_long) is Code.BAD_VALUE
    assert company.node.store.version == version
    assert await alice.rows() == {}
    await draft(alice, BOB, "👋" * 5_000)


# Mutes


async def test_u4_muting_changes_no_count_only_the_sum_it_belongs_to(company: Company) -> None:
    alice, bob, other = await company.online("alice", "bob", "bob")
    await alice.post(BOB)
    await bob.changes()
    await other.changes()
    await alice.changes()
    await mute(bob, ALICE, "none")
    for device in (bob, other):
        row = rows_in(await device.changes())[ALICE]
        assert (row.mute, row.unread) == ("none", 1)
    page = await bob.result(ListRows(id=new_id()), Rows)
    assert (page.totals.unread, page.totals.muted_unread, page.totals.badge) == (1, 1, 0)
    assert await alice.changes() == [], "the peer notices nothing"
    await mute(bob, ALICE, None)
    page = await bob.result(ListRows(id=new_id()), Rows)
    assert (page.totals.unread, page.totals.muted_unread, page.totals.badge) == (1, 0, 1)


async def test_o3_muting_moves_no_row(company: Company) -> None:
    alice, _, _ = await company.online("alice", "bob", "carol")
    await alice.post(BOB)
    await alice.post(CAROL)
    await mute(alice, BOB, "mentions")
    assert await order(alice) == [CAROL, BOB]


async def test_g2_muting_twice_is_a_success_and_no_event(company: Company) -> None:
    alice, _ = await company.online("alice", "bob")
    await alice.post(BOB)
    await mute(alice, BOB, "none")
    await alice.changes()
    version = company.node.store.version
    await mute(alice, BOB, "none")
    assert await alice.changes() == []
    assert company.node.store.version == version
    await mute(alice, BOB, "mentions")
    assert rows_in(await alice.changes())[BOB].mute == "mentions"


async def test_g2_a_mute_survives_leaving_and_joining_again(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob", "alice")
    await mute(bob, TEAM, "mentions")
    await bob.do(LeaveTeam(id=new_id(), conversation=TEAM))
    assert (await bob.rows())[TEAM].mute == "mentions"
    await alice.add_members(TEAM, "bob")
    assert (await bob.rows())[TEAM].mute == "mentions"
    await alice.do(RemoveMember(id=new_id(), conversation=TEAM, member="bob"))
    await mute(bob, TEAM, None)
    await alice.add_members(TEAM, "bob")
    assert (await bob.rows())[TEAM].mute is None


@pytest.mark.parametrize("conversation", ["p2p:bob", "p2p:nobody", "team:unknown", "team:t1"])
async def test_g2_what_is_not_there_cannot_be_muted_but_unmuted(
    company: Company, conversation: str
) -> None:
    alice, bob = await company.online("alice", "bob")
    await bob.create_team(TEAM)
    version = company.node.store.version
    name = Conversation(conversation)
    muting = Mute(id=new_id(), conversation=name, level="none")
    assert await alice.refused(muting) is Code.NOT_A_MEMBER
    assert await mute(alice, name, None) == 0
    assert company.node.store.version == version


# Pins


async def pin(device: Device, conversation: Conversation, rank: int, ext: str = "") -> int:
    return await device.do(Pin(id=new_id(), conversation=conversation, rank=rank, ext=ext))


async def test_g1_a_pin_holds_the_row_on_top_on_all_devices(company: Company) -> None:
    alice, bob, other, carol = await company.online("alice", "bob", "bob", "carol")
    await alice.post(BOB)
    await carol.post(BOB)
    await alice.changes()
    await other.changes()
    await pin(bob, ALICE, 0, "red")
    row = rows_in(await other.changes())[ALICE]
    assert row.pin is not None
    assert (row.pinned, row.pin.rank, row.pin.ext) == (True, 0, "red")
    assert row.pin.pinned_ms == row.pin.updated_ms >= row.activity_ms
    assert await alice.changes() == [], "the peer notices nothing"
    await carol.post(BOB)
    assert await order(bob) == [ALICE, CAROL]
    await bob.do(Unpin(id=new_id(), conversation=ALICE))
    assert await order(bob) == [CAROL, ALICE]
    assert rows_in(await other.changes())[ALICE].pin is None


async def test_g1_the_last_pin_to_arrive_stands_and_the_same_one_is_no_event(
    company: Company,
) -> None:
    alice, _ = await company.online("alice", "bob")
    await alice.post(BOB)
    await pin(alice, BOB, 5, "one")
    await pin(alice, BOB, -5, "two")
    row = (await alice.rows())[BOB]
    assert row.pin is not None
    assert (row.pin.rank, row.pin.ext) == (-5, "two")
    version = company.node.store.version
    assert await pin(alice, BOB, -5, "two") == version
    assert company.node.store.version == version


async def test_g1_a_cursor_leads_through_pinned_rows(company: Company) -> None:
    alice, *_ = await company.online("alice", "bob", "carol")
    for name in (BOB, CAROL, ALICE):
        await alice.post(name)
    await pin(alice, BOB, 1)
    await pin(alice, CAROL, -1)
    walked: list[str] = []
    cursor: str | None = None
    while True:
        request = ListRows(id=new_id(), limit=1, cursor=cursor)
        page = await alice.result(request, Rows)
        walked += [row.conversation for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert walked == [CAROL, BOB, ALICE]


async def test_d2_a_deleted_row_comes_back_without_its_pin(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    await pin(bob, ALICE, 0)
    await bob.do(Delete(id=new_id(), conversation=ALICE))
    await pin(bob, ALICE, 0)
    assert await bob.rows() == {}, "nothing is pinned that is not in the list"
    await alice.post(BOB)
    assert (await bob.rows())[ALICE].pin is None


@pytest.mark.parametrize("conversation", ["p2p:bob", "p2p:nobody", "team:unknown", "team:t1"])
async def test_g1_what_is_not_there_cannot_be_pinned_but_unpinned(
    company: Company, conversation: str
) -> None:
    alice, bob = await company.online("alice", "bob")
    await bob.create_team(TEAM)
    version = company.node.store.version
    name = Conversation(conversation)
    assert await alice.refused(Pin(id=new_id(), conversation=name, rank=0)) is Code.NOT_A_MEMBER
    assert await alice.do(Unpin(id=new_id(), conversation=name)) == 0
    assert company.node.store.version == version


# Archive


async def archive(device: Device, conversation: Conversation, upto_seq: int | None = None) -> int:
    command = Archive(id=new_id(), conversation=conversation, upto_seq=upto_seq)
    return await device.do(command)


async def test_g4_case_23_an_archived_row_is_out_of_list_and_totals(company: Company) -> None:
    alice, bob, other = await company.online("alice", "bob", "bob")
    await alice.post(BOB)
    await other.changes()
    await archive(bob, ALICE, 1)
    assert rows_in(await other.changes())[ALICE].archived
    page = await bob.result(ListRows(id=new_id()), Rows)
    assert (page.rows, page.totals.unread, page.totals.conversations) == ((), 0, 0)
    page = await bob.result(ListRows(id=new_id(), archived=True), Rows)
    assert [row.unread for row in page.rows] == [1]
    await bob.post(ALICE)
    assert await order(bob) == [], "sending does not bring it back"
    await alice.post(BOB)
    page = await bob.result(ListRows(id=new_id(), archived=None), Rows)
    assert ([row.archived for row in page.rows], page.totals.unread) == ([False], 2)


async def test_g4_a_late_archiving_spares_what_its_device_had_not_seen(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB)
    await alice.post(BOB)
    await archive(bob, ALICE, 1)
    assert await order(bob) == [ALICE]
    beyond = Archive(id=new_id(), conversation=ALICE, upto_seq=3)
    assert await bob.refused(beyond) is Code.BEYOND_END
    await archive(bob, ALICE)
    assert await order(bob) == []
    await bob.do(Unarchive(id=new_id(), conversation=ALICE))
    assert await order(bob) == [ALICE]


async def test_g4_r5_d4_all_is_all_of_the_main_list(company: Company) -> None:
    alice, bob, carol = await company.online("alice", "bob", "carol")
    await alice.post(BOB)
    await carol.post(BOB)
    await archive(bob, ALICE)
    await bob.do(ReadAll(id=new_id()))
    unread = {name: row.unread for name, row in (await bob.rows()).items()}
    assert unread == {ALICE: 1, CAROL: 0}
    await bob.do(DeleteAll(id=new_id()))
    assert list(await bob.rows()) == [ALICE]


@pytest.mark.parametrize("conversation", ["p2p:bob", "p2p:nobody", "team:unknown", "team:t1"])
async def test_g4_what_is_not_there_cannot_be_archived_but_unarchived(
    company: Company, conversation: str
) -> None:
    alice, bob = await company.online("alice", "bob")
    await bob.create_team(TEAM)
    name = Conversation(conversation)
    assert await alice.refused(Archive(id=new_id(), conversation=name)) is Code.NOT_A_MEMBER
    assert await alice.do(Unarchive(id=new_id(), conversation=name)) == 0


# Labels and extensions


async def test_g5_g7_labels_and_extension_are_on_all_devices(company: Company) -> None:
    alice, bob, other = await company.online("alice", "bob", "bob")
    await alice.post(BOB)
    await alice.changes()
    for label in ("work", "Home", "work"):
        await bob.do(AddLabel(id=new_id(), conversation=ALICE, label=label))
    await bob.do(SetExtension(id=new_id(), conversation=ALICE, text='{"a": 1}'))
    row = rows_in(await other.changes())[ALICE]
    assert (row.labels, row.extension) == (("Home", "work"), '{"a": 1}')
    assert await alice.changes() == [], "the peer notices nothing"
    await bob.do(Delete(id=new_id(), conversation=ALICE))
    await bob.do(RemoveLabel(id=new_id(), conversation=ALICE, label="work"))
    await alice.post(BOB)
    row = (await bob.rows())[ALICE]
    assert (row.labels, row.extension) == (("Home",), '{"a": 1}'), "they outlive the row"


async def test_g5_a_label_too_many_is_refused(company: Company) -> None:
    alice, _ = await company.online("alice", "bob")
    await alice.post(BOB)
    for number in range(20):
        await alice.do(AddLabel(id=new_id(), conversation=BOB, label=f"l{number}"))
    more = AddLabel(id=new_id(), conversation=BOB, label="one more")
    assert await alice.refused(more) is Code.BAD_VALUE
    await alice.do(AddLabel(id=new_id(), conversation=BOB, label="l0"))


@pytest.mark.parametrize("conversation", ["p2p:bob", "p2p:nobody", "team:unknown", "team:t1"])
async def test_g5_g7_what_is_not_there_keeps_nothing(company: Company, conversation: str) -> None:
    alice, bob = await company.online("alice", "bob")
    await bob.create_team(TEAM)
    name = Conversation(conversation)
    labelling = AddLabel(id=new_id(), conversation=name, label="x")
    assert await alice.refused(labelling) is Code.NOT_A_MEMBER
    extending = SetExtension(id=new_id(), conversation=name, text="x")
    assert await alice.refused(extending) is Code.NOT_A_MEMBER
    assert await alice.do(RemoveLabel(id=new_id(), conversation=name, label="x")) == 0
    assert await alice.do(SetExtension(id=new_id(), conversation=name)) == 0
