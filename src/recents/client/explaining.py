"""Why a row shows what it shows: asked of the node, or from what this device keeps (rule U1)."""

from __future__ import annotations

import msgspec

from recents.client.asking import Asking
from recents.client.copying import Copying
from recents.client.local_list import LocalList
from recents.client.outbox import Outbox
from recents.core.entry import InboxEntry
from recents.core.explain import Explanation, Recount, positions_of
from recents.core.ids import Conversation
from recents.core.membership import Membership
from recents.core.overlay import changed_here
from recents.wire import frames

_PAGE = 1_000
"""More messages of a conversation than a device keeps."""


class Explaining:
    """Explains rows of one account."""

    def __init__(self, asking: Asking, copying: Copying, local: LocalList, outbox: Outbox) -> None:
        """Ask through ``asking``; offline, look at ``local`` and the kept messages.

        What ``outbox`` does to these is shown in the rows already.
        """
        self._asking = asking
        self._copying = copying
        self._local = local
        self._outbox = outbox

    async def explain(self, name: Conversation) -> Explanation:
        """Explain the row of a conversation; offline as this device shows it.

        Raises:
            Refused: ``not_a_member``.
        """
        query = frames.Explain(id=self._asking.new_id(), conversation=name)
        asked = await self._asking.query_while_online(query, Explanation)
        if asked is not None:
            return asked
        await self._copying.wait_for_the_rest()
        row = self._local.get(name)
        if row is None:
            return Explanation(conversation=name, complete=False)
        return await self._from_what_is_kept(row)

    async def _from_what_is_kept(self, row: InboxEntry) -> Explanation:
        found = await self._copying.messages(row.conversation, row.last_seq + 1, _PAGE)
        # A row knows the two positions that matter: joining moved the read position as well (U5).
        membership = Membership(read_seq=row.read_seq, cleared_seq=row.cleared_seq)
        account, pending = self._asking.account, self._outbox.of(row.conversation)
        recount = Recount(account, membership)
        recount.take([changed_here(account, message, pending) for message in found])
        kept = sum(message.seq > row.read_seq for message in found)
        positions = msgspec.structs.replace(
            positions_of(row, membership), read_by=None, joined_seq=None
        )
        return recount.explanation(row, positions, complete=kept >= row.last_seq - row.read_seq)
