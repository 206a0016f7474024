"""Names and pictures of accounts (rules I1, O3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recents.client.arguments import callers_mistake, checked, several
from recents.client.asking import Asking
from recents.client.local_list import LocalList
from recents.client.planning import Wish
from recents.core.commands import SetProfile
from recents.core.errors import CallerMistake
from recents.core.ids import Conversation, check_id
from recents.wire.frames import LookUpProfiles, Profile
from recents.wire.frames import Profiles as ProfilesFound

MOST_AT_ONCE = 100
"""Accounts in one question: what a node takes."""


class Profiles:
    """What this account and its contacts are called, and what they look like.

    ``set`` works offline, as the commands of ``Inbox`` do; ``get`` and ``get_many`` ask the node,
    and offline tell what they know: what was asked for since the start, and what rows show.
    """

    def __init__(self, asking: Asking, local: LocalList) -> None:
        """Ask and command through ``asking``; ``local`` shows some faces, too."""
        self._asking = asking
        self._local = local
        self._known: dict[str, Profile] = {}

    async def get(self, account: str | None = None) -> Profile | None:
        """Return the name and the avatar of an account, by default of one's own.

        Returns:
            None for who shares no conversation with this account, and offline for who is unknown.

        Raises:
            CallerMistake: this cannot be an account id.
            Unavailable: the node does not answer.
        """
        asked = self._asking.account if account is None else account
        return (await self.get_many([asked])).get(asked)

    async def get_many(self, accounts: Iterable[str]) -> dict[str, Profile]:
        """Return the names and avatars of accounts; who shares no conversation is left out.

        More than 100 are asked for by several questions.

        Raises:
            CallerMistake: one of them cannot be an account id.
            Unavailable: the node does not answer.
        """
        asked = tuple(dict.fromkeys(several(accounts, "accounts")))
        with callers_mistake():
            for account in asked:
                check_id(account)
        found: dict[str, Profile] = {}
        for at in range(0, len(asked), MOST_AT_ONCE):
            some = asked[at : at + MOST_AT_ONCE]
            question = LookUpProfiles(id=self._asking.new_id(), accounts=some)
            answer = await self._asking.query_while_online(question, ProfilesFound)
            if answer is None:
                found |= self._known_here(some)
                continue
            for account in some:
                self._known.pop(account, None)
            for profile in answer.profiles:
                found[profile.account] = self._known[profile.account] = profile
        return found

    def _known_here(self, accounts: Iterable[str]) -> dict[str, Profile]:
        known: dict[str, Profile] = {}
        for account in accounts:
            row = self._local.get(Conversation(f"p2p:{account}"))
            if account in self._known:
                known[account] = self._known[account]
            if row is not None:
                # A row is brought up to date by itself; what was asked for once is not.
                version = known[account].version if account in known else 0
                known[account] = Profile(
                    account=account, name=row.name or "", avatar=row.avatar, version=version
                )
        return known

    async def set(self, *, name: str | None = None, avatar: str | None = None) -> None:
        """Change this account's own name, avatar, or both, in the lists of all its contacts.

        Args:
            name: at most 128 characters (I1); "" takes it away, None leaves it as it is.
            avatar: stands for a picture, such as a URL: at most 1,024 bytes, which nobody looks
                into; "" takes it away, None leaves it as it is.

        Raises:
            CallerMistake: neither is given, or one is too long.
            Refused: the node says no while the call waits.
            Unavailable: this device cannot keep it.
        """
        if name is None and avatar is None:
            raise CallerMistake("say a name, an avatar, or both")
        command = checked(SetProfile(id=self._asking.new_id(), name=name, avatar=avatar))
        # Of this account's own rows, the notes to itself alone show its face.
        notes = Conversation(f"p2p:{self._asking.account}")
        wish = Wish(command=command, seqs={notes: 0})

        async def plan() -> Sequence[Wish]:
            return [wish]

        await self._asking.order(plan, notes)
