"""The frames, as ``docs/protocol.md`` describes them (sections 2–5).

Rules of this file:

1. A frame is a JSON object whose ``type`` says which; what a device asks for has an ``id``.
2. Commands and rows are the values of the core; there is no second shape of them.
3. A field with its default value is left out.
"""

from __future__ import annotations

import msgspec

from recents.core.commands import AnyCommand
from recents.core.entry import InboxEntry
from recents.core.errors import Code
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.replica import Gone
from recents.core.totals import Totals

PROTOCOL_VERSION = 1


class _Strict(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """From a device: an unknown field is a mistake that the developer wants to hear of."""


class _Lenient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """From the node: a device skips what it does not know, so that nodes can grow."""


class Hello(_Strict, tag="hello", frozen=True):
    """A device introduces itself.

    Attributes:
        protocol: the version of the protocol that the device speaks.
        account: who logs in.
        token: the secret that was given out for this account.
        device: a name for the device, for lists and logs.
        device_id: tells this device from the account's others, made by it once; "" where it keeps
            none. A second connection of the same device ends the first.
        deflate: the device takes binary messages, which are text messages deflated.
        since: the sync token up to which the device has everything; None on a first start.
    """

    protocol: int
    account: str
    token: str
    device: str = ""
    device_id: str = ""
    deflate: bool = False
    since: str | None = None


class ListRows(_Strict, tag="list", frozen=True):
    """Ask for a page of rows with the totals.

    Attributes:
        archived: only archived rows, only others, or both (None).
    """

    id: str
    limit: int = 50
    cursor: str | None = None
    archived: bool | None = False


class History(_Strict, tag="history", frozen=True):
    """Ask for messages of a conversation before ``before_seq``, the newest ones of them."""

    id: str
    conversation: Conversation
    before_seq: int | None = None
    limit: int = 50


class TeamMembers(_Strict, tag="team_members", frozen=True):
    """Ask for the present members of a team, in byte order, after an account id."""

    id: str
    conversation: Conversation
    after: str = ""
    limit: int = 1_000


class MyTeams(_Strict, tag="my_teams", frozen=True):
    """Ask for the teams that the account is in."""

    id: str


class Explain(_Strict, tag="explain", frozen=True):
    """Ask why a row shows what it shows (U1)."""

    id: str
    conversation: Conversation


class MyDevices(_Strict, tag="my_devices", frozen=True):
    """Ask for the devices of the account."""

    id: str


class RevokeDevice(_Strict, tag="revoke_device", frozen=True):
    """End a device: its connection, and every one that it may try from now on."""

    id: str
    device_id: str


class LookUpProfiles(_Strict, tag="profiles", frozen=True):
    """Ask for the faces of accounts that share a conversation with the one that asks."""

    id: str
    accounts: tuple[str, ...]


class MyMentions(_Strict, tag="mentions", frozen=True):
    """Ask for the messages behind the mentions of a row, oldest first, after a ``seq``."""

    id: str
    conversation: Conversation
    after_seq: int = 0
    limit: int = 1_000


Question = ListRows | History | TeamMembers | MyTeams | Explain | LookUpProfiles | MyMentions
DeviceQuery = MyDevices | RevokeDevice
Query = Question | DeviceQuery
DeviceFrame = Hello | AnyCommand | Query


class Welcome(_Lenient, tag="welcome", frozen=True):
    """The node accepts a device.

    Attributes:
        time_ms: the node's clock when the connection was opened.
        heartbeat_s: seconds of silence after which the node pings; silent for half as long
            again, the device is gone.
    """

    protocol: int
    account: str
    time_ms: int
    heartbeat_s: float


class CaughtUp(_Lenient, tag="caught_up", frozen=True):
    """A page of what changed since the token of the greeting.

    Attributes:
        reset: on the first page: the rows of this catch-up are all there are; forget others.
        totals: on the first page after a reset: the sums over all rows, also those to come.
        token: on the last page: the device now has everything up to here.
        amended: messages that became others since the token of the greeting; see ``Changed``.
    """

    rows: tuple[InboxEntry, ...] = ()
    gone: tuple[Gone, ...] = ()
    reset: bool = False
    totals: Totals | None = None
    token: str | None = None
    amended: dict[Conversation, tuple[Message, ...]] = {}


class Changed(_Lenient, tag="changed", frozen=True):
    """Rows that changed, as they are now, and the new messages in them.

    Attributes:
        messages: new messages per conversation, oldest first; after a burst only the newest.
        token: the device now has everything up to here; None: this change goes on in the next
            frame and is one change with it (D4).
        amended: older messages that were recalled, edited or deleted for this account, as it sees
            them now: they take the place of what a device has kept of them.
    """

    token: str | None = None
    rows: tuple[InboxEntry, ...] = ()
    gone: tuple[Gone, ...] = ()
    messages: dict[Conversation, tuple[Message, ...]] = {}
    amended: dict[Conversation, tuple[Message, ...]] = {}


class Answer(_Lenient, tag="answer", frozen=True):
    """A request was carried out; ``result`` depends on the request.

    Attributes:
        version: of a command: version of the row it is about, as it stands after it, or of the
            commit that changed all the rows it is about; 0: there is no such row. A device that
            has rows up to there need not remember the command any longer.
    """

    id: str
    version: int = 0
    result: msgspec.Raw = msgspec.Raw(b"null")


class Error(_Lenient, tag="error", frozen=True):
    """A request was refused, or a frame made no sense; the connection goes on.

    Attributes:
        id: of the request; None where the frame had no readable id.
        retry_after_s: set where the same request may succeed later.
    """

    code: Code
    message: str
    id: str | None = None
    details: dict[str, str | int] = {}
    retry_after_s: float | None = None


class Bye(_Lenient, tag="bye", frozen=True):
    """The node ends the connection, and says why.

    Attributes:
        retry_after_s: seconds after which to connect again; None: not with these credentials.
    """

    code: Code
    message: str
    details: dict[str, str | int] = {}
    retry_after_s: float | None = None


NodeFrame = Welcome | CaughtUp | Changed | Answer | Error | Bye


class Posted(_Lenient, frozen=True):
    """Result of ``post``: where the message stands. Sending again gives the same (M2)."""

    seq: int
    ordinal: int
    time_ms: int


class Rows(_Lenient, frozen=True):
    """Result of ``list``."""

    rows: tuple[InboxEntry, ...]
    totals: Totals
    next_cursor: str | None = None


class Messages(_Lenient, frozen=True):
    """Result of ``history``, oldest first; ``more``: there are older ones."""

    messages: tuple[Message, ...]
    more: bool = False


class Mentions(_Lenient, frozen=True):
    """Result of ``mentions``; ``more``: ask again after the last one."""

    seqs: tuple[int, ...]
    more: bool = False


class Member(_Lenient, frozen=True):
    """One member of a team."""

    account: str
    joined_ms: int
    owner: bool = False


class Members(_Lenient, frozen=True):
    """Result of ``team_members``; ``more``: ask again after the last account."""

    members: tuple[Member, ...]
    more: bool = False


class Team(_Lenient, frozen=True):
    """One team of the account."""

    conversation: Conversation
    name: str = ""
    owner: str = ""
    avatar: str = ""


class Teams(_Lenient, frozen=True):
    """Result of ``my_teams``."""

    teams: tuple[Team, ...]


class Profile(_Lenient, frozen=True):
    """How an account looks.

    Attributes:
        name: what to call it; "" where it has not said.
        avatar: stands for its picture; "" where it has none.
        version: number of the commit that last changed either; 0: none did.
    """

    account: str
    name: str = ""
    avatar: str = ""
    version: int = 0


class Profiles(_Lenient, frozen=True):
    """Result of ``profiles``: those that may be seen, in byte order of the accounts."""

    profiles: tuple[Profile, ...]


class Device(_Lenient, frozen=True):
    """One device of the account.

    Attributes:
        name: as it called itself in its newest greeting.
        created_ms: when the node first saw it.
        seen_ms: when it was last connected; now, while it is.
        this: it is the one that asks.
    """

    device_id: str
    created_ms: int
    seen_ms: int
    name: str = ""
    connected: bool = False
    this: bool = False


class Devices(_Lenient, frozen=True):
    """Result of ``my_devices``, the one seen last first."""

    devices: tuple[Device, ...]


class Revoked(_Lenient, frozen=True):
    """Result of ``revoke_device``.

    Attributes:
        token_shared: other devices log in with the same token, so it stays good: whoever holds
            it can come back as another device. Revoke the token to end that too.
    """

    token_shared: bool = False
