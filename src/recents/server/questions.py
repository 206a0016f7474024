"""What can be asked without changing anything (rules I1, O4, D3, T1, T2)."""

from __future__ import annotations

from recents.core.entry import InboxEntry, is_visible
from recents.core.errors import Code, Refused
from recents.core.explain import Explanation
from recents.core.head import Head
from recents.core.ids import Conversation, check_conversation, check_id, is_p2p, key_of
from recents.core.membership import head_seen
from recents.core.ordering import cursor_after, place_after
from recents.server.explaining import explain
from recents.server.posting import not_a_member
from recents.server.settings import Settings
from recents.server.store.port import Store
from recents.wire.frames import (
    Explain,
    History,
    ListRows,
    LookUpProfiles,
    Member,
    Members,
    Mentions,
    Messages,
    MyMentions,
    MyTeams,
    Profile,
    Profiles,
    Question,
    Rows,
    Team,
    TeamMembers,
    Teams,
)

MOST_PROFILES = 100
"""Accounts in one question: each is looked for in every team of the one that asks."""

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
    ) -> Rows | Messages | Members | Teams | Explanation | Profiles | Mentions:
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
            case Explain():
                return await self._explain(account, query)
            case LookUpProfiles():
                return await self._profiles(account, query)
            case MyMentions():
                return await self._mentions(account, query)

    async def row(self, account: str, conversation: Conversation) -> InboxEntry:
        """Return one row of an account's list.

        Raises:
            Refused: ``bad_value``, or ``not_found`` when the list does not have it.
        """
        key = key_of(account, check_conversation(conversation))
        for seen in await self._store.look([(account, key)]):
            if is_visible(seen.head, seen.membership):
                return seen.entry()
        raise Refused(Code.NOT_FOUND, f"the list of {account!r} has no row {conversation!r}")

    async def _rows(self, account: str, query: ListRows) -> Rows:
        limit = self._limit(query.limit)
        after = None if query.cursor is None else place_after(query.cursor)
        found, totals = await self._store.page(account, limit + 1, after, archived=query.archived)
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
                Team(
                    conversation=Conversation(key),
                    name=head.name or "",
                    owner=head.owner or "",
                    avatar=head.avatar,
                )
                for key, head in found
            )
        )

    async def _explain(self, account: str, query: Explain) -> Explanation:
        conversation = check_conversation(query.conversation)
        explanation = await explain(self._store, account, conversation)
        if explanation is None:
            if not is_p2p(conversation):
                raise not_a_member(conversation)
            return Explanation(conversation=conversation)
        return explanation

    async def _profiles(self, account: str, query: LookUpProfiles) -> Profiles:
        if len(query.accounts) > MOST_PROFILES:
            raise Refused(
                Code.BAD_VALUE,
                f"{len(query.accounts)} accounts; ask for at most {MOST_PROFILES} at once",
            )
        wanted = {check_id(one) for one in query.accounts}
        return Profiles(
            profiles=tuple(
                Profile(account=one.account, name=one.name, avatar=one.avatar, version=one.version)
                for one in await self._store.contacts(account, wanted)
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
