"""The oracle: what every list of recent conversations must show, found by brute force.

Tell it all that was accepted (messages, teams, reads, marks, deletions, drafts, pins, archive),
in that order, and ask what an account must see now. It judges nodes, clients, your own system:
what differs from it is wrong.

Rules of this file:

1. Plain before fast: it keeps all messages and recounts them whenever it is asked.
2. It shares nothing with what it judges: only the standard library is imported.
3. Who may do what is for the node to say; what no node could accept raises `ValueError`.
"""

from __future__ import annotations

from recents.testing import oracle_recount as recount
from recents.testing.oracle_organizing import Organizing
from recents.testing.oracle_recount import (
    ExpectedDraft,
    ExpectedMessage,
    ExpectedPin,
    ExpectedPreview,
    ExpectedRow,
    ExpectedTotals,
)
from recents.testing.oracle_talking import Talking

__all__ = [
    "ExpectedDraft",
    "ExpectedMessage",
    "ExpectedPin",
    "ExpectedPreview",
    "ExpectedRow",
    "ExpectedTotals",
    "Oracle",
]


class Oracle(Talking, Organizing):
    """Says what each account must see.

    Conversations are named as the account names them: `"p2p:bob"`, `"team:t1"`,
    `"super_team:big"`. All times are in milliseconds.

    What a device must show whose commands have not reached the node yet is what a `copy` says
    after it was told of them.

    Example:
        >>> oracle = Oracle()
        >>> oracle.post("alice", "p2p:bob", client_id="a1", at_ms=1_000, text="hello")
        1
        >>> [(row.conversation, row.unread) for row in oracle.rows("bob")]
        [('p2p:alice', 1)]
    """

    def rows(self, account: str) -> list[ExpectedRow]:
        """The visible rows: pinned ones by rank, then newest first, then by name (O1, O2)."""
        visible = [
            recount.row(named, conversation, account, self._face_shown(account, named))
            for named, conversation in self._by_account.get(account, {}).items()
            if recount.is_listed(conversation, account)
        ]
        return sorted(visible, key=recount.place)

    def archived(self, account: str) -> set[str]:
        """The conversations whose rows are archived."""
        return {row.conversation for row in self.rows(account) if row.archived}

    def totals(self, account: str) -> ExpectedTotals:
        """The sums over `rows(account)`, archived ones left out."""
        return recount.totals(self.rows(account))

    def countable(self, account: str, conversation: str) -> list[int]:
        """The seqs of the messages behind the unread number (U1), ascending."""
        room = self._find(account, conversation)
        return [] if room is None else recount.countable_seqs(room, account)

    def uncounted(self, account: str, conversation: str) -> dict[int, str]:
        """The seqs after the read position that are not in `countable`, and why (U1)."""
        room = self._find(account, conversation)
        return {} if room is None else recount.uncounted_seqs(room, account)

    def mentions(self, account: str, conversation: str) -> list[int]:
        """The seqs of the messages behind the mentions of the row (G3), ascending."""
        room = self._find(account, conversation)
        if room is None:
            return []
        return sorted(recount.mentioning_me(room, account) + recount.mentioning_all(room, account))

    def history(self, account: str, conversation: str) -> list[ExpectedMessage]:
        """The messages that `account` may see, ascending."""
        room = self._find(account, conversation)
        return [] if room is None else recount.history(room, account)
