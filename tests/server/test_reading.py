"""Reading, marking, deleting, clearing, as devices see it: rules R1-R7, D1-D6, U1."""

from __future__ import annotations

import asyncio

import pytest

from recents.core.commands import (
    ClearHistory,
    Delete,
    DeleteAll,
    LeaveTeam,
    MarkUnread,
    MarkUnreadFrom,
    Read,
    ReadAll,
    RenameTeam,
)
from recents.core.errors import Code
from recents.core.ids import Conversation, Kind
from recents.wire.frames import Answer, DeviceFrame, Error, ListRows, Rows
from tests.server.devices import (
    Company,
    Device,
    a_post,
    gone_in,
    messages_in,
    new_id,
    rows_in,
)

pytestmark = pytest.mark.asyncio

ALICE, BOB = Conversation("p2p:alice"), Conversation("p2p:bob")
TEAM = Conversation("team:t1")


async def _with_three_messages(company: Company) -> tuple[Device, Device]:
    alice, bob = await company.online("alice", "bob")
    for number in range(3):
        await alice.post(BOB, str(number))
    await bob.changes()
    await alice.changes()
    return alice, bob


async def _token(company: Company, account: str) -> str:
    """Return the token that a device has when everything has been told."""
    pages = await company.device(account).greet()
    assert pages[-1].token is not None
    return pages[-1].token


async def test_r1_reading_goes_forward_only(company: Company) -> None:
    _, bob = await _with_three_messages(company)
    for upto_seq, unread in [(1, 2), (3, 0), (2, 0), (0, 0)]:
        await bob.read(ALICE, upto_seq)
        assert (await bob.rows())[ALICE].unread == unread


async def test_r1_beyond_the_newest_is_refused_and_says_where_the_end_is(
    company: Company,
) -> None:
    _, bob = await _with_three_messages(company)
    answer = await bob.ask(Read(id="1", conversation=ALICE, upto_seq=4))
    assert isinstance(answer, Error)
    assert (answer.code, answer.details) == (Code.BEYOND_END, {"newest_seq": 3})
    assert (await bob.rows())[ALICE].unread == 3


async def test_t2_beyond_what_one_saw_before_leaving_is_refused_too(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await alice.post(TEAM)
    await bob.do(LeaveTeam(id=new_id(), conversation=TEAM))
    await alice.post(TEAM)
    for kind in (Read, Delete, ClearHistory):
        beyond = kind(id=new_id(), conversation=TEAM, upto_seq=2)
        assert await bob.refused(beyond) is Code.BEYOND_END
    assert (await bob.rows())[TEAM].unread == 1
    await bob.read(TEAM, 1)
    assert (await bob.rows())[TEAM].unread == 0


async def test_r5_reading_all_covers_a_row_that_the_same_commit_made(company: Company) -> None:
    _, bob = await company.online("alice", "bob")
    version = company.node.store.version
    await asyncio.gather(
        company.node.command("alice", a_post(BOB)),
        company.node.command("bob", ReadAll(id=new_id())),
    )
    assert company.node.store.version == version + 1, "one commit for both"
    assert (await bob.rows())[ALICE].unread == 0


async def test_r2_reading_twice_is_a_success_and_no_event(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    await bob.read(ALICE)
    assert len(await bob.changes()) == 1
    await alice.changes()
    version = company.node.store.version
    await bob.read(ALICE)
    assert await bob.changes() == []
    assert await alice.changes() == []
    assert company.node.store.version == version


@pytest.mark.parametrize("conversation", ["p2p:nobody", "team:unknown", "team:foreign"])
async def test_r2_d6_an_unknown_and_a_foreign_conversation_are_alike(
    company: Company, conversation: str
) -> None:
    alice, eve = await company.online("alice", "eve")
    await alice.create_team("team:foreign")
    await alice.post("team:foreign")
    name = Conversation(conversation)
    version = company.node.store.version
    await eve.do(Read(id=new_id(), conversation=name))
    await eve.do(Delete(id=new_id(), conversation=name, clear_history=True))
    await eve.do(ClearHistory(id=new_id(), conversation=name, upto_seq=0))
    assert await eve.refused(Read(id=new_id(), conversation=name, upto_seq=1)) is Code.BEYOND_END
    assert company.node.store.version == version
    assert await eve.rows() == {}


# Marking unread


async def _read_all_three(company: Company) -> tuple[Device, Device, Device]:
    alice, bob = await _with_three_messages(company)
    (other,) = await company.online("bob")
    await bob.read(ALICE)
    for device in (alice, bob, other):
        await device.changes()
    return alice, bob, other


async def test_r3_marking_from_a_message_on_makes_it_and_later_ones_unread(
    company: Company,
) -> None:
    alice, bob, other = await _read_all_three(company)
    await bob.do(MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=2))
    for device in (bob, other):
        row = rows_in(await device.changes())[ALICE]
        assert (row.read_seq, row.unread, row.read_epoch) == (1, 2, row.version)
    assert await alice.changes() == [], "the peer notices nothing, and its receipt stays"
    assert (await alice.rows())[BOB].status == "read"


async def test_r3_a_late_read_with_the_old_epoch_does_not_undo_it_a_newer_one_does(
    company: Company,
) -> None:
    _, bob, other = await _read_all_three(company)
    await bob.do(MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=2))
    await other.do(Read(id=new_id(), conversation=ALICE, upto_seq=3, epoch=0))
    row = (await bob.rows())[ALICE]
    assert row.unread == 2
    await other.do(Read(id=new_id(), conversation=ALICE, upto_seq=3, epoch=row.read_epoch))
    assert (await bob.rows())[ALICE].unread == 0


