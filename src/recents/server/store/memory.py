"""A store that forgets everything at its end: for tests and for trying things out.

Rules of this file:

1. It is the plain meaning of the port: rows come from the functions of ``core``, each look-up is
   the obvious one. Where another store answers differently, that one is wrong.
2. Nothing awaits in the middle of a method, so every method is one step for all others.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable

import msgspec

from recents.core.entry import is_visible, row_version
from recents.core.face import Face
from recents.core.head import Head
from recents.core.ids import ConversationKey, is_p2p, named_by, parties_of
from recents.core.membership import first_readable
from recents.core.ordering import Place, place_of
from recents.core.totals import Totals, totals_of
from recents.server.store.memory_calls import CallMemory
from recents.server.store.memory_messages import MemoryMessages
from recents.server.store.port import (
    Account,
    KnownDevice,
    MuteEnd,
    Seen,
    StoreFailed,
    TeamMember,
    Token,
)
from recents.server.store.workspace import (
    CommandId,
    Loaded,
    MembershipId,
    Verdict,
    Wanted,
    Workspace,
)


class MemoryStore(CallMemory, MemoryMessages):
    """Accounts, messages, heads and memberships in dictionaries.

    Args:
        epoch: names its line of versions; by default one that never comes again, since a node
            that starts anew with this store starts again at version 0.
    """

    def __init__(self, epoch: str | None = None) -> None:
        super().__init__()
        self._epoch = epoch or f"{secrets.randbits(64):016x}"
        self._version = 0
        self._accounts: dict[str, Account] = {}
        self._tokens: dict[bytes, Token] = {}
        self._verdicts: dict[CommandId, Verdict] = {}
        self._devices: dict[str, dict[str, KnownDevice]] = {}

    @property
    def epoch(self) -> str:
        """Names this store's line of versions."""
        return self._epoch

    @property
    def version(self) -> int:
        """Number of the newest commit; 0 when there is none."""
        return self._version

    @property
    def rows_written(self) -> int:
        """Rows of messages, heads and memberships written since it was opened; for tests."""
        return self._rows_written

    async def open(self) -> None:
        """Make it ready; here there is nothing to do."""

    async def close(self) -> None:
        """Let go of files; here there are none, and what is in it stays readable."""

    # Transactions

    async def transact(self, wanted: Wanted, decide: Callable[[Workspace], None]) -> Workspace:
        """Load what is wanted, let ``decide`` change it, commit the changes.

        Raises:
            StoreFailed: nothing was stored.
        """
        workspace = Workspace(self._version + 1, self._load(wanted))
        decide(workspace)
        if workspace.changed or workspace.verdicts:
            _check_encodable(workspace)
            self._check_unique(workspace)
            self._commit(workspace)
        return workspace

    def _load(self, wanted: Wanted) -> Loaded:
        talks = {account: self._talks(account) for account in wanted.talks}
        pairs = wanted.memberships | {
            (account, key) for account in wanted.inboxes for key in self._inbox(account)
        }
        keys = wanted.heads.union(*(self._inbox(account) for account in wanted.inboxes))
        for found in talks.values():
            keys |= found
            pairs |= {(party, key) for key in found for party in parties_of(key)}
        memberships = {(account, key): self._inbox(account).get(key) for account, key in pairs}
        floors = {
            (account, key, first_readable(self._inboxes[account][key]))
            for account, key in wanted.floors
            if key in self._inbox(account)
        }
        positions = {place: self._position(place) for place in wanted.positions | floors}
        return Loaded(
            heads={key: self._heads[key] for key in keys if key in self._heads},
            memberships={pair: found for pair, found in memberships.items() if found},
            accounts={
                account: Face(self._accounts[account].name, self._accounts[account].avatar)
                for account in wanted.accounts & self._accounts.keys()
            },
            posted={ids: self._posted[ids] for ids in wanted.client_keys & self._posted.keys()},
            verdicts={
                asked: self._verdicts[asked] for asked in wanted.commands & self._verdicts.keys()
            },
            positions={place: found for place, found in positions.items() if found},
            inboxes={account: set(self._inbox(account)) for account in wanted.inboxes},
            cutoffs={cutoff: self._positions_at(cutoff) for cutoff in wanted.cutoffs},
            talks=talks,
            messages=self._wanted_messages(wanted.messages),
            olders=self._olders(wanted.messages),
            hidden=wanted.hidden & self._hidden.keys(),
        )

    def _talks(self, account: str) -> set[ConversationKey]:
        return {key for key in self._heads if is_p2p(key) and account in parties_of(key)}

    def _check_unique(self, workspace: Workspace) -> None:
        for key, messages in workspace.messages.items():
            for message in messages:
                if (key, message.sender, message.client_id) in self._posted:
                    raise StoreFailed(f"{message.client_id!r} was posted before (M2)")
        for account, command_id in workspace.verdicts.keys() & self._verdicts.keys():
            raise StoreFailed(f"{command_id!r} of {account!r} was carried out before (C4)")

    def _commit(self, workspace: Workspace) -> None:
        self._commit_messages(workspace)
        self._heads.update(workspace.heads)
        for (account, key), membership in workspace.memberships.items():
            self._inboxes.setdefault(account, {})[key] = membership
        self._rows_written += len(workspace.heads) + len(workspace.memberships)
        for account, face in workspace.faces.items():
            self._accounts[account] = msgspec.structs.replace(
                self._accounts[account],
                name=face.name,
                avatar=face.avatar,
                version=workspace.version,
            )
        self._verdicts.update(workspace.verdicts)
        if workspace.changed:
            self._version = workspace.version

    async def forget_verdicts(self, before_ms: int) -> int:
        """Forget the verdicts from before a time, here all at once; return how many."""
        old = [asked for asked, verdict in self._verdicts.items() if verdict.at_ms < before_ms]
        for asked in old:
            del self._verdicts[asked]
        return len(old)

    # Rows

    async def head(self, key: ConversationKey) -> Head | None:
        """Return the head of a conversation."""
        return self._heads.get(key)

    async def look(self, pairs: Collection[MembershipId]) -> list[Seen]:
        """Return what makes the rows of these memberships; unknown pairs are left out."""
        return [
            self._seen(account, key) for account, key in set(pairs) if key in self._inbox(account)
        ]

    async def changed_since(self, account: str, version: int) -> list[Seen]:
        """Return the account's memberships of which the row changed after a version; 0: all."""
        return [
            seen
            for seen in self._rows_of(account)
            if row_version(seen.head, seen.membership) > version
        ]

    async def page(
        self,
        account: str,
        limit: int,
        after: Place | None = None,
        *,
        archived: bool | None = False,
    ) -> tuple[list[Seen], Totals]:
        """Return visible rows in the order of O1 after a place, and the totals of all rows."""
        visible = [
            (seen.entry(), seen)
            for seen in self._rows_of(account)
            if is_visible(seen.head, seen.membership)
        ]
        visible.sort(key=lambda row: place_of(row[0]))
        totals = totals_of(entry for entry, _ in visible)
        rows = [
            seen
            for entry, seen in visible
            if (after is None or place_of(entry) > after) and archived in (None, entry.archived)
        ]
        return rows[:limit], totals

    def _rows_of(self, account: str) -> Iterable[Seen]:
        return (self._seen(account, key) for key in self._inbox(account))

    def _seen(self, account: str, key: ConversationKey) -> Seen:
        head, membership = self._heads[key], self._inboxes[account][key]
        return Seen(
            account=account,
            key=key,
            conversation=named_by(account, key),
            head=head,
            membership=membership,
            tally=self._tally(account, key, membership),
        )

    async def mutes_ending(self, upto_ms: int, limit: int) -> list[MuteEnd]:
        """Return mutes that end up to a time, the earliest first (G2)."""
        found = [end for end in self._mute_ends() if end.until_ms <= upto_ms]
        return sorted(found, key=lambda end: (end.until_ms, end.account, end.key))[:limit]

    async def next_mute_end(self) -> int | None:
        """Return when the next mute ends by itself; None: none does."""
        return min((end.until_ms for end in self._mute_ends()), default=None)

    def _mute_ends(self) -> Iterable[MuteEnd]:
        return (
            MuteEnd(account, key, membership.mute_until_ms, membership.version)
            for account, inbox in self._inboxes.items()
            for key, membership in inbox.items()
            if membership.mute_until_ms is not None
        )

    # Teams

    async def members(self, key: ConversationKey, after: str, limit: int) -> list[TeamMember]:
        """Return present members of a team in byte order, after an account id."""
        found = [member for member in self._present(key) if member.account > after]
        return sorted(found, key=lambda member: member.account)[:limit]

    async def count_members(self, key: ConversationKey) -> int:
        """Return the number of present members of a team."""
        return len(self._present(key))

    def _present(self, key: ConversationKey) -> list[TeamMember]:
        return [
            TeamMember(account, inbox[key].joined_ms)
            for account, inbox in self._inboxes.items()
            if key in inbox and inbox[key].parting is None
        ]

    async def teams_of(self, account: str) -> list[tuple[ConversationKey, Head]]:
        """Return the teams that the account is in and that have not been dismissed."""
        return [
            (key, self._heads[key])
            for key, membership in sorted(self._inbox(account).items())
            if not is_p2p(key) and membership.parting is None and not self._heads[key].dismissed
        ]

    # Accounts and tokens

    async def create_account(self, account: Account) -> bool:
        """Store a new account; False when the id is taken, which changes nothing."""
        if account.account in self._accounts:
            return False
        self._accounts[account.account] = account
        return True

    async def account(self, account: str) -> Account | None:
        """Return an account."""
        return self._accounts.get(account)

    async def accounts(self, after: str, limit: int) -> list[Account]:
        """Return accounts in byte order, after an account id."""
        names = sorted(name for name in self._accounts if name > after)
        return [self._accounts[name] for name in names[:limit]]

    async def contacts(self, account: str, wanted: Collection[str]) -> list[Account]:
        """Return those of the wanted accounts that an account knows, in byte order."""
        known = {account}
        for key, membership in self._inbox(account).items():
            if is_p2p(key):
                known |= set(parties_of(key))
            elif membership.parting is None:
                known |= {other for other, inbox in self._inboxes.items() if key in inbox}
        found = known & set(wanted) & self._accounts.keys()
        return [self._accounts[name] for name in sorted(found)]

    async def add_token(self, token: Token) -> None:
        """Store a token."""
        self._tokens[token.digest] = token

    async def token(self, digest: bytes) -> Token | None:
        """Return the token with this digest, revoked or not."""
        return self._tokens.get(digest)

    async def tokens_of(self, account: str) -> list[Token]:
        """Return all tokens of an account, oldest first, revoked ones included."""
        found = [token for token in self._tokens.values() if token.account == account]
        return sorted(found, key=lambda token: (token.created_ms, token.token_id))

    async def revoke_tokens(
        self, account: str, at_ms: int, token_id: str | None = None
    ) -> list[str]:
        """Revoke one token or all of an account; return the ids that were good until now."""
        good = [
            token
            for token in await self.tokens_of(account)
            if token.revoked_ms is None and token_id in (None, token.token_id)
        ]
        for token in good:
            self._tokens[token.digest] = msgspec.structs.replace(token, revoked_ms=at_ms)
        return [token.token_id for token in good]

    # Devices

    async def put_devices(self, devices: Collection[KnownDevice], most: int) -> None:
        """Note devices as they are now; of each account at most ``most`` are kept."""
        for device in devices:
            mine = self._devices.setdefault(device.account, {})
            known = mine.get(device.device_id, device)
            mine[device.device_id] = msgspec.structs.replace(
                device, created_ms=known.created_ms, revoked_ms=known.revoked_ms
            )
        for account in {device.account for device in devices}:
            found = await self.devices_of(account)
            # Stable: among revoked ones, and among the others, the one seen last stays first.
            found.sort(key=lambda device: device.revoked_ms is None)
            for device in found[most:]:
                del self._devices[account][device.device_id]

    async def device(self, account: str, device_id: str) -> KnownDevice | None:
        """Return a device."""
        return self._devices.get(account, {}).get(device_id)

    async def devices_of(self, account: str) -> list[KnownDevice]:
        """Return all devices of an account, the one seen last first, then by ``device_id``."""
        found = self._devices.get(account, {}).values()
        return sorted(found, key=lambda device: (-device.seen_ms, device.device_id))

    async def revoke_device(self, account: str, device_id: str, at_ms: int) -> bool:
        """Revoke a device; False when there is no such device, or it was revoked before."""
        device = await self.device(account, device_id)
        if device is None or device.revoked_ms is not None:
            return False
        self._devices[account][device_id] = msgspec.structs.replace(device, revoked_ms=at_ms)
        return True


def _check_encodable(workspace: Workspace) -> None:
    """Refuse what no file could hold, as other stores do: text with half a surrogate pair."""
    texts = [
        *workspace.messages.values(),
        *(amended.message for amended in workspace.amended.values()),
        *workspace.heads.values(),
        *workspace.faces.values(),
        *workspace.memberships.values(),
        *workspace.verdicts.values(),
        *workspace.verdicts,
    ]
    try:
        msgspec.json.encode(texts)
    except (ValueError, TypeError, OverflowError) as error:
        raise StoreFailed(f"a value cannot be stored: {error}") from error
