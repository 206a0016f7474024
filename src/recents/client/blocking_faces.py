"""Messages, teams, devices and profiles for blocking code; see the modules of these names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from recents.client.blocking_calls import OwnThread, twin_of
from recents.client.blocking_view import removing
from recents.client.devices import Devices
from recents.client.history import HistoryPage
from recents.client.messages import Messages
from recents.client.profiles import Profiles
from recents.client.store.port import FoundMessage
from recents.client.teams import Teams
from recents.core.ids import Conversation, Kind
from recents.core.message import Message
from recents.wire.frames import Device, Member, Profile, Team


@twin_of(Messages)
class BlockingMessages:
    """The messages of one account's conversations.

    Every call raises ``CallerMistake`` for arguments that cannot be right, ``Refused`` when the
    node says no while the call waits, ``Unavailable`` when this device cannot keep a message or
    has none of those that were asked for.
    """

    def __init__(self, own: OwnThread, messages: Messages) -> None:
        """Call ``messages`` on the client's thread."""
        self._own = own
        self._messages = messages

    def send(
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
        """Send a message; returns when the node has it safely, offline when this device has."""
        return self._own.call(
            self._messages.send,
            conversation,
            text,
            kind=kind,
            attachment=attachment,
            mentions=mentions,
            counts=counts,
            bumps=bumps,
            previews=previews,
            displayed_seq=displayed_seq,
            client_id=client_id,
        )

    def retry(self, client_id: str) -> Message:
        """Send a failed message again (P4)."""
        return self._own.call(self._messages.retry, client_id)

    def discard(self, client_id: str) -> None:
        """Give up a message that failed: it vanishes from this device, which alone has it."""
        self._own.call(self._messages.discard, client_id)

    def history(
        self, conversation: str, before_seq: int | None = None, limit: int = 50
    ) -> HistoryPage:
        """Return messages of a conversation, the newest ones before ``before_seq``."""
        return self._own.call(self._messages.history, conversation, before_seq, limit)

    def search(
        self, text: str, conversation: str | None = None, limit: int = 50
    ) -> tuple[FoundMessage, ...]:
        """Return messages kept on this device that have every word of ``text``."""
        return self._own.call(self._messages.search, text, conversation, limit)

    def get(self, conversation: str, seq: int) -> Message | None:
        """Return one message, or None where there is none for this account."""
        return self._own.call(self._messages.get, conversation, seq)

    def recall(self, conversation: str, seq: int, notice: bool = True) -> None:
        """Take a message back for everybody; twice is once (P2)."""
        self._own.call(self._messages.recall, conversation, seq, notice)

    def edit(
        self, conversation: str, seq: int, text: str, *, mentions: Iterable[str] = ()
    ) -> None:
        """Give a message of one's own another text; moves no row (P3)."""
        self._own.call(self._messages.edit, conversation, seq, text, mentions=mentions)

    def delete(self, conversation: str, *seqs: int) -> None:
        """Delete messages for this account alone, on all its devices (U1, P2)."""
        self._own.call(self._messages.delete, conversation, *seqs)

    def mentions(self, conversation: str) -> tuple[int, ...]:
        """Return the ``seq`` of each unread message that mentions this account or all (G3)."""
        return self._own.call(self._messages.mentions, conversation)

    def mark_read(self, conversation: str) -> None:
        """Mark the messages of a conversation read: the same read position as the inbox's."""
        self._own.call(self._messages.mark_read, conversation)

    def on_message(
        self, listener: Callable[[Conversation, Message], object]
    ) -> Callable[[], None]:
        """Call ``listener`` with each message that arrives while connected, own ones included.

        After a burst only the newest ones of a conversation are told; a gap before their ``seq``
        shows it. What is missing is in ``history``, like everything from before the connection.

        It is called on the client's own thread; see ``BlockingInbox.on_change``.

        Returns:
            A function that ends this.
        """
        return removing(self._own, self._own.do(self._messages.on_message, listener))

    def on_status(self, listener: Callable[[Conversation, Message], object]) -> Callable[[], None]:
        """Call ``listener`` with each message of this device whenever its ``status`` changes.

        It is ``sending`` at once, then ``sent``, or ``failed`` and perhaps ``sending`` again (P4).
        ``client_id`` tells which message it is.

        It is called on the client's own thread; see ``BlockingInbox.on_change``.

        Returns:
            A function that ends this.
        """
        return removing(self._own, self._own.do(self._messages.on_status, listener))


@twin_of(Teams)
class BlockingTeams:
    """The teams of one account.

    Commands work offline, as those of ``BlockingInbox`` do; ``members`` and ``mine`` ask the node.

    Every call raises ``CallerMistake`` for arguments that cannot be right, ``Refused`` when the
    node says no while the call waits, ``Unavailable`` when this device cannot keep a command or
    the node does not answer a question.
    """

    def __init__(self, own: OwnThread, teams: Teams) -> None:
        """Call ``teams`` on the client's thread."""
        self._own = own
        self._teams = teams

    def create(
        self,
        name: str = "",
        members: Iterable[str] = (),
        *,
        id: str | None = None,
        kind: Kind | str = Kind.TEAM,
    ) -> Conversation:
        """Create a team that this account owns (T1)."""
        return self._own.call(self._teams.create, name, members, id=id, kind=kind)

    def add_members(self, team: str, accounts: Iterable[str]) -> None:
        """Add accounts to a team (T1). More than 1,000 are added by several commands."""
        self._own.call(self._teams.add_members, team, accounts)

    def remove_member(self, team: str, account: str) -> None:
        """Remove an account from a team; only its owner may (T2)."""
        self._own.call(self._teams.remove_member, team, account)

    def leave(self, team: str) -> None:
        """Leave a team; its owner cannot (T2)."""
        self._own.call(self._teams.leave, team)

    def rename(self, team: str, name: str) -> None:
        """Give a team another name; only its owner may."""
        self._own.call(self._teams.rename, team, name)

    def set_avatar(self, team: str, avatar: str) -> None:
        """Give a team another avatar, "" for none; only its owner may."""
        self._own.call(self._teams.set_avatar, team, avatar)

    def dismiss(self, team: str) -> None:
        """End a team for everybody; only its owner may (T2)."""
        self._own.call(self._teams.dismiss, team)

    def members(self, team: str) -> tuple[Member, ...]:
        """Return all present members of a team, in byte order of their accounts."""
        return self._own.call(self._teams.members, team)

    def mine(self) -> tuple[Team, ...]:
        """Return the teams that this account is in."""
        return self._own.call(self._teams.mine)


@twin_of(Devices)
class BlockingDevices:
    """The devices of one account, as the node knows them.

    Every call asks the node: it raises ``Refused`` when the node says no, ``Unavailable`` when it
    does not answer.
    """

    def __init__(self, own: OwnThread, devices: Devices) -> None:
        """Call ``devices`` on the client's thread."""
        self._own = own
        self._devices = devices

    def revoke(self, device_id: str) -> bool:
        """End a device: its connection, and every one that it may try from now on."""
        return self._own.call(self._devices.revoke, device_id)

    # Last, since from here on `list` is this method.
    def list(self) -> tuple[Device, ...]:
        """Return the devices, the one seen last first; this one has ``this`` set."""
        return self._own.call(self._devices.list)


@twin_of(Profiles)
class BlockingProfiles:
    """What this account and its contacts are called, and what they look like.

    ``set`` works offline, as the commands of ``BlockingInbox`` do; ``get`` and ``get_many`` ask
    the node, and offline tell what they know: what was asked for since the start, and what rows
    show.
    """

    def __init__(self, own: OwnThread, profiles: Profiles) -> None:
        """Call ``profiles`` on the client's thread."""
        self._own = own
        self._profiles = profiles

    def get(self, account: str | None = None) -> Profile | None:
        """Return the name and the avatar of an account, by default of one's own."""
        return self._own.call(self._profiles.get, account)

    def get_many(self, accounts: Iterable[str]) -> dict[str, Profile]:
        """Return the names and avatars of accounts; who shares no conversation is left out."""
        return self._own.call(self._profiles.get_many, accounts)

    def set(self, *, name: str | None = None, avatar: str | None = None) -> None:
        """Change this account's own name, avatar, or both, in the lists of all its contacts."""
        self._own.call(self._profiles.set, name=name, avatar=avatar)
