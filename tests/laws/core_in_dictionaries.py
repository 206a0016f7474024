"""The core with nothing around it: heads and memberships in dictionaries, no node, no store.

It has the oracle's methods, so that one history can be told to both. Who may do what is not its
business: the oracle is told first, and a history goes on only with what it accepts.

Rules of this file:

1. What a row shows comes from the functions of ``core`` alone; ``core_rooms`` adds only what a
   store does.
2. Every call is one commit with a number of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from recents.core.commands import (
    AddLabel,
    Archive,
    Mute,
    MuteLevel,
    Pin,
    Post,
    RemoveLabel,
    RowCommand,
    SetExtension,
    Unarchive,
    Unpin,
)
from recents.core.entry import InboxEntry, entry_of, is_visible, row_version
from recents.core.explain import Explanation, Recount, positions_of
from recents.core.face import NO_FACE, Face, changed_face
from recents.core.head import (
    Head,
    absorb,
    amend,
    dismissed,
    next_message,
    recall_notice,
    renamed,
    retract,
    with_avatar,
    with_face,
    with_receipt,
)
from recents.core.ids import (
    Conversation,
    ConversationKey,
    is_p2p,
    key_of,
    kind_of,
    named_by,
    parties_of,
)
from recents.core.marks import aliased, mute_ended, organized
from recents.core.membership import (
    Membership,
    after_own_removal,
    after_own_send,
    first_readable,
    head_seen,
    is_present,
    joined,
    parted,
    read_upto,
    unread_from,
    unread_marked,
    was_archived,
    with_draft,
    without_history,
    without_row,
)
from recents.core.message import RETRACTED, edited, recalled, vanished
from recents.core.ordering import place_of
from recents.core.replica import Gone
from recents.core.totals import Totals, totals_of
from tests.laws.core_rooms import Room


class CoreInDictionaries:
    """Applies a history with the functions of the core; the methods are the oracle's."""

    def __init__(self) -> None:
        self.version = 0
        self._rooms: dict[ConversationKey, Room] = {}
        self._faces: dict[str, Face] = {}

    # Teams.

    def create_team(
        self, team: str, *, owner: str, members: Iterable[str] = (), name: str = "", at_ms: int
    ) -> None:
        version = self._next_version()
        room = Room(Head(version=version, name=name, owner=owner))
        self._rooms[ConversationKey(team)] = room
        self._join(room, [owner, *members], at_ms, version)

    def add_members(self, team: str, accounts: Iterable[str], *, at_ms: int) -> None:
        self._join(self._rooms[ConversationKey(team)], accounts, at_ms, self._next_version())

    def remove_member(self, team: str, account: str) -> None:
        self._part(team, account, removed=True)

    def leave(self, team: str, account: str) -> None:
        self._part(team, account, removed=False)

    def dismiss(self, team: str) -> None:
        room = self._rooms[ConversationKey(team)]
        room.head = dismissed(room.head, self._next_version())

    def rename(self, team: str, name: str) -> None:
        room = self._rooms[ConversationKey(team)]
        room.head = renamed(room.head, name, self._next_version())

    def set_team_avatar(self, team: str, avatar: str) -> None:
        room = self._rooms[ConversationKey(team)]
        room.head = with_avatar(room.head, avatar, self._next_version())

    # Messages.

    def post(
        self,
        sender: str,
        conversation: str,
        *,
        client_id: str,
        at_ms: int,
        kind: str = "text",
        text: str = "",
        counts: bool = True,
        bumps: bool = True,
        previews: bool = True,
        displayed_seq: int | None = None,
        marks_known: int | None = None,
        mentions: Iterable[str] = (),
    ) -> int:
        key = key_of(sender, Conversation(conversation))
        room = self._rooms.get(key)
        if room is not None and (sender, client_id) in room.seqs:
            return room.seqs[sender, client_id]
        version = self._next_version()
        if displayed_seq is not None and room is not None and sender in room.members:
            epoch = room.epoch(sender, marks_known)
            self._read(key, sender, displayed_seq, version, epoch)
        post = Post(
            id="1",
            conversation=Conversation(conversation),
            client_id=client_id,
            kind=kind,
            text=text,
            counts=counts,
            bumps=bumps,
            previews=previews,
            mentions=tuple(mentions),
        )
        if room is None:
            room = self._rooms[key] = Room(self._begun(key))
        if is_p2p(key):
            self._join(room, [sender, conversation.removeprefix("p2p:")], at_ms, version)
        assert is_present(room.head, room.members[sender])
        message = next_message(room.head, post, sender, at_ms)
        room.messages.append(message)
        room.seqs[sender, client_id] = message.seq
        room.head = absorb(room.head, message, version)
        room.members[sender] = after_own_send(room.members[sender], message, version)
        return message.seq

    def recall(self, account: str, conversation: str, seq: int, *, notice: bool = True) -> None:
        room = self._rooms[key_of(account, Conversation(conversation))]
        message = room.messages[seq - 1]
        if message.state in RETRACTED:
            return
        room.keep(message)
        fallback = recall_notice(message, account) if notice else room.newest_preview(None, seq)
        room.messages[seq - 1] = recalled(message, account) if notice else vanished(message)
        room.head = retract(room.head, message, self._next_version(), fallback=fallback)
        room.changes[seq] = room.head.changes

    def edit(
        self,
        account: str,
        conversation: str,
        seq: int,
        text: str,
        mentions: Iterable[str] = (),
    ) -> None:
        room = self._rooms[key_of(account, Conversation(conversation))]
        message = room.messages[seq - 1]
        room.keep(message)
        room.messages[seq - 1] = edited(message, text, tuple(mentions))
        room.head = amend(room.head, room.messages[seq - 1], self._next_version())

    def delete_message(self, account: str, conversation: str, seq: int) -> None:
        room = self._rooms[key_of(account, Conversation(conversation))]
        if seq in room.hidden_from(account):
            return
        room.hidden_from(account).add(seq)
        room.members[account] = after_own_removal(
            room.members[account], account, room.messages[seq - 1], self._next_version()
        )

    # Reading and deleting.

    def read(
        self,
        account: str,
        conversation: str,
        upto_seq: int | None = None,
        *,
        marks_known: int | None = None,
    ) -> None:
        version = self._next_version()
        for key, seq in self._places(account, {conversation: upto_seq}):
            epoch = self._rooms[key].epoch(account, marks_known)
            self._read(key, account, seq, version, epoch)

    def read_what_a_row_showed(self, account: str, row: InboxEntry) -> None:
        """What a device sends: it knows no marks, but the row's epoch."""
        version = self._next_version()
        for key, seq in self._places(account, {row.conversation: row.last_seq}):
            self._read(key, account, seq, version, row.read_epoch)

    def read_all(
        self,
        account: str,
        kinds: Collection[str] | None = None,
        upto: Mapping[str, int] | None = None,
        *,
        marks_known: Mapping[str, int] | None = None,
        archives_known: Collection[str] | None = None,
    ) -> None:
        version = self._next_version()
        for key, seq in self._covered(account, kinds, upto, archives_known):
            known = None if marks_known is None else marks_known.get(named_by(account, key), 0)
            epoch = self._rooms[key].epoch(account, known)
            self._read(key, account, seq, version, epoch)

    def read_all_as_at(self, account: str, upto: Mapping[str, int], epoch: int) -> None:
        """What a device sends: it knows no marks, but its token's version."""
        version = self._next_version()
        for key, seq in self._covered(account, None, upto, heard_of=epoch):
            self._read(key, account, seq, version, epoch)

    def delete(
        self,
        account: str,
        conversation: str,
        upto_seq: int | None = None,
        *,
        clear_history: bool = False,
    ) -> None:
        version = self._next_version()
        for key, seq in self._places(account, {conversation: upto_seq}):
            self._delete(key, account, seq, version, clear_history)

    def delete_all(
        self,
        account: str,
        kinds: Collection[str] | None = None,
        upto: Mapping[str, int] | None = None,
        *,
        clear_history: bool = False,
        archives_known: Collection[str] | None = None,
    ) -> None:
        version = self._next_version()
        for key, seq in self._covered(account, kinds, upto, archives_known):
            self._delete(key, account, seq, version, clear_history)

    def clear_history(self, account: str, conversation: str, upto_seq: int | None = None) -> None:
        version = self._next_version()
        for key, seq in self._places(account, {conversation: upto_seq}):
            room = self._rooms[key]
            room.members[account] = without_history(
                room.members[account], room.position(account, seq), version
            )

    # Marks, drafts, mutes.

    def mark_unread(self, account: str, conversation: str) -> None:
        version = self._next_version()
        for key, _ in self._places(account, {conversation: None}):
            room = self._rooms[key]
            if is_visible(room.head, room.members[account]):
                room.members[account] = unread_marked(room.members[account], version)
                room.marks.setdefault(account, []).append(version)

    def mark_unread_from(self, account: str, conversation: str, seq: int) -> None:
        version = self._next_version()
        room = self._rooms[key_of(account, Conversation(conversation))]
        before = max(seq - 1, first_readable(room.members[account]))
        position = room.position(account, before)
        room.members[account] = unread_from(room.members[account], position, version)
        room.marks.setdefault(account, []).append(version)

    def set_draft(self, account: str, conversation: str, text: str = "", *, at_ms: int) -> None:
        version = self._next_version()
        key = key_of(account, Conversation(conversation))
        room = self._rooms.get(key)
        if room is None or account not in room.members:
            if not text:
                return
            room = self._rooms.setdefault(key, Room(self._begun(key)))
            self._join(room, [account], at_ms, version)
        room.members[account] = with_draft(room.members[account], text, at_ms, version)

    def mute(
        self,
        account: str,
        conversation: str,
        level: MuteLevel | None = None,
        until_ms: int | None = None,
        *,
        at_ms: int = 0,
    ) -> None:
        name = Conversation(conversation)
        command = Mute(id="1", conversation=name, level=level, until_ms=until_ms)
        self._organize(account, command, at_ms)

    def end_mute(self, account: str, conversation: str, *, at_ms: int) -> None:
        version = self._next_version()
        for key, _ in self._places(account, {conversation: None}):
            room = self._rooms[key]
            room.members[account] = mute_ended(room.head, room.members[account], at_ms, version)

    def pin(
        self, account: str, conversation: str, rank: int, ext: str = "", *, at_ms: int
    ) -> None:
        command = Pin(id="1", conversation=Conversation(conversation), rank=rank, ext=ext)
        self._organize(account, command, at_ms)

    def unpin(self, account: str, conversation: str) -> None:
        self._organize(account, Unpin(id="1", conversation=Conversation(conversation)))

    def archive(self, account: str, conversation: str, upto_seq: int | None = None) -> None:
        name = Conversation(conversation)
        self._organize(account, Archive(id="1", conversation=name, upto_seq=upto_seq))

    def unarchive(self, account: str, conversation: str) -> None:
        self._organize(account, Unarchive(id="1", conversation=Conversation(conversation)))

    def add_label(self, account: str, conversation: str, label: str) -> None:
        name = Conversation(conversation)
        self._organize(account, AddLabel(id="1", conversation=name, label=label))

    def remove_label(self, account: str, conversation: str, label: str) -> None:
        name = Conversation(conversation)
        self._organize(account, RemoveLabel(id="1", conversation=name, label=label))

    def set_extension(self, account: str, conversation: str, text: str = "") -> None:
        name = Conversation(conversation)
        self._organize(account, SetExtension(id="1", conversation=name, text=text))

    def archives_before(self, account: str, version: int) -> set[str]:
        """The conversations that stand archived since a commit, or one before it."""
        return {
            named_by(account, key)
            for key, room in self._rooms.items()
            if account in room.members
            and (archived := room.members[account].archived) is not None
            and archived.version <= version
        }

    def _organize(self, account: str, command: RowCommand, at_ms: int = 0) -> None:
        version = self._next_version()
        upto = command.upto_seq if isinstance(command, Archive) else None
        for key, seq in self._places(account, {command.conversation: upto}):
            room = self._rooms[key]
            position = room.position(account, seq)
            room.members[account] = organized(
                room.head, room.members[account], command, at_ms, version, position
            )

    def set_alias(self, account: str, conversation: str, alias: str = "") -> None:
        version = self._next_version()
        for key, _ in self._places(account, {conversation: None}):
            members = self._rooms[key].members
            members[account] = aliased(members[account], alias, version)

    def set_profile(
        self, account: str, *, name: str | None = None, avatar: str | None = None
    ) -> None:
        version = self._next_version()
        face = changed_face(self._faces.get(account, NO_FACE), name, avatar)
        self._faces[account] = face
        for key, room in self._rooms.items():
            if is_p2p(key) and account in parties_of(key):
                room.head = with_face(room.head, key, account, face, version)

    # Questions.

    def rows(self, account: str) -> list[InboxEntry]:
        return sorted(self.changed_since(account, -1)[0], key=place_of)

    def totals(self, account: str) -> Totals:
        return totals_of(self.rows(account))

    def explain(self, account: str, row: InboxEntry) -> Explanation:
        room = self._rooms[key_of(account, row.conversation)]
        membership = room.members[account]
        recount = Recount(account, membership, frozenset(room.hidden_from(account)))
        changes = head_seen(room.head, membership).changes
        recount.take([room.as_at(one, changes) for one in room.seen_by(account)])
        return recount.explanation(
            row, positions_of(row, membership), joined_ms=membership.joined_ms
        )

    def changed_since(self, account: str, version: int) -> tuple[list[InboxEntry], list[Gone]]:
        """What a device must be told that has everything up to ``version``."""
        rows, gone = [], []
        for key, room in self._rooms.items():
            membership = room.members.get(account)
            if membership is None or row_version(room.head, membership) <= version:
                continue
            name = named_by(account, key)
            if is_visible(room.head, membership):
                rows.append(self._entry(account, name, room, membership))
            else:
                version_gone = row_version(room.head, membership)
                gone.append(Gone(name, version_gone, membership.cleared_seq))
        return rows, gone

    def _entry(
        self, account: str, name: Conversation, room: Room, membership: Membership
    ) -> InboxEntry:
        return entry_of(account, name, room.head, membership, room.tally(account))

    # Steps.

    def _begun(self, key: ConversationKey) -> Head:
        first, second = parties_of(key)
        return Head(faces=(self._faces.get(first, NO_FACE), self._faces.get(second, NO_FACE)))

    def _next_version(self) -> int:
        self.version += 1
        return self.version

    def _join(self, room: Room, accounts: Iterable[str], at_ms: int, version: int) -> None:
        for account in accounts:
            previous = room.members.get(account)
            if previous is None or previous.parting is not None:
                room.members[account] = joined(room.head, at_ms, version, previous)

    def _part(self, team: str, account: str, *, removed: bool) -> None:
        room = self._rooms[ConversationKey(team)]
        membership = room.members.get(account)
        if membership is None or membership.parting is not None:
            return
        room.members[account] = parted(
            membership, room.head, self._next_version(), removed=removed
        )

    def _read(
        self, key: ConversationKey, account: str, seq: int, version: int, epoch: int | None
    ) -> None:
        room = self._rooms[key]
        position = room.position(account, seq)
        room.members[account] = read_upto(room.members[account], position, version, epoch)
        if is_p2p(key):
            room.head = with_receipt(room.head, key, account, seq, version)

    def _delete(
        self, key: ConversationKey, account: str, seq: int, version: int, clear_history: bool
    ) -> None:
        room = self._rooms[key]
        room.members[account] = without_row(
            room.members[account],
            room.position(account, seq),
            version,
            clear_history=clear_history,
        )

    def _places(
        self, account: str, wanted: Mapping[str, int | None]
    ) -> list[tuple[ConversationKey, int]]:
        """Up to where a command goes in the conversations that the account knows (R2, D6)."""
        places = []
        for name, upto_seq in wanted.items():
            key = key_of(account, Conversation(name))
            room = self._rooms.get(key)
            membership = room.members.get(account) if room else None
            if room is not None and membership is not None:
                newest = head_seen(room.head, membership).last_seq
                places.append((key, newest if upto_seq is None else upto_seq))
        return places

    def _covered(
        self,
        account: str,
        kinds: Collection[str] | None,
        upto: Mapping[str, int] | None,
        archives_known: Collection[str] | None = None,
        *,
        heard_of: int | None = None,
    ) -> list[tuple[ConversationKey, int]]:
        """What a command on many rows covers: those in the main list, and up to where."""
        listed = {row.conversation: None for row in self.rows(account)}
        wanted = listed if upto is None else upto
        places = self._places(
            account,
            {
                name: seq
                for name, seq in wanted.items()
                if name in listed and (kinds is None or kind_of(Conversation(name)) in kinds)
            },
        )
        return [
            (key, seq)
            for key, seq in places
            if (archives_known is not None and named_by(account, key) not in archives_known)
            or not was_archived(
                self._rooms[key].members[account],
                self._rooms[key].own_position(account, seq),
                heard_of,
            )
        ]
