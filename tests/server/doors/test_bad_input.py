"""Bad input at every door: a clear coded error, the node goes on, nothing is half-written.

Case by case over real sockets; the order of answers and the races are tests of the sessions.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import WSMsgType

from recents.core.commands import CreateTeam, Post
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.server.store.sqlite import SqliteStore
from recents.wire.codec import MAX_DEVICE_MESSAGE_BYTES, encode
from recents.wire.frames import Answer, CaughtUp, Changed, Error, History, MyTeams, Welcome
from tests.server.doors.sockets import ADMIN_KEY, Place, Socket, open_place

pytestmark = pytest.mark.asyncio

BOB, TEAM = Conversation("p2p:bob"), Conversation("team:t1")
FAST = Settings(greeting_timeout_s=0.1)


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """Alice and Bob talk; Alice has a team, Eve has nothing."""
    store: Store = MemoryStore()
    if request.param == "sqlite":
        store = SqliteStore(tmp_path / "recents.db")
    async with open_place(FAST, store) as at:
        await at.hire("alice", "bob", "eve")
        await at.node.command("alice", a_post(BOB, "1"))
        await at.node.command("alice", CreateTeam(id="2", conversation=TEAM, name="T"))
        await at.node.command("alice", a_post(TEAM, "3"))
        yield at


def a_post(conversation: Conversation, client_id: str, **fields: object) -> Post:
    post = Post(id=client_id, conversation=conversation, client_id=client_id)
    return msgspec.structs.replace(post, **fields)


async def _written(place: Place) -> tuple[int, int, int]:
    accounts = await place.node.store.accounts("", 1_000)
    return place.node.store.version, place.node.store.rows_written, len(accounts)


async def _still_works(device: Socket) -> None:
    answer = await device.ask(MyTeams(id="still"))
    assert isinstance(answer, Answer)
    assert answer.id == "still"


# Frames

LARGE = "x" * 5_001
FRAMES = {
    "no JSON": ("hello?", Code.BAD_FRAME),
    "half a frame": ('{"type":"my_teams"', Code.BAD_FRAME),
    "a number": ("1", Code.BAD_FRAME),
    "unknown operation": ('{"type":"drop","id":"r"}', Code.BAD_FRAME),
    "unknown field": ('{"type":"my_teams","id":"r","x":1}', Code.BAD_FRAME),
    "no id": ('{"type":"my_teams"}', Code.BAD_FRAME),
    "wrong type": ('{"type":"list","id":"r","limit":"1"}', Code.BAD_FRAME),
    "bool as int": ('{"type":"list","id":"r","limit":true}', Code.BAD_FRAME),
    "deep nesting": ("[" * 50_000, Code.BAD_FRAME),
    "half a surrogate pair": (r'{"type":"my_teams","id":"\ud800"}', Code.BAD_FRAME),
    "id with a newline": (r'{"type":"my_teams","id":"a\nb"}', Code.BAD_VALUE),
    "id with a NUL": (r'{"type":"my_teams","id":"\u0000"}', Code.BAD_VALUE),
    "empty id": ('{"type":"my_teams","id":""}', Code.BAD_VALUE),
    "limit 0": ('{"type":"list","id":"r","limit":0}', Code.BAD_VALUE),
    "limit too large": ('{"type":"list","id":"r","limit":1001}', Code.BAD_VALUE),
    "a limit of 300 digits": (f'{{"type":"list","id":"r","limit":{10**300}}}', Code.BAD_VALUE),
    "a cursor of nobody": ('{"type":"list","id":"r","cursor":"x"}', Code.BAD_VALUE),
    "no conversation": ('{"type":"history","id":"r","conversation":"x"}', Code.BAD_VALUE),
    "conversation with a newline": (
        r'{"type":"read","id":"r","conversation":"p2p:bob\n"}',
        Code.BAD_VALUE,
    ),
    "conversation with a NUL": (
        r'{"type":"history","id":"r","conversation":"p2p:\u0000"}',
        Code.BAD_VALUE,
    ),
    "negative seq": (
        '{"type":"read","id":"r","conversation":"p2p:bob","upto_seq":-1}',
        Code.BAD_VALUE,
    ),
    "read beyond the end": (
        '{"type":"read","id":"r","conversation":"p2p:bob","upto_seq":2}',
        Code.BEYOND_END,
    ),
    "delete beyond the end": (
        '{"type":"delete","id":"r","conversation":"p2p:bob","upto_seq":2}',
        Code.BEYOND_END,
    ),
    "clear beyond the end": (
        '{"type":"clear_history","id":"r","conversation":"p2p:bob","upto_seq":9}',
        Code.BEYOND_END,
    ),
    "mark beyond the end": (
        '{"type":"mark_unread_from","id":"r","conversation":"p2p:bob","seq":2}',
        Code.BEYOND_END,
    ),
    "mark from 0": (
        '{"type":"mark_unread_from","id":"r","conversation":"p2p:bob","seq":0}',
        Code.BAD_VALUE,
    ),
    "mark from nowhere": (
        '{"type":"mark_unread_from","id":"r","conversation":"p2p:bob"}',
        Code.BAD_FRAME,
    ),
    "mark with a message": (
        '{"type":"mark_unread","id":"r","conversation":"p2p:bob","seq":1}',
        Code.BAD_FRAME,
    ),
    "mark no conversation": ('{"type":"mark_unread","id":"r","conversation":""}', Code.BAD_VALUE),
    "a negative epoch": (
        '{"type":"read","id":"r","conversation":"p2p:bob","epoch":-1}',
        Code.BAD_VALUE,
    ),
    "an epoch of 300 digits": (
        f'{{"type":"read","id":"r","conversation":"p2p:bob","epoch":{10**300}}}',
        Code.BAD_VALUE,
    ),
    "an epoch that is a token": (
        '{"type":"read","id":"r","conversation":"p2p:bob","epoch":"x.1"}',
        Code.BAD_FRAME,
    ),
    "a draft of 5,001 characters": (
        f'{{"type":"set_draft","id":"r","conversation":"p2p:bob","text":"{LARGE}"}}',
        Code.BAD_VALUE,
    ),
    "a draft that is no text": (
        '{"type":"set_draft","id":"r","conversation":"p2p:bob","text":null}',
        Code.BAD_FRAME,
    ),
    "half a surrogate pair as a draft": (
        r'{"type":"set_draft","id":"r","conversation":"p2p:bob","text":"\ud83d"}',
        Code.BAD_FRAME,
    ),
    "a draft to nobody": (
        '{"type":"set_draft","id":"r","conversation":"p2p:nobody","text":"x"}',
        Code.UNKNOWN_ACCOUNT,
    ),
    "another mute level": (
        '{"type":"mute","id":"r","conversation":"p2p:bob","level":"all"}',
        Code.BAD_FRAME,
    ),
    "mute as a flag": (
        '{"type":"mute","id":"r","conversation":"p2p:bob","level":true}',
        Code.BAD_FRAME,
    ),
    "mute nobody": (
        '{"type":"mute","id":"r","conversation":"p2p:nobody","level":"none"}',
        Code.NOT_A_MEMBER,
    ),
    "devices of another": ('{"type":"my_devices","id":"r","account":"bob"}', Code.BAD_FRAME),
    "revoke no device": ('{"type":"revoke_device","id":"r"}', Code.BAD_FRAME),
    "revoke the nameless": ('{"type":"revoke_device","id":"r","device_id":""}', Code.BAD_VALUE),
    "revoke a device with a NUL": (
        r'{"type":"revoke_device","id":"r","device_id":"\u0000"}',
        Code.BAD_VALUE,
    ),
    "revoke an unknown device": (
        '{"type":"revoke_device","id":"r","device_id":"d-1"}',
        Code.NOT_FOUND,
    ),
    "read_all of another store": (
        '{"type":"read_all","id":"r","upto":"0123456789abcdef.1"}',
        Code.BAD_VALUE,
    ),
    "5,001 characters": (
        f'{{"type":"post","id":"r","conversation":"p2p:bob","client_id":"c","text":"{LARGE}"}}',
        Code.BAD_VALUE,
    ),
    "201 mentions": (
        '{"type":"post","id":"r","conversation":"p2p:bob","client_id":"c","mentions":['
        + ",".join(['"bob"'] * 201)
        + "]}",
        Code.BAD_VALUE,
    ),
    "attachment over 16 KiB": (
        '{"type":"post","id":"r","conversation":"p2p:bob","client_id":"c","attachment":"'
        + "x" * 16_383
        + '"}',
        Code.BAD_VALUE,
    ),
    "attachment of 65 levels": (
        '{"type":"post","id":"r","conversation":"p2p:bob","client_id":"c","attachment":'
        + "[" * 65
        + "1"
        + "]" * 65
        + "}",
        Code.BAD_VALUE,
    ),
    "post to nobody": (
        '{"type":"post","id":"r","conversation":"p2p:nobody","client_id":"c"}',
        Code.UNKNOWN_ACCOUNT,
    ),
    "post to no team": (
        '{"type":"post","id":"r","conversation":"team:none","client_id":"c"}',
        Code.NOT_A_MEMBER,
    ),
    "add nobody": (
        '{"type":"add_members","id":"r","conversation":"team:t1","members":["bob","nobody"]}',
        Code.UNKNOWN_ACCOUNT,
    ),
    "a frame over 256 KiB": ('{"type":"my_teams","id":"r"}' + " " * 262_144, Code.TOO_LARGE),
}


@pytest.mark.parametrize(("frame", "code"), FRAMES.values(), ids=FRAMES)
async def test_a_bad_frame_gets_a_coded_error_and_the_connection_goes_on(
    place: Place, frame: str, code: Code
) -> None:
    alice = await place.online("alice")
    before = await _written(place)
    await alice.say(frame)
    error = await alice.answer()
    assert isinstance(error, Error)
    assert error.code is code
    assert error.message
    assert await _written(place) == before
    await _still_works(alice)


OF_OTHERS = [
    ('{"type":"history","id":"r","conversation":"%s"}', Code.NOT_A_MEMBER),
    ('{"type":"team_members","id":"r","conversation":"%s"}', Code.NOT_A_MEMBER),
    ('{"type":"post","id":"r","conversation":"%s","client_id":"c"}', Code.NOT_A_MEMBER),
    ('{"type":"leave_team","id":"r","conversation":"%s"}', Code.NOT_A_MEMBER),
    ('{"type":"dismiss_team","id":"r","conversation":"%s"}', Code.NOT_A_MEMBER),
    ('{"type":"rename_team","id":"r","conversation":"%s","name":"x"}', Code.NOT_A_MEMBER),
    ('{"type":"add_members","id":"r","conversation":"%s","members":["eve"]}', Code.NOT_A_MEMBER),
    ('{"type":"remove_member","id":"r","conversation":"%s","member":"bob"}', Code.NOT_A_MEMBER),
    ('{"type":"read","id":"r","conversation":"%s"}', None),
    ('{"type":"read","id":"r","conversation":"%s","upto_seq":1}', Code.BEYOND_END),
    ('{"type":"delete","id":"r","conversation":"%s"}', None),
    ('{"type":"clear_history","id":"r","conversation":"%s"}', None),
    ('{"type":"mark_unread","id":"r","conversation":"%s"}', None),
    ('{"type":"mark_unread_from","id":"r","conversation":"%s","seq":1}', Code.BEYOND_END),
    ('{"type":"set_draft","id":"r","conversation":"%s","text":"x"}', Code.NOT_A_MEMBER),
    ('{"type":"set_draft","id":"r","conversation":"%s"}', None),
    ('{"type":"mute","id":"r","conversation":"%s","level":"none"}', Code.NOT_A_MEMBER),
    ('{"type":"mute","id":"r","conversation":"%s"}', None),
]


@pytest.mark.parametrize(("frame", "code"), OF_OTHERS)
async def test_t1_a_foreign_team_and_none_look_the_same(
    place: Place, frame: str, code: Code | None
) -> None:
    eve = await place.online("eve")
    before = await _written(place)
    said = []
    for team in ("team:t1", "team:no"):
        # Of one account, the second command with an id would be answered like the first.
        await eve.say((frame % team).replace('"id":"r"', f'"id":"{team}"'))
        answer = await eve.answer()
        assert getattr(answer, "code", None) is code
        said.append(encode(answer).replace(team.encode(), b"TEAM"))
    assert said[0] == said[1]
    assert await _written(place) == before


async def test_another_conversation_of_two_is_nobody_elses(place: Place) -> None:
    """Alice and Bob's conversation has no name that Eve could say."""
    eve = await place.online("eve")
    answer = await eve.ask(History(id="r", conversation=Conversation("p2p:alice")))
    assert isinstance(answer, Answer)
    assert bytes(answer.result) == b'{"messages":[]}'
    for name in ("p2p:alice|bob", "p2p:bob|alice"):
        answer = await eve.ask(History(id="r", conversation=Conversation(name)))
        assert isinstance(answer, Error)
        assert answer.code is Code.BAD_VALUE


