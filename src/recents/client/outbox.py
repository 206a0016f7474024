"""The commands that this device's confirmed rows do not show yet (rules C4, D7, P4).

Rules of this file:

1. Commands are sent in the order of their numbers; a lost connection changes nothing in it: what
   was not answered is sent again, with the same id.
2. Only what the store keeps is sent.
3. A deletion is not sent before the messages in front of it are in: it covers them (D2).
4. A command leaves when the confirmed rows show what it did, not when it is answered (C3).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

import msgspec

from recents.core.commands import (
    AnyCommand,
    ClearHistory,
    Delete,
    DeleteAll,
    Post,
    ReadAll,
    SetProfile,
)
from recents.core.errors import Refused
from recents.core.ids import Conversation
from recents.core.pending import Pending
from recents.wire.codec import MAX_DEVICE_MESSAGE_BYTES, encode
from recents.wire.frames import Posted

_FOR_ALL = (ReadAll, DeleteAll, SetProfile)
_ENDS_BEFORE = (Delete, ClearHistory)

_commands: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


class Ticket:
    """What a caller holds of a command that it gave.

    Attributes:
        pending: the command as it was journaled.
        answer: the result; None when the caller was let go before there was one.
    """

    __slots__ = ("answer", "pending")

    def __init__(self, pending: Pending) -> None:
        self.pending = pending
        self.answer: asyncio.Future[Posted | None] = asyncio.get_running_loop().create_future()

    def let_go(self) -> None:
        """Let the caller go on: the command stays on its way."""
        if not self.answer.done():
            self.answer.set_result(None)

    def settle(self, outcome: Posted | Refused | None) -> None:
        """Tell the caller what became of it."""
        if self.answer.done():
            return
        if isinstance(outcome, Refused):
            self.answer.set_exception(outcome)
            # Nobody need listen: the refusal is announced as well.
            self.answer.exception()
        else:
            self.answer.set_result(outcome)


def conversation_of(command: AnyCommand) -> Conversation | None:
    """Return which conversation a command is about; None: about all."""
    return None if isinstance(command, _FOR_ALL) else command.conversation


class Outbox:
    """Pending commands in order, and who waits for them.

    Attributes:
        wake: set when there may be something to send.
    """

    def __init__(self, wake: asyncio.Event) -> None:
        self.wake = wake
        self._pending: dict[int, Pending] = {}
        self._by_id: dict[str, int] = {}
        self._by_conversation: dict[Conversation | None, dict[int, None]] = {}
        self._tickets: dict[int, Ticket] = {}
        self._posted: dict[int, Posted] = {}
        self._in_flight: set[int] = set()
        self._last_number = 0
        self._moved = asyncio.Event()

    def __len__(self) -> int:
        return len(self._pending)

    def __iter__(self) -> Iterator[Pending]:
        return iter(self._pending.values())

    @property
    def next_number(self) -> int:
        """The number that the next command gets."""
        return self._last_number + 1

    @property
    def waiting(self) -> int:
        """How many commands are still to be sent or answered."""
        return sum(pending.waiting for pending in self._pending.values())

    def get(self, command_id: str) -> Pending | None:
        """Return the command with this id."""
        number = self._by_id.get(command_id)
        return None if number is None else self._pending[number]

    def concerning(self, conversation: Conversation) -> list[Pending]:
        """Return what may concern a conversation, in order."""
        own = self._by_conversation.get(conversation, {})
        general = self._by_conversation.get(None, {})
        numbers = sorted((*own, *general)) if own and general else own or general
        return [self._pending[number] for number in numbers]

    def of(self, conversation: Conversation) -> list[Pending]:
        """Return the commands about this one conversation, in order."""
        return [self._pending[number] for number in self._by_conversation.get(conversation, ())]

    def conversations(self) -> set[Conversation]:
        """Return the conversations that commands are about; those about all left aside."""
        return {name for name in self._by_conversation if name is not None}

    def message(self, conversation: Conversation, client_id: str) -> Pending | None:
        """Return the message of this device with this ``client_id`` in a conversation (M2)."""
        for pending in self.of(conversation):
            if isinstance(pending.command, Post) and pending.command.client_id == client_id:
                return pending
        return None

    def failed(self, client_id: str) -> Pending | None:
        """Return the first message with this ``client_id`` that failed, in any conversation."""
        for pending in self._pending.values():
            command = pending.command
            if pending.failed and isinstance(command, Post) and command.client_id == client_id:
                return pending
        return None

    def put(self, pending: Pending) -> None:
        """Add a command with the next number, or put it in place of the one with its number."""
        number = pending.number
        self._pending[number] = pending
        self._by_id[pending.command.id] = number
        name = conversation_of(pending.command)
        self._by_conversation.setdefault(name, {})[number] = None
        self._last_number = max(self._last_number, number)

    def discard(self, number: int) -> None:
        """Take a command out."""
        pending = self._pending.pop(number, None)
        if pending is None:
            return
        self._in_flight.discard(number)
        self._posted.pop(number, None)
        # What was held back for it may go now (rule 3).
        self.wake.set()
        self._moved.set()
        del self._by_id[pending.command.id]
        name = conversation_of(pending.command)
        del self._by_conversation[name][number]
        if not self._by_conversation[name]:
            del self._by_conversation[name]

    # Who waits.

    def ticket(self, pending: Pending) -> Ticket:
        """Open a ticket for a command."""
        ticket = self._tickets[pending.number] = Ticket(pending)
        return ticket

    def settle(self, number: int, outcome: Posted | Refused | None) -> None:
        """Tell who waits for a command what became of it."""
        ticket = self._tickets.pop(number, None)
        if ticket is not None:
            ticket.settle(outcome)

    async def empty_within(
        self, timeout_s: float | None, hopeless: Callable[[], bool] = lambda: False
    ) -> bool:
        """Wait until every command was answered; tell whether that was so in time.

        Args:
            timeout_s: seconds to wait at most; None: for ever.
            hopeless: ends the waiting, when callers are let go.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self.waiting:
                    if hopeless():
                        return False
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def let_all_go(self) -> None:
        """Let every caller go on; their commands stay on their way."""
        tickets, self._tickets = self._tickets, {}
        for ticket in tickets.values():
            ticket.let_go()
        self._moved.set()

    def note(self, number: int, posted: Posted) -> None:
        """Remember where a message stands, until the rows show it."""
        self._posted[number] = posted

    def posted(self, number: int) -> Posted | None:
        """Return where a message stands, if its answer came since the start."""
        return self._posted.get(number)

    # Sending.

    def take(self, most_in_flight: int) -> list[bytes]:
        """Take what may be sent now, in order: as much as fits in one message."""
        frames: list[bytes] = []
        size = 0
        for pending in self._sendable():
            if len(self._in_flight) >= most_in_flight:
                break
            frame = encode(pending.command)
            size += len(frame) + 1
            if frames and size > MAX_DEVICE_MESSAGE_BYTES:
                break
            self._in_flight.add(pending.number)
            frames.append(frame)
        return frames

    def rewind(self) -> None:
        """The connection is lost: what was not answered is to be sent again, first."""
        self._in_flight.clear()
        self.wake.set()

    def landed(self, number: int) -> None:
        """A command was answered: another one may be sent."""
        self._in_flight.discard(number)
        self.wake.set()
        self._moved.set()

    def _sendable(self) -> Iterator[Pending]:
        unsettled: set[Conversation] = set()
        for number, pending in self._pending.items():
            command = pending.command
            if isinstance(command, Post) and not pending.failed:
                unsettled.add(command.conversation)
            if not pending.waiting or number in self._in_flight:
                continue
            if isinstance(command, _ENDS_BEFORE) and command.conversation in unsettled:
                return
            yield pending


def encoded_size(commands: Iterable[AnyCommand]) -> int:
    """Return the bytes of the largest of some commands on the wire.

    Raises:
        TypeError, ValueError, RecursionError: one cannot be written as JSON, or would be read as
            something else: neither the node nor the next start could make sense of it.
    """
    return max((len(_written(command)) for command in commands), default=0)


def _written(command: AnyCommand) -> bytes:
    frame = encode(command)
    try:
        read = _commands.decode(frame)
    except msgspec.ValidationError as error:
        raise TypeError(str(error)) from error
    if read != command:
        raise TypeError("it would be read as another value than it is")
    return frame
