"""Devices of a node in one process: what is sent to them is kept, decoded, and can be held up."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import TypeVar

import msgspec

from recents.core.commands import AddMembers, AnyCommand, CreateTeam, Post, Read
from recents.core.entry import InboxEntry
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.replica import Gone, Replica
from recents.server.node import Node
from recents.server.sessions import Session
from recents.server.settings import Settings
from recents.server.store.port import Store
from recents.wire import codec
from recents.wire.frames import (
    Answer,
    CaughtUp,
    Changed,
    DeviceFrame,
    Error,
    Hello,
    ListRows,
    Member,
    Members,
    Messages,
    MyTeams,
    NodeFrame,
    Posted,
    Query,
    Rows,
    Team,
    TeamMembers,
    Teams,
    Welcome,
)

T = TypeVar("T")
F = TypeVar("F", bound=NodeFrame)

PATIENCE_S = 5.0
"""What is waited for in these tests comes within milliseconds, or never."""

_ids = itertools.count(1)


def new_id() -> str:
    return f"r{next(_ids)}"


class Peer:
    """The way to a device. While ``held_up``, everything sent stays unread, as bytes."""

    def __init__(self) -> None:
        self.frames: list[NodeFrame] = []
        self.messages: list[bytes] = []
        self.deflated: list[bool] = []
        self.close_reason: str | None = None
        self.held_up = False
        self.most_unread = 0
        self._unread = 0
        self._moved = asyncio.Event()

    async def send(self, message: bytes, *, deflated: bool = False) -> None:
        if self.close_reason is not None:
            return
        self.messages.append(message)
        self.deflated.append(deflated)
        if deflated:
            message = codec.inflated(message, 2**24).encode()
        self.frames += [codec.decode_node_frame(line) for line in codec.split(message)]
        if self.held_up:
            self._unread += len(message)
            self.most_unread = max(self.most_unread, self._unread)
        self._moved.set()

    def backlog(self) -> int:
        return self._unread

    async def drained(self, backlog: int) -> None:
        while self._unread > backlog and self.close_reason is None:
            await self.moved()

    async def close(self, reason: str) -> None:
        self.close_reason = reason
        self._moved.set()

    def let_go(self) -> None:
        """Read everything that is unread, and go on reading."""
        self.held_up = False
        self._unread = 0
        self._moved.set()

    async def moved(self) -> None:
        self._moved.clear()
        await self._moved.wait()


class Device:
    """One device: says hello, asks, and keeps what it is told."""

    def __init__(self, node: Node, account: str, secret: str) -> None:
        self.account = account
        self.secret = secret
        self.peer = Peer()
        self.session: Session = node.connect(self.peer)
        self._node = node

    def hello(self, since: str | None = None, **fields: object) -> Hello:
        hello = Hello(protocol=1, account=self.account, token=self.secret, since=since)
        return msgspec.structs.replace(hello, **fields)

    async def greet(self, since: str | None = None, **fields: object) -> list[CaughtUp]:
        """Say hello and return the pages of the catch-up."""
        await self.send(self.hello(since, **fields))
        assert isinstance(self.peer.frames[0], Welcome), self.peer.frames
        pages = self.told(CaughtUp)
        assert [page.token is not None for page in pages] == [False] * (len(pages) - 1) + [True]
        self.forget()
        return pages

    async def send(self, *frames: DeviceFrame) -> None:
        """Send frames in one message; returns when the node has taken them in."""
        await self.say(codec.join(map(codec.encode, frames)))

    async def say(self, message: str | bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.session.receive(message)

    async def answer_to(self, request_id: str) -> Answer | Error:
        """Wait for what the node says to a request."""

        def mine(frame: NodeFrame) -> bool:
            return isinstance(frame, Answer | Error) and frame.id == request_id

        await self.until(lambda: any(map(mine, self.peer.frames)))
        found = [frame for frame in self.peer.frames if mine(frame)]
        assert len(found) == 1, "a request is answered once"
        assert isinstance(found[0], Answer | Error)
        return found[0]

    async def ask(self, request: AnyCommand | Query) -> Answer | Error:
        await self.send(request)
        return await self.answer_to(request.id)

    async def do(self, command: AnyCommand) -> int:
        """Have a command carried out; return the version of the answer."""
        answer = await self.ask(command)
        assert isinstance(answer, Answer), answer
        return answer.version

    async def result(self, request: AnyCommand | Query, kind: type[T]) -> T:
        answer = await self.ask(request)
        assert isinstance(answer, Answer), answer
        return codec.decode_result(answer.result, kind)

    async def refused(self, request: AnyCommand | Query) -> Code:
        answer = await self.ask(request)
        assert isinstance(answer, Error), answer
        return answer.code

    async def post(self, conversation: str, text: str = "hi") -> Posted:
        return await self.result(a_post(conversation, text), Posted)

    async def read(self, conversation: str, upto_seq: int | None = None) -> None:
        await self.do(
            Read(id=new_id(), conversation=Conversation(conversation), upto_seq=upto_seq)
        )

    async def create_team(self, team: str, *members: str, name: str = "Team") -> None:
        await self.do(
            CreateTeam(id=new_id(), conversation=Conversation(team), name=name, members=members)
        )

    async def add_members(self, team: str, *members: str) -> None:
        await self.do(AddMembers(id=new_id(), conversation=Conversation(team), members=members))

    async def rows(self) -> dict[str, InboxEntry]:
        """Ask the node for all rows, archived ones too."""
        page = await self.result(ListRows(id=new_id(), limit=1_000, archived=None), Rows)
        return {row.conversation: row for row in page.rows}

    async def history(self, conversation: str, **limits: int) -> list[Message]:
        request = codec.decode_device_frame(
            msgspec.json.encode(
                {"type": "history", "id": new_id(), "conversation": conversation, **limits}
            )
        )
        assert not isinstance(request, Hello)
        return list((await self.result(request, Messages)).messages)

    async def members(self, team: str) -> list[Member]:
        request = TeamMembers(id=new_id(), conversation=Conversation(team))
        return list((await self.result(request, Members)).members)

    async def teams(self) -> list[Team]:
        return list((await self.result(MyTeams(id=new_id()), Teams)).teams)

    async def settle(self) -> None:
        """Return when everything that was committed until now has been told to this device."""
        await self.ask(MyTeams(id=new_id()))

    async def changes(self) -> list[Changed]:
        """Return what this device was told since the last time, in order."""
        await self.settle()
        changes = self.told(Changed)
        self.forget()
        return changes

    def told(self, kind: type[F]) -> list[F]:
        return [frame for frame in self.peer.frames if isinstance(frame, kind)]

    def forget(self) -> None:
        self.peer.frames.clear()
        self.peer.messages.clear()
        self.peer.deflated.clear()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                await self.peer.moved()

    async def told_of(self, kind: type[F]) -> F:
        """Wait for a frame of some kind."""
        await self.until(lambda: bool(self.told(kind)))
        return self.told(kind)[0]

    def hang_up(self) -> None:
        self._node.disconnect(self.session)


class Company:
    """A running node, its accounts and their devices."""

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self.at_ms = 1_000
        self.node = Node(store, settings, clock_ms=self._clock_ms)
        self.secrets: dict[str, str] = {}

    def _clock_ms(self) -> int:
        self.at_ms += 1
        return self.at_ms

    async def hire(self, *accounts: str) -> None:
        for account in accounts:
            await self.node.accounts.create(account)
            _, self.secrets[account] = await self.node.accounts.give_token(account)

    def device(self, account: str) -> Device:
        """Return a device that has connected and not greeted."""
        return Device(self.node, account, self.secrets[account])

    async def online(self, *accounts: str) -> list[Device]:
        """Return a device for each account that has caught up, hiring who is new."""
        await self.hire(*sorted(set(accounts) - set(self.secrets)))
        devices = [self.device(account) for account in accounts]
        for device in devices:
            await device.greet()
        return devices


class Copy:
    """What a device knows that believes every token: no token may be ahead of its rows."""

    def __init__(self) -> None:
        self.replica = Replica()
        self.token: str | None = None

    def take(self, frames: list[NodeFrame]) -> None:
        for frame in frames:
            if isinstance(frame, Changed | CaughtUp):
                self.replica.accept(frame.rows, frame.gone)
                self.token = frame.token or self.token


def a_post(conversation: str, text: str = "hi", client_id: str | None = None) -> Post:
    request_id = new_id()
    return Post(
        id=request_id,
        conversation=Conversation(conversation),
        client_id=client_id or request_id,
        text=text,
    )


def rows_in(changes: list[Changed]) -> dict[str, InboxEntry]:
    """Return the last image of each row."""
    return {row.conversation: row for change in changes for row in change.rows}


def gone_in(changes: list[Changed]) -> list[Gone]:
    return [gone for change in changes for gone in change.gone]


def messages_in(changes: list[Changed]) -> list[tuple[str, str]]:
    """Return (conversation, text) of the new messages, in the order in which they were told."""
    return [
        (conversation, message.text)
        for change in changes
        for conversation, messages in change.messages.items()
        for message in messages
    ]
