"""What the node needs of a store; ``tests/contracts`` holds every adapter to it (rule M1, U2).

Rules of this file:

1. A commit is durable before ``transact`` returns, and it is whole or not at all.
2. Commits are numbered; the number is the version of every row that the commit wrote.
3. Reads see whole commits, at least everything that was committed when they began.
4. An adapter turns its driver's errors into ``StoreFailed`` or ``StoreUnusable``, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

import msgspec

from recents.core.entry import NO_TALLY, InboxEntry, Tally, entry_of
from recents.core.errors import RecentsError
from recents.core.head import Head
from recents.core.ids import Conversation, ConversationKey
from recents.core.membership import Membership
from recents.core.message import Message
from recents.core.ordering import Place
from recents.core.totals import Totals
from recents.server.store.workspace import MembershipId, Wanted, Workspace


class StoreFailed(RecentsError):
    """A read or a commit failed: nothing of it was stored. The next one may succeed."""


class StoreUnusable(RecentsError):
    """The store cannot be opened: damaged, from a newer version, not writable, in use."""


AMENDED_AT_ONCE = 200
"""As many messages of a conversation as a device keeps."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A head, a membership and a tally that make a row."""

    account: str
    key: ConversationKey
    conversation: Conversation
    head: Head
    membership: Membership
    tally: Tally = NO_TALLY

    def entry(self) -> InboxEntry:
        """Return the row that they make."""
        return entry_of(self.account, self.conversation, self.head, self.membership, self.tally)


class Account(msgspec.Struct, frozen=True):
    """Who can log in, and the face that it shows.

    Attributes:
        version: number of the commit that last changed its face; 0: it is as it was made.
    """

    account: str
    name: str
    created_ms: int
    avatar: str = ""
    version: int = 0


class Token(msgspec.Struct, frozen=True):
    """A secret that was given out; only its SHA-256 is stored.

    Attributes:
        token_id: names the token without revealing it.
        digest: SHA-256 of the secret, 32 bytes.
        revoked_ms: when it was revoked; None while it is good.
    """

    token_id: str
    account: str
    digest: bytes
    label: str
    created_ms: int
    revoked_ms: int | None = None


class KnownDevice(msgspec.Struct, frozen=True):
    """A device that has greeted.

    Attributes:
        device_id: made by the device; tells it from the account's others.
        name: as it called itself last.
        token_id: with which token it greeted last.
        created_ms: when it greeted first.
        seen_ms: when it was connected last.
        revoked_ms: when it was revoked; None while it may connect.
    """

    account: str
    device_id: str
    name: str
    token_id: str
    created_ms: int
    seen_ms: int
    revoked_ms: int | None = None


class KeptAnswer(msgspec.Struct, frozen=True):
    """What is known of a call with an idempotency key.

    Attributes:
        caller: the account whose token it was; "" for the admin key.
        key: the idempotency key.
        digest: SHA-256 of what was asked.
        at_ms: when it was begun.
        status: of the answer; 0 while there is none.
        body: of the answer.
    """

    caller: str
    key: str
    digest: bytes
    at_ms: int
    status: int = 0
    body: bytes = b""


class MuteEnd(msgspec.Struct, frozen=True):
    """A mute that ends by itself (G2).

    Attributes:
        until_ms: when.
        version: number of the commit that last changed the membership.
    """

    account: str
    key: ConversationKey
    until_ms: int
    version: int


class Webhook(msgspec.Struct, frozen=True):
    """Where committed messages are told.

    Attributes:
        webhook_id: names it.
        url: of the receiver.
        events: what it hears of.
        secret: signs what is told.
        position: everything up to here has been told.
        failing_since_ms: since when it does not get on; None: all goes well.
        disabled_ms: since when it is left alone; None: it is not.
        failure: why the last attempt failed; "": it did not.
    """

    webhook_id: str
    url: str
    events: tuple[str, ...]
    secret: str
    created_ms: int
    position: int
    failing_since_ms: int | None = None
    disabled_ms: int | None = None
    failure: str = ""


class Placed(msgspec.Struct, frozen=True):
    """A message and its place among those of all conversations, in the order of the commits."""

    position: int
    key: ConversationKey
    message: Message


class TeamMember(msgspec.Struct, frozen=True):
    """A present member of a team."""

    account: str
    joined_ms: int


