"""From what somebody wants to the commands that say so (rules R1–R5, U6, D1–D5, G1, G4, P2, P3).

Rules of this file:

1. A command covers what this device had received when it was given, and says so: a message on
   its way here is neither read nor deleted unseen (R1, R5, D2, D4).
2. What this device itself did and no token covers yet gets commands of its own, behind the one
   for all rows: the user's last word stands (C3).
3. Nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeGuard

import msgspec

from recents.client.echo import echo_of
from recents.client.local_list import LocalList
from recents.client.outbox import Outbox
from recents.client.ranking import ranks_with
from recents.core.commands import (
    MAX_SEQS_PER_COMMAND,
    AnyCommand,
    Archive,
    ClearHistory,
    CreateTeam,
    Delete,
    DeleteAll,
    DeleteMessages,
    Edit,
    MarkUnread,
    MarkUnreadFrom,
    Pin,
    Post,
    Read,
    ReadAll,
    Recall,
    SetDraft,
)
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation, Kind
from recents.core.message import (
    MENTION_ALL,
    Message,
    Preview,
    is_countable,
    named_in,
    preview_of,
)
from recents.core.overlay import changed_here
from recents.core.pending import Pending
from recents.wire.sync_token import parts_of

_MARKS = (MarkUnread, MarkUnreadFrom)
_MAKES_ROWS = (Post, CreateTeam, SetDraft)

Kept = Callable[[Conversation, int, int], Awaitable[list[Message]]]
"""(conversation, before_seq, limit) → the newest kept messages before it, oldest first."""

_NO_UPPER_SEQ = 2**53

MOST_COUNTED = 200
"""Messages looked at to count what is left unread; where there are more, the node counts."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A command that is to be given, with what the device knew; see ``Pending``."""

    command: AnyCommand
    seen_seq: int = 0
    left: int | None = None
    seqs: dict[Conversation, int] = {}
    epoch: int | None = None
    messages: tuple[Message, ...] = ()
    older: Preview | None = None
    left_mentions: tuple[int, int] | None = None

    def pending(self, number: int, at_ms: int) -> Pending:
        """Return it as it stands in the outbox."""
        return Pending(
            number=number,
            command=self.command,
            at_ms=at_ms,
            seen_seq=self.seen_seq,
            left=self.left,
            seqs=self.seqs,
            epoch=self.epoch,
            messages=self.messages,
            older=self.older,
            left_mentions=self.left_mentions,
        )