async def test_a_message_of_10_mb_ends_its_connection_only(place: Place) -> None:
    alice, bob = await place.online("alice"), await place.online("bob")
    before = await _written(place)
    with contextlib.suppress(ConnectionError):  # the node does not even take it in
        await alice.say("x" * 10_000_000)
    assert await alice.receive() is None
    assert alice.socket.close_code in {1009, 1006}
    assert await _written(place) == before
    await _still_works(bob)
    await _still_works(await place.online("alice"))


async def test_many_frames_in_one_message_beyond_the_limit_end_the_connection(
    place: Place,
) -> None:
    alice = await place.online("alice")
    await alice.say("\n" * (MAX_DEVICE_MESSAGE_BYTES + 1))
    assert await alice.receive() is None
    assert alice.socket.close_code == 1009


async def test_bytes_are_read_like_text(place: Place) -> None:
    alice = await place.online("alice")
    await alice.socket.send_bytes(encode(MyTeams(id="1")))
    assert isinstance(await alice.answer(), Answer)
    for garbage in (b"\x00\xff\xfe", b"\x80" * 1_000, b"\xed\xa0\x80"):
        await alice.socket.send_bytes(garbage)
        error = await alice.answer()
        assert isinstance(error, Error)
        assert error.code is Code.BAD_FRAME
    await _still_works(alice)


