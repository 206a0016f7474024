"""What the user sees: a confirmed row with pending commands on top (rules C3, C4, D7, P2–P4).

Rules of this file:

1. Commands are applied with the very functions that the node uses. For that a row is taken apart
   into a head and a membership whose ordinals count from the row's read position.
2. Whatever arrives meanwhile, a command covers what it covered when it was given: what came later
   is neither read nor deleted by it (R1, D2).
3. A message on its way stands behind all that has arrived; it has no ``seq`` yet.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recents.core.commands import (
    AddLabel,
    Archive,
    ClearHistory,
    CreateTeam,
    Delete,
    DeleteAll,
    DeleteMessages,
    DismissTeam,
    Edit,
    LeaveTeam,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Post,
    Read,
    ReadAll,
    Recall,
    RemoveLabel,
    RenameTeam,
    SetAlias,
    SetDraft,
    SetExtension,
    SetProfile,
    SetTeamAvatar,
    Unarchive,
    Unpin,
)
from recents.core.entry import (
    InboxEntry,
    MembershipState,
    Status,
    Tally,
    entry_of,
    is_visible,
    unread,
)
from recents.core.face import NO_FACE, Face, changed_face
from recents.core.head import Head, absorb, face_of, next_message, renamed, with_avatar, with_face
from recents.core.ids import Conversation, is_p2p, key_of
from recents.core.marks import organized
from recents.core.membership import (
    Archived,
    Membership,
    Position,
    after_own_send,
    joined,
    read_upto,
    unread_from,
    unread_marked,
    without_history,
    without_row,
)
from recents.core.message import (
    MENTION_ALL,
    RETRACTED,
    Message,
    Preview,
    edited,
    is_countable,
    named_in,
    preview_text,
    recalled,
    vanished,
)
from recents.core.pending import Pending

_replace = msgspec.structs.replace

_NO_COMMIT = 0
"""The version of what no node has committed."""

_NEWEST_MARK = 2**53
"""A pending mark is newer than all that were heard of."""


def shown(
    account: str,
    conversation: Conversation,
    confirmed: InboxEntry | None,
    pending: Iterable[Pending],
) -> InboxEntry | None:
    """Return a row as its user sees it, or None where the list has none.

    Args:
        account: whose row it is.
        conversation: as that account names it.
        confirmed: the row as the node confirmed it; None: it has none.
        pending: the commands that it does not show yet and that may concern it, in their order.
    """
    sight = _Sight(account, conversation, confirmed)
    for one in pending:
        sight.apply(one)
    return sight.row()


def changed_here(account: str, message: Message, pending: Iterable[Pending]) -> Message:
    """Return a message as its user sees it, with commands that are still on their way.

    Args:
        account: whose device it is.
        message: the message as the node told it.
        pending: the commands about its conversation, in their order.
    """
    for one in pending:
        if message.state in RETRACTED:
            break
        match one.command:
            case Recall(seq=message.seq) as recall if _may_recall(account, recall, message.sender):
                message = recalled(message, account) if recall.notice else vanished(message)
            case DeleteMessages(seqs=seqs) if message.seq in seqs:
                message = vanished(message)
            case Edit(seq=message.seq) as edit if message.sender == account:
                message = edited(message, edit.text, edit.mentions)
            case _:
                pass
    return message


class _Sight:
    """A row taken apart, while commands are applied to it."""

    def __init__(
        self, account: str, conversation: Conversation, confirmed: InboxEntry | None
    ) -> None:
        self.account = account
        self.conversation = conversation
        self.confirmed = confirmed
        self.newest = confirmed.last_seq if confirmed else 0
        self.head = Head()
        self.membership: Membership | None = None
        self.state: MembershipState = "member"
        self.echo: Status = "sending"
        # What is taken back counts while it is unread, so a later reading can pass it.
        self.retracted: dict[int, Message] = {}
        self.mentions_me = confirmed.mentions_me if confirmed else 0
        self.mentions_all = confirmed.mentions_all if confirmed else 0
        if confirmed is not None:
            self.head = _head_in(confirmed)
            self.membership = _membership_in(confirmed)
            self.state = confirmed.membership

    def row(self) -> InboxEntry | None:
        """Put the row together again."""
        membership, confirmed = self.membership, self.confirmed
        if membership is None or not is_visible(self.head, membership):
            return None
        row = entry_of(
            self.account, self.conversation, self.head, membership, self._tally(membership)
        )
        preview, status = row.preview, confirmed.status if confirmed else None
        if preview is not None and preview.seq > self.newest:
            preview, status = _replace(preview, seq=0), self.echo
        elif preview is None:
            status = None
        elif confirmed and confirmed.preview and preview.seq < confirmed.preview.seq:
            # Where a newer message vanished, one of one's own was sent at least (P4).
            status = (status or "sent") if preview.sender == self.account else None
        return _replace(
            row,
            version=confirmed.version if confirmed else _NO_COMMIT,
            last_seq=self.newest,
            read_seq=min(row.read_seq, self.newest),
            cleared_seq=min(row.cleared_seq, self.newest),
            preview=preview,
            status=status,
            membership=self.state,
            read_epoch=confirmed.read_epoch if confirmed else 0,
        )

    def _tally(self, membership: Membership) -> Tally:
        unread = [one for seq, one in self.retracted.items() if seq > membership.read_seq]
        me = sum(self.account in one.mentions for one in unread)
        named = sum(not named_in(one).isdisjoint((self.account, MENTION_ALL)) for one in unread)
        return Tally(
            retracted_after_read=len(unread),
            mentions_me=max(self.mentions_me - me, 0),
            mentions_all=max(self.mentions_all - (named - me), 0),
        )

    def apply(self, pending: Pending) -> None:
        """Apply one command."""
        match pending.command:
            case Post() as post:
                self._post(post, pending)
            case CreateTeam() as create:
                if self.membership is None:
                    self.head = Head(name=create.name, owner=self.account)
                    self.membership = joined(Head(), pending.at_ms, _NO_COMMIT)
            case SetDraft() as draft:
                if self.membership is None and draft.text and is_p2p(self.conversation):
                    self.membership = joined(Head(), pending.at_ms, _NO_COMMIT)
                self._change(pending)
            case _:
                self._change(pending)

    def _post(self, post: Post, pending: Pending) -> None:
        # Seen in a row and not answered yet, it is in even where that row is gone.
        if pending.seq is not None and (pending.seq <= self.newest or pending.waiting):
            return
        preview = self.head.preview
        if preview and (preview.sender, preview.client_id) == (self.account, post.client_id):
            return
        membership = self.membership or joined(Head(), pending.at_ms, _NO_COMMIT)
        if post.displayed_seq is not None:
            position = self._position(membership, post.displayed_seq, pending)
            read = read_upto(membership, position, _NO_COMMIT, post.epoch)
            if read.read_seq != membership.read_seq:
                self._count_mentions(read.read_seq, pending)
            membership = read
        message = next_message(self.head, post, self.account, pending.at_ms)
        self.head = absorb(self.head, message, _NO_COMMIT)
        self.membership = after_own_send(membership, message, _NO_COMMIT)
        if post.previews:
            self.echo = _status_of(pending)

    def _change(self, pending: Pending) -> None:
        if self.membership is None:
            return
        match pending.command:
            case Recall() as recall:
                self._recall(recall, pending)
            case Edit() as edit:
                self._edit(edit)
            case DeleteMessages() as delete_messages:
                self._delete(delete_messages, pending)
            case SetProfile() as profile:
                if self.conversation == f"p2p:{self.account}":
                    self._change_own_face(profile)
            case RenameTeam() | SetTeamAvatar() | LeaveTeam() | DismissTeam() as command:
                # Who has left sees the team as it was (T2).
                if self.state == "member":
                    self._change_team(command)
            case _:
                self._change_membership(self.membership, pending)

    def _change_team(self, command: RenameTeam | SetTeamAvatar | LeaveTeam | DismissTeam) -> None:
        match command:
            case RenameTeam():
                self.head = renamed(self.head, command.name, _NO_COMMIT)
            case SetTeamAvatar():
                self.head = with_avatar(self.head, command.avatar, _NO_COMMIT)
            case _:
                self.state = "left" if isinstance(command, LeaveTeam) else "dismissed"

    def _change_membership(self, membership: Membership, pending: Pending) -> None:
        changed = self._after(membership, pending)
        if changed.read_seq != membership.read_seq:
            self._count_mentions(changed.read_seq, pending)
        self.membership = changed

    def _after(self, membership: Membership, pending: Pending) -> Membership:
        """Return the membership after a command about it; others leave it as it is."""
        match pending.command:
            case Read() as read:
                position = self._position(membership, self._end(read.upto_seq), pending)
                return read_upto(membership, position, _NO_COMMIT, read.epoch)
            case ReadAll() if self.conversation in pending.seqs:
                position = self._position_of_all(membership, pending)
                return read_upto(membership, position, _NO_COMMIT, pending.epoch)
            case MarkUnread() if is_visible(self.head, membership):
                return unread_marked(membership, _NEWEST_MARK)
            case MarkUnreadFrom() as mark:
                before = max(mark.seq - 1, membership.cleared_seq)
                position = self._position(membership, before, pending, back=True)
                return unread_from(membership, position, _NEWEST_MARK)
            case Delete() as delete:
                position = self._position(membership, self._end(delete.upto_seq), pending)
                clear = delete.clear_history
                return without_row(membership, position, _NO_COMMIT, clear_history=clear)
            case DeleteAll() as delete_all if self.conversation in pending.seqs:
                position = self._position_of_all(membership, pending)
                clear = delete_all.clear_history
                return without_row(membership, position, _NO_COMMIT, clear_history=clear)
            case ClearHistory() as clear_history:
                position = self._position(membership, self._end(clear_history.upto_seq), pending)
                return without_history(membership, position, _NO_COMMIT)
            case Archive() as archive:
                position = self._position(membership, self._end(archive.upto_seq), pending)
                at_ms = pending.at_ms
                return organized(self.head, membership, archive, at_ms, _NO_COMMIT, position)
            case (
                SetDraft()
                | Mute()
                | Pin()
                | Unpin()
                | Unarchive()
                | AddLabel()
                | RemoveLabel()
                | SetExtension()
                | SetAlias()
            ) as command:
                return organized(self.head, membership, command, pending.at_ms, _NO_COMMIT)
            case _:
                # Who else is in a team no row shows.
                return membership

    def _end(self, upto_seq: int | None) -> int:
        return self.newest if upto_seq is None else upto_seq

    def _change_own_face(self, profile: SetProfile) -> None:
        """Notes to oneself are the one row that shows the account's own face (I2)."""
        key = key_of(self.account, self.conversation)
        face = changed_face(face_of(self.head, key, self.account), profile.name, profile.avatar)
        self.head = with_face(self.head, key, self.account, face, _NO_COMMIT)

    def _count_mentions(self, read_seq: int, pending: Pending) -> None:
        """Count anew what is unread behind a position, as well as this device can (G3)."""
        since = self.newest - pending.seen_seq
        me, everybody = (self.newest - read_seq,) * 2
        if pending.left_mentions is not None and self.conversation not in pending.seqs:
            me, everybody = (left + since for left in pending.left_mentions)
            if isinstance(pending.command, MarkUnreadFrom):
                # What was read is unread again, whatever is shown now.
                self.mentions_me, self.mentions_all = me, everybody
                return
        if read_seq >= self.newest:
            me = everybody = 0
        self.mentions_me = min(self.mentions_me, me)
        self.mentions_all = min(self.mentions_all, everybody)

    def _recall(self, recall: Recall, pending: Pending) -> None:
        preview = self._shown(recall.seq)
        if preview is not None and _may_recall(self.account, recall, preview.sender):
            notice = _replace(preview, text="", state="recalled", recalled_by=self.account)
            self.head = _replace(self.head, preview=notice if recall.notice else pending.older)
        self.retracted |= {
            message.seq: message
            for message in pending.messages
            if is_countable(message, self.account)
            and _may_recall(self.account, recall, message.sender)
        }

    def _delete(self, delete: DeleteMessages, pending: Pending) -> None:
        preview = self.head.preview
        if preview is not None and preview.seq in delete.seqs:
            self.head = _replace(self.head, preview=pending.older)
        self.retracted |= {
            message.seq: message
            for message in pending.messages
            if is_countable(message, self.account)
        }

    def _edit(self, edit: Edit) -> None:
        preview = self._shown(edit.seq)
        if preview is not None and preview.sender == self.account:
            anew = _replace(preview, text=preview_text(edit.text), state="edited")
            self.head = _replace(self.head, preview=anew)

    def _shown(self, seq: int) -> Preview | None:
        """Return the preview, if it is that of a message which can still be changed."""
        preview = self.head.preview
        if preview is None or preview.seq != seq or preview.state in RETRACTED:
            return None
        return preview

    def _position_of_all(self, membership: Membership, pending: Pending) -> Position:
        seq = pending.seqs[self.conversation]
        covered = _replace(pending, seen_seq=seq, left=0)
        return self._position(membership, seq, covered)

    def _position(
        self, membership: Membership, seq: int, pending: Pending, *, back: bool = False
    ) -> Position:
        """Return where a command ends, counted as well as this device can (rule 1)."""
        if seq >= self.newest:
            return Position(self.head.last_seq, self.head.ordinal)
        own = membership.skipped_after_read
        most = self.newest - seq
        known = most if pending.left is None else pending.left + self.newest - pending.seen_seq
        left = min(most, known) if back else min(most, known, unread(self.head, membership))
        return Position(seq, self.head.ordinal - own - left, own)