class Planning:
    """Plans commands from what a device shows and knows at this moment."""

    def __init__(
        self, account: str, local: LocalList, outbox: Outbox, kept: Kept, new_id: Callable[[], str]
    ) -> None:
        """Plan for an account's device; ``kept`` reads the messages that it has seen."""
        self._account = account
        self._local = local
        self._outbox = outbox
        self._kept = kept
        self._new_id = new_id

    async def post(self, post: Post) -> list[Wish]:
        """Send a message, unless it is on its way already (M2).

        What was on screen is read by one who knows these marks (U6, R3).
        """
        if self._outbox.message(post.conversation, post.client_id) is not None:
            return []
        if post.displayed_seq is None:
            return [Wish(command=post)]
        name = post.conversation
        known = msgspec.structs.replace(post, epoch=self.known_epoch(name))
        return [await self._covering(known, name, post.displayed_seq)]

    def on_its_way(self, post: Post) -> Message | None:
        """Return the message that was given before under the ``client_id`` of this one."""
        known = self._outbox.message(post.conversation, post.client_id)
        return None if known is None else echo_of(self._account, known)

    async def read(self, name: Conversation, upto_seq: int | None) -> list[Wish]:
        """Read a conversation; nothing where there is no row (R2)."""
        if self._local.get(name) is None and self._local.complete:
            return []
        newest = self.received(name)
        upto = newest if upto_seq is None else upto_seq
        if upto is None:
            return [Wish(command=Read(id=self._new_id(), conversation=name))]
        read = Read(
            id=self._new_id(), conversation=name, upto_seq=upto, epoch=self.known_epoch(name)
        )
        return [await self._covering(read, name, upto)]

    async def read_all(
        self,
        kinds: Collection[Kind] | None,
        token: str | None,
        seen: Sequence[InboxEntry] | None = None,
    ) -> list[Wish]:
        """Read all rows of some kinds, as they were seen at a token; by default as now (R5)."""
        shown = self.rows(kinds) if seen is None else seen
        rows = [row for row in shown if row.unread or row.marked_unread]
        if not self._covers(token):
            return [wish for row in rows for wish in await self.read(row.conversation, None)]
        seqs = {row.conversation: row.last_seq for row in rows}
        everything = Wish(
            command=ReadAll(id=self._new_id(), kinds=_some(kinds), upto=token),
            seqs=seqs,
            epoch=parts_of(token)[1],
        )
        own = [name for name in seqs if self._is_marked_here(name)]
        return [everything] + [wish for name in own for wish in await self.read(name, None)]

    async def delete(
        self, name: Conversation, upto_seq: int | None = None, *, clear_history: bool
    ) -> list[Wish]:
        """Delete a row; where it is gone its history may still be there to clear (D1–D3, D6)."""
        row = self._local.get(name)
        if row is None and self._local.complete and not clear_history:
            return []
        newest = await self.newest_seen(name) if upto_seq is None else upto_seq
        delete = Delete(
            id=self._new_id(), conversation=name, upto_seq=newest, clear_history=clear_history
        )
        return [Wish(command=delete, seen_seq=newest or 0)]

    async def delete_all(
        self,
        kinds: Collection[Kind] | None,
        token: str | None,
        seen: Sequence[InboxEntry] | None = None,
        *,
        clear_history: bool,
    ) -> list[Wish]:
        """Delete all rows of some kinds, as they were seen at a token; by default as now (D4)."""
        rows = self.rows(kinds) if seen is None else seen
        names = [row.conversation for row in rows]
        if not self._covers(token):
            own = names
            everything = []
        else:
            own = [name for name in names if self._is_made_here(name)]
            command = DeleteAll(
                id=self._new_id(), kinds=_some(kinds), upto=token, clear_history=clear_history
            )
            everything = [
                Wish(command=command, seqs={row.conversation: row.last_seq for row in rows})
            ]
        return everything + [
            wish for name in own for wish in await self.delete(name, clear_history=clear_history)
        ]

    def _covers(self, token: str | None) -> TypeGuard[str]:
        """Tell whether one command up to a token says which rows are meant.

        It does not while the node has not heard which of them this device archived (G4).
        """
        archiving = any(isinstance(pending.command, Archive) for pending in self._outbox)
        return token is not None and self._local.complete and not archiving

    async def archive(self, name: Conversation, upto_seq: int | None) -> list[Wish]:
        """Put a row out of the list, as this device has it (G4)."""
        newest = await self.newest_seen(name) if upto_seq is None else upto_seq
        archive = Archive(id=self._new_id(), conversation=name, upto_seq=newest)
        return [Wish(command=archive, seen_seq=newest or 0)]

    async def clear_history(self, name: Conversation, upto_seq: int | None = None) -> list[Wish]:
        """Clear the history of a conversation (D5)."""
        newest = await self.newest_seen(name) if upto_seq is None else upto_seq
        clear = ClearHistory(id=self._new_id(), conversation=name, upto_seq=newest)
        return [Wish(command=clear, seen_seq=newest or 0)]

    async def mark_unread(self, name: Conversation) -> list[Wish]:
        """Put a dot on a row; nothing where there is none (R4)."""
        if self._local.get(name) is None and self._local.complete:
            return []
        return [Wish(command=MarkUnread(id=self._new_id(), conversation=name))]

    async def mark_unread_from(self, name: Conversation, seq: int) -> list[Wish]:
        """Make messages unread again (R3)."""
        mark = MarkUnreadFrom(id=self._new_id(), conversation=name, seq=seq)
        confirmed = self._local.confirmed(name)
        before = max(seq - 1, confirmed.cleared_seq if confirmed else 0)
        return [await self._covering(mark, name, before)]

    async def pin(self, name: Conversation, ext: str) -> list[Wish]:
        """Pin a row on top of the others; one that is pinned keeps its place (G1)."""
        row = self._local.get(name)
        if row is not None and row.pin is not None:
            return [self._pin(name, row.pin.rank, ext)]
        rank, *_ = ranks_with([rank for _, rank, _ in self._pins()], 0)
        return [self._pin(name, rank, ext)]

    async def move_pin(self, name: Conversation, before: Conversation | None) -> list[Wish]:
        """Pin a row before another one; at the end where that one is not pinned (G1).

        The rows below are moved first, the last of them first of all: nobody who hears of a part
        of it sees two of them change places.
        """
        row = self._local.get(name)
        ext = row.pin.ext if row is not None and row.pin is not None else ""
        others = [pin for pin in self._pins() if pin[0] != name]
        names = [other for other, _, _ in others]
        place = names.index(before) if before in names else len(names)
        ranks = ranks_with([rank for _, rank, _ in others], place)
        rank = ranks.pop(place)
        moved = [
            self._pin(other, after, kept)
            for (other, known, kept), after in zip(others, ranks, strict=True)
            if after != known
        ]
        return [*reversed(moved), self._pin(name, rank, ext)]

    def _pins(self) -> list[tuple[Conversation, int, str]]:
        """Return name, rank and ext of the pinned rows as they are shown, in their order."""
        rows = [(row.conversation, row.pin) for row in self._local.pinned()]
        return [(name, pin.rank, pin.ext) for name, pin in rows if pin is not None]

    def _pin(self, name: Conversation, rank: int, ext: str) -> Wish:
        return Wish(command=Pin(id=self._new_id(), conversation=name, rank=rank, ext=ext))

    async def recall(self, name: Conversation, seq: int, *, notice: bool) -> list[Wish]:
        """Take a message back (P2)."""
        recall = Recall(id=self._new_id(), conversation=name, seq=seq, notice=notice)
        older = None if notice else await self._older(name, seq)
        return [Wish(command=recall, messages=await self._known(name, seq), older=older)]

    async def edit(
        self, name: Conversation, seq: int, text: str, mentions: tuple[str, ...]
    ) -> list[Wish]:
        """Give a message another text (P3)."""
        edit = Edit(id=self._new_id(), conversation=name, seq=seq, text=text, mentions=mentions)
        return [Wish(command=edit, messages=await self._known(name, seq))]

    async def delete_messages(self, name: Conversation, seqs: tuple[int, ...]) -> list[Wish]:
        """Delete messages for this account (U1, P2)."""
        wishes = []
        row = self._local.get(name)
        for at in range(0, len(seqs), MAX_SEQS_PER_COMMAND):
            some = seqs[at : at + MAX_SEQS_PER_COMMAND]
            known = [one for seq in some for one in await self._known(name, seq)]
            older = None
            if row is not None and row.preview is not None and row.preview.seq in seqs:
                older = await self._older(name, row.preview.seq, besides=frozenset(seqs))
            command = DeleteMessages(id=self._new_id(), conversation=name, seqs=some)
            wishes.append(Wish(command=command, messages=tuple(known), older=older))
        return wishes

    async def _known(self, name: Conversation, seq: int) -> tuple[Message, ...]:
        found = await self._kept(name, seq + 1, 1)
        return tuple(message for message in found if message.seq == seq)

    async def _older(
        self, name: Conversation, seq: int, besides: frozenset[int] = frozenset()
    ) -> Preview | None:
        """Return what a row shows without a message, as far back as the messages are here."""
        row = self._local.confirmed(name)
        cleared_seq = row.cleared_seq if row else 0
        before = seq
        for message in reversed(await self._kept(name, seq, MOST_COUNTED)):
            if message.seq != before - 1 or message.seq <= cleared_seq:
                return None
            now = changed_here(self._account, message, self._outbox.of(name))
            if now.previews and now.state != "gone" and now.seq not in besides:
                return preview_of(now)
            before = message.seq
        return None

    def known_epoch(self, name: Conversation) -> int | None:
        """Return the newest mark of a row that this device knows; None: its own, all others."""
        if self._is_marked_here(name):
            return None
        confirmed = self._local.confirmed(name)
        return confirmed.read_epoch if confirmed else None

    def received(self, name: Conversation) -> int | None:
        """Return the newest message that was received of a row; None: there is no such row."""
        confirmed = self._local.confirmed(name)
        if confirmed is not None:
            return confirmed.last_seq
        return None if self._local.get(name) is None else 0

    async def newest_seen(self, name: Conversation) -> int | None:
        """Return the newest message that was received here, also of a row that is gone."""
        newest = self.received(name)
        if newest is not None or not self._local.complete:
            return newest
        found = await self._kept(name, _NO_UPPER_SEQ, 1)
        return found[0].seq if found else None

    def rows(self, kinds: Collection[Kind] | None) -> list[InboxEntry]:
        """Return the rows of some kinds that are not archived, as they are shown now (G4)."""
        return [
            row for row in self._local if not row.archived and (kinds is None or row.kind in kinds)
        ]

    def _is_marked_here(self, name: Conversation) -> bool:
        return any(isinstance(pending.command, _MARKS) for pending in self._outbox.of(name))

    def _is_made_here(self, name: Conversation) -> bool:
        return any(isinstance(pending.command, _MAKES_ROWS) for pending in self._outbox.of(name))

    async def _covering(self, command: AnyCommand, name: Conversation, upto_seq: int) -> Wish:
        """Return a wish with what is unread behind it, if all of that is here."""
        newest = self.received(name)
        wish = Wish(command=command, seen_seq=newest or 0)
        if newest is None or not 0 < newest - upto_seq <= MOST_COUNTED:
            return wish
        found = await self._kept(name, newest + 1, newest - upto_seq)
        if [message.seq for message in found] != list(range(upto_seq + 1, newest + 1)):
            return wish
        unread = [one for one in found if is_countable(one, self._account)]
        me = sum(self._account in named_in(one) for one in unread)
        named = sum(not named_in(one).isdisjoint((self._account, MENTION_ALL)) for one in unread)
        return msgspec.structs.replace(wish, left=len(unread), left_mentions=(me, named - me))


def _some(kinds: Collection[Kind] | None) -> tuple[Kind, ...] | None:
    return None if kinds is None else tuple(kinds)
