"""The messages of the store in memory, and what of rows only they tell (rules M1, U2, P2, G3).

Rules of this file:

1. It is the plain meaning of the port: each look-up is the obvious one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from recents.core.entry import Tally
from recents.core.head import Head
from recents.core.ids import ConversationKey
from recents.core.membership import Membership, Position, head_seen
from recents.core.message import (
    MENTION_ALL,
    RETRACTED,
    Message,
    Preview,
    preview_of,
    vanished,
)
from recents.server.store.port import AMENDED_AT_ONCE, Placed
from recents.server.store.workspace import (
    ClientKey,
    Cutoff,
    HiddenId,
    Mention,
    MessageId,
    PositionKey,
    Workspace,
)


@dataclass(slots=True)
class _Mentioned:
    """A mention, and the number of the change with which it ended."""

    begun: Mention
    until: int | None = None

    def is_live(self, changes: int) -> bool:
        """Tell whether it was there when a conversation had had so many changes."""
        return self.begun.since <= changes and (self.until is None or self.until > changes)


@dataclass(slots=True)
class _History:
    """The messages of one conversation; beside each its commit, and its last change's number."""

    messages: list[Message] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    mentions: list[_Mentioned] = field(default_factory=list)
    changed_versions: list[int] = field(default_factory=list)