def _may_recall(account: str, recall: Recall, sender: str) -> bool:
    """Tell whether a node may say yes: who owns a team a device cannot know alone (P2)."""
    return sender == account or not is_p2p(recall.conversation)


def _head_in(row: InboxEntry) -> Head:
    p2p = is_p2p(row.conversation)
    # Which of the two is the peer does not matter: nobody sees the other one here.
    face = Face(row.name or "", row.avatar) if p2p else NO_FACE
    return Head(
        version=row.version,
        last_seq=row.last_seq,
        ordinal=row.unread,
        time_ms=row.time_ms,
        activity_ms=row.activity_ms,
        preview=row.preview,
        name=None if p2p else row.name,
        faces=(face, face),
        avatar="" if p2p else row.avatar,
    )


def _membership_in(row: InboxEntry) -> Membership:
    return Membership(
        version=row.version,
        read_seq=row.read_seq,
        cleared_seq=row.cleared_seq,
        read_epoch=row.read_epoch,
        marked_unread=row.read_epoch if row.marked_unread else 0,
        draft=row.draft,
        mute=row.mute,
        alias=row.alias,
        pin=row.pin,
        archived=Archived(row.last_seq, row.unread, 0, _NO_COMMIT) if row.archived else None,
        mute_until_ms=row.mute_until_ms,
        labels=row.labels,
        extension=row.extension,
    )


def _status_of(pending: Pending) -> Status:
    if pending.failed:
        return "failed"
    return "sending" if pending.version is None else "sent"
