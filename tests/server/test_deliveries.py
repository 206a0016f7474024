"""From commits to devices: no token ahead of its rows, nobody held up (protocol, section 4)."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest

from recents.core.commands import (
    AddMembers,
    AnyCommand,
    Delete,
    DeleteAll,
    LeaveTeam,
    Read,
    RemoveMember,
    RenameTeam,
)
from recents.core.entry import InboxEntry
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.images import Images
from recents.server.outlet import Outlet
from recents.server.settings import Settings
from recents.wire.frames import Answer, Changed
from tests.server.conftest import Founder
from tests.server.devices import (
    Company,
    Copy,
    Device,
    a_post,
    gone_in,
    messages_in,
    new_id,
    rows_in,
)
from tests.server.failing_store import FailingStore, GatedStore

TEAM = Conversation("team:t1")


@pytest.mark.asyncio
async def test_c1_each_device_hears_of_a_change_once(company: Company) -> None:
    alice, other, bob = await company.online("alice", "alice", "bob")
    await alice.post("p2p:bob", "hi")
    for device, peer in [(alice, "p2p:bob"), (other, "p2p:bob"), (bob, "p2p:alice")]:
        (change,) = await device.changes()
        assert [row.conversation for row in change.rows] == [peer]
        assert [m.text for m in change.messages[Conversation(peer)]] == ["hi"]


@pytest.mark.asyncio
async def test_changes_are_written_before_the_answers_to_what_caused_them(
    company: Company,
) -> None:
    alice, _ = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    assert [type(frame) for frame in alice.peer.frames] == [Changed, Answer]
    assert len(alice.peer.messages) == 1


@pytest.mark.asyncio
async def test_changed_carries_the_version_of_the_commit(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    (change,) = await bob.changes()
    assert change.token == f"{company.node.store.epoch}.{company.node.store.version}"
    assert change.rows[0].version == company.node.store.version


@pytest.mark.asyncio
async def test_only_members_hear(company: Company) -> None:
    alice, bob, eve = await company.online("alice", "bob", "eve")
    await alice.create_team(TEAM, "bob")
    await alice.post(TEAM)
    assert await eve.changes() == []
    assert len(messages_in(await bob.changes())) == 1


@pytest.mark.asyncio
async def test_reading_a_team_is_told_to_my_devices_alone(company: Company) -> None:
    alice, other, bob = await company.online("alice", "alice", "bob")
    await alice.create_team(TEAM, "bob")
    await bob.post(TEAM)
    for device in (alice, other, bob):
        await device.changes()
    await alice.read(TEAM)
    assert rows_in(await other.changes())[TEAM].unread == 0
    assert await bob.changes() == []


# Slow devices


@pytest.mark.asyncio
async def test_a_slow_device_gets_one_row_for_a_burst_and_holds_nobody_up(
    found: Founder,
) -> None:
    company = await found(Settings(backlog_bytes=1_000, recent_messages=5))
    alice, bob, slow = await company.online("alice", "bob", "bob")
    slow.peer.held_up = True
    await alice.post("p2p:bob", "x" * 2_000)
    await slow.until(lambda: bool(slow.peer.frames))
    slow.forget()
    for number in range(30):
        await alice.post("p2p:bob", str(number))
    assert len(messages_in(await bob.changes())) == 31, "others hear everything at once"
    assert slow.peer.frames == []
    slow.peer.let_go()
    (change,) = await slow.changes()
    assert (len(change.rows), change.rows[0].unread) == (1, 31)
    assert messages_in([change]) == [("p2p:alice", str(number)) for number in range(25, 30)]


@pytest.mark.asyncio
async def test_an_image_that_a_slow_device_waits_for_is_read_at_the_end(found: Founder) -> None:
    company = await found(Settings(backlog_bytes=10))
    alice, slow = await company.online("alice", "bob")
    slow.peer.held_up = True
    await alice.post("p2p:bob", "one")
    await slow.until(lambda: bool(slow.peer.frames))
    slow.forget()
    await alice.post("p2p:bob", "two")
    await alice.post("p2p:bob", "three")
    await company.node.command("bob", Delete(id="d", conversation=Conversation("p2p:alice")))
    slow.peer.let_go()
    changes = await slow.changes()
    assert rows_in(changes) == {}
    assert [gone.conversation for gone in gone_in(changes)] == ["p2p:alice"]


@pytest.mark.asyncio
async def test_what_a_slow_device_is_sent_at_once_is_bounded(
    found: Founder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages are left out where there are too many; rows never."""
    monkeypatch.setattr("recents.server.outlet.FRAME_BYTES", 50_000)
    company = await found(Settings(backlog_bytes=10))
    (slow,) = await company.online("bob")
    slow.peer.held_up = True
    for number in range(20):
        (device,) = await company.online(f"u{number}")
        for _ in range(5):
            await device.post("p2p:bob", "x" * 3_000)
    await slow.until(lambda: bool(slow.peer.frames))
    slow.peer.let_go()
    slow.forget()
    await slow.until(lambda: bool(slow.peer.frames))
    changes = await slow.changes()
    assert {row.unread for row in rows_in(changes).values()} >= {5}
    assert all(len(message) < 200_000 for message in slow.peer.messages)
    assert 0 < len(messages_in(changes)) <= 4