async def test_text_that_is_no_utf_8_ends_its_connection_only(place: Place) -> None:
    alice = await place.online("alice")
    await alice.socket._writer.send_frame(b"\xff\xff", WSMsgType.TEXT)
    assert await alice.receive() is None
    assert alice.socket.close_code == 1007
    await _still_works(await place.online("alice"))


async def test_blank_messages_are_nothing(place: Place) -> None:
    alice = await place.online("alice")
    for blank in ("", "\n", " \n\r\n"):
        await alice.say(blank)
    await _still_works(alice)


# Greeting

HELLOS = {
    "no JSON": ("hi", Code.BAD_FRAME),
    "another frame": ('{"type":"my_teams","id":"1"}', Code.HELLO_FIRST),
    "no token": ('{"type":"hello","protocol":1,"account":"alice"}', Code.BAD_FRAME),
    "unknown field": (
        '{"type":"hello","protocol":1,"account":"alice","token":"x","admin":true}',
        Code.BAD_FRAME,
    ),
    "wrong token": (
        '{"type":"hello","protocol":1,"account":"alice","token":"x"}',
        Code.UNAUTHORIZED,
    ),
    "unknown account": (
        '{"type":"hello","protocol":1,"account":"nobody","token":"x"}',
        Code.UNAUTHORIZED,
    ),
    "NUL": (
        r'{"type":"hello","protocol":1,"account":"\u0000","token":"\u0000"}',
        Code.UNAUTHORIZED,
    ),
    "another version": (
        '{"type":"hello","protocol":2,"account":"alice","token":"x"}',
        Code.PROTOCOL_VERSION,
    ),
    "too large": (" " * 300_000 + "{}", Code.TOO_LARGE),
}


