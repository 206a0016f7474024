"""A store that forgets everything at its end: for tests and for trying things out.

Rules of this file:

1. It is the plain meaning of the port: rows come from the functions of ``core``, each look-up is
   the obvious one. Where another store answers differently, that one is wrong.
2. Nothing awaits in the middle of a method, so every method is one step for all others.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

import msgspec

from recents.core.entry import Tally, is_visible, row_version
from recents.core.head import Head
from recents.core.ids import ConversationKey, is_p2p, named_by
from recents.core.membership import Membership, Position, first_readable, head_seen
from recents.core.message import (
    MENTION_ALL,
    RETRACTED,
    Message,
    Preview,
    preview_of,
    vanished,
)
from recents.core.ordering import Place, place_of
from recents.core.totals import Totals, totals_of
from recents.server.store.port import (
    AMENDED_AT_ONCE,
    Account,
    KnownDevice,
    Seen,
    StoreFailed,
    TeamMember,
    Token,
)
from recents.server.store.workspace import (
    ClientKey,
    CommandId,
    Cutoff,
    HiddenId,
    Loaded,
    MembershipId,
    Mention,
    MessageId,
    PositionKey,
    Verdict,
    Wanted,
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


class MemoryStore:
    """Accounts, messages, heads and memberships in dictionaries.

    Args:
        epoch: names its line of versions; by default one that never comes again, since a node
            that starts anew with this store starts again at version 0.
    """

    def __init__(self, epoch: str | None = None) -> None:
        self._epoch = epoch or f"{secrets.randbits(64):016x}"
        self._version = 0
        self._rows_written = 0
        self._histories: dict[ConversationKey, _History] = {}
        self._posted: dict[ClientKey, Message] = {}
        self._heads: dict[ConversationKey, Head] = {}
        self._inboxes: dict[str, dict[ConversationKey, Membership]] = {}
        self._hidden: dict[HiddenId, int] = {}
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
        pairs = wanted.memberships | {
            (account, key) for account in wanted.inboxes for key in self._inbox(account)
        }
        keys = wanted.heads.union(*(self._inbox(account) for account in wanted.inboxes))
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
            accounts=wanted.accounts & self._accounts.keys(),
            posted={ids: self._posted[ids] for ids in wanted.client_keys & self._posted.keys()},
            verdicts={
                asked: self._verdicts[asked] for asked in wanted.commands & self._verdicts.keys()
            },
            positions={place: found for place, found in positions.items() if found},
            inboxes={account: set(self._inbox(account)) for account in wanted.inboxes},
            cutoffs={cutoff: self._positions_at(cutoff) for cutoff in wanted.cutoffs},
            messages=self._wanted_messages(wanted.messages),
            olders=self._olders(wanted.messages),
            hidden=wanted.hidden & self._hidden.keys(),
        )

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

    def _check_unique(self, workspace: Workspace) -> None:
        for key, messages in workspace.messages.items():
            for message in messages:
                if (key, message.sender, message.client_id) in self._posted:
                    raise StoreFailed(f"{message.client_id!r} was posted before (M2)")
        for account, command_id in workspace.verdicts.keys() & self._verdicts.keys():
            raise StoreFailed(f"{command_id!r} of {account!r} was carried out before (C4)")

    def _commit(self, workspace: Workspace) -> None:
        for key, messages in workspace.messages.items():
            history = self._histories.setdefault(key, _History())
            history.messages += messages
            history.versions += [workspace.version] * len(messages)
            history.changes += [0] * len(messages)
            history.changed_versions += [0] * len(messages)
            for message in messages:
                self._posted[key, message.sender, message.client_id] = message
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
        self._heads.update(workspace.heads)
        for (account, key), membership in workspace.memberships.items():
            self._inboxes.setdefault(account, {})[key] = membership
        self._rows_written += len(workspace.heads) + len(workspace.memberships)
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
        self, account: str, limit: int, after: Place | None = None
    ) -> tuple[list[Seen], Totals]:
        """Return visible rows in the order of O1 after a place, and the totals of all rows."""
        visible = [
            (seen.entry(), seen)
            for seen in self._rows_of(account)
            if is_visible(seen.head, seen.membership)
        ]
        visible.sort(key=lambda row: place_of(row[0]))
        totals = totals_of(entry for entry, _ in visible)
        rows = [seen for entry, seen in visible if after is None or place_of(entry) > after]
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

    # Messages and teams

    async def messages(
        self,
        key: ConversationKey,
        *,
        after_seq: int,
        before_seq: int,
        limit: int,
        account: str | None = None,
    ) -> list[Message]:
        """Return the newest messages with ``after_seq < seq < before_seq``, oldest first."""
        between = [
            message
            for message in self._history(key).messages
            if after_seq < message.seq < before_seq
            and message.state != "gone"
            and not (account and self._is_hidden(account, key, message))
        ]
        return between[-limit:] if limit > 0 else []

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
                if message.seq <= membership.cleared_seq:
                    continue
                if hidden_at > version:
                    changed.append(vanished(message))
                elif not hidden_at and changed_at > version and membership.parting is None:
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

    def _history(self, key: ConversationKey) -> _History:
        return self._histories.get(key) or _History()

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

    async def rename_account(self, account: str, name: str) -> bool:
        """Change the display name; False when there is no such account."""
        known = self._accounts.get(account)
        if known is None:
            return False
        self._accounts[account] = msgspec.structs.replace(known, name=name)
        return True

    async def account(self, account: str) -> Account | None:
        """Return an account."""
        return self._accounts.get(account)

    async def accounts(self, after: str, limit: int) -> list[Account]:
        """Return accounts in byte order, after an account id."""
        names = sorted(name for name in self._accounts if name > after)
        return [self._accounts[name] for name in names[:limit]]

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
        *(membership.draft for membership in workspace.memberships.values()),
        *workspace.verdicts.values(),
        *workspace.verdicts,
    ]
    try:
        msgspec.json.encode(texts)
    except (ValueError, TypeError, OverflowError) as error:
        raise StoreFailed(f"a value cannot be stored: {error}") from error