@pytest.mark.asyncio
async def test_d4_delete_all_of_2000_rows_is_one_change_in_several_frames(
    found: Founder,
) -> None:
    company = await found()
    alice, other = await company.online("alice", "alice")
    people = [f"u{number}" for number in range(2_000)]
    for account in people:
        await company.node.accounts.create(account)
    posts = [a_post(f"p2p:{account}") for account in people]
    await alice.send(*posts)
    await alice.answer_to(posts[-1].id)
    for device in (alice, other):
        await device.changes()
    await alice.do(DeleteAll(id="all"))
    for device in (alice, other):
        changes = await device.changes()
        assert [len(change.gone) for change in changes] == [500] * 4
        assert [change.token is not None for change in changes] == [False] * 3 + [True]
    assert await alice.rows() == {}


@pytest.mark.asyncio
async def test_a_change_that_does_not_fit_a_frame_comes_before_its_answer(
    found: Founder,
) -> None:
    company = await found(Settings(rows_per_frame=2))
    (alice,) = await company.online("alice")
    for number in range(5):
        await company.hire(f"u{number}")
        await alice.post(f"p2p:u{number}")
    await alice.changes()
    await alice.do(DeleteAll(id="all"))
    assert [type(frame) for frame in alice.peer.frames] == [Changed] * 3 + [Answer]


# Who hears


@pytest.mark.asyncio
async def test_who_joins_while_connected_hears_from_then_on(company: Company) -> None:
    alice, bob, other = await company.online("alice", "bob", "bob")
    await alice.create_team(TEAM)
    await alice.post(TEAM, "before")
    await alice.add_members(TEAM, "bob")
    await alice.post(TEAM, "after")
    for device in (bob, other):
        changes = await device.changes()
        assert messages_in(changes) == [(TEAM, "after")]
        assert rows_in(changes)[TEAM].unread == 1


@pytest.mark.asyncio
async def test_who_joins_after_one_of_two_devices_connected_is_heard_by_the_other_alone(
    company: Company,
) -> None:
    """The first device's end must not make the second one deaf."""
    alice, first = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    (second,) = await company.online("bob")
    first.hang_up()
    await alice.post(TEAM, "still there?")
    assert messages_in(await second.changes()) == [(TEAM, "still there?")]


@pytest.mark.asyncio
async def test_t1_who_is_added_while_it_logs_in_hears_of_the_team(found: Founder) -> None:
    """The teams are read before the membership is committed, and used after it."""
    store = GatedStore()
    company = await found(store=store)
    (alice,) = await company.online("alice")
    await company.hire("bob")
    await alice.create_team(TEAM)
    gate = store.shut("teams_of")
    bob = company.device("bob")
    greeting = asyncio.create_task(bob.greet())
    await store.reached("teams_of")
    store.gates.clear()
    await alice.add_members(TEAM, "bob")
    gate.set()
    pages = await greeting
    assert TEAM in {row.conversation for page in pages for row in page.rows}
    await bob.changes()
    await alice.post(TEAM, "hear me")
    assert messages_in(await bob.changes()) == [(TEAM, "hear me")]


