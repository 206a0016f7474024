"""What can be asked without changing anything (rules O4, D3, T1, T2)."""

from __future__ import annotations

from recents.core.errors import Code, Refused
from recents.core.head import Head
from recents.core.ids import Conversation, check_conversation, is_p2p, key_of
from recents.core.membership import head_seen
from recents.core.ordering import cursor_after, place_after
from recents.server.posting import not_a_member
from recents.server.settings import Settings
from recents.server.store.port import Store
from recents.wire.frames import (
    History,
    ListRows,
    Member,
    Members,
    Mentions,
    Messages,
    MyMentions,
    MyTeams,
    Question,
    Rows,
    Team,
    TeamMembers,
    Teams,
)

NO_UPPER_SEQ = 2**53
"""Above every seq, and still exact in JavaScript."""


class Questions:
    """Answers queries from whole commits."""

    def __init__(self, store: Store, settings: Settings) -> None:
        """Prepare for a store that has been opened."""
        self._store = store
        self._settings = settings

    async def answer(
        self, account: str, query: Question
    ) -> Rows | Messages | Members | Teams | Mentions:
        """Answer a question of an account.

        Raises:
            Refused: ``bad_value`` or ``not_a_member``.
        """
        match query:
            case ListRows():
                return await self._rows(account, query)
            case History():
                return await self._history(account, query)
            case TeamMembers():
                return await self._members(account, query)
            case MyTeams():
                return await self._teams(account)
            case MyMentions():
                return await self._mentions(account, query)

    async def _rows(self, account: str, query: ListRows) -> Rows:
        limit = self._limit(query.limit)
        after = None if query.cursor is None else place_after(query.cursor)
        found, totals = await self._store.page(account, limit + 1, after)
        rows = tuple(seen.entry() for seen in found[:limit])
        return Rows(
            rows=rows,
            totals=totals,
            next_cursor=cursor_after(rows[-1]) if len(found) > limit else None,
        )

    async def _history(self, account: str, query: History) -> Messages:
        limit = self._limit(query.limit)
        conversation = check_conversation(query.conversation)
        key = key_of(account, conversation)
        looked = await self._store.look([(account, key)])
        if not looked:
            if is_p2p(key):
                return Messages(messages=())
            raise not_a_member(conversation)
        membership = looked[0].membership
        end = head_seen(looked[0].head, membership).last_seq + 1
        before = NO_UPPER_SEQ if query.before_seq is None else max(query.before_seq, 0)
        found = await self._store.messages(
            key,
            after_seq=membership.cleared_seq,
            before_seq=min(before, end),
            limit=limit + 1,
            account=account,
        )
        more = len(found) > limit
        return Messages(messages=tuple(found[1:] if more else found), more=more)

    async def _members(self, account: str, query: TeamMembers) -> Members:
        limit = self._limit(query.limit)
        conversation = check_conversation(query.conversation)
        head = await self._team_of_member(account, conversation)
        key = key_of(account, conversation)
        found = await self._store.members(key, query.after, limit + 1)
        members = tuple(
            Member(account=one.account, joined_ms=one.joined_ms, owner=one.account == head.owner)
            for one in found[:limit]
        )
        return Members(members=members, more=len(found) > limit)

    async def _team_of_member(self, account: str, conversation: Conversation) -> Head:
        looked = await self._store.look([(account, key_of(account, conversation))])
        if is_p2p(conversation) or not looked or looked[0].membership.parting is not None:
            raise not_a_member(conversation)
        return looked[0].head

    async def _teams(self, account: str) -> Teams:
        found = await self._store.teams_of(account)
        return Teams(
            teams=tuple(
                Team(conversation=Conversation(key), name=head.name or "", owner=head.owner or "")
                for key, head in found
            )
        )

    async def _mentions(self, account: str, query: MyMentions) -> Mentions:
        limit = self._limit(query.limit)
        key = key_of(account, check_conversation(query.conversation))
        found = await self._store.mentions(account, key, query.after_seq, limit + 1)
        return Mentions(seqs=tuple(found[:limit]), more=len(found) > limit)

    def _limit(self, limit: int) -> int:
        most = self._settings.page_limit
        if not 1 <= limit <= most:
            raise Refused(Code.BAD_VALUE, f"limit is {limit}; ask for 1 to {most}")
        return limit