@pytest.mark.parametrize(
    "device_id", ["two words", "x" * 65, "\x00", "d\n", "é", "x" * 100_000], ids=ascii
)
async def test_a_device_id_is_a_short_word(place: Place, device_id: str) -> None:
    device = await place.connect()
    await device.send(place.hello("alice", device_id=device_id))
    assert (await device.bye()).code is Code.BAD_VALUE


async def test_a_device_id_without_a_good_token_ends_nobody(place: Place) -> None:
    alice = await place.online("alice", device_id="d-1")
    for token in ("x", "", place.secrets["bob"]):
        device = await place.connect()
        await device.send(place.hello("alice", token=token, device_id="d-1"))
        assert (await device.bye()).code is Code.UNAUTHORIZED
    await _still_works(alice)


async def test_two_programs_with_one_device_id_do_not_fight(place: Place) -> None:
    first = await place.online("alice", device_id="d-1")
    second = await place.online("alice", device_id="d-1")
    bye = await first.bye()
    assert (bye.code, bye.retry_after_s) == (Code.REPLACED, None)
    await _still_works(second)


async def test_a_device_that_is_silent_does_not_keep_its_next_connection_waiting(
    place: Place,
) -> None:
    _, writer = await _raw_device(place, "alice", device_id="d-1")
    async with asyncio.timeout(0.9):
        await _still_works(await place.online("alice", device_id="d-1"))
    writer.close()


async def test_a_device_that_takes_deflated_messages_gets_them(place: Place) -> None:
    text = "x" * 5_000
    await place.node.command("alice", a_post(BOB, "large", text=text))
    for deflate in (False, True):
        alice = await place.online("alice", deflate=deflate)
        answer = await alice.ask(History(id="r", conversation=BOB))
        assert isinstance(answer, Answer)
        assert text.encode() in bytes(answer.result)
        assert bool(alice.deflated) is deflate


@pytest.mark.parametrize(("hello", "code"), HELLOS.values(), ids=HELLOS)
async def test_a_bad_greeting_gets_a_goodbye_with_a_code(
    place: Place, hello: str, code: Code
) -> None:
    device = await place.connect()
    await device.say(hello)
    bye = await device.bye()
    assert (bye.code, bye.retry_after_s) == (code, None)
    assert device.socket.close_code == 1008


async def test_somebody_elses_token_opens_nothing(place: Place) -> None:
    device = await place.connect()
    await device.send(place.hello("alice", token=place.secrets["bob"]))
    assert (await device.bye()).code is Code.UNAUTHORIZED


@pytest.mark.parametrize("said", [None, "", "\n\n", b""])
async def test_who_does_not_say_hello_in_time_is_closed(
    place: Place, said: str | bytes | None
) -> None:
    device = await place.connect()
    if isinstance(said, str):
        await device.say(said)
    elif said is not None:
        await device.socket.send_bytes(said)
    bye = await device.bye()
    assert (bye.code, bye.retry_after_s) == (Code.HELLO_FIRST, 1.0)