class Store(Protocol):
    """Accounts, messages, heads and memberships, kept durably."""

    @property
    def epoch(self) -> str:
        """Names this store's line of versions; another store, or a restored one, has another."""

    @property
    def version(self) -> int:
        """Number of the newest commit; 0 when there is none."""

    @property
    def rows_written(self) -> int:
        """Rows of messages, heads and memberships written since it was opened; for tests."""

    async def open(self) -> None:
        """Make it ready, creating or migrating it where needed.

        Raises:
            StoreUnusable: it cannot be used, with what to do.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of files and connections."""

    async def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        """Load what is wanted, let ``decide`` change it, commit the changes durably.

        ``decide`` runs without I/O and may run more than once, each time on a new workspace; only
        the last one counts. Transactions happen one after another. Where nothing changed, nothing
        is committed and ``version`` stays.

        Verdicts and faces are stored with the rows, in the same commit. A store may find out about
        a ``Wanted.commands`` or ``Wanted.client_keys`` that it has only when it writes, and decide
        again with what it found: a repeated command costs a look-up, a new one none.

        Raises:
            StoreFailed: nothing was stored.
        """

    async def forget_verdicts(self, before_ms: int) -> int:
        """Forget some of the verdicts from before a time, the oldest first; return how many.

        0: there are none left from before it.
        """

    async def head(self, key: ConversationKey) -> Head | None:
        """Return the head of a conversation."""

    async def look(self, pairs: Collection[MembershipId]) -> list[Seen]:
        """Return what makes the rows of these memberships; unknown pairs are left out."""

    async def changed_since(self, account: str, version: int) -> list[Seen]:
        """Return the account's memberships of which the row changed after a version; 0: all."""

    async def page(
        self,
        account: str,
        limit: int,
        after: Place | None = None,
        *,
        archived: bool | None = False,
    ) -> tuple[list[Seen], Totals]:
        """Return visible rows in the order of O1 after a place, and the totals of all rows.

        ``archived`` says which rows: only such, only others, or both (None); the totals leave
        them out in any case (G4). Both come from the same commit (C2).
        """

    async def mutes_ending(self, upto_ms: int, limit: int) -> list[MuteEnd]:
        """Return mutes that end up to a time, the earliest first (G2)."""

    async def next_mute_end(self) -> int | None:
        """Return when the next mute ends by itself; None: none does."""

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
        """Return the newest messages with ``after_seq < seq < before_seq``, oldest first.

        Those that are gone are left out (P1) unless ``gone`` asks for them, and those that
        ``account`` deleted for itself.
        """

    async def hidden_from(self, account: str, key: ConversationKey) -> frozenset[int]:
        """Return the seqs of the messages that an account deleted for itself (U1)."""

    async def changed_after(self, key: ConversationKey, changes: int) -> frozenset[int]:
        """Return the seqs of the messages recalled or edited after so many changes (T2)."""

    async def amended_since(
        self, account: str, version: int
    ) -> dict[ConversationKey, list[Message]]:
        """Return the messages that became others for an account after a version, oldest first.

        They are as it sees them now; those that it deleted for itself are gone. Of each
        conversation at most ``AMENDED_AT_ONCE``, the newest; who has left is told of no recall
        or edit (T2).
        """

    async def mentions(
        self, account: str, key: ConversationKey, after_seq: int, limit: int
    ) -> list[int]:
        """Return the seqs of the messages behind the row's mentions, oldest first (G3)."""

    async def members(self, key: ConversationKey, after: str, limit: int) -> list[TeamMember]:
        """Return present members of a team in byte order, after an account id."""

    async def count_members(self, key: ConversationKey) -> int:
        """Return the number of present members of a team."""

    async def teams_of(self, account: str) -> list[tuple[ConversationKey, Head]]:
        """Return the teams that the account is in and that have not been dismissed."""

    async def create_account(self, account: Account) -> bool:
        """Store a new account; False when the id is taken, which changes nothing."""

    async def account(self, account: str) -> Account | None:
        """Return an account."""

    async def accounts(self, after: str, limit: int) -> list[Account]:
        """Return accounts in byte order, after an account id."""

    async def contacts(self, account: str, wanted: Collection[str]) -> list[Account]:
        """Return those of the wanted accounts that an account knows, in byte order.

        It knows itself, whom it has a P2P row with, and who is or was in a team that it is in.
        """

    async def add_token(self, token: Token) -> None:
        """Store a token."""

    async def token(self, digest: bytes) -> Token | None:
        """Return the token with this digest, revoked or not."""

    async def tokens_of(self, account: str) -> list[Token]:
        """Return all tokens of an account, oldest first, revoked ones included."""

    async def revoke_tokens(
        self, account: str, at_ms: int, token_id: str | None = None
    ) -> list[str]:
        """Revoke one token or all of an account; return the ids that were good until now."""

    async def put_devices(self, devices: Collection[KnownDevice], most: int) -> None:
        """Note devices as they are now; of a known one ``created_ms`` and ``revoked_ms`` stay.

        Of each of these accounts at most ``most`` devices are kept: those that were seen longest
        ago are forgotten, revoked ones last.
        """

    async def device(self, account: str, device_id: str) -> KnownDevice | None:
        """Return a device."""

    async def devices_of(self, account: str) -> list[KnownDevice]:
        """Return all devices of an account, the one seen last first, then by ``device_id``."""

    async def revoke_device(self, account: str, device_id: str, at_ms: int) -> bool:
        """Revoke a device; False when there is no such device, or it was revoked before."""

    async def begin_answer(self, begun: KeptAnswer, after_ms: int) -> KeptAnswer | None:
        """Note that a call was begun; where it was before, return what is known instead.

        What was begun before ``after_ms`` counts as never begun.
        """

    async def keep_answer(self, kept: KeptAnswer) -> None:
        """Note how a call ended; nothing, where it is not known any more."""

    async def forget_answers(self, before_ms: int, most: int) -> int:
        """Forget some keys, the oldest first; return how many.

        Those from before a time are forgotten, and those beyond a number. 0: there are none left.
        """

    async def add_webhook(self, webhook: Webhook) -> None:
        """Store a webhook."""

    async def webhooks(self) -> list[Webhook]:
        """Return all webhooks, oldest first, then by id."""

    async def note_webhook(self, webhook: Webhook) -> bool:
        """Note position and state of a webhook; False when there is none with this id."""

    async def remove_webhook(self, webhook_id: str) -> bool:
        """Forget a webhook; False when there is none with this id."""

    async def messages_behind(self, position: int, limit: int) -> list[Placed]:
        """Return messages of all conversations behind a position, the oldest first.

        Positions rise with the commits and, in a conversation, with ``seq``.
        """

    async def newest_position(self) -> int:
        """Return the position of the newest message; 0 when there is none."""
