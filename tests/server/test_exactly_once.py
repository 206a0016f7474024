"""A command is applied once, however often it is sent (rule C4), as devices see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recents.core.commands import (
    AddMembers,
    AnyCommand,
    CreateTeam,
    Delete,
    DeleteAll,
    DismissTeam,
    LeaveTeam,
    MarkUnread,
    Mute,
    Read,
    ReadAll,
    RemoveMember,
    RenameTeam,
    SetDraft,
)
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.server.store.sqlite import SqliteStore
from recents.wire.frames import Answer, Error
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, a_post, new_id

pytestmark = pytest.mark.asyncio

ALICE, BOB = Conversation("p2p:alice"), Conversation("p2p:bob")
TEAM = Conversation("team:t1")

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "recents.db"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


async def _two(found: Founder, store: Store) -> tuple[Company, Device, Device]:
    company = await found(store=store)
    alice, bob = await company.online("alice", "bob")
    await alice.post(BOB, "1")
    return company, alice, bob


async def test_c4_asked_again_on_a_new_connection_it_gets_the_answer_from_then(
    found: Founder, store: Store
) -> None:
    company, alice, bob = await _two(found, store)
    read = Read(id="read-1", conversation=ALICE)
    first = await bob.ask(read)
    bob.hang_up()
    await alice.post(BOB, "2")
    version = company.node.store.version
    (again,) = await company.online("bob")
    assert await again.ask(read) == first
    assert (await again.rows())[ALICE].unread == 1, "the message came after the reading"
    assert await again.changes() == []
    assert company.node.store.version == version


async def test_c4_twice_in_one_message_it_is_applied_once(found: Founder, store: Store) -> None:
    company, alice, bob = await _two(found, store)
    read = Read(id="read-1", conversation=ALICE)
    between = a_post(ALICE, "answer")
    await bob.send(read, between, read)
    await bob.answer_to(between.id)
    await bob.settle()
    answers = [frame for frame in bob.told(Answer) if frame.id == "read-1"]
    assert len(answers) == 2
    assert answers[0] == answers[1]
    assert company.node.store.version == 2, "one commit for all"
    await alice.settle()


async def test_c4_another_device_of_the_account_with_the_same_id_is_the_same_command(
    found: Founder, store: Store
) -> None:
    company, alice, bob = await _two(found, store)
    (other,) = await company.online("bob")
    delete = Delete(id="delete-1", conversation=ALICE)
    first = await bob.ask(delete)
    await alice.post(BOB, "2")
    assert await other.ask(delete) == first
    assert set(await other.rows()) == {ALICE}
    alices = Delete(id="delete-1", conversation=BOB)
    await alice.do(alices)
    assert await alice.rows() == {}, "another account's ids are its own"


async def test_c4_refused_once_it_is_refused_the_same_way_for_ever(
    found: Founder, store: Store
) -> None:
    _, alice, bob = await _two(found, store)
    read = Read(id="read-1", conversation=ALICE, upto_seq=2)
    first = await bob.ask(read)
    assert isinstance(first, Error)
    assert (first.code, first.details) == (Code.BEYOND_END, {"newest_seq": 1})
    await alice.post(BOB, "2")
    bob.forget()
    assert await bob.ask(read) == first
    assert (await bob.rows())[ALICE].unread == 2


async def test_c4_a_refused_message_may_be_sent_again_after_the_reason_is_gone(
    found: Founder, store: Store
) -> None:
    company, alice, _ = await _two(found, store)
    post = a_post("p2p:carol")
    assert await alice.refused(post) is Code.UNKNOWN_ACCOUNT
    await company.hire("carol")
    alice.forget()
    await alice.do(post)


async def test_c4_what_changed_nothing_then_changes_nothing_later(
    found: Founder, store: Store
) -> None:
    company, alice, bob = await _two(found, store)
    commands: list[AnyCommand] = [
        Read(id="a", conversation=BOB),
        Delete(id="b", conversation=Conversation("p2p:carol")),
        MarkUnread(id="c", conversation=Conversation("p2p:carol")),
        SetDraft(id="d", conversation=Conversation("p2p:carol")),
        Mute(id="e", conversation=Conversation("p2p:carol")),
        DeleteAll(id="f", kinds=()),
    ]
    await alice.read(BOB)
    version = company.node.store.version
    assert [await alice.do(command) for command in commands] == [version, 0, 0, 0, 0, 0]
    assert company.node.store.version == version
    (carol,) = await company.online("carol")
    await carol.post(ALICE)
    await bob.post(ALICE)
    (again,) = await company.online("alice")
    before = await again.rows()
    for command in commands:
        await again.do(command)
    assert await again.rows() == before
    assert {row.unread for row in before.values()} == {1}


async def test_c4_team_commands_that_were_undone_in_between_are_not_applied_again(
    found: Founder, store: Store
) -> None:
    _, alice, bob = await _two(found, store)
    done: list[tuple[Device, AnyCommand]] = [
        (alice, CreateTeam(id="1", conversation=TEAM, name="One")),
        (alice, AddMembers(id="2", conversation=TEAM, members=("bob",))),
        (alice, RemoveMember(id="3", conversation=TEAM, member="bob")),
        (alice, AddMembers(id="4", conversation=TEAM, members=("bob",))),
        (bob, LeaveTeam(id="5", conversation=TEAM)),
        (alice, AddMembers(id="6", conversation=TEAM, members=("bob",))),
        (alice, RenameTeam(id="7", conversation=TEAM, name="Two")),
        (alice, RenameTeam(id="8", conversation=TEAM, name="Three")),
    ]
    first = [await device.ask(command) for device, command in done]
    before = await alice.rows(), await bob.rows()
    for (device, command), answer in zip(done, first, strict=True):
        device.forget()
        assert await device.ask(command) == answer
    assert (await alice.rows(), await bob.rows()) == before
    assert [member.account for member in await alice.members(TEAM)] == ["alice", "bob"]
    await alice.do(DismissTeam(id="9", conversation=TEAM))
    alice.forget()
    assert await alice.ask(done[1][1]) == first[1], "answered, though there is no team any more"


async def test_c4_t3_an_addition_that_filled_the_team_is_answered_as_it_was(
    found: Founder, store: Store
) -> None:
    company = await found(Settings(team_members=2), store)
    alice, _, _ = await company.online("alice", "bob", "carol")
    await alice.create_team(TEAM)
    fill = AddMembers(id="1", conversation=TEAM, members=("bob",))
    spill = AddMembers(id="2", conversation=TEAM, members=("carol",))
    first, second = await alice.ask(fill), await alice.ask(spill)
    assert isinstance(first, Answer)
    assert isinstance(second, Error)
    assert second.code is Code.TEAM_FULL
    await alice.do(RemoveMember(id="3", conversation=TEAM, member="bob"))
    alice.forget()
    assert await alice.ask(fill) == first
    assert await alice.ask(spill) == second
    assert [member.account for member in await alice.members(TEAM)] == ["alice"]


async def test_t3_room_is_counted_after_what_was_asked_before(
    found: Founder, store: Store
) -> None:
    company = await found(Settings(team_members=2), store)
    alice, _, _ = await company.online("alice", "bob", "carol")
    await alice.create_team(TEAM, "bob")
    remove = RemoveMember(id="1", conversation=TEAM, member="bob")
    add = AddMembers(id="2", conversation=TEAM, members=("carol",))
    await alice.send(remove, add)
    assert isinstance(await alice.answer_to("2"), Answer)


async def test_c4_the_answer_survives_a_restart_of_the_node(
    found: Founder, tmp_path: Path
) -> None:
    first_node = await found(store=SqliteStore(tmp_path / "recents.db"))
    alice, bob = await first_node.online("alice", "bob")
    await alice.post(BOB, "1")
    read = Read(id="read-1", conversation=ALICE)
    nonsense = Read(id="read-2", conversation=ALICE, upto_seq=7)
    first = [await bob.ask(command) for command in (read, nonsense)]
    await first_node.node.stop()
    second_node = await found(store=SqliteStore(tmp_path / "recents.db"))
    second_node.secrets = first_node.secrets
    alice, bob = await second_node.online("alice", "bob")
    await alice.post(BOB, "2")
    assert [await bob.ask(command) for command in (read, nonsense)] == first
    assert (await bob.rows())[ALICE].unread == 1


async def test_c4_what_was_carried_out_is_answered_though_its_token_means_nothing_now(
    found: Founder, tmp_path: Path
) -> None:
    """A backup was put back: the commands that it has were carried out all the same."""
    first_node = await found(store=SqliteStore(tmp_path / "recents.db"))
    alice, bob = await first_node.online("alice", "bob")
    await alice.post(BOB, "1")
    token = f"{first_node.node.store.epoch}.{first_node.node.store.version}"
    command = ReadAll(id="all-1", upto=token)
    first = await bob.ask(command)
    assert isinstance(first, Answer)
    await first_node.node.stop()
    second_node = await found(store=SqliteStore(tmp_path / "recents.db", restored=True))
    second_node.secrets = first_node.secrets
    (bob,) = await second_node.online("bob")
    assert await bob.ask(command) == first
    assert await bob.refused(ReadAll(id="all-2", upto=token)) is Code.BAD_VALUE


async def test_an_answer_has_the_version_of_the_row_after_the_command(
    found: Founder, store: Store
) -> None:
    company, alice, bob = await _two(found, store)
    posted = await alice.ask(a_post(BOB, "2"))
    assert isinstance(posted, Answer)
    assert posted.version == (await alice.rows())[BOB].version == 2
    assert await bob.do(Read(id=new_id(), conversation=ALICE)) == 3
    await alice.create_team(TEAM, "bob")
    assert await bob.do(Read(id=new_id(), conversation=ALICE)) == 3, "nothing changed"
    assert await bob.do(Read(id=new_id(), conversation=Conversation("team:no"))) == 0
    deleted = await bob.do(Delete(id=new_id(), conversation=ALICE))
    (gone,) = [gone for change in await bob.changes() for gone in change.gone]
    assert deleted == gone.version == company.node.store.version == 5
    assert await bob.do(ReadAll(id=new_id())) == 0, "nothing changed"
    await alice.post(BOB, "3")
    assert await bob.do(ReadAll(id=new_id())) == company.node.store.version == 7
    assert await bob.do(DeleteAll(id=new_id())) == company.node.store.version == 8
    assert await bob.do(LeaveTeam(id=new_id(), conversation=TEAM)) == 9
    again = await alice.ask(a_post(BOB, "3", "c-again"))
    assert isinstance(again, Answer)
    assert again.version == company.node.store.version
