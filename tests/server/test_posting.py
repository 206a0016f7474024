"""Posting, as devices see it: rules M1-M5, U1, U6, O2, O3, T1, T2."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from recents.core.commands import (
    DismissTeam,
    LeaveTeam,
    MarkUnread,
    MarkUnreadFrom,
    RemoveMember,
    SetDraft,
)
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.store.memory import MemoryStore
from recents.server.store.sqlite import SqliteStore
from recents.wire.frames import Answer, Posted
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, a_post, messages_in, new_id, rows_in

pytestmark = pytest.mark.asyncio

ALICE, TEAM = Conversation("p2p:alice"), Conversation("team:t1")


async def test_m1_messages_are_numbered_without_gaps_whoever_sends(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    places = [
        await device.post(peer)
        for device, peer in [(alice, "p2p:bob"), (bob, "p2p:alice"), (alice, "p2p:bob")]
    ]
    assert [place.seq for place in places] == [1, 2, 3]
    assert [message.seq for message in await bob.history("p2p:alice")] == [1, 2, 3]


async def test_m1_a_refused_message_takes_no_number(company: Company) -> None:
    alice, _ = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    too_far = msgspec.structs.replace(a_post("p2p:bob"), displayed_seq=9)
    assert await alice.refused(too_far) is Code.BEYOND_END
    assert await alice.refused(a_post("p2p:bob", "x" * 5_001)) is Code.BAD_VALUE
    assert (await alice.post("p2p:bob")).seq == 2


async def test_m1_many_messages_of_one_frame_keep_their_order(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    posts = [a_post("p2p:bob", str(number)) for number in range(40)]
    await alice.send(*posts)
    await alice.answer_to(posts[-1].id)
    answered = [frame.id for frame in alice.told(Answer)]
    assert answered == [post.id for post in posts]
    texts = [message.text for message in await bob.history("p2p:alice")]
    assert texts == [post.text for post in posts]


async def test_m2_sending_again_answers_the_first_result_and_changes_nothing(
    company: Company,
) -> None:
    alice, bob = await company.online("alice", "bob")
    first = await alice.result(a_post("p2p:bob", "hi", "c1"), Posted)
    await bob.changes()
    version = company.node.store.version
    again = await alice.result(a_post("p2p:bob", "other words", "c1"), Posted)
    assert again == first
    assert company.node.store.version == version
    assert await bob.changes() == []


async def test_m2_twice_in_one_message_is_sent_once(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    twice = [a_post("p2p:bob", "hi", "c1"), a_post("p2p:bob", "hi", "c1")]
    await alice.send(*twice)
    answers = [await alice.answer_to(post.id) for post in twice]
    assert isinstance(answers[0], Answer)
    assert isinstance(answers[1], Answer)
    assert answers[0].result == answers[1].result
    assert messages_in(await bob.changes()) == [("p2p:alice", "hi")]


async def test_m2_the_id_is_the_senders_own(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.ask(a_post("p2p:bob", "from alice", "c1"))
    await bob.ask(a_post("p2p:alice", "from bob", "c1"))
    await alice.ask(a_post("p2p:alice", "a note", "c1"))
    assert [m.text for m in await alice.history("p2p:bob")] == ["from alice", "from bob"]
    assert [m.text for m in await alice.history("p2p:alice")] == ["a note"]


async def test_m2_holds_for_one_who_was_removed_since(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    first = await bob.result(a_post(TEAM, "hi", "c1"), Posted)
    await alice.do(RemoveMember(id=new_id(), conversation=TEAM, member="bob"))
    assert await bob.result(a_post(TEAM, "hi", "c1"), Posted) == first
    assert await bob.refused(a_post(TEAM, "hi", "c2")) is Code.NOT_A_MEMBER


async def test_m3_counts_false_is_not_unread(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.do(msgspec.structs.replace(a_post("p2p:bob", "tip"), counts=False))
    row = (await bob.rows())["p2p:alice"]
    assert (row.unread, row.last_seq) == (0, 1)
    assert row.preview is not None


async def test_o2_m3_bumps_false_does_not_move_the_row(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    before = (await bob.rows())["p2p:alice"]
    await alice.do(msgspec.structs.replace(a_post("p2p:bob", "import"), bumps=False))
    after = (await bob.rows())["p2p:alice"]
    assert after.activity_ms == before.activity_ms
    assert (after.unread, after.last_seq) == (2, 2)


async def test_m3_previews_false_leaves_the_preview(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob", "shown")
    await alice.do(msgspec.structs.replace(a_post("p2p:bob", "hidden"), previews=False))
    preview = (await bob.rows())["p2p:alice"].preview
    assert preview is not None
    assert preview.text == "shown"


async def test_m4_times_never_decrease_though_the_clock_goes_back(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    first = await alice.post("p2p:bob")
    company.at_ms -= 500
    second = await bob.post("p2p:alice")
    assert second.time_ms == first.time_ms
    company.at_ms += 5_000
    assert (await alice.post("p2p:bob")).time_ms > first.time_ms


@pytest.mark.parametrize(
    "change",
    [
        {"text": "x" * 5_001},
        {"mentions": ("bob",) * 201},
        {"mentions": ("b b",)},
        {"attachment": "x" * (16 * 1024 - 1)},
        {"attachment": ["é" * 8_192]},
        {"client_id": ""},
        {"client_id": "two words"},
        {"kind": "x" * 33},
        {"displayed_seq": -1},
        {"conversation": "bob"},
        {"conversation": "p2p:bob\n"},
        {"conversation": "p2p:"},
        {"conversation": "p2p:alice|bob"},
        {"conversation": "channel:x"},
    ],
    ids=str,
)
async def test_m5_i1_beyond_the_limits_nothing_is_stored(
    company: Company, change: dict[str, object]
) -> None:
    alice, bob = await company.online("alice", "bob")
    version, rows = company.node.store.version, company.node.store.rows_written
    post = msgspec.structs.replace(a_post("p2p:bob"), **change)
    assert await alice.refused(post) is Code.BAD_VALUE
    assert (company.node.store.version, company.node.store.rows_written) == (version, rows)
    assert await bob.changes() == []


async def test_m5_at_the_limits_everything_arrives(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    post = msgspec.structs.replace(
        a_post("p2p:bob", "é" * 5_000),
        mentions=("@all",) + ("bob",) * 199,
        attachment="x" * (16 * 1024 - 2),
    )
    await alice.do(post)
    (change,) = await bob.changes()
    (message,) = change.messages[ALICE]
    assert (message.text, message.attachment) == (post.text, post.attachment)
    assert message.mentions == post.mentions


async def test_u1_own_messages_are_not_unread_on_any_device(company: Company) -> None:
    alice, other, _ = await company.online("alice", "alice", "bob")
    await alice.post("p2p:bob")
    assert (await other.rows())["p2p:bob"].unread == 0


async def test_i2_notes_to_oneself_are_never_unread(company: Company) -> None:
    alice, other = await company.online("alice", "alice")
    await alice.post("p2p:alice", "milk")
    row = rows_in(await other.changes())["p2p:alice"]
    assert (row.unread, row.last_seq, row.status) == (0, 1, "sent")


async def test_u6_sending_reads_nothing_but_the_own_message(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    for _ in range(3):
        await alice.post("p2p:bob")
    await bob.post("p2p:alice")
    row = (await bob.rows())["p2p:alice"]
    assert (row.unread, row.read_seq) == (3, 0)


async def test_u6_displayed_seq_reads_up_to_there(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    for _ in range(3):
        await alice.post("p2p:bob")
    await bob.do(msgspec.structs.replace(a_post("p2p:alice"), displayed_seq=2))
    row = (await bob.rows())["p2p:alice"]
    assert (row.unread, row.read_seq) == (1, 2)


async def test_u6_r6_displayed_seq_tells_the_peer(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    await bob.do(msgspec.structs.replace(a_post("p2p:alice"), displayed_seq=1, previews=False))
    row = (await alice.rows())["p2p:bob"]
    assert row.status == "read"


async def test_r3_u6_displayed_seq_of_before_a_mark_reads_nothing(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    for _ in range(3):
        await alice.post("p2p:bob")
    await bob.read("p2p:alice")
    await bob.do(MarkUnreadFrom(id=new_id(), conversation=ALICE, seq=2))
    post = msgspec.structs.replace(a_post(ALICE), displayed_seq=3, epoch=0)
    await bob.do(post)
    row = (await bob.rows())[ALICE]
    assert (row.unread, row.last_seq) == (2, 4)
    again = msgspec.structs.replace(a_post(ALICE), displayed_seq=3, epoch=row.read_epoch)
    await bob.do(again)
    assert (await bob.rows())[ALICE].unread == 0


async def test_r4_u6_sending_takes_the_dot_away_if_it_was_displayed(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    await bob.do(MarkUnread(id=new_id(), conversation=ALICE))
    await bob.post(ALICE)
    row = (await bob.rows())[ALICE]
    assert row.marked_unread, "sending alone reads nothing"
    for epoch, marked in ((row.read_epoch - 1, True), (row.read_epoch, False)):
        post = msgspec.structs.replace(a_post(ALICE), displayed_seq=1, epoch=epoch)
        await bob.do(post)
        assert (await bob.rows())[ALICE].marked_unread is marked


async def test_r4_g6_so_does_the_first_message_of_a_conversation_that_a_draft_began(
    company: Company,
) -> None:
    (bob, _) = await company.online("bob", "alice")
    await bob.do(SetDraft(id=new_id(), conversation=ALICE, text="Hm"))
    await bob.do(MarkUnread(id=new_id(), conversation=ALICE))
    await bob.do(msgspec.structs.replace(a_post(ALICE), displayed_seq=0))
    row = (await bob.rows())[ALICE]
    assert (row.marked_unread, row.draft, row.unread) == (False, None, 0)


@pytest.mark.parametrize("epoch", [-1, 2**53])
async def test_r3_impossible_epochs_are_refused(company: Company, epoch: int) -> None:
    alice, _ = await company.online("alice", "bob")
    post = msgspec.structs.replace(a_post("p2p:bob"), displayed_seq=0, epoch=epoch)
    assert await alice.refused(post) is Code.BAD_VALUE


async def test_an_unknown_account_is_refused_and_nothing_begins(company: Company) -> None:
    (alice,) = await company.online("alice")
    assert await alice.refused(a_post("p2p:nobody")) is Code.UNKNOWN_ACCOUNT
    assert await alice.rows() == {}
    assert company.node.store.version == 0


async def test_t1_only_members_send(company: Company) -> None:
    alice, eve = await company.online("alice", "eve")
    await alice.create_team(TEAM)
    assert await eve.refused(a_post(TEAM)) is Code.NOT_A_MEMBER
    assert await eve.refused(a_post("team:unknown")) is Code.NOT_A_MEMBER


async def test_t2_who_left_sends_and_hears_no_more(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await alice.post(TEAM, "before")
    await bob.do(LeaveTeam(id=new_id(), conversation=TEAM))
    await bob.changes()
    await alice.post(TEAM, "after")
    assert await bob.changes() == []
    assert await bob.refused(a_post(TEAM)) is Code.NOT_A_MEMBER
    row = (await bob.rows())[TEAM]
    assert (row.membership, row.unread, row.last_seq) == ("left", 1, 1)
    assert [message.text for message in await bob.history(TEAM)] == ["before"]


async def test_t2_a_dismissed_team_takes_no_messages(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.create_team(TEAM, "bob")
    await alice.post(TEAM)
    await alice.do(DismissTeam(id=new_id(), conversation=TEAM))
    assert await bob.refused(a_post(TEAM)) is Code.TEAM_DISMISSED
    row = (await bob.rows())[TEAM]
    assert (row.membership, row.unread) == ("dismissed", 1)


async def test_o3_a_row_moves_by_messages_only(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    await alice.post("p2p:bob")
    before = (await alice.rows())["p2p:bob"].activity_ms
    await bob.read("p2p:alice")
    await alice.read("p2p:bob")
    assert (await alice.rows())["p2p:bob"].activity_ms == before


async def _rows_for_a_message(company: Company, sender: Device, team: str) -> int:
    before = company.node.store.rows_written
    await sender.post(team)
    return company.node.store.rows_written - before


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_rows_written_per_message_do_not_depend_on_the_size_of_the_team(
    found: Founder, kind: str, tmp_path: Path
) -> None:
    store = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "recents.db")
    company = await found(store=store)
    (alice,) = await company.online("alice")
    people = [f"u{number}" for number in range(10_000)]
    for account in people:
        await company.node.accounts.create(account)
    await alice.create_team("team:two", people[0])
    await alice.create_team("super_team:all")
    for at in range(0, len(people), 1_000):
        await alice.add_members("super_team:all", *people[at : at + 1_000])
    small = await _rows_for_a_message(company, alice, "team:two")
    large = await _rows_for_a_message(company, alice, "super_team:all")
    assert small == large == 3
