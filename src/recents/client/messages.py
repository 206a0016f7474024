"""Sending, reading and changing messages (rules M, P2–P4, U6, R1)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import msgspec

from recents.client.arguments import (
    checked,
    checked_conversation,
    checked_seq,
    checked_text,
    positive,
    several,
)
from recents.client.asking import Asking
from recents.client.echo import as_it_arrives, echo_of, sent_message
from recents.client.history import Histories, HistoryPage
from recents.client.inbox import Inbox
from recents.client.listeners import Announcer
from recents.client.outbox import Ticket
from recents.client.planning import Planning, Wish
from recents.client.store.port import FoundMessage
from recents.core.commands import Post
from recents.core.ids import Conversation
from recents.core.message import Message


class Messages:
    """The messages of one account's conversations.

    Every call raises ``CallerMistake`` for arguments that cannot be right, ``Refused`` when the
    node says no while the call waits, ``Unavailable`` when this device cannot keep a message or
    has none of those that were asked for.
    """

    def __init__(
        self,
        asking: Asking,
        planning: Planning,
        histories: Histories,
        inbox: Inbox,
        announcer: Announcer,
    ) -> None:
        """Send through ``asking``; the read positions are those of ``inbox``."""
        self._asking = asking
        self._planning = planning
        self._histories = histories
        self._inbox = inbox
        self._announcer = announcer

    async def send(
        self,
        conversation: str,
        text: str = "",
        *,
        kind: str = "text",
        attachment: object = None,
        mentions: Iterable[str] = (),
        counts: bool = True,
        bumps: bool = True,
        previews: bool = True,
        displayed_seq: int | None = None,
        client_id: str | None = None,
    ) -> Message:
        """Send a message; returns when the node has it safely, offline when this device has.

        Args:
            conversation: where to.
            text: at most 5,000 characters.
            kind: a word of the application's for what it is.
            attachment: any JSON value, at most 16 KiB encoded.
            mentions: at most 200 account ids, or ``@all``.
            counts: may raise unread (M3).
            bumps: may move the row up (M3).
            previews: may become the row's preview (M3).
            displayed_seq: the newest message that was on screen; reads up to there (U6).
            client_id: a name for this message; sending the same again changes nothing (M2).

        Returns:
            The message, ``sent`` and as it stands on the node, or ``sending`` and without a place
            (``seq`` 0) while there is no connection (P4).

        Raises:
            Refused: the node says no. The message stays in the list as ``failed``: ``retry`` or
                ``discard`` it.
        """
        if displayed_seq is not None:
            checked_seq(displayed_seq, "displayed_seq")
        post = checked(
            Post(
                id=self._asking.new_id(),
                conversation=Conversation(conversation),
                client_id=self._asking.new_id() if client_id is None else client_id,
                kind=kind,
                text=text,
                attachment=attachment,
                mentions=several(mentions, "mentions"),
                counts=counts,
                bumps=bumps,
                previews=previews,
                displayed_seq=displayed_seq,
            )
        )

        # A copy: what the caller does with the value later is not what was sent.
        post = msgspec.structs.replace(post, attachment=as_it_arrives(attachment))
        blind = client_id is None and displayed_seq is None
        known: Message | None = None

        async def plan() -> Sequence[Wish]:
            # Looked up now: a moment later it may be in, and gone from the outbox.
            nonlocal known
            known = self._planning.on_its_way(post)
            return await self._planning.post(post)

        ticket = await self._asking.give(plan, post.conversation, blind=blind)
        if ticket is not None:
            return await self._message(ticket)
        assert known is not None, "only what is on its way already is not given"
        return known

    async def retry(self, client_id: str) -> Message:
        """Send a failed message again (P4).

        Returns:
            See ``send``.
        """
        return await self._message(await self._asking.retry(client_id))

    async def discard(self, client_id: str) -> None:
        """Give up a message that failed: it vanishes from this device, which alone has it."""
        await self._asking.discard(client_id)

    async def history(
        self, conversation: str, before_seq: int | None = None, limit: int = 50
    ) -> HistoryPage:
        """Return messages of a conversation, the newest ones before ``before_seq``.

        Behind the newest stand this device's own that are still on their way. Offline the
        messages that this device has seen are returned, up to the first gap.

        Args:
            conversation: which.
            before_seq: only messages below it; by default from the newest on.
            limit: at most so many messages, 1 or above; those on their way are not counted.
        """
        name = checked_conversation(conversation)
        return await self._histories.page(name, before_seq, positive(limit))

    async def search(
        self, text: str, conversation: str | None = None, limit: int = 50
    ) -> tuple[FoundMessage, ...]:
        """Return messages kept on this device that have every word of ``text``.

        The newest come first. Words may be unfinished, and stand in any order; Chinese needs no
        blanks. Case, accents and widths make no difference. What this device has not seen, it does
        not find.

        Args:
            text: what to look for.
            conversation: only in this one; by default in all.
            limit: at most so many messages, 1 or above.
        """
        name = None if conversation is None else checked_conversation(conversation)
        return await self._histories.search(checked_text(text), name, positive(limit))

    async def get(self, conversation: str, seq: int) -> Message | None:
        """Return one message, or None where there is none for this account.

        Offline it is one that this device has seen, or None.
        """
        name = checked_conversation(conversation)
        page = await self._histories.page(name, checked_seq(seq, "seq") + 1, 1)
        return next((message for message in page.messages if message.seq == seq), None)

    async def recall(self, conversation: str, seq: int, notice: bool = True) -> None:
        """Take a message back for everybody; twice is once (P2).

        Args:
            conversation: where it is.
            seq: which: one's own within a time that the node sets, two minutes by default; any,
                at any time, for the owner of the team.
            notice: its place shows who recalled it; without, it vanishes.
        """
        name = checked_conversation(conversation)
        checked_seq(seq, "seq")
        await self._change(name, lambda: self._planning.recall(name, seq, notice=notice))

    async def edit(
        self, conversation: str, seq: int, text: str, *, mentions: Iterable[str] = ()
    ) -> None:
        """Give a message of one's own another text; moves no row (P3).

        Args:
            conversation: where it is.
            seq: which; one that was recalled cannot be edited.
            text: at most 5,000 characters.
            mentions: who is mentioned in the new text: at most 200 account ids, or ``@all``.
        """
        name = checked_conversation(conversation)
        checked_seq(seq, "seq")
        named = several(mentions, "mentions")
        await self._change(name, lambda: self._planning.edit(name, seq, text, named))

    async def delete(self, conversation: str, *seqs: int) -> None:
        """Delete messages for this account alone, on all its devices (U1, P2).

        Nobody else notices; twice is once.

        Args:
            conversation: where they are.
            seqs: which. More than 100 are deleted by several commands.
        """
        name = checked_conversation(conversation)
        for seq in seqs:
            checked_seq(seq, "seq")
        await self._change(name, lambda: self._planning.delete_messages(name, seqs))

    async def _change(
        self, name: Conversation, plan: Callable[[], Coroutine[Any, Any, Sequence[Wish]]]
    ) -> None:
        async def checked_plan() -> Sequence[Wish]:
            wishes = await plan()
            for wish in wishes:
                checked(wish.command)
            return wishes

        await self._asking.order(checked_plan, name)

    async def mentions(self, conversation: str) -> tuple[int, ...]:
        """Return the ``seq`` of each unread message that mentions this account or all (G3).

        Oldest first, to jump from one to the next. Offline they are those among the messages that
        this device has seen.
        """
        return await self._histories.mentions(checked_conversation(conversation))

    async def mark_read(self, conversation: str) -> None:
        """Mark the messages of a conversation read: the same read position as the inbox's."""
        await self._inbox.mark_read(conversation)

    def on_message(
        self, listener: Callable[[Conversation, Message], object]
    ) -> Callable[[], None]:
        """Call ``listener`` with each message that arrives while connected, own ones included.

        After a burst only the newest ones of a conversation are told; a gap before their ``seq``
        shows it. What is missing is in ``history``, like everything from before the connection.

        The listener must return soon and may not be a coroutine function; what it raises is
        logged.

        Returns:
            A function that ends this.
        """
        return self._announcer.messages.add(listener)

    def on_status(self, listener: Callable[[Conversation, Message], object]) -> Callable[[], None]:
        """Call ``listener`` with each message of this device whenever its ``status`` changes.

        It is ``sending`` at once, then ``sent``, or ``failed`` and perhaps ``sending`` again (P4).
        ``client_id`` tells which message it is.

        Returns:
            A function that ends this.
        """
        return self._announcer.statuses.add(listener)

    async def _message(self, ticket: Ticket) -> Message:
        account = self._asking.account
        posted = await self._asking.outcome(ticket)
        if posted is None:
            return echo_of(account, ticket.pending)
        return sent_message(account, ticket.pending, posted)
