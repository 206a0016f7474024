"""What a device needs of a place to keep its copy (rules C3–C6, D7).

Rules of this file:

1. A ``Step`` is one transaction: all of it is kept, or nothing. Rows and the token that covers
   them travel in one step, so a kill at any point is harmless (C3).
2. A durable step survives power loss when ``commit`` returns; another one survives a kill of the
   process, and after a power loss may be missing together with everything behind it.
3. What cannot be read is set aside, never thrown away, and the unsent commands in it are rescued
   where they can be read (C6). Another account's file is not looked into (C5).
4. An adapter turns its driver's errors into those below, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from recents.core.entry import InboxEntry
from recents.core.errors import Unavailable
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.ordering import Place
from recents.core.pending import Pending
from recents.core.phrases import Phrase
from recents.core.replica import Gone
from recents.core.totals import NOTHING, Totals


class StepFailed(Unavailable):
    """A step could not be kept: the disk is full, or fails. Nothing of it was; try again later."""


class CopyDamaged(StepFailed):
    """What is kept cannot be read or written any more; ``begin_anew`` helps."""


class StoreUnusable(Unavailable):
    """The store cannot be opened: no rights, a full disk, in use; with what to do about it."""


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A file that could not be used and was kept under another name (C6).

    Attributes:
        path: where it is now.
        reason: why, in a sentence.
        rescued: how many unsent commands were taken over from it.
        lost: there may have been more that could not be read.
    """

    path: str
    reason: str
    rescued: int = 0
    lost: bool = False


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What a device begins with.

    Attributes:
        device_id: made once for each store.
        token: everything up to here is in the rows; None before the first catch-up ended.
        totals: the sums over the rows.
        outbox: commands that the rows do not show yet, by number.
        clock_ahead_ms: how far the node's clock was ahead of the device's when they last met.
        set_aside: what was found in the way; said at each opening until a step brings a token,
            since an opening without a node fails, and its application hears of nothing.
    """

    device_id: str
    token: str | None = None
    totals: Totals = NOTHING
    outbox: tuple[Pending, ...] = ()
    clock_ahead_ms: int = 0
    set_aside: SetAside | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction.

    Attributes:
        rows: rows as they are now; each replaces the one it has. With them, and with ``gone``,
            messages up to their ``cleared_seq`` are forgotten, those of this step too (D3, D5).
        gone: rows to take away; first, so that a row of this step stands.
        replaces_all: rows that are not in this step go as well.
        token: the new token; None: as before.
        totals: the new sums; None: as before.
        messages: messages to keep; the newest of each conversation are kept, a bounded number.
            One that is there already is replaced.
        forgets_messages: first, all messages go: they belong to another line of versions.
        outbox: commands to put, or to put in place of the one with this number.
        settled: numbers of commands to take out.
        clock_ahead_ms: see ``Saved``; None: as before.
        durable: see rule 2.
        amended: messages that became others: each takes the place of the one that is kept, where
            one is; after ``messages``.
    """

    rows: tuple[InboxEntry, ...] = ()
    gone: tuple[Gone, ...] = ()
    replaces_all: bool = False
    token: str | None = None
    totals: Totals | None = None
    messages: dict[Conversation, tuple[Message, ...]] = {}
    forgets_messages: bool = False
    outbox: tuple[Pending, ...] = ()
    settled: tuple[int, ...] = ()
    clock_ahead_ms: int | None = None
    durable: bool = False
    amended: dict[Conversation, tuple[Message, ...]] = {}


class FoundMessage(msgspec.Struct, frozen=True, gc=False):
    """A message that was searched for, and where it stands."""

    conversation: Conversation
    message: Message


class DeviceStore(Protocol):
    """One account's copy on one device: rows, messages seen, token, outbox."""

    async def open(self) -> Saved:
        """Make it ready, creating, migrating or setting aside what is there.

        An open store that is opened again is a device that was restarted.

        Raises:
            StoreUnusable: it cannot be used, with what to do.
        """

    async def close(self) -> None:
        """Let go of files; again and again if need be."""

    async def commit(self, step: Step) -> None:
        """Keep a step, whole.

        Raises:
            StepFailed: nothing of it was kept.
            CopyDamaged: nor will anything be, before ``begin_anew``.
        """

    async def begin_anew(self) -> SetAside:
        """Set the damaged copy aside and begin with an empty one, of the same device.

        Raises:
            StoreUnusable: that fails as well.
        """

    async def rows_after(self, place: Place | None, limit: int) -> list[InboxEntry]:
        """Return rows in the order of O1, from the top or behind a place.

        Raises:
            StepFailed, CopyDamaged: they cannot be read.
        """

    async def messages(
        self, conversation: Conversation, before_seq: int, limit: int
    ) -> list[Message]:
        """Return the newest kept messages with ``seq < before_seq``, oldest first.

        There may be gaps between them.

        Raises:
            StepFailed, CopyDamaged: they cannot be read.
        """

    async def search(
        self, phrases: Sequence[Phrase], conversation: Conversation | None, limit: int
    ) -> list[FoundMessage]:
        """Return the newest kept messages whose text has every phrase, newest first.

        Args:
            phrases: at least one.
            conversation: only in this one; None: in all.
            limit: at most so many messages.

        Raises:
            StepFailed, CopyDamaged: they cannot be read.
        """