@pytest.mark.parametrize("epoch", [None, 2**53 - 1])
async def test_r3_who_knows_all_marks_reads(company: Company, epoch: int | None) -> None:
    _, bob, _ = await _read_all_three(company)
    await bob.do(MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=1))
    await bob.do(Read(id=new_id(), conversation=ALICE, upto_seq=3, epoch=epoch))
    assert (await bob.rows())[ALICE].unread == 0


async def test_r3_own_messages_are_not_unread_again(company: Company) -> None:
    _, bob, _ = await _read_all_three(company)
    await bob.post(ALICE)
    await bob.do(MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=3))
    assert (await bob.rows())[ALICE].unread == 1


async def test_r3_d3_u5_it_stops_where_the_history_was_cleared_and_where_one_joined(
    company: Company,
) -> None:
    alice, bob, _ = await _read_all_three(company)
    await bob.do(ClearHistory(id=new_id(), conversation=ALICE, upto_seq=2))
    await bob.do(MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=1))
    assert (await bob.rows())[ALICE].unread == 1
    await alice.create_team(TEAM)
    await alice.post(TEAM, "before")
    await alice.add_members(TEAM, "bob")
    await alice.post(TEAM, "after")
    await bob.read(TEAM)
    await bob.do(MarkUnreadFrom(id=new_id(), conversation=TEAM, seq=1))
    assert (await bob.rows())[TEAM].unread == 1


async def test_r3_in_one_batch_with_clearing_the_order_counts(company: Company) -> None:
    _, bob, _ = await _read_all_three(company)
    commands: list[DeviceFrame] = [
        ClearHistory(id=new_id(), conversation=ALICE, upto_seq=1),
        MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=1),
        Read(id=new_id(), conversation=ALICE, upto_seq=2),
        MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=3),
    ]
    version = company.node.store.version
    await bob.send(*commands)
    await bob.settle()
    assert company.node.store.version == version + 1
    assert (await bob.rows())[ALICE].unread == 1


async def test_r3_beyond_the_newest_is_refused(company: Company) -> None:
    _, bob = await _with_three_messages(company)
    for conversation, seq in ((ALICE, 4), ("p2p:nobody", 1), ("team:unknown", 1)):
        mark = MarkUnreadFrom(id=new_id(), conversation=Conversation(conversation), seq=seq)
        assert await bob.refused(mark) is Code.BEYOND_END
    for seq in (0, -1, 2**53):
        mark = MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=seq)
        assert await bob.refused(mark) is Code.BAD_VALUE


async def test_r4_a_dot_is_a_flag_and_no_number(company: Company) -> None:
    alice, bob, other = await _read_all_three(company)
    await bob.do(MarkUnread(id=new_id(), conversation=ALICE))
    for device in (bob, other):
        row = rows_in(await device.changes())[ALICE]
        assert (row.marked_unread, row.unread, row.read_seq) == (True, 0, 3)
    page = await bob.result(ListRows(id=new_id()), Rows)
    assert (page.totals.marked_unread, page.totals.unread) == (1, 0)
    assert await alice.changes() == []


@pytest.mark.parametrize("upto_seq", [None, 0, 3])
async def test_r4_any_read_that_knew_it_takes_the_dot_away(
    company: Company, upto_seq: int | None
) -> None:
    _, bob, other = await _read_all_three(company)
    await bob.do(MarkUnread(id=new_id(), conversation=ALICE))
    await other.do(Read(id=new_id(), conversation=ALICE, upto_seq=upto_seq, epoch=0))
    marked = (await bob.rows())[ALICE]
    assert marked.marked_unread, "that one was on its way when the dot came"
    epoch = marked.read_epoch
    await other.do(Read(id=new_id(), conversation=ALICE, upto_seq=upto_seq, epoch=epoch))
    assert not (await bob.rows())[ALICE].marked_unread


