"""Turns traffic into steps: who joins, speaks, reads, deletes, leaves, goes away, and when.

Rules of this file:

1. The plan depends on the traffic and the seed alone, never on the clock or the node.
2. Only a part of the people is tidy: reads, deletes, leaves. The others only speak.
3. Every step is possible when its turn comes: whoever acts is connected, whoever speaks in a
   team is in it, and the owner never leaves.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from bench.steps import (
    Clear,
    ComeBack,
    Create,
    Delete,
    DeleteAll,
    GoAway,
    Join,
    Leave,
    Post,
    Read,
    ReadAll,
    Reconnect,
    Step,
)
from bench.traffic import Spoken, Traffic
from recents.core.ids import Conversation, ConversationKey, Kind, key_of, p2p, team

TIDY_SHARE = 0.6
"""Part of the people that does more than speak."""

DISPLAYED_SHARE = 0.05
"""Part of the messages that say what their sender had on screen (U6)."""

TRIES = 4
"""How often somebody fit for a command is looked for before it is left out."""

ABSENCE_MESSAGES = (10, 500)
"""How long somebody stays away, in messages of the whole traffic."""

SOME_KINDS: tuple[tuple[Kind, ...] | None, ...] = (
    None,
    (Kind.P2P,),
    (Kind.TEAM,),
    (Kind.P2P, Kind.TEAM),
    (Kind.TEAM, Kind.SUPER_TEAM),
)


class Planner:
    """Plans one run; use `plan`."""

    def __init__(self, traffic: Traffic, seed: int) -> None:
        """Choose the tidy people."""
        self._traffic = traffic
        self._chance = random.Random(seed)
        self._tidy = {who for who in traffic.accounts if self._chance.random() < TIDY_SHARE}
        self._steps: list[Step] = []
        self._owners: dict[Conversation, str] = {}
        self._present: dict[Conversation, list[str]] = {}
        # Everybody who has the conversation, those who left included, in order of arrival.
        self._people: dict[ConversationKey, dict[str, Conversation]] = {}
        self._has: dict[str, dict[ConversationKey, None]] = {}
        self._back_at: dict[str, int] = {}
        self._habits: tuple[tuple[float, Callable[[str, Conversation], None]], ...] = (
            (0.05, self._read),
            (0.03, self._read_a_part),
            (0.03, self._delete),
            (0.02, self._delete_with_history),
            (0.02, self._clear),
            (0.02, self._leave),
            (0.02, self._be_let_in_again),
            (0.015, self._read_all),
            (0.01, self._delete_all),
            (0.02, self._reconnect),
            (0.01, self._go_away),
        )
        self._now = 0

    def plan(self) -> list[Step]:
        """Return all steps, in the order in which they would be taken one by one."""
        for now, spoken in enumerate(self._traffic.messages):
            self._now = now
            self._let_return(lambda back_at: back_at <= self._now)
            key = self._speak(spoken)
            for rate, habit in self._habits:
                if self._chance.random() < rate:
                    self._somebody(key, habit)
        self._let_return(lambda _: True)
        return self._steps

    def conversations_of(self, account: str) -> list[Conversation]:
        """Return what an account has in the end, deleted rows included."""
        return [self._people[key][account] for key in self._has[account]]

    def _speak(self, spoken: Spoken) -> ConversationKey:
        self._wake(spoken.sender)
        if spoken.to is not None:
            conversation = p2p(spoken.to)
            self._know(spoken.sender, conversation)
            self._know(spoken.to, p2p(spoken.sender))
        else:
            assert spoken.team is not None, "a message goes to an account or to a team"
            conversation = team(spoken.team)
            self._enter(spoken.sender, conversation, self._traffic.team_names[spoken.team])
        displayed = self._chance.random() < DISPLAYED_SHARE
        self._steps.append(
            Post(spoken.sender, conversation, spoken.text, spoken.mentions, displayed)
        )
        return key_of(spoken.sender, conversation)

    def _enter(self, account: str, conversation: Conversation, name: str) -> None:
        """Make the account a member if it is none, at its first message or after it left."""
        present = self._present.setdefault(conversation, [])
        if not present:
            self._owners[conversation] = account
            self._steps.append(Create(account, conversation, name))
            present.append(account)
        elif account not in present:
            self._join(account, conversation)
        self._know(account, conversation)

    def _join(self, account: str, conversation: Conversation) -> None:
        present = self._present[conversation]
        by = self._chance.choice(present)
        self._wake(by)
        self._steps.append(Join(account, conversation, by))
        present.append(account)

    def _know(self, account: str, conversation: Conversation) -> None:
        key = key_of(account, conversation)
        self._people.setdefault(key, {})[account] = conversation
        self._has.setdefault(account, {})[key] = None

    def _wake(self, account: str) -> None:
        if self._back_at.pop(account, None) is not None:
            self._steps.append(ComeBack(account))

    def _let_return(self, when: Callable[[int], bool]) -> None:
        for account in [who for who, back_at in self._back_at.items() if when(back_at)]:
            self._wake(account)

    def _somebody(self, key: ConversationKey, habit: Callable[[str, Conversation], None]) -> None:
        """Let somebody of this conversation do something, if one is found who is fit for it."""
        people = self._people[key]
        names = list(people)
        for _ in range(TRIES):
            account = self._chance.choice(names)
            if account in self._tidy and account not in self._back_at:
                habit(account, people[account])
                return

    # The habits.

    def _read(self, account: str, conversation: Conversation) -> None:
        self._steps.append(Read(account, conversation))

    def _read_a_part(self, account: str, conversation: Conversation) -> None:
        self._steps.append(Read(account, conversation, part=self._chance.random()))

    def _delete(self, account: str, conversation: Conversation) -> None:
        self._steps.append(Delete(account, conversation))

    def _delete_with_history(self, account: str, conversation: Conversation) -> None:
        self._steps.append(Delete(account, conversation, clear=True))

    def _clear(self, account: str, conversation: Conversation) -> None:
        self._steps.append(Clear(account, conversation))

    def _leave(self, account: str, conversation: Conversation) -> None:
        present = self._present.get(conversation, [])
        if account in present and account != self._owners[conversation]:
            present.remove(account)
            self._steps.append(Leave(account, conversation))

    def _be_let_in_again(self, account: str, conversation: Conversation) -> None:
        present = self._present.get(conversation)
        if present is not None and account not in present:
            self._join(account, conversation)

    def _read_all(self, account: str, _: Conversation) -> None:
        kinds = self._chance.choice(SOME_KINDS)
        self._steps.append(ReadAll(account, kinds, tuple(self._has[account])))

    def _delete_all(self, account: str, _: Conversation) -> None:
        kinds = self._chance.choice(SOME_KINDS)
        clear = self._chance.random() < 0.3
        self._steps.append(DeleteAll(account, kinds, tuple(self._has[account]), clear))

    def _reconnect(self, account: str, _: Conversation) -> None:
        self._steps.append(Reconnect(account))

    def _go_away(self, account: str, _: Conversation) -> None:
        self._back_at[account] = self._now + self._chance.randint(*ABSENCE_MESSAGES)
        self._steps.append(GoAway(account))
