"""Names and pictures of accounts (rules I1, O3)."""

from __future__ import annotations

from collections.abc import Sequence

from recents.client.arguments import checked
from recents.client.asking import Asking
from recents.client.planning import Wish
from recents.core.commands import SetProfile
from recents.core.errors import CallerMistake
from recents.core.ids import Conversation


class Profiles:
    """What this account and its contacts are called, and what they look like.

    ``set`` works offline, as the commands of ``Inbox`` do.
    """

    def __init__(self, asking: Asking) -> None:
        """Command through ``asking``."""
        self._asking = asking

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
