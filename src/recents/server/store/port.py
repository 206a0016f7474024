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
    """Who can log in."""

    account: str
    name: str
    created_ms: int


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

        Verdicts are stored with the rows, in the same commit. A store may find out about a
        ``Wanted.commands`` or ``Wanted.client_keys`` that it has only when it writes, and decide
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
        self, account: str, limit: int, after: Place | None = None
    ) -> tuple[list[Seen], Totals]:
        """Return visible rows in the order of O1 after a place, and the totals of all rows.

        Both come from the same commit (C2).
        """

    async def messages(
        self,
        key: ConversationKey,
        *,
        after_seq: int,
        before_seq: int,
        limit: int,
        account: str | None = None,
    ) -> list[Message]:
        """Return the newest messages with ``after_seq < seq < before_seq``, oldest first.

        Those that are gone are left out (P1), and those that ``account`` deleted for itself.
        """

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

    async def rename_account(self, account: str, name: str) -> bool:
        """Change the display name; False when there is no such account."""

    async def account(self, account: str) -> Account | None:
        """Return an account."""

    async def accounts(self, after: str, limit: int) -> list[Account]:
        """Return accounts in byte order, after an account id."""

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
