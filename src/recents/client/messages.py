"""Sending and reading messages (rules M, U6, R1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from recents.client.arguments import checked, checked_conversation, positive, several
from recents.client.asking import Asking
from recents.client.inbox import Inbox
from recents.client.listeners import Announcer
from recents.core.commands import Post
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.wire import codec, frames


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some messages of a conversation.

    Attributes:
        messages: oldest first.
        more: there are older ones: ask again before ``messages[0].seq``.
    """

    messages: tuple[Message, ...]
    more: bool = False


class Messages:
    """The messages of one account's conversations.

    Every call raises ``CallerMistake`` for arguments that cannot be right, ``Refused`` when the
    node says no, ``Unavailable`` when it does not answer.
    """

    def __init__(self, asking: Asking, inbox: Inbox, announcer: Announcer) -> None:
        """Ask through ``asking``; the read positions are those of ``inbox``."""
        self._asking = asking
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
        """Send a message; returns when the node has it safely.

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
            The message as it stands on the node.
        """
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
        posted = codec.decode_result(await self._asking.order(post), frames.Posted)
        return _message_of(self._asking.account, post, posted)

    async def history(
        self, conversation: str, before_seq: int | None = None, limit: int = 50
    ) -> HistoryPage:
        """Return messages of a conversation, the newest ones before ``before_seq``.

        Args:
            conversation: which.
            before_seq: only messages below it; by default from the newest on.
            limit: at most so many messages, 1 or above.
        """
        found = await self._asking.query(
            frames.History(
                id=self._asking.new_id(),
                conversation=checked_conversation(conversation),
                before_seq=before_seq,
                limit=positive(limit),
            ),
            frames.Messages,
        )
        return HistoryPage(messages=found.messages, more=found.more)

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


def _message_of(account: str, post: Post, posted: frames.Posted) -> Message:
    return Message(
        seq=posted.seq,
        ordinal=posted.ordinal,
        sender=account,
        client_id=post.client_id,
        time_ms=posted.time_ms,
        kind=post.kind,
        text=post.text,
        attachment=_as_it_arrives(post.attachment),
        mentions=post.mentions,
        counts=post.counts,
        bumps=post.bumps,
        previews=post.previews,
    )


def _as_it_arrives(attachment: object) -> object:
    # JSON knows no tuples, no bytes, and no keys but text.
    return msgspec.json.decode(msgspec.json.encode(attachment))
