"""The people of the demo company: SDK clients who made a history and go on talking."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import recents
from recents.cli.demo_company import (
    DISMISSED,
    HISTORY,
    REPLIES,
    TALKS,
    TEAMS,
    VISITORS,
    Talk,
)
from recents.core.errors import RecentsError
from recents.core.ids import is_p2p

_HISTORY_MS = 4 * 24 * 3_600_000
"""The history reaches back four days, so that hours, weekdays and counts are to be seen."""

_READ_SHARE = 0.7
"""The visitors have read the older part of the history."""


@dataclass
class DemoClock:
    """The node's clock: in the past while the history is made, then the real one.

    Attributes:
        past_ms: the time to show; None shows the real time.
    """

    real_ms: Callable[[], int]
    past_ms: int | None = None

    def __call__(self) -> int:
        """Return the time in ms since 1970."""
        return self.real_ms() if self.past_ms is None else self.past_ms


@dataclass
class Cast:
    """Everybody who is connected.

    Attributes:
        clients: by account.
        chance: decides who speaks when.
        pace_s: seconds between two messages, in the mean.
    """

    clients: dict[str, recents.Client]
    chance: random.Random
    pace_s: float
    sent: int = 0
    _replying: set[asyncio.Task[None]] = field(default_factory=set)

    async def make_history(self, clock: DemoClock) -> None:
        """Make teams and say everything that has been said before the visitor came."""
        now_ms = clock.real_ms()
        clock.past_ms = now_ms - _HISTORY_MS
        for team in TEAMS:
            kind, _, team_id = team.conversation.partition(":")
            owner = self.clients[team.members[0]]
            await owner.teams.create(team.name, team.members[1:], id=team_id, kind=kind)
        lines = [(where, who, text) for where, talk in HISTORY for who, text in talk]
        for number, (where, who, text) in enumerate(lines):
            # Cubed: most of it just now, the oldest days ago.
            to_come = (len(lines) - number) / len(lines)
            clock.past_ms = now_ms - int(_HISTORY_MS * to_come**3)
            await self._say(where, who, text)
            if number == int(len(lines) * _READ_SHARE):
                for visitor in VISITORS:
                    await self.clients[visitor].inbox.mark_all_read()
        owner_of_dismissed = next(t.members[0] for t in TEAMS if t.conversation == DISMISSED)
        await self.clients[owner_of_dismissed].teams.dismiss(DISMISSED)
        clock.past_ms = None
        for account, client in self.clients.items():
            if account not in VISITORS:
                await client.inbox.mark_all_read()

    async def go_on_talking(self) -> None:
        """Talk, a few seconds between two messages, until cancelled."""
        for account, client in self.clients.items():
            client.messages.on_message(self._answering(account))
        while True:
            for talk in self.chance.sample(TALKS, len(TALKS)):
                # The visitor may remove a speaker from a team, or suspend the machine.
                with suppress(RecentsError):
                    await self._talk(talk)

    async def _talk(self, talk: Talk) -> None:
        where, lines = talk
        for who, text in lines:
            await asyncio.sleep(self.pace_s * self.chance.uniform(0.5, 1.5))
            await self._say(where, who, text)

    async def _say(self, where: str, who: str, text: str) -> None:
        conversation = f"p2p:{where[1:]}" if where.startswith("@") else where
        speaker = self.clients[who]
        # Who speaks has looked at what was said before.
        await speaker.inbox.mark_read(conversation)
        await speaker.messages.send(conversation, text)
        self.sent += 1

    def _answering(self, account: str) -> Callable[[recents.Conversation, recents.Message], None]:
        def hear(conversation: recents.Conversation, message: recents.Message) -> None:
            if is_p2p(conversation) and message.sender in VISITORS and account not in VISITORS:
                replying = asyncio.create_task(self._reply(account, message.sender))
                self._replying.add(replying)
                replying.add_done_callback(self._replying.discard)

        return hear

    async def _reply(self, account: str, visitor: str) -> None:
        client = self.clients[account]
        with suppress(RecentsError):
            await asyncio.sleep(self.pace_s * self.chance.uniform(0.2, 0.5))
            await client.inbox.mark_read(f"p2p:{visitor}")
            await asyncio.sleep(self.pace_s * self.chance.uniform(0.3, 0.8))
            await client.messages.send(f"p2p:{visitor}", self.chance.choice(REPLIES))


async def connected(
    address: str, tokens: dict[str, str], stack: AsyncExitStack
) -> dict[str, recents.Client]:
    """Connect everybody; ``stack`` ends the connections."""
    clients = {}
    for account, token in tokens.items():
        client = recents.connect(
            address, account=account, token=token, device="demo", data_dir=None
        )
        clients[account] = await stack.enter_async_context(client)
    return clients
