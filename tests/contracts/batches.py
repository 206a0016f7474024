"""Batches of commands for a store, decided with the functions of the core as a node would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

from msgspec.structs import replace

from recents.core import head as heads
from recents.core import marks
from recents.core import membership as memberships
from recents.core.commands import Mute, MuteLevel, Post, RowCommand
from recents.core.face import Face
from recents.core.head import Head
from recents.core.ids import (
    Conversation,
    ConversationKey,
    is_p2p,
    key_of,
    named_by,
    parties_of,
)
from recents.core.marks import organized
from recents.core.membership import Membership
from recents.core.message import RETRACTED, Message, edited, preview_of, recalled, vanished
from recents.server.store.port import Store
from recents.server.store.workspace import Verdict, Wanted, Workspace

START_MS = 1_700_000_000_000

Step = Callable[[Workspace], None]


class Batch:
    """Commands that are decided in one transaction, in the order in which they were added.

    Attributes:
        messages: what each post became, the first message again for a duplicate.
        verdicts: what became of each ``once``, the first verdict again where it was known.
    """

    def __init__(self, at_ms: int = START_MS) -> None:
        self.wanted = Wanted()
        self.messages: list[Message] = []
        self.verdicts: list[Verdict] = []
        self._at_ms = at_ms
        self._steps: list[Step] = []
        self._commands_end = 0

    async def commit(self, store: Store) -> Workspace:
        """Hand the batch to the store."""
        return await store.transact(self.wanted, self.decide)

    def decide(self, workspace: Workspace) -> None:
        self.messages, self.verdicts = [], []
        for step in self._steps:
            step(workspace)

    def then(self, step: Step) -> Self:
        self._steps.append(step)
        return self

    # Teams

    def create(self, team: Conversation, *members: str, name: str = "A team") -> Self:
        key = self._want(team, *members)

        def step(workspace: Workspace) -> None:
            workspace.put_head(key, Head(version=workspace.version, name=name, owner=members[0]))
            for account in members:
                self._join(workspace, account, key)

        return self.then(step)

    def join(self, account: str, team: Conversation) -> Self:
        key = self._want(team, account)
        return self.then(lambda workspace: self._join(workspace, account, key))

    def leave(self, account: str, team: Conversation, *, removed: bool = False) -> Self:
        key = self._want(team, account)

        def step(workspace: Workspace) -> None:
            head, membership = _both(workspace, account, key)
            parted = memberships.parted(membership, head, workspace.version, removed=removed)
            workspace.put_membership(account, key, parted)

        return self.then(step)

    def dismiss(self, team: Conversation) -> Self:
        key = self._want(team)
        return self.then(
            lambda workspace: workspace.put_head(
                key, heads.dismissed(_head(workspace, key), workspace.version)
            )
        )

    def rename(self, team: Conversation, name: str) -> Self:
        key = self._want(team)
        return self.then(
            lambda workspace: workspace.put_head(
                key, heads.renamed(_head(workspace, key), name, workspace.version)
            )
        )

    def _join(self, workspace: Workspace, account: str, key: ConversationKey) -> None:
        joined = memberships.joined(
            _head(workspace, key),
            self._at_ms,
            workspace.version,
            workspace.membership(account, key),
        )
        workspace.put_membership(account, key, joined)

    # Messages

    def post(self, sender: str, to: Conversation, client_id: str, **fields: object) -> Self:
        key = self._want_post(sender, to, client_id)
        post = replace(Post(id="c", conversation=to, client_id=client_id), **fields)

        def step(workspace: Workspace) -> None:
            message = workspace.posted(key, sender, client_id)
            if message is None:
                self._begin_p2p(workspace, key)
                head = workspace.head(key) or Head()
                message = heads.next_message(head, post, sender, self._at_ms)
                self._store(workspace, sender, key, message)
            self.messages.append(message)

        return self.then(step)

    def post_recalled(
        self, sender: str, to: Conversation, client_id: str, *, counts: bool = True
    ) -> Self:
        """Post a message and recall it in the same commit."""
        key = self._want_post(sender, to, client_id)
        post = Post(id="c", conversation=to, client_id=client_id, counts=counts)

        def step(workspace: Workspace) -> None:
            self._begin_p2p(workspace, key)
            head = workspace.head(key) or Head()
            message = heads.next_message(head, post, sender, self._at_ms)
            self._store(workspace, sender, key, message)
            notice = heads.recall_notice(message, sender)
            head = heads.retract(
                _head(workspace, key), message, workspace.version, fallback=notice
            )
            workspace.amend(key, recalled(message, sender), head.changes)
            workspace.put_head(key, head)

        return self.then(step)

    def recall(
        self, account: str, conversation: Conversation, seq: int, *, notice: bool = True
    ) -> Self:
        """Recall a message, unless it was recalled before."""
        key = self._want_message(account, conversation, seq)

        def step(workspace: Workspace) -> None:
            message, head = workspace.message(key, seq), _head(workspace, key)
            if message is None or message.state in RETRACTED:
                return
            older = workspace.older(key, seq)
            shown = preview_of(older) if older else None
            fallback = heads.recall_notice(message, account) if notice else shown
            head = heads.retract(head, message, workspace.version, fallback=fallback)
            now = recalled(message, account) if notice else vanished(message)
            workspace.amend(key, now, head.changes)
            workspace.put_head(key, head)

        return self.then(step)

    def edit(
        self,
        account: str,
        conversation: Conversation,
        seq: int,
        text: str,
        mentions: tuple[str, ...] = (),
    ) -> Self:
        """Edit a message, unless it was recalled before."""
        key = self._want_message(account, conversation, seq)

        def step(workspace: Workspace) -> None:
            message, head = workspace.message(key, seq), _head(workspace, key)
            if message is None or message.state in RETRACTED:
                return
            now = edited(message, text, mentions)
            head = heads.amend(head, now, workspace.version)
            workspace.amend(key, now, head.changes)
            workspace.put_head(key, head)

        return self.then(step)

    def hide(self, account: str, conversation: Conversation, seq: int) -> Self:
        """Delete a message for one account, unless it was before."""
        key = self._want_message(account, conversation, seq)
        self.wanted.hidden.add((account, key, seq))

        def step(workspace: Workspace) -> None:
            message = workspace.message(key, seq)
            if message is None or workspace.is_hidden(account, key, seq):
                return
            _, membership = _both(workspace, account, key)
            workspace.hide(account, key, message)
            after = memberships.after_own_removal(membership, account, message, workspace.version)
            workspace.put_membership(account, key, after)

        return self.then(step)

    def _want_message(self, account: str, conversation: Conversation, seq: int) -> ConversationKey:
        key = self._want(conversation, account)
        self.wanted.messages.add((key, seq))
        return key

    def _want_post(self, sender: str, to: Conversation, client_id: str) -> ConversationKey:
        key = self._want(to, sender)
        self.wanted.client_keys.add((key, sender, client_id))
        if is_p2p(key):
            self.wanted.memberships.update((account, key) for account in parties_of(key))
        return key

    def _begin_p2p(self, workspace: Workspace, key: ConversationKey) -> None:
        if is_p2p(key) and workspace.head(key) is None:
            workspace.put_head(key, Head(version=workspace.version))
            for account in parties_of(key):
                self._join(workspace, account, key)

    def _store(
        self, workspace: Workspace, sender: str, key: ConversationKey, message: Message
    ) -> None:
        head, membership = _both(workspace, sender, key)
        workspace.append(key, message)
        workspace.put_head(key, heads.absorb(head, message, workspace.version))
        workspace.put_membership(
            sender, key, memberships.after_own_send(membership, message, workspace.version)
        )

    # Reading and deleting

    def read(self, account: str, conversation: Conversation, seq: int) -> Self:
        key = self._want(conversation, account, seq=seq)

        def step(workspace: Workspace) -> None:
            _, membership = _both(workspace, account, key)
            position = workspace.position(account, key, seq)
            moved = memberships.advance(membership, position, workspace.version)
            if moved is not membership:
                workspace.put_membership(account, key, moved)

        return self.then(step)

    def delete(
        self, account: str, conversation: Conversation, seq: int, *, clear: bool = False
    ) -> Self:
        key = self._want(conversation, account, seq=seq)

        def step(workspace: Workspace) -> None:
            _, membership = _both(workspace, account, key)
            position = workspace.position(account, key, seq)
            hidden = memberships.without_row(
                membership, position, workspace.version, clear_history=clear
            )
            workspace.put_membership(account, key, hidden)

        return self.then(step)

    def clear(self, account: str, conversation: Conversation, seq: int) -> Self:
        key = self._want(conversation, account, seq=seq)

        def step(workspace: Workspace) -> None:
            _, membership = _both(workspace, account, key)
            position = workspace.position(account, key, seq)
            cleared = memberships.without_history(membership, position, workspace.version)
            workspace.put_membership(account, key, cleared)

        return self.then(step)

    # Marks, drafts, mutes

    def mark_unread(self, account: str, conversation: Conversation) -> Self:
        return self._change(account, conversation, memberships.unread_marked)

    def unread_from(self, account: str, conversation: Conversation, seq: int) -> Self:
        """Make everything after a seq unread, as far down as can be."""
        key = self._want(conversation, account, seq=seq)
        self.wanted.floors.add((account, key))

        def step(workspace: Workspace) -> None:
            _, membership = _both(workspace, account, key)
            lowest = max(seq, memberships.first_readable(membership))
            position = workspace.position(account, key, lowest)
            back = memberships.unread_from(membership, position, workspace.version)
            workspace.put_membership(account, key, back)

        return self.then(step)

    def draft(self, account: str, conversation: Conversation, text: str) -> Self:
        return self._change(
            account,
            conversation,
            lambda membership, version: memberships.with_draft(
                membership, text, self._at_ms, version
            ),
        )

    def mute(
        self,
        account: str,
        conversation: Conversation,
        level: MuteLevel | None,
        until_ms: int | None = None,
    ) -> Self:
        command = Mute(id="c", conversation=conversation, level=level, until_ms=until_ms)
        return self.organize(account, command)

    def organize(self, account: str, command: RowCommand) -> Self:
        key = self._want(command.conversation, account)

        def step(workspace: Workspace) -> None:
            head, membership = _both(workspace, account, key)
            version = workspace.version
            changed = organized(head, membership, command, self._at_ms, version)
            workspace.put_membership(account, key, changed)

        return self.then(step)

    def _change(
        self,
        account: str,
        conversation: Conversation,
        change: Callable[[Membership, int], Membership],
    ) -> Self:
        key = self._want(conversation, account)

        def step(workspace: Workspace) -> None:
            _, membership = _both(workspace, account, key)
            workspace.put_membership(account, key, change(membership, workspace.version))

        return self.then(step)

    def alias(self, account: str, conversation: Conversation, alias: str) -> Self:
        return self._change(
            account,
            conversation,
            lambda membership, version: marks.aliased(membership, alias, version),
        )

    # Faces

    def avatar(self, team: Conversation, avatar: str) -> Self:
        key = self._want(team)
        return self.then(
            lambda workspace: workspace.put_head(
                key, heads.with_avatar(_head(workspace, key), avatar, workspace.version)
            )
        )

    def face(self, account: str, face: Face) -> Self:
        """Let an account have another face, here and in its P2P conversations."""
        self.wanted.accounts.add(account)
        self.wanted.talks.add(account)

        def step(workspace: Workspace) -> None:
            if workspace.account_exists(account):
                workspace.put_face(account, face)
            for key in workspace.talks_of(account):
                head = _head(workspace, key)
                workspace.put_head(
                    key, heads.with_face(head, key, account, face, workspace.version)
                )

        return self.then(step)

    def begin(self, account: str, conversation: Conversation) -> Self:
        """Begin a P2P conversation for one of the two, as a draft does."""
        key = self._want(conversation, account)

        def step(workspace: Workspace) -> None:
            workspace.put_head(key, Head(version=workspace.version))
            self._join(workspace, account, key)

        return self.then(step)

    # Commands that are known by their ids

    def once(self, account: str, command_id: str, verdict: Verdict | None = None) -> Self:
        """Let the steps since the last command be one, which is carried out once (C4)."""
        self.wanted.commands.add((account, command_id))
        steps = self._steps[self._commands_end :]
        del self._steps[self._commands_end :]

        def step(workspace: Workspace) -> None:
            known = workspace.verdict(account, command_id)
            if known is None:
                for part in steps:
                    part(workspace)
                known = verdict or Verdict(self._at_ms, workspace.version)
                workspace.verdicts[account, command_id] = known
            self.verdicts.append(known)

        self.then(step)
        self._commands_end = len(self._steps)
        return self

    def _want(
        self, conversation: Conversation, *accounts: str, seq: int | None = None
    ) -> ConversationKey:
        key = key_of(accounts[0], conversation) if accounts else ConversationKey(conversation)
        self.wanted.heads.add(key)
        self.wanted.memberships.update((account, key) for account in accounts)
        if seq is not None:
            self.wanted.positions.update((account, key, seq) for account in accounts)
        return key


def _head(workspace: Workspace, key: ConversationKey) -> Head:
    head = workspace.head(key)
    assert head is not None, f"{key} was not created"
    return head


def _both(workspace: Workspace, account: str, key: ConversationKey) -> tuple[Head, Membership]:
    membership = workspace.membership(account, key)
    assert membership is not None, f"{account} is not in {named_by(account, key)}"
    return _head(workspace, key), membership


async def posted(
    store: Store, sender: str, to: Conversation, *client_ids: str, at_ms: int = START_MS
) -> Workspace:
    """Post messages in one commit."""
    batch = Batch(at_ms)
    for client_id in client_ids:
        batch.post(sender, to, client_id)
    return await batch.commit(store)


async def history(store: Store, key: str) -> list[Message]:
    """Return all messages of a conversation."""
    return await store.messages(
        ConversationKey(key), after_seq=0, before_seq=2**53, limit=1_000_000
    )


async def at_once(*batches: Batch, store: Store) -> list[Workspace]:
    """Hand in several batches without waiting in between."""
    return await asyncio.gather(*(batch.commit(store) for batch in batches))