async def test_r4_r5_reading_all_spares_a_dot_that_came_after_the_token(
    company: Company,
) -> None:
    _, bob, _ = await _read_all_three(company)
    token = await _token(company, "bob")
    await bob.do(MarkUnread(id=new_id(), conversation=ALICE))
    await bob.do(ReadAll(id=new_id(), upto=token))
    assert (await bob.rows())[ALICE].marked_unread
    await bob.do(ReadAll(id=new_id(), upto=await _token(company, "bob")))
    assert not (await bob.rows())[ALICE].marked_unread


@pytest.mark.parametrize("conversation", ["p2p:nobody", "team:unknown", "p2p:alice"])
async def test_r4_a_row_that_is_not_in_the_list_gets_no_dot(
    company: Company, conversation: str
) -> None:
    alice, bob, _ = await _read_all_three(company)
    await bob.do(MarkUnread(id=new_id(), conversation=ALICE))
    await bob.do(Delete(id=new_id(), conversation=ALICE))
    version = company.node.store.version
    await bob.do(MarkUnread(id=new_id(), conversation=Conversation(conversation)))
    assert company.node.store.version == version
    await alice.post(BOB)
    assert not (await bob.rows())[ALICE].marked_unread, "deleting took the dot away"


# Reading all


async def test_r5_what_came_after_the_token_stays_unread(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    token = await _token(company, "bob")
    await alice.post(BOB, "later")
    await bob.do(ReadAll(id="1", upto=token))
    assert (await bob.rows())[ALICE].unread == 1


async def test_r5_covers_exactly_the_kinds_left_teams_included(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    for team in (TEAM, "super_team:s1"):
        await alice.create_team(team, "bob")
        await alice.post(team)
    await bob.do(LeaveTeam(id=new_id(), conversation=TEAM))
    await bob.do(ReadAll(id="1", kinds=(Kind.TEAM,)))
    rows = await bob.rows()
    assert {name: row.unread for name, row in rows.items()} == {
        ALICE: 3,
        TEAM: 0,
        "super_team:s1": 1,
    }


@pytest.mark.parametrize("kind", [ReadAll, DeleteAll])
@pytest.mark.parametrize("token", ["0123456789abcdef.1", "{epoch}.999", "garbage", "", "x.1"])
async def test_r5_d4_the_token_of_another_store_is_refused(
    company: Company, kind: type[ReadAll] | type[DeleteAll], token: str
) -> None:
    _, bob = await _with_three_messages(company)
    upto = token.format(epoch=company.node.store.epoch)
    assert await bob.refused(kind(id="1", upto=upto)) is Code.BAD_VALUE
    assert (await bob.rows())[ALICE].unread == 3


async def test_r6_reading_moves_my_last_message_to_read_and_no_count(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    assert (await alice.rows())[BOB].status == "sent"
    await bob.read(ALICE, 2)
    assert (await alice.rows())[BOB].status == "sent"
    await bob.read(ALICE, 3)
    row = rows_in(await alice.changes())[BOB]
    assert (row.status, row.unread) == ("read", 0)


async def test_r6_deleting_does_not_tell_the_peer(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    await bob.do(Delete(id="1", conversation=ALICE))
    await bob.do(ClearHistory(id="2", conversation=ALICE))
    assert await alice.changes() == []
    assert (await alice.rows())[BOB].status == "sent"


async def test_r7_all_my_devices_show_the_same_position(company: Company) -> None:
    _, bob = await _with_three_messages(company)
    (other,) = await company.online("bob")
    await bob.read(ALICE, 2)
    for device in (bob, other):
        row = rows_in(await device.changes())[ALICE]
        assert (row.read_seq, row.unread) == (2, 1)


async def test_d1_the_row_goes_on_all_my_devices_and_nowhere_else(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    (other,) = await company.online("bob")
    await bob.do(Delete(id="1", conversation=ALICE))
    for device in (bob, other):
        changes = await device.changes()
        assert [gone.conversation for gone in gone_in(changes)] == [ALICE]
        assert rows_in(changes) == {}
    assert await alice.changes() == []
    assert len(await bob.history(ALICE)) == 3, "D1: history stays"
    fresh = company.device("bob")
    assert [(page.rows, page.gone) for page in await fresh.greet()] == [((), ())]


async def test_d2_it_comes_back_with_a_message_and_counts_from_there(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    await bob.do(Delete(id="1", conversation=ALICE))
    await bob.changes()
    await alice.read(BOB)
    assert rows_in(await bob.changes()) == {}, "a receipt does not bring it back"
    await alice.post(BOB, "again")
    assert rows_in(await bob.changes())[ALICE].unread == 1


async def test_d2_a_message_that_came_meanwhile_keeps_the_row(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    await alice.post(BOB, "meanwhile")
    await bob.do(Delete(id="1", conversation=ALICE, upto_seq=3))
    assert (await bob.rows())[ALICE].unread == 1


async def test_d2_renaming_does_not_bring_a_team_back(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await bob.do(Delete(id="1", conversation=TEAM))
    await alice.do(RenameTeam(id=new_id(), conversation=TEAM, name="New name"))
    assert await bob.rows() == {}
    await alice.post(TEAM)
    assert (await bob.rows())[TEAM].name == "New name"


async def test_d3_history_is_gone_for_me_and_for_devices_to_come(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    await bob.do(Delete(id="1", conversation=ALICE, clear_history=True))
    (fresh,) = await company.online("bob")
    assert await fresh.history(ALICE) == []
    assert len(await alice.history(BOB)) == 3
    await alice.post(BOB, "new")
    assert [message.text for message in await fresh.history(ALICE)] == ["new"]


async def test_d4_one_command_deletes_rows_of_these_kinds(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    await alice.create_team(TEAM, "bob")
    await bob.changes()
    await bob.do(DeleteAll(id="1", kinds=(Kind.P2P,)))
    changes = await bob.changes()
    assert len(changes) == 1
    assert [gone.conversation for gone in gone_in(changes)] == [ALICE]
    assert set(await bob.rows()) == {TEAM}


async def test_d4_rows_with_later_messages_and_later_rows_stay(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    await alice.create_team(TEAM, "bob")
    token = await _token(company, "bob")
    await alice.post(BOB, "later")
    await alice.create_team("team:later", "bob")
    await bob.do(DeleteAll(id="1", upto=token, clear_history=True))
    rows = await bob.rows()
    assert set(rows) == {ALICE, "team:later"}
    assert rows[ALICE].unread == 1
    assert [message.text for message in await bob.history(ALICE)] == ["later"]


async def test_d4_in_one_batch_with_other_commands_the_order_counts(company: Company) -> None:
    alice, bob = await _with_three_messages(company)
    post = a_post(BOB)
    await asyncio.gather(
        bob.send(DeleteAll(id="a"), ReadAll(id="b"), Read(id="c", conversation=ALICE)),
        alice.send(post),
        bob.send(Read(id="d", conversation=ALICE, upto_seq=4)),
    )
    await alice.answer_to(post.id)
    assert isinstance(await bob.answer_to("d"), Answer)
    row = (await bob.rows())[ALICE]
    assert (row.unread, row.last_seq) == (0, 4)


async def test_d5_the_row_keeps_its_place_empty_and_read(company: Company) -> None:
    _, bob = await _with_three_messages(company)
    before = (await bob.rows())[ALICE]
    await bob.do(ClearHistory(id="1", conversation=ALICE))
    row = rows_in(await bob.changes())[ALICE]
    assert (row.preview, row.unread, row.activity_ms) == (None, 0, before.activity_ms)
    assert await bob.history(ALICE) == []


async def test_d5_cleared_messages_are_not_told_to_a_device_that_was_slow(
    company: Company,
) -> None:
    alice, bob = await _with_three_messages(company)
    (slow,) = await company.online("bob")
    slow.peer.held_up = True
    await alice.post(BOB, "x" * 5_000)
    for number in range(10):
        await alice.post(BOB, f"secret {number}" + "x" * 4_000)
    await bob.do(ClearHistory(id="1", conversation=ALICE))
    slow.forget()
    slow.peer.let_go()
    assert not [text for _, text in messages_in(await slow.changes()) if "secret 9" in text]


async def test_d6_deleting_twice_is_a_success_and_no_event(company: Company) -> None:
    _, bob = await _with_three_messages(company)
    await bob.do(Delete(id="1", conversation=ALICE))
    await bob.changes()
    version = company.node.store.version
    await bob.do(Delete(id="2", conversation=ALICE))
    await bob.do(DeleteAll(id="3"))
    assert await bob.changes() == []
    assert company.node.store.version == version


async def test_d2_an_empty_team_row_can_be_deleted(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await bob.do(Delete(id="1", conversation=TEAM))
    assert await bob.rows() == {}
    await alice.post(TEAM)
    assert (await bob.rows())[TEAM].unread == 1


@pytest.mark.parametrize("upto_seq", [-1, 2**53, -(2**63)])
async def test_r1_impossible_places_are_refused(company: Company, upto_seq: int) -> None:
    _, bob = await _with_three_messages(company)
    for kind in (Read, Delete, ClearHistory):
        command = kind(id=new_id(), conversation=ALICE, upto_seq=upto_seq)
        assert await bob.refused(command) is Code.BAD_VALUE
