"""Going through a conversation to tell why a row shows what it shows (rules U1, U2).

Rules of this file:

1. Messages are read a page at a time, newest first, back to the read position: memory is bounded
   however many are unread, and other reads get in between.
2. The row is looked at before: what a commit changed meanwhile makes the two disagree, and then
   both are looked at anew.
"""

from __future__ import annotations

import msgspec

from recents.core.entry import is_visible
from recents.core.explain import Explanation, Recount, positions_of
from recents.core.ids import Conversation, key_of
from recents.core.message import Message
from recents.server.store.port import Seen, Store

PAGE = 1_000
"""Messages read at a time, in some 5 ms."""

_ATTEMPTS = 3
"""After so many commits in between the last look is told; or row and messages really differ, and
then that is what there is to tell."""


async def explain(store: Store, account: str, conversation: Conversation) -> Explanation | None:
    """Explain a row of an account, a hidden one too; None: there is none."""
    key = key_of(account, conversation)
    explanation = None
    for _ in range(_ATTEMPTS):
        looked = await store.look([(account, key)])
        if not looked:
            return None
        explanation = await _gone_through(store, looked[0])
        if explanation.counted == explanation.unread:
            break
    return explanation


async def _gone_through(store: Store, seen: Seen) -> Explanation:
    membership, entry = seen.membership, seen.entry()
    hidden = await store.hidden_from(seen.account, seen.key)
    parting = membership.parting
    later = await store.changed_after(seen.key, parting.changes) if parting else frozenset()
    recount = Recount(seen.account, membership, hidden)
    before = entry.last_seq + 1
    while before > 1:
        found = await store.messages(
            seen.key, after_seq=0, before_seq=before, limit=PAGE, gone=True
        )
        recount.take([_as_it_was(one) if one.seq in later else one for one in found])
        # The first page may go beyond the read position: what placed the row is mostly in it.
        before = found[0].seq if found and found[0].seq > membership.read_seq + 1 else 0
    return recount.explanation(
        entry,
        positions_of(entry, membership),
        listed=is_visible(seen.head, membership),
        joined_ms=membership.joined_ms,
    )


def _as_it_was(message: Message) -> Message:
    """Return a message that was recalled or edited after the parting, to be counted (T2)."""
    return msgspec.structs.replace(message, state="normal")
