"""One connected device (docs/protocol.md, sections 2, 3 and 5)."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from recents.core.commands import AddMembers, CreateTeam, Post, Read
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.settings import Settings
from recents.wire import codec
from recents.wire.frames import (
    Answer,
    Bye,
    CaughtUp,
    DeviceFrame,
    Error,
    Hello,
    History,
    ListRows,
    MyTeams,
    NodeFrame,
    Rows,
    Welcome,
)
from tests.server.conftest import Founder
from tests.server.devices import Company, Device, a_post, new_id
from tests.server.failing_store import FailingStore, GatedStore

pytestmark = pytest.mark.asyncio

BOB, TEAM = Conversation("p2p:bob"), Conversation("team:t1")


class GatedFailingStore(GatedStore, FailingStore):
    """Waits at the gates, then fails."""

    def __init__(self) -> None:
        GatedStore.__init__(self)
        self.failures: dict[str, int] = {}


def _only(frames: list[NodeFrame]) -> NodeFrame:
    (frame,) = frames
    return frame


# Greeting


async def test_a_good_hello_is_welcomed(company: Company) -> None:
    await company.hire("alice")
    alice = company.device("alice")
    await alice.send(alice.hello())
    welcome, page = alice.peer.frames
    assert isinstance(welcome, Welcome)
    assert (welcome.protocol, welcome.account) == (1, "alice")
    assert welcome.heartbeat_s == company.node.settings.heartbeat_s
    assert isinstance(page, CaughtUp)
    assert len(alice.peer.messages) == 1, "welcome and first page are one message"


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ({"token": "wrong"}, Code.UNAUTHORIZED),
        ({"account": "bob"}, Code.UNAUTHORIZED),
        ({"account": "nobody"}, Code.UNAUTHORIZED),
        ({"account": "\x00"}, Code.UNAUTHORIZED),
        ({"account": "a" * 100_000}, Code.UNAUTHORIZED),
        ({"protocol": 2}, Code.PROTOCOL_VERSION),
        ({"protocol": 10**300}, Code.PROTOCOL_VERSION),
        ({"device": "x" * 129}, Code.BAD_VALUE),
        ({"device_id": "two words"}, Code.BAD_VALUE),
        ({"device_id": "x" * 65}, Code.BAD_VALUE),
        ({"since": "garbage"}, Code.BAD_VALUE),
    ],
    ids=str,
)
async def test_a_bad_hello_ends_the_connection_with_a_reason(
    company: Company, hello: dict[str, object], code: Code
) -> None:
    await company.hire("alice", "bob")
    alice = company.device("alice")
    await alice.send(msgspec.structs.replace(alice.hello(), **hello))
    bye = _only(alice.peer.frames)
    assert isinstance(bye, Bye)
    assert (bye.code, bye.retry_after_s) == (code, None)
    assert alice.peer.close_reason == code
    alice.peer.close_reason = None
    await alice.send(alice.hello())
    assert len(alice.peer.frames) == 1, "a closed session says nothing more"


@pytest.mark.parametrize("message", ["{", "[]", '{"type":"my_teams","id":"1"}', "x" * 300_000])
async def test_anything_but_a_hello_first_ends_the_connection(
    company: Company, message: str
) -> None:
    await company.hire("alice")
    alice = company.device("alice")
    await alice.say(message + "\n" + codec.encode(alice.hello()).decode())
    bye = _only(alice.peer.frames)
    assert isinstance(bye, Bye)
    assert bye.code in {Code.BAD_FRAME, Code.HELLO_FIRST, Code.TOO_LARGE}


async def test_a_second_hello_is_refused_and_changes_nobody(company: Company) -> None:
    (alice,) = await company.online("alice")
    await company.hire("bob")
    await alice.send(Hello(protocol=1, account="bob", token=company.secrets["bob"]))
    await alice.until(lambda: bool(alice.peer.frames))
    error = _only(alice.peer.frames)
    assert isinstance(error, Error)
    assert (error.code, error.id) == (Code.ALREADY_GREETED, None)
    assert alice.session.account == "alice"
    await alice.post("p2p:bob")


async def test_requests_may_follow_the_hello_in_the_same_message(company: Company) -> None:
    await company.hire("alice", "bob")
    alice = company.device("alice")
    post = a_post(BOB)
    await alice.send(alice.hello(), post, ListRows(id="q"))
    answer = await alice.answer_to("q")
    assert isinstance(answer, Answer)
    assert len(codec.decode_result(answer.result, Rows).rows) == 1
    kinds = [type(frame).__name__ for frame in alice.peer.frames]
    assert kinds[:2] == ["Welcome", "CaughtUp"]


@pytest.mark.parametrize("method", ["token", "teams_of", "changed_since"])
async def test_a_hello_that_the_store_cannot_judge_may_be_tried_again(
    found: Founder, method: str
) -> None:
    store = FailingStore()
    company = await found(store=store)
    await company.hire("alice")
    store.failures[method] = 1
    alice = company.device("alice")
    await alice.send(alice.hello())
    bye = _only(alice.peer.frames)
    assert isinstance(bye, Bye)
    assert (bye.code, bye.retry_after_s) == (Code.STORE_FAILED, 1.0)
    await company.device("alice").greet()


# Revocation


async def test_a_revoked_device_is_told_and_closed_at_once(company: Company) -> None:
    alice, other, bob = await company.online("alice", "alice", "bob")
    assert await company.node.revoke("alice") == 1
    for device in (alice, other):
        bye = _only(device.peer.frames)
        assert isinstance(bye, Bye)
        assert (bye.code, bye.retry_after_s) == (Code.REVOKED, None)
        assert device.peer.close_reason == Code.REVOKED
    await bob.post("p2p:alice")
    assert len(alice.peer.frames) == 1, "nothing is delivered any more"
    again = company.device("alice")
    await again.send(again.hello())
    assert isinstance(_only(again.peer.frames), Bye)


@pytest.mark.parametrize("method", ["token", "teams_of", "changed_since"])
async def test_revoked_during_the_greeting_it_does_not_get_in(found: Founder, method: str) -> None:
    store = GatedStore()
    company = await found(store=store)
    await company.hire("alice", "bob")
    gate = store.shut(method)
    alice = company.device("alice")
    greeting = asyncio.create_task(alice.send(alice.hello()))
    await store.reached(method)
    await company.node.revoke("alice")
    gate.set()
    await greeting
    bye = _only(alice.peer.frames)
    assert isinstance(bye, Bye)
    assert bye.code is Code.REVOKED
    store.gates.clear()
    (bob,) = await company.online("bob")
    await bob.post("p2p:alice")
    assert len(alice.peer.frames) == 1


async def test_revoked_while_it_waits_its_next_command_is_not_carried_out(
    found: Founder,
) -> None:
    """With too many requests under way the device waits to be read; revoked, it waits in vain."""
    store = GatedStore()
    company = await found(Settings(unanswered_requests=1), store)
    alice, bob = await company.online("alice", "bob")
    gate = store.shut("transact")
    first, second = a_post(BOB, "first"), a_post(BOB, "second")
    sending = asyncio.create_task(alice.send(first, second))
    await store.reached("transact")
    await company.node.revoke("alice")
    await sending
    store.gates.clear()
    gate.set()
    await bob.until(lambda: bool(bob.peer.frames))
    assert [message.text for message in await bob.history("p2p:alice")] == ["first"]


async def test_revoked_while_it_asks_it_is_not_answered(found: Founder) -> None:
    store = GatedStore()
    company = await found(store=store)
    alice, _ = await company.online("alice", "bob")
    gate = store.shut("transact")
    sending = asyncio.create_task(alice.send(a_post(BOB), ListRows(id="q")))
    await store.reached("transact")
    await company.node.revoke("alice")
    gate.set()
    await sending
    assert [type(frame) for frame in alice.peer.frames] == [Bye]


# Requests


BAD_FRAMES = [
    (b"hello", None, Code.BAD_FRAME),
    (b'{"type":"nope","id":"r1"}', "r1", Code.BAD_FRAME),
    (b'{"type":"list","id":"r1","limit":"x"}', "r1", Code.BAD_FRAME),
    (b'{"type":"list","id":"r1","limit":true}', "r1", Code.BAD_FRAME),
    (b'{"type":"list","id":"r1","colour":1}', "r1", Code.BAD_FRAME),
    (b'{"type":"list","id":"r1","limit":0}', "r1", Code.BAD_VALUE),
    (b'{"type":"list","id":"r1","limit":1001}', "r1", Code.BAD_VALUE),
    (b'{"type":"list","id":"r1","limit":-9223372036854775809}', "r1", Code.BAD_VALUE),
    (b'{"type":"list","id":"r1","cursor":"x"}', "r1", Code.BAD_VALUE),
    (b'{"type":"history","id":"r1","conversation":"bob"}', "r1", Code.BAD_VALUE),
    (b'{"type":"team_members","id":"r1","conversation":"team:"}', "r1", Code.BAD_VALUE),
    (b'{"type":"my_teams","id":"two words"}', "two words", Code.BAD_VALUE),
    (b'{"type":"my_teams","id":""}', "", Code.BAD_VALUE),
    (b'{"type":"read","id":"new\\nline","conversation":"p2p:b"}', "new\nline", Code.BAD_VALUE),
    (
        b'{"type":"post","id":"r1","conversation":"p2p:bob","client_id":"c","attachment":'
        + b"[" * 100
        + b"]" * 100
        + b"}",
        "r1",
        Code.BAD_VALUE,
    ),
    (b'{"type":"my_teams","id":"r1"}' + b" " * 300_000, "r1", Code.TOO_LARGE),
]


@pytest.mark.parametrize(("frame", "request_id", "code"), BAD_FRAMES)
async def test_a_bad_frame_is_answered_and_the_connection_goes_on(
    company: Company, frame: bytes, request_id: str | None, code: Code
) -> None:
    alice, _ = await company.online("alice", "bob")
    version = company.node.store.version
    await alice.say(frame)
    await alice.until(lambda: bool(alice.peer.frames))
    error = _only(alice.peer.frames)
    assert isinstance(error, Error)
    assert (error.id, error.code, error.retry_after_s) == (request_id, code, None)
    assert company.node.store.version == version
    await alice.post(BOB)


async def test_answers_come_in_the_order_of_the_requests(company: Company) -> None:
    alice, _ = await company.online("alice", "bob")
    asked: list[DeviceFrame] = [
        a_post(BOB),
        ListRows(id="a"),
        msgspec.structs.replace(a_post(BOB), text="x" * 6_000),
        Read(id="b", conversation=BOB, upto_seq=9),
        a_post("p2p:nobody"),
        History(id="c", conversation=Conversation("team:x")),
        MyTeams(id="d"),
        a_post(BOB),
    ]
    nonsense = b'{"type":"nonsense","id":"e"}'
    last = MyTeams(id="f")
    lines = [codec.encode(frame) for frame in asked] + [nonsense, codec.encode(last)]
    await alice.say(codec.join(lines))
    await alice.answer_to("f")
    answered = [frame.id for frame in alice.peer.frames if isinstance(frame, Answer | Error)]
    assert answered == [getattr(frame, "id", "") for frame in asked] + ["e", "f"]


async def test_a_query_sees_what_was_commanded_before_it(company: Company) -> None:
    alice, _ = await company.online("alice", "bob")
    await alice.send(a_post(BOB), ListRows(id="q"))
    answer = await alice.answer_to("q")
    assert isinstance(answer, Answer)
    assert codec.decode_result(answer.result, Rows).totals.conversations == 1


async def test_1000_requests_at_once_are_all_answered(found: Founder) -> None:
    company = await found(Settings(unanswered_requests=16, batch_commands=64))
    alice, bob = await company.online("alice", "bob")
    posts = [a_post(BOB, str(number)) for number in range(1_000)]
    await alice.send(*posts)
    await alice.answer_to(posts[-1].id)
    answers = alice.told(Answer)
    assert [answer.id for answer in answers] == [post.id for post in posts]
    (row,) = (await bob.rows()).values()
    assert row.unread == 1_000


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("page", ListRows(id="r1")),
        ("look", History(id="r1", conversation=BOB)),
        ("teams_of", MyTeams(id="r1")),
        ("transact", a_post(BOB)),
        ("count_members", CreateTeam(id="r1", conversation=TEAM)),
        ("count_members", AddMembers(id="r1", conversation=TEAM, members=("bob",))),
    ],
)
async def test_what_the_store_cannot_do_is_said_and_may_be_tried_again(
    found: Founder, method: str, request_: AddMembers
) -> None:
    store = FailingStore()
    company = await found(store=store)
    alice, _ = await company.online("alice", "bob")
    store.failures[method] = 1
    answer = await alice.ask(request_)
    assert isinstance(answer, Error)
    assert (answer.code, answer.retry_after_s) == (Code.STORE_FAILED, 1.0)
    (again,) = await company.online("alice")
    await again.ask(request_)
    await again.post(BOB)


async def test_an_overloaded_node_says_when_to_try_again(found: Founder) -> None:
    store = GatedStore()
    company = await found(Settings(queued_commands=2, batch_commands=1), store)
    alice, _ = await company.online("alice", "bob")
    gate = store.shut("transact")
    posts = [a_post(BOB) for _ in range(4)]
    await alice.send(posts[0])
    await store.reached("transact")
    await alice.send(*posts[1:3])
    sending = asyncio.create_task(alice.send(posts[3]))
    await asyncio.sleep(0)
    assert not alice.peer.frames, "the refusal waits for the answers before it"
    store.gates.clear()
    gate.set()
    await sending
    error = await alice.answer_to(posts[3].id)
    assert isinstance(error, Error)
    assert (error.code, error.retry_after_s) == (Code.OVERLOADED, 1.0)
    assert len(alice.told(Answer)) == 3


# Order after what could not be done now (C4)


async def _all_are_refused(device: Device, posts: list[Post], code: Code) -> None:
    for post in posts:
        error = await device.answer_to(post.id)
        assert isinstance(error, Error)
        assert (error.code, error.retry_after_s) == (code, 1.0)


async def test_c4_after_a_failed_commit_nothing_of_this_connection_is_carried_out(
    found: Founder,
) -> None:
    store = GatedFailingStore()
    company = await found(Settings(batch_commands=1), store)
    alice, bob = await company.online("alice", "bob")
    posts = [a_post(BOB, str(number)) for number in range(5)]
    gate = store.shut("transact")
    store.failures["transact"] = 1
    await alice.send(*posts[:3])
    await store.reached("transact")
    store.gates.clear()
    gate.set()
    await _all_are_refused(alice, posts[:3], Code.STORE_FAILED)
    await alice.send(*posts[3:])
    await _all_are_refused(alice, posts[3:], Code.STORE_FAILED)
    assert await bob.rows() == {}
    assert isinstance(await alice.ask(MyTeams(id="q")), Answer), "questions are still answered"
    (again,) = await company.online("alice")
    await again.send(*posts)
    await again.answer_to(posts[-1].id)
    assert [m.text for m in await bob.history("p2p:alice")] == [post.text for post in posts]


async def test_c4_after_being_overloaded_too(found: Founder) -> None:
    store = GatedStore()
    company = await found(Settings(queued_commands=1, batch_commands=1), store)
    alice, bob = await company.online("alice", "bob")
    posts = [a_post(BOB, str(number)) for number in range(4)]
    gate = store.shut("transact")
    await alice.send(posts[0])
    await store.reached("transact")
    sending = asyncio.create_task(alice.send(*posts[1:]))
    store.gates.clear()
    await asyncio.sleep(0)
    gate.set()
    await sending
    await _all_are_refused(alice, posts[2:], Code.OVERLOADED)
    assert [message.text for message in await bob.history("p2p:alice")] == ["0", "1"]


@pytest.mark.parametrize("method", ["count_members", "look"])
async def test_c4_after_a_team_could_not_be_looked_at_too(found: Founder, method: str) -> None:
    store = FailingStore()
    company = await found(Settings(team_members=1), store)
    alice, bob = await company.online("alice", "bob")
    before, after = a_post(BOB, "before"), a_post(BOB, "after")
    create = CreateTeam(id="team", conversation=TEAM, members=("bob",))
    store.failures[method] = 1
    await alice.send(before, create, after)
    error = await alice.answer_to(after.id)
    assert isinstance(error, Error)
    assert error.code is Code.STORE_FAILED
    assert [message.text for message in await bob.history("p2p:alice")] == ["before"]


async def test_c4_what_waited_to_be_read_while_an_earlier_one_failed_is_refused_too(
    found: Founder,
) -> None:
    """With too many requests under way the device waits to be read; meanwhile one fails."""
    store = GatedFailingStore()
    company = await found(Settings(unanswered_requests=1), store)
    alice, bob = await company.online("alice", "bob")
    gate = store.shut("transact")
    store.failures["transact"] = 1
    first, second = a_post(BOB, "first"), a_post(BOB, "second")
    sending = asyncio.create_task(alice.send(first, second))
    await store.reached("transact")
    store.gates.clear()
    gate.set()
    await sending
    await _all_are_refused(alice, [first, second], Code.STORE_FAILED)
    assert await bob.rows() == {}


async def test_c4_what_one_device_is_refused_holds_up_no_other(found: Founder) -> None:
    store = FailingStore()
    company = await found(store=store)
    alice, other, _ = await company.online("alice", "alice", "bob")
    store.failures["transact"] = 1
    assert await alice.refused(a_post(BOB)) is Code.STORE_FAILED
    await other.post(BOB)


async def test_a_command_that_cannot_be_right_does_not_stop_those_after_it(
    company: Company,
) -> None:
    alice, _ = await company.online("alice", "bob")
    assert await alice.refused(a_post(BOB, "x" * 5_001)) is Code.BAD_VALUE
    assert await alice.refused(a_post("p2p:nobody")) is Code.UNKNOWN_ACCOUNT
    await alice.post(BOB)


# Backpressure


async def test_a_device_that_reads_no_answers_is_not_read_any_further(found: Founder) -> None:
    company = await found(Settings(backlog_bytes=2_000))
    alice, bob = await company.online("alice", "bob")
    for _ in range(40):
        await bob.post("p2p:alice", "x" * 4_000)
    await alice.changes()
    alice.peer.held_up = True
    asked = [History(id=new_id(), conversation=BOB) for _ in range(50)]
    asking = asyncio.create_task(alice.send(*asked))
    await bob.post("p2p:alice")
    await bob.settle()
    done, _ = await asyncio.wait([asking], timeout=0.05)
    assert not done
    one_answer = 40 * 4_100
    assert alice.peer.most_unread < 4 * one_answer
    assert len(alice.told(Answer)) < 4
    await bob.post("p2p:alice", "others are not held up")
    alice.peer.let_go()
    await asking
    await alice.answer_to(asked[-1].id)


async def test_a_flood_of_nonsense_fills_no_memory(found: Founder) -> None:
    company = await found(Settings(backlog_bytes=10_000))
    alice, bob = await company.online("alice", "bob")
    alice.peer.held_up = True
    flooding = asyncio.create_task(alice.say(b"1\n" * 500_000))
    await bob.post("p2p:alice")
    await bob.settle()
    assert not flooding.done()
    assert alice.peer.most_unread < 100_000
    alice.hang_up()
    await alice.peer.close("gone")
    await flooding


# Ending


async def test_an_ended_session_hears_and_does_nothing(company: Company) -> None:
    alice, bob = await company.online("alice", "bob")
    alice.hang_up()
    alice.hang_up()
    await bob.post("p2p:alice")
    await alice.send(a_post(BOB))
    await bob.settle()
    assert alice.peer.frames == []
    assert (await bob.rows())["p2p:alice"].last_seq == 1
    assert company.node.devices == 1


async def test_a_session_that_ends_while_its_command_is_committed(found: Founder) -> None:
    store = GatedStore()
    company = await found(store=store)
    alice, bob = await company.online("alice", "bob")
    gate = store.shut("transact")
    await alice.send(a_post(BOB))
    await store.reached("transact")
    alice.hang_up()
    store.gates.clear()
    gate.set()
    await bob.until(lambda: bool(bob.peer.frames))
    assert alice.peer.frames == []
    assert (await bob.rows())["p2p:alice"].unread == 1


async def test_a_session_that_ends_while_it_catches_up(found: Founder) -> None:
    store = GatedStore()
    company = await found(store=store)
    (alice,) = await company.online("alice")
    for method in ("teams_of", "changed_since"):
        gate = store.shut(method)
        device = Device(company.node, "alice", company.secrets["alice"])
        greeting = asyncio.create_task(device.send(device.hello()))
        await store.reached(method)
        device.hang_up()
        gate.set()
        await greeting
        store.gates.clear()
        assert device.peer.frames == []
    assert company.node.devices == 1
    await alice.post("p2p:alice")