@pytest.mark.asyncio
async def test_t2_who_is_removed_while_it_logs_in_hears_nothing_of_the_team(
    found: Founder,
) -> None:
    store = GatedStore()
    company = await found(store=store)
    (alice,) = await company.online("alice")
    await company.hire("bob")
    await alice.create_team(TEAM, "bob")
    gate = store.shut("teams_of")
    bob = company.device("bob")
    greeting = asyncio.create_task(bob.greet())
    await store.reached("teams_of")
    store.gates.clear()
    await alice.do(RemoveMember(id="1", conversation=TEAM, member="bob"))
    gate.set()
    await greeting
    await bob.changes()
    await alice.post(TEAM, "he is gone")
    assert await bob.changes() == []


@pytest.mark.asyncio
async def test_the_first_device_ends_while_the_second_logs_in(found: Founder) -> None:
    store = GatedStore()
    company = await found(store=store)
    alice, first = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    gate = store.shut("teams_of")
    second = company.device("bob")
    greeting = asyncio.create_task(second.greet())
    await store.reached("teams_of")
    store.gates.clear()
    first.hang_up()
    await alice.post(TEAM, "meanwhile")
    gate.set()
    pages = await greeting
    seen = {row.conversation: row.unread for page in pages for row in page.rows}
    assert seen == {TEAM: 1}
    await second.changes()
    await alice.post(TEAM, "then")
    assert messages_in(await second.changes()) == [(TEAM, "then")]


@pytest.mark.asyncio
async def test_t2_membership_changes_while_rows_are_read(found: Founder) -> None:
    """What is sent was read at one moment; what changed since follows with the next token."""
    store = GatedStore()
    company = await found(Settings(backlog_bytes=10), store)
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    bob.peer.held_up = True
    await alice.post(TEAM, "one")
    await bob.until(lambda: bool(bob.peer.frames))
    await alice.post(TEAM, "two")
    gate = store.shut("look")
    bob.forget()
    bob.peer.let_go()
    await store.reached("look")
    await alice.send(
        RemoveMember(id="1", conversation=TEAM, member="bob"), a_post(TEAM, "he is gone")
    )
    await alice.until(lambda: len(alice.told(Answer)) >= 4)
    store.gates.clear()
    gate.set()
    changes = await bob.changes()
    assert messages_in(changes) == [(TEAM, "two")]
    assert rows_in(changes)[TEAM].membership == "removed"
    assert rows_in(changes)[TEAM].last_seq == 2