class MemoryMessages:
    """Messages in dictionaries, and the heads and memberships that they are seen through."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows_written = 0
        self._histories: dict[ConversationKey, _History] = {}
        self._posted: dict[ClientKey, Message] = {}
        self._heads: dict[ConversationKey, Head] = {}
        self._inboxes: dict[str, dict[ConversationKey, Membership]] = {}
        self._hidden: dict[HiddenId, int] = {}
        self._order: list[MessageId] = []

    def _wanted_messages(self, wanted: Iterable[MessageId]) -> dict[MessageId, Message]:
        return {
            (key, seq): self._history(key).messages[seq - 1]
            for key, seq in wanted
            if 1 <= seq <= len(self._history(key).messages)
        }

    def _olders(self, wanted: Iterable[MessageId]) -> dict[MessageId, Message]:
        found = {}
        for key, seq in wanted:
            before = self._history(key).messages[: max(seq - 1, 0)]
            shown = [one for one in before if one.previews and one.state != "gone"]
            if shown:
                found[key, seq] = shown[-1]
        return found

    def _position(self, place: PositionKey) -> Position | None:
        account, key, seq = place
        messages = self._history(key).messages
        if seq >= len(messages):
            return None
        own = sum(
            message.counts
            and (message.sender == account or self._is_hidden(account, key, message))
            for message in messages[seq:]
        )
        return Position(seq, messages[seq - 1].ordinal if seq else 0, own)

    def _is_hidden(self, account: str, key: ConversationKey, message: Message) -> bool:
        return (account, key, message.seq) in self._hidden

    def _positions_at(self, cutoff: Cutoff) -> dict[ConversationKey, Position]:
        account, version = cutoff
        seqs = {
            key: bisect_right(self._history(key).versions, version) for key in self._inbox(account)
        }
        found = {key: self._position((account, key, seq)) for key, seq in seqs.items()}
        return {key: position for key, position in found.items() if position}

    def _commit_messages(self, workspace: Workspace) -> None:
        for key, messages in workspace.messages.items():
            history = self._histories.setdefault(key, _History())
            history.messages += messages
            history.versions += [workspace.version] * len(messages)
            history.changes += [0] * len(messages)
            history.changed_versions += [0] * len(messages)
            for message in messages:
                self._posted[key, message.sender, message.client_id] = message
                self._order.append((key, message.seq))
            self._rows_written += len(messages)
        for (key, seq), amended in workspace.amended.items():
            history = self._histories[key]
            history.messages[seq - 1] = amended.message
            history.changes[seq - 1] = amended.change
            history.changed_versions[seq - 1] = workspace.version
        self._hidden.update(dict.fromkeys(workspace.hidden, workspace.version))
        self._rows_written += sum(
            map(len, (workspace.amended, workspace.mentions, workspace.hidden))
        )
        for begun in workspace.mentions:
            self._histories[begun.key].mentions.append(_Mentioned(begun))
        for end in workspace.unmentions:
            for mentioned in self._histories[end.key].mentions:
                one = mentioned.begun
                if (one.target, one.seq) == (end.target, end.seq) and one.since < end.until:
                    mentioned.until = mentioned.until or end.until

    def _tally(self, account: str, key: ConversationKey, membership: Membership) -> Tally:
        seen, history = head_seen(self._heads[key], membership), self._history(key)
        me, everybody = self._mentioned_in(account, key, membership)
        preview = seen.preview
        hidden = preview is not None and (account, key, preview.seq) in self._hidden
        return Tally(
            retracted_after_read=sum(
                message.state in RETRACTED
                and change <= seen.changes
                and message.counts
                and message.sender != account
                and not self._is_hidden(account, key, message)
                for message, change in zip(history.messages, history.changes, strict=True)
                if membership.read_seq < message.seq <= seen.last_retraction
            ),
            mentions_me=len(me),
            mentions_all=len(everybody - me),
            preview_hidden=hidden,
            older=self._older(account, key, preview.seq) if preview and hidden else None,
        )

    def _older(self, account: str, key: ConversationKey, seq: int) -> Preview | None:
        for message in reversed(self._history(key).messages[: seq - 1]):
            hidden = self._is_hidden(account, key, message)
            if message.previews and message.state != "gone" and not hidden:
                return preview_of(message)
        return None

    def _mentioned_in(
        self, account: str, key: ConversationKey, membership: Membership
    ) -> tuple[set[int], set[int]]:
        """Return the unread messages that mention an account, and those that mention all."""
        seen = head_seen(self._heads[key], membership)
        me: set[int] = set()
        everybody: set[int] = set()
        for mentioned in self._history(key).mentions:
            one = mentioned.begun
            unread = membership.read_seq < one.seq <= seen.last_seq and one.sender != account
            hidden = (account, key, one.seq) in self._hidden
            if unread and mentioned.is_live(seen.changes) and not hidden:
                if one.target == account:
                    me.add(one.seq)
                elif one.target == MENTION_ALL:
                    everybody.add(one.seq)
        return me, everybody

    def _inbox(self, account: str) -> dict[ConversationKey, Membership]:
        return self._inboxes.get(account, {})

    async def messages(
        self,
        key: ConversationKey,
        *,
        after_seq: int,
        before_seq: int,
        limit: int,
        account: str | None = None,
        gone: bool = False,
    ) -> list[Message]:
        """Return the newest messages with ``after_seq < seq < before_seq``, oldest first."""
        between = [
            message
            for message in self._history(key).messages
            if after_seq < message.seq < before_seq
            and (gone or message.state != "gone")
            and not (account and self._is_hidden(account, key, message))
        ]
        return between[-limit:] if limit > 0 else []

    async def hidden_from(self, account: str, key: ConversationKey) -> frozenset[int]:
        """Return the seqs of the messages that an account deleted for itself (U1)."""
        return frozenset(seq for who, where, seq in self._hidden if (who, where) == (account, key))

    async def changed_after(self, key: ConversationKey, changes: int) -> frozenset[int]:
        """Return the seqs of the messages recalled or edited after so many changes (T2)."""
        history = self._history(key)
        return frozenset(
            message.seq
            for message, change in zip(history.messages, history.changes, strict=True)
            if change > changes
        )

    async def amended_since(
        self, account: str, version: int
    ) -> dict[ConversationKey, list[Message]]:
        """Return the messages that became others for an account after a version."""
        found: dict[ConversationKey, list[Message]] = {}
        for key, membership in self._inbox(account).items():
            history = self._history(key)
            changed = []
            for message, changed_at in zip(
                history.messages, history.changed_versions, strict=True
            ):
                hidden_at = self._hidden.get((account, key, message.seq), 0)
                told = membership.parting is None and message.seq > membership.cleared_seq
                if hidden_at > version:
                    changed.append(vanished(message))
                elif not hidden_at and changed_at > version and told:
                    changed.append(message)
            if changed:
                found[key] = changed[-AMENDED_AT_ONCE:]
        return found

    async def mentions(
        self, account: str, key: ConversationKey, after_seq: int, limit: int
    ) -> list[int]:
        """Return the seqs of the messages behind the row's mentions, oldest first (G3)."""
        membership = self._inbox(account).get(key)
        if membership is None:
            return []
        me, everybody = self._mentioned_in(account, key, membership)
        return sorted(seq for seq in me | everybody if seq > after_seq)[:limit]

    async def messages_behind(self, position: int, limit: int) -> list[Placed]:
        """Return messages of all conversations behind a position, the oldest first."""
        return [
            Placed(place, key, self._history(key).messages[seq - 1])
            for place, (key, seq) in enumerate(
                self._order[position : position + limit], position + 1
            )
        ]

    async def newest_position(self) -> int:
        """Return the position of the newest message; 0 when there is none."""
        return len(self._order)

    def _history(self, key: ConversationKey) -> _History:
        return self._histories.get(key) or _History()