async def test_two_hellos_are_one_too_many(place: Place) -> None:
    alice = await place.online("alice")
    await alice.send(place.hello("bob"))
    error = await alice.answer()
    assert isinstance(error, Error)
    assert error.code is Code.ALREADY_GREETED
    await _still_works(alice)


@pytest.mark.parametrize(
    ("since", "reset"),
    [("0123456789abcdef.1", True), ("{epoch}.999999", True), ("{epoch}.0", False)],
)
async def test_a_foreign_or_future_token_starts_from_nothing(
    place: Place, since: str, reset: bool
) -> None:
    device = await place.connect()
    await device.send(place.hello("alice", since=since.format(epoch=place.node.store.epoch)))
    assert isinstance(await device.receive(), Welcome)
    page = await device.receive()
    assert isinstance(page, CaughtUp)
    assert page.reset is reset
    assert len(page.rows) == 2


@pytest.mark.parametrize("since", ["", "x", "{epoch}.1e3", "0" * 100_000])
async def test_a_token_that_no_node_made_is_refused(place: Place, since: str) -> None:
    device = await place.connect()
    await device.send(place.hello("alice", since=since.format(epoch=place.node.store.epoch)))
    assert (await device.bye()).code is Code.BAD_VALUE


async def test_revoked_while_connected(place: Place) -> None:
    alice, bob = await place.online("alice"), await place.online("bob")
    status, answer = await place.rest("DELETE", "/v1/accounts/alice/tokens")
    assert (status, answer) == (200, {"revoked": 1})
    bye = await alice.bye()
    assert (bye.code, bye.retry_after_s) == (Code.REVOKED, None)
    again = await place.connect()
    await again.send(place.hello("alice"))
    assert (await again.bye()).code is Code.REVOKED
    await _still_works(bob)


async def test_revoking_does_not_wait_for_a_device_that_is_silent(place: Place) -> None:
    reader, writer = await _raw_device(place, "alice")
    async with asyncio.timeout(3):
        await place.rest("DELETE", "/v1/accounts/alice/tokens")
        assert b"revoked" in await reader.read()
    writer.close()


# Connections


async def test_1000_requests_at_once(place: Place) -> None:
    alice = await place.online("alice")
    posts = [a_post(BOB, f"p{number}") for number in range(1_000)]
    for at in range(0, 1_000, 250):
        await alice.send(*posts[at : at + 250])
    answers = [await alice.answer() for _ in posts]
    assert [answer.id for answer in answers] == [post.id for post in posts]
    assert {type(answer) for answer in answers} == {Answer}
    (row,) = (await place.node.store.page("bob", 10))[0]
    assert row.head.last_seq == 1_001