@pytest.mark.asyncio
async def test_two_conversations_of_one_commit_come_with_one_token(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await bob.changes()
    posts = [a_post(TEAM, "a"), a_post("p2p:bob", "b")]
    await alice.send(*posts)
    await alice.answer_to(posts[1].id)
    (change,) = await bob.changes()
    assert {row.conversation for row in change.rows} == {TEAM, "p2p:alice"}


# Tokens and failures


@pytest.mark.asyncio
async def test_no_token_runs_ahead_of_rows_that_could_not_be_read_at_first(
    found: Founder,
) -> None:
    """Changes that come while the store fails are told with a token that covers them, or later."""
    store = FailingStore()
    company = await found(Settings(backlog_bytes=10, recent_messages=0), store)
    (alice,) = await company.online("alice")
    await company.hire("bob")
    bob, copy = company.device("bob"), Copy()
    copy.take(list(await bob.greet()))
    bob.peer.held_up = True
    await alice.post("p2p:bob", "one")
    await bob.until(lambda: bool(bob.peer.frames))
    await alice.create_team(TEAM, "bob")
    store.failures["look"] = 2
    bob.peer.let_go()
    bob.peer.held_up = True
    await asyncio.sleep(0.05)
    await alice.post("p2p:alice", "unrelated")
    await alice.post("p2p:bob", "two")
    await alice.create_team("team:t2", "bob")
    bob.peer.held_up = False
    for _ in range(200):
        copy.take(bob.peer.frames)
        bob.forget()
        await _check_token(company, "bob", copy)
        if len(copy.replica.rows) == 3:
            break
        await asyncio.sleep(0.005)
    assert set(copy.replica.rows) == {"p2p:alice", TEAM, "team:t2"}


@pytest.mark.asyncio
async def test_rows_that_cannot_be_read_are_told_when_they_can(found: Founder) -> None:
    store = FailingStore()
    company = await found(store=store)
    alice, bob, other = await company.online("alice", "bob", "bob")
    await alice.create_team(TEAM, "bob")
    for device in (bob, other):
        await device.changes()
    # A rename is a change of the head alone: members' rows must be read.
    store.failures["look"] = 3
    await alice.do(RenameTeam(id=new_id(), conversation=TEAM, name="New"))
    for device in (bob, other):
        await device.told_of(Changed)
        assert rows_in(device.told(Changed))[TEAM].name == "New"


@pytest.mark.asyncio
async def test_a_device_that_cannot_be_told_is_closed_and_no_other_suffers(
    company: Company, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its changes are lost to it, so no token may cover them: it has to begin anew."""
    alice, bob, carol = await company.online("alice", "bob", "carol")
    await alice.create_team(TEAM, "bob", "carol")
    for device in (bob, carol):
        await device.changes()
    write = Outlet.write

    async def broken(outlet: Outlet, *args: object) -> None:
        if outlet.account == "bob":
            raise AssertionError("a bug")
        await write(outlet, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Outlet, "write", broken)
    await alice.post(TEAM, "hi")
    assert messages_in(await carol.changes()) == [(TEAM, "hi")]
    await bob.until(lambda: bob.peer.close_reason is not None)
    assert bob.peer.close_reason == Code.STORE_FAILED
    assert bob.peer.frames == []
    assert "a bug" in caplog.text


@pytest.mark.asyncio
async def test_marks_that_fail_make_all_devices_begin_anew(
    company: Company, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob = await company.online("alice", "bob")
    with monkeypatch.context() as patch:
        patch.setattr(Images, "keep_row", broken)
        await company.node.command("alice", a_post("p2p:bob"))
        await bob.until(lambda: bob.peer.close_reason is not None)
    assert "marks of commit" in caplog.text
    await alice.until(lambda: alice.peer.close_reason is not None)
    (again,) = await company.online("bob")
    assert [row.unread for row in (await again.rows()).values()] == [1]


def broken(*_: object) -> None:
    raise RuntimeError("a bug")


@pytest.mark.asyncio
async def test_images_are_not_kept_for_ever(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = []
    parts = company.node._parts
    assert parts is not None
    monkeypatch.setattr(parts.deliveries._images, "forget", lambda: forgotten.append(True))
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    await bob.settle()
    await asyncio.sleep(0)
    assert forgotten


@pytest.mark.parametrize("gate_at", ["before look", "look"])
@pytest.mark.parametrize("bob_reads", [False, True])
@pytest.mark.asyncio
async def test_r5_d4_a_row_that_changes_while_it_is_read_is_not_newer_than_its_token(
    found: Founder, gate_at: str, bob_reads: bool
) -> None:
    """The later commit is told right after, with its own token, and its messages with it."""
    store = GatedStore()
    company = await found(store=store)
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await bob.changes()
    gate = store.shut(gate_at)
    await alice.send(a_post(TEAM, "one"))
    await store.reached(gate_at)
    await company.node.command("alice", RenameTeam(id=new_id(), conversation=TEAM, name="Two"))
    await company.node.command("alice", a_post(TEAM, "two"))
    if bob_reads:
        await company.node.command("bob", Read(id=new_id(), conversation=TEAM))
    store.gates.clear()
    gate.set()
    changes = await bob.changes()
    _check_rows_and_tokens(changes)
    assert messages_in(changes) == [(TEAM, "one"), (TEAM, "two")]
    row = rows_in(changes)[TEAM]
    assert (row.name, row.unread) == ("Two", 0 if bob_reads else 2)


def _check_rows_and_tokens(changes: list[Changed]) -> None:
    """No row is newer than the token of its change, which the last of its frames has (4.5)."""
    versions: list[int] = []
    for change in changes:
        versions += [row.version for row in change.rows] + [gone.version for gone in change.gone]
        if change.token is not None:
            assert max(versions, default=0) <= int(change.token.partition(".")[2])
            versions = []


# At random


async def _check_token(company: Company, account: str, copy: Copy) -> None:
    """A device that believes its token and catches up from it has what a fresh one has."""
    caught_up = Copy()
    caught_up.replica.accept(copy.replica.rows.values())
    caught_up.replica._gone = dict(copy.replica._gone)
    caught_up.take(list(await company.device(account).greet(copy.token)))
    fresh = Copy()
    fresh.take(list(await company.device(account).greet()))
    assert _shown(caught_up) == _shown(fresh)


def _shown(copy: Copy) -> dict[str, InboxEntry]:
    return {
        name: msgspec.structs.replace(row, version=0) for name, row in copy.replica.rows.items()
    }


PEOPLE = ("alice", "bob", "carol")


async def _something_happens(chance: random.Random, by: Device) -> None:
    team = chance.choice([TEAM, Conversation("team:t2")])
    other = chance.choice(PEOPLE)
    peer = Conversation(f"p2p:{other}")
    where = chance.choice([team, peer])
    commands: list[AnyCommand] = [
        a_post(where, "x" * chance.choice([1, 500])),
        a_post(where),
        Delete(id=new_id(), conversation=where),
        DeleteAll(id=new_id()),
        LeaveTeam(id=new_id(), conversation=team),
        RemoveMember(id=new_id(), conversation=team, member=other),
        RenameTeam(id=new_id(), conversation=team, name=str(chance.random())),
    ]
    await by.ask(chance.choice(commands))
    if chance.random() < 0.3:
        await by.ask(AddMembers(id=new_id(), conversation=team, members=(other,)))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.asyncio
async def test_c3_no_token_is_ever_ahead_of_the_rows(found: Founder, seed: int) -> None:
    """Whatever happens while devices are slow, store reads fail, and people come and go."""
    chance = random.Random(seed)
    store = FailingStore()
    company = await found(
        Settings(backlog_bytes=200, rows_per_frame=2, flush_slice=2, recent_messages=2), store
    )
    speakers = await company.online(*PEOPLE)
    await speakers[0].create_team(TEAM, "bob", "carol")
    await speakers[1].create_team("team:t2", "alice", "carol")
    listeners = [company.device(account) for account in PEOPLE * 2]
    copies = [Copy() for _ in listeners]
    changes: dict[Device, list[Changed]] = {listener: [] for listener in listeners}
    for listener, copy in zip(listeners, copies, strict=True):
        copy.take(list(await listener.greet()))
    for step in range(120):
        await _something_happens(chance, chance.choice(speakers))
        for listener, copy in zip(listeners, copies, strict=True):
            copy.take(listener.peer.frames)
            changes[listener] += listener.told(Changed)
            listener.forget()
            if chance.random() < 0.2:
                listener.peer.held_up = True
            elif chance.random() < 0.3:
                listener.peer.let_go()
        if chance.random() < 0.1:
            store.failures["look"] = 1
        if step % 10 == 0:
            store.failures.clear()
            for listener, copy in zip(listeners, copies, strict=True):
                await _check_token(company, listener.account, copy)
    store.failures.clear()
    for listener, copy in zip(listeners, copies, strict=True):
        listener.peer.let_go()
        await listener.settle()
        copy.take(listener.peer.frames)
        _check_rows_and_tokens(changes[listener] + listener.told(Changed))
        fresh = Copy()
        fresh.take(list(await company.device(listener.account).greet()))
        assert _shown(copy) == _shown(fresh)
