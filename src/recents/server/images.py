"""Rows at a version: what a commit left of them, or read back from the store (rules C1, R5, D4).

Rules of this file:

1. A row is shown as it was at a version, so that the token beside it covers exactly what the
   device can see; a command "up to this token" then leaves nothing out that was on the screen.
2. What a later commit changed is not shown: that commit marks it again, and it is sent then.
3. An image is never older than the last mark of its row: every mark renews it or drops it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from recents.core.entry import needs_tally, row_version
from recents.core.head import Head
from recents.core.ids import ConversationKey, is_p2p, named_by
from recents.server.store.port import Seen, Store, StoreFailed
from recents.server.store.workspace import MembershipId, Workspace

log = logging.getLogger(__name__)

MAX_IMAGES = 100_000
"""Rows kept between their commit and their delivery; beyond it they are read back instead."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Rows at a version.

    Attributes:
        version: everything that was committed up to here is in the rows.
        found: what makes the rows; memberships that do not exist are left out.
        later: rows that a later commit changed; it has marked them again, or will.
    """

    version: int
    found: dict[MembershipId, Seen]
    later: set[MembershipId]


class Images:
    """Keeps rows from their commit until everybody has been told."""

    def __init__(self, store: Store) -> None:
        """Begin with nothing; rows that are not kept are read from ``store``."""
        self._store = store
        self._rows: dict[MembershipId, Seen] = {}
        self._team_heads: dict[ConversationKey, Head] = {}

    def keep_head(self, workspace: Workspace, key: ConversationKey) -> None:
        """Keep the head of a team that a commit changed, for members that it did not load."""
        head = workspace.head(key)
        if head is not None and not is_p2p(key):
            self._team_heads[key] = head

    def keep_row(self, workspace: Workspace, account: str, key: ConversationKey) -> None:
        """Keep a row that a commit changed; one that it does not know whole is dropped."""
        head, membership = workspace.head(key), workspace.membership(account, key)
        if head is None or membership is None or needs_tally(head, membership):
            self._rows.pop((account, key), None)
        else:
            self._rows[account, key] = Seen(account, key, named_by(account, key), head, membership)

    def forget(self) -> None:
        """Forget everything: what is asked for later is read back."""
        self._rows.clear()
        self._team_heads.clear()

    @property
    def too_many(self) -> bool:
        """Whether it is time to forget."""
        return len(self._rows) > MAX_IMAGES or len(self._team_heads) > MAX_IMAGES

    async def see(self, pairs: Iterable[MembershipId], version: int) -> Sight | None:
        """Return rows as they were at ``version``, the newest that has been marked.

        Returns:
            None when the store cannot be read now.
        """
        rows = self._rows
        found: dict[MembershipId, Seen] = {}
        missing = []
        for pair in pairs:
            image = rows.get(pair)
            if image is None:
                missing.append(pair)
            else:
                found[pair] = image
        later: set[MembershipId] = set()
        if missing:
            heads = {key: self._team_heads.get(key) for _, key in missing}
            try:
                looked = await self._store.look(missing)
            except StoreFailed as failure:
                log.warning("! reading rows for devices failed: %s", failure)
                return None
            for seen in looked:
                then = _at(version, seen, heads[seen.key])
                if then is None:
                    later.add((seen.account, seen.key))
                else:
                    found[seen.account, seen.key] = then
        return Sight(version, found, later)


def _shows_another(head: Head, seen: Seen) -> bool:
    """Tell whether the row's preview depends on which messages the account deleted for itself."""
    return seen.membership.last_hidden > 0 and head.preview != seen.head.preview


def _at(version: int, seen: Seen, head: Head | None) -> Seen | None:
    """Return a row as it was at a version, or None where that cannot be told any more.

    In a busy team the next message is often committed before the rows are read: the members'
    rows are the same then but for the head, which is known.
    """
    if row_version(seen.head, seen.membership) <= version:
        return seen
    membership = seen.membership
    if (
        head is None
        or head.version > version
        or membership.version > version
        or membership.parting is not None
        or _shows_another(head, seen)
        or (head.changes, head.last_mention) != (seen.head.changes, seen.head.last_mention)
    ):
        return None
    return msgspec.structs.replace(seen, head=head)