async def _raw_device(
    place: Place, account: str, **changes: object
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection that has said hello, byte by byte: it can do what no library does."""
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", place.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1_024)
    writer.write(
        b"GET /v1/connect HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    _send_masked(writer, encode(place.hello(account, **changes)))
    await reader.readuntil(b'"token"')
    return reader, writer


def _send_masked(writer: asyncio.StreamWriter, text: bytes) -> None:
    length = len(text).to_bytes(2, "big")
    writer.write(b"\x81" + b"\xfe" + length + b"\0\0\0\0" + text)


async def test_a_device_that_never_reads_costs_little_and_holds_nobody_up(place: Place) -> None:
    _, writer = await _raw_device(place, "bob")
    alice, bob = await place.online("alice"), await place.online("bob")
    posts = [a_post(BOB, f"p{number}", text="x" * 5_000) for number in range(2_000)]

    async def talk() -> None:
        for at in range(0, len(posts), 40):
            await alice.send(*posts[at : at + 40])
            for _ in range(40):
                await alice.answer()

    async def hear() -> int:
        heard = 0
        while heard < len(posts):
            frame = await bob.receive()
            if isinstance(frame, Changed):
                heard = frame.rows[0].unread - 1
        return heard

    async with asyncio.timeout(20):
        _, heard = await asyncio.gather(talk(), hear())
    assert heard == 2_000, "10 MB went by"
    unread = [
        session._peer.backlog() for session in place.node._sessions if session.account == "bob"
    ]
    assert 0 < max(unread) < 2_000_000
    async with asyncio.timeout(5):
        await place.rest("DELETE", "/v1/accounts/bob/tokens")
    writer.close()


async def test_a_device_that_asks_and_never_reads_is_not_read_any_more(place: Place) -> None:
    alice = await place.online("alice")
    for number in range(50):
        await alice.ask(a_post(BOB, f"p{number}", text="x" * 5_000))
    _, writer = await _raw_device(place, "bob")
    question = encode(History(id="r", conversation=Conversation("p2p:alice")))
    for _ in range(400):
        _send_masked(writer, question)
    await asyncio.sleep(0.3)
    (session,) = [session for session in place.node._sessions if session.account == "bob"]
    assert session._peer.backlog() < 2_000_000, "400 answers have 100 MB"
    await _still_works(alice)
    writer.close()


async def test_half_closed_sockets_are_ends(place: Place) -> None:
    reader, writer = await _raw_device(place, "bob")
    assert place.node.devices == 1
    writer.write_eof()
    async with asyncio.timeout(5):
        await reader.read()
    await place.deserted()
    writer.close()


async def test_a_cut_in_the_middle_of_a_frame_is_an_end(place: Place) -> None:
    before = await _written(place)
    _, writer = await _raw_device(place, "bob")
    text = encode(a_post(Conversation("p2p:alice"), "c1"))
    writer.write(b"\x81" + b"\xfe" + len(text).to_bytes(2, "big") + b"\0\0\0\0" + text[:-1])
    writer.close()
    await place.deserted()
    assert await _written(place) == before


async def test_garbage_instead_of_websocket_frames(place: Place) -> None:
    alice = await place.online("alice")
    reader, writer = await _raw_device(place, "bob")
    writer.write(b"\xff" * 100)
    async with asyncio.timeout(5):
        await reader.read()
    writer.close()
    await _still_works(alice)


async def test_stopping_does_not_wait_for_devices_that_never_read() -> None:
    async with asyncio.timeout(15):
        async with open_place(Settings(backlog_bytes=1_000)) as place:
            await place.hire("alice", "bob")
            _, writer = await _raw_device(place, "bob")
            alice = await place.online("alice")
            for at in range(0, 2_000, 40):
                posts = [a_post(BOB, f"p{at + n}", text="x" * 5_000) for n in range(40)]
                await alice.send(*posts)
                for _ in posts:
                    await alice.answer()
    writer.close()


async def test_a_silent_device_is_gone_after_its_heartbeats() -> None:
    async with open_place(Settings(heartbeat_s=0.1)) as place:
        await place.hire("alice", "bob")
        alice = await place.online("alice")
        reader, writer = await _raw_device(place, "bob")
        receiving = asyncio.create_task(alice.receive())
        await place.deserted(1)
        async with asyncio.timeout(5):
            await reader.read()
        assert not receiving.done(), "alice answers pings and stays"
        receiving.cancel()
        await asyncio.wait([receiving])
        writer.close()


async def test_a_node_that_is_stopping_says_so_to_who_connects(place: Place) -> None:
    await place.node.stop()
    device = await place.connect()
    bye = await device.bye()
    assert (bye.code, bye.retry_after_s) == (Code.CLOSING, 1.0)
    status, answer = await place.rest("GET", "/health", key=None)
    assert (status, answer["status"]) == (503, "stopping")
    status, answer = await place.rest("POST", "/v1/teams", {"team": "team:t9", "owner": "alice"})
    assert status == 503


# REST

A = "/v1/accounts"
T = "/v1/teams"
CALLS: dict[str, tuple[str, str, object, int, Code]] = {
    "no JSON": ("POST", A, b"{", 400, Code.BAD_FRAME),
    "nothing": ("POST", A, b"", 400, Code.BAD_FRAME),
    "a list": ("POST", A, [], 400, Code.BAD_FRAME),
    "missing field": ("POST", A, {"name": "x"}, 400, Code.BAD_FRAME),
    "unknown field": ("POST", A, {"account": "x", "admin": True}, 400, Code.BAD_FRAME),
    "wrong type": ("POST", A, {"account": 7}, 400, Code.BAD_FRAME),
    "no UTF-8": ("POST", A, b'{"account":"\xff"}', 400, Code.BAD_FRAME),
    "half a surrogate pair": ("POST", A, rb'{"account":"\ud800"}', 400, Code.BAD_FRAME),
    "deep nesting": ("POST", A, b'{"account":' + b"[" * 90_000, 400, Code.BAD_FRAME),
    "deep lists": ("POST", A, b"[" * 90_000, 400, Code.BAD_FRAME),
    "too large": ("POST", A, b" " * 300_000, 413, Code.TOO_LARGE),
    "id with a newline": ("POST", A, {"account": "a\n"}, 400, Code.BAD_VALUE),
    "id with a NUL": ("POST", A, {"account": "\x00"}, 400, Code.BAD_VALUE),
    "everybody": ("POST", A, {"account": "@all"}, 400, Code.BAD_VALUE),
    "taken": ("POST", A, {"account": "alice"}, 409, Code.ACCOUNT_EXISTS),
    "long name": ("PATCH", f"{A}/alice", {"name": "x" * 129}, 400, Code.BAD_VALUE),
    "rename nobody": ("PATCH", f"{A}/nobody", {"name": "x"}, 404, Code.UNKNOWN_ACCOUNT),
    "nobody": ("GET", f"{A}/nobody", None, 404, Code.UNKNOWN_ACCOUNT),
    "NUL in the path": ("GET", f"{A}/%00", None, 404, Code.UNKNOWN_ACCOUNT),
    "slash in the path": ("GET", f"{A}/a%2Fb", None, 404, Code.UNKNOWN_ACCOUNT),
    "no UTF-8 in the path": ("GET", f"{A}/%FF", None, 404, Code.UNKNOWN_ACCOUNT),
    "nowhere": ("GET", "/v1/nothing", None, 404, Code.NOT_FOUND),
    "NUL nowhere": ("GET", "/v1/%00", None, 404, Code.NOT_FOUND),
    "wrong method": ("DELETE", A, None, 405, Code.BAD_VALUE),
    "wrong method on connect": ("POST", "/v1/connect", None, 405, Code.BAD_VALUE),
    "no WebSocket": ("GET", "/v1/connect", None, 426, Code.BAD_VALUE),
    "limit is no number": ("GET", f"{A}?limit=abc", None, 400, Code.BAD_VALUE),
    "limit 0": ("GET", f"{A}?limit=0", None, 400, Code.BAD_VALUE),
    "negative limit": ("GET", f"{A}?limit=-1", None, 400, Code.BAD_VALUE),
    "large limit": ("GET", f"{A}?limit=1001", None, 400, Code.BAD_VALUE),
    "large limit in disguise": ("GET", f"{A}?limit=0000000019999", None, 400, Code.BAD_VALUE),
    "limit of 5,000 digits": ("GET", f"{A}?limit={'9' * 5_000}", None, 400, Code.BAD_VALUE),
    "limit in other digits": ("GET", f"{A}?limit=%D9%A1", None, 400, Code.BAD_VALUE),
    "rows of nobody": ("GET", f"{A}/nobody/inbox", None, 404, Code.UNKNOWN_ACCOUNT),
    "wrong cursor": ("GET", f"{A}/alice/inbox?cursor=x", None, 400, Code.BAD_VALUE),
    "token for nobody": ("POST", f"{A}/nobody/tokens", {}, 404, Code.UNKNOWN_ACCOUNT),
    "long label": ("POST", f"{A}/alice/tokens", {"label": "x" * 129}, 400, Code.BAD_VALUE),
    "tokens of nobody": ("GET", f"{A}/nobody/tokens", None, 404, Code.UNKNOWN_ACCOUNT),
    "revoke nobody": ("DELETE", f"{A}/nobody/tokens", None, 404, Code.UNKNOWN_ACCOUNT),
    "revoke no token": ("DELETE", f"{A}/alice/tokens/x", None, 404, Code.NOT_FOUND),
    "team of nobody": ("POST", T, {"team": "team:x", "owner": "no"}, 404, Code.UNKNOWN_ACCOUNT),
    "team with nobody": (
        "POST",
        T,
        {"team": "team:x", "owner": "bob", "members": ["no"]},
        404,
        Code.UNKNOWN_ACCOUNT,
    ),
    "team with a bad id": ("POST", T, {"team": "team:", "owner": "bob"}, 400, Code.BAD_VALUE),
    "team of two": ("POST", T, {"team": "p2p:x", "owner": "bob"}, 400, Code.BAD_VALUE),
    "taken team": ("POST", T, {"team": "team:t1", "owner": "bob"}, 409, Code.TEAM_EXISTS),
    "no team": ("GET", f"{T}/team:none", None, 404, Code.NOT_FOUND),
    "p2p is no team": ("GET", f"{T}/p2p:alice", None, 404, Code.NOT_FOUND),
    "NUL team": ("GET", f"{T}/%00", None, 400, Code.BAD_VALUE),
    "rename no team": ("PATCH", f"{T}/team:none", {"name": "x"}, 404, Code.NOT_FOUND),
    "long team name": ("PATCH", f"{T}/team:t1", {"name": "x" * 129}, 400, Code.BAD_VALUE),
    "dismiss no team": ("DELETE", f"{T}/team:none", None, 404, Code.NOT_FOUND),
    "members of no team": ("GET", f"{T}/team:none/members", None, 404, Code.NOT_FOUND),
    "add nobody": (
        "POST",
        f"{T}/team:t1/members",
        {"members": ["bob", "no"]},
        404,
        Code.UNKNOWN_ACCOUNT,
    ),
    "add too many": (
        "POST",
        f"{T}/team:t1/members",
        {"members": ["bob"] * 1_001},
        400,
        Code.BAD_VALUE,
    ),
    "remove the owner": (
        "DELETE",
        f"{T}/team:t1/members/alice",
        None,
        409,
        Code.OWNER_CANNOT_LEAVE,
    ),
    "remove no id": ("DELETE", f"{T}/team:t1/members/a%20b", None, 400, Code.BAD_VALUE),
}


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), CALLS.values(), ids=CALLS)
async def test_a_bad_call_gets_a_coded_problem(
    place: Place, method: str, path: str, body: object, status: int, code: Code
) -> None:
    before = await _written(place)
    got, answer = await place.rest(method, path, body)
    assert (got, answer.get("code"), answer.get("status")) == (status, code, status)
    assert answer["detail"]
    assert await _written(place) == before
    assert (await place.rest("GET", f"{A}/alice"))[0] == 200


@pytest.mark.parametrize("key", [None, "", "wrong", ADMIN_KEY + "x", "é", "\udcff"])
@pytest.mark.parametrize(
    "path", [A, f"{A}/alice", f"{T}/team:t1", "/v1/nothing", "/%761/accounts", "/v1//accounts"]
)
async def test_without_the_admin_key_nothing_is_said(
    place: Place, path: str, key: str | None
) -> None:
    if key == "\udcff":
        header = b"Authorization: Bearer \xff\r\n"
        got = await place.raw(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode() + header + b"\r\n"
        )
        assert b" 401 " in got.splitlines()[0]
        return
    status, answer = await place.rest("GET", path, key=key)
    assert (status, answer["code"]) == (401, Code.UNAUTHORIZED)


@pytest.mark.parametrize("admin_key", [None, ""])
async def test_a_node_without_an_admin_key_has_no_rest_face(admin_key: str | None) -> None:
    async with open_place(admin_key=admin_key) as place:
        for key in (None, "", "x"):
            status, answer = await place.rest("GET", A, key=key)
            assert (status, answer["code"]) == (403, Code.UNAUTHORIZED)


HOST = b"Host: x\r\nConnection: close\r\n"
KEY = f"Authorization: Bearer {ADMIN_KEY}\r\n".encode()
RAW = {
    "no HTTP": b"GARBAGE\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "no such method": b"BREW /v1/accounts HTTP/1.1\r\n" + HOST + KEY + b"\r\n",
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "bytes in the path": b"GET /v1/\xff HTTP/1.1\r\n" + HOST + KEY + b"\r\n",
    "bytes in the query": b"GET /v1/accounts?after=\xff HTTP/1.1\r\n" + HOST + KEY + b"\r\n",
    "a star": b"GET * HTTP/1.1\r\n" + HOST + KEY + b"\r\n",
    "wrong chunks": (
        b"POST /v1/accounts HTTP/1.1\r\n"
        + HOST
        + KEY
        + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
    ),
    "wrong encoding": (
        b"POST /v1/accounts HTTP/1.1\r\n"
        + HOST
        + KEY
        + b"Content-Encoding: gzip\r\nContent-Length: 7\r\n\r\ngarbage"
    ),
    "two lengths": (
        b"POST /v1/accounts HTTP/1.1\r\n"
        + HOST
        + KEY
        + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"
    ),
    "a long line": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "wrong WebSocket key": (
        b"GET /v1/connect HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Connection: close\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ),
}


@pytest.mark.parametrize("request_", RAW.values(), ids=RAW)
async def test_http_garbage_is_refused_by_status(place: Place, request_: bytes) -> None:
    status = (await place.raw(request_)).split(b" ", 2)[1]
    assert status[:1] == b"4", status
    assert (await place.rest("GET", f"{A}/alice"))[0] == 200


@pytest.mark.parametrize(
    "host", [b"[", b"a b", b"", b"\xff", b"x:99999999", b"{address}", b"x" * 300]
)
async def test_the_start_page_does_not_mind_what_it_is_called(place: Place, host: bytes) -> None:
    got = await place.raw(b"GET / HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
    assert got.split(b" ", 2)[1] in {b"200", b"400"}


async def test_texts_of_any_kind_are_kept_as_they_are(place: Place) -> None:
    """NULs, emoji, separators, control characters: also where a file holds them."""
    text = "a\x00b\u2028c👋\x7f\r\n\u202e"
    status, answer = await place.rest("PATCH", f"{A}/alice", {"name": text})
    assert (status, answer["name"]) == (200, text)
    alice = await place.online("alice")
    attachment = {text: [text, 10**30, -1.5, None, True]}
    await alice.ask(a_post(BOB, "odd", text=text, attachment=attachment))
    answer_ = await alice.ask(History(id="r", conversation=BOB, limit=1))
    assert isinstance(answer_, Answer)
    (message,) = msgspec.json.decode(answer_.result)["messages"]
    assert (message["text"], message["attachment"]) == (text, attachment)


async def test_http_and_sockets_share_nothing_when_they_end(place: Place) -> None:
    """A device that hangs up without a word leaves nothing behind."""
    for _ in range(20):
        (await place.connect()).cut()
    await place.deserted()
