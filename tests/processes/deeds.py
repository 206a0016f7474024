"""What somebody does at random, with the numbers that say how often."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from recents import Client
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation, Kind

TEAMS = ("team:t1", "team:t2", "super_team:t3")
ACCOUNTS = ("alice", "bob", "carol")
MOST_FOUNDED = 2
"""Teams that one run of the program creates."""


@dataclass(frozen=True)
class Deed:
    """One call of the SDK; see ``journal.Giving``."""

    what: str
    where: str
    word: str
    call: Callable[[], Coroutine[object, object, object]]


class Deeds:
    """Plans deeds for one device.

    Args:
        me: its client.
        chance: chooses.
        name: begins all that must be unique.
    """

    def __init__(self, me: Client, chance: random.Random, name: str) -> None:
        self._me = me
        self._chance = chance
        self._words = (f"{name}-{number}" for number in itertools.count(1))
        self._rows: dict[str, InboxEntry] = {}
        self._founded = 0
        me.inbox.on_change(
            lambda batch: self._rows.update(
                {row.conversation: row for row in batch.added + batch.updated}
            )
        )
        self._plans: dict[Callable[[str, str], Deed], int] = {
            self._send: 40,
            self._read: 14,
            self._read_all: 3,
            self._mark_unread: 5,
            self._mark_unread_from: 5,
            self._delete: 5,
            self._delete_all: 1,
            self._clear_history: 3,
            self._draft: 8,
            self._mute: 4,
            self._unmute: 3,
            self._pin: 4,
            self._unpin: 2,
            self._move_pin: 3,
            self._archive: 4,
            self._unarchive: 2,
            self._add_label: 3,
            self._remove_label: 2,
            self._extend: 3,
            self._rename: 4,
            self._add: 4,
            self._remove: 3,
            self._leave: 1,
            self._found: 1,
            self._profile: 3,
            self._alias: 3,
            self._team_avatar: 2,
            self._recall: 5,
            self._edit: 5,
            self._delete_message: 4,
        }

    def next(self) -> Deed:
        """Plan the next deed."""
        (plan,) = self._chance.choices(list(self._plans), list(self._plans.values()))
        where = self._chance.choice((*(f"p2p:{account}" for account in ACCOUNTS), *TEAMS))
        return plan(where, next(self._words))

    def _send(self, where: str, word: str) -> Deed:
        row = self._rows.get(where)
        seen = row.last_seq if row and self._chance.random() < 0.3 else None
        counts, bumps, previews = (self._chance.random() < 0.9 for _ in range(3))
        return Deed(
            "send",
            where,
            word,
            lambda: self._me.messages.send(
                where,
                f"says {word}",
                counts=counts,
                bumps=bumps,
                previews=previews,
                displayed_seq=seen,
                client_id=word,
            ),
        )

    def _read(self, where: str, _: str) -> Deed:
        return Deed("read", where, "", lambda: self._me.inbox.mark_read(where))

    def _read_all(self, _: str, __: str) -> Deed:
        return Deed("read_all", "", "", self._me.inbox.mark_all_read)

    def _mark_unread(self, where: str, _: str) -> Deed:
        return Deed("mark_unread", where, "", lambda: self._me.inbox.mark_unread(where))

    def _mark_unread_from(self, where: str, _: str) -> Deed:
        row = self._rows.get(where)
        seq = self._chance.randint(1, max(row.last_seq, 1)) if row else 1
        return Deed(
            "mark_unread_from",
            where,
            "",
            lambda: self._me.inbox.mark_unread_from(where, seq),
        )

    def _delete(self, where: str, _: str) -> Deed:
        clear = self._chance.random() < 0.3
        return Deed("delete", where, "", lambda: self._me.inbox.delete(where, clear_history=clear))

    def _delete_all(self, _: str, __: str) -> Deed:
        # Not the teams: the quiet ones would never come back.
        kinds = self._chance.sample([Kind.P2P, Kind.SUPER_TEAM], self._chance.randint(1, 2))
        return Deed("delete_all", "", "", lambda: self._me.inbox.delete_all(kinds))

    def _clear_history(self, where: str, _: str) -> Deed:
        return Deed("clear_history", where, "", lambda: self._me.inbox.clear_history(where))

    def _draft(self, where: str, word: str) -> Deed:
        return Deed("draft", where, word, lambda: self._me.inbox.set_draft(where, word))

    def _mute(self, where: str, _: str) -> Deed:
        return Deed("mute", where, "", lambda: self._me.inbox.mute(where))

    def _unmute(self, where: str, _: str) -> Deed:
        return Deed("unmute", where, "", lambda: self._me.inbox.unmute(where))

    def _pin(self, where: str, word: str) -> Deed:
        # Moving other pins says this text again.
        return Deed("pin", where, "", lambda: self._me.inbox.pin(where, word))

    def _unpin(self, where: str, _: str) -> Deed:
        return Deed("unpin", where, "", lambda: self._me.inbox.unpin(where))

    def _move_pin(self, where: str, _: str) -> Deed:
        before = self._chance.choice((None, *TEAMS))
        return Deed("move_pin", where, "", lambda: self._me.inbox.move_pin(where, before))

    def _archive(self, where: str, _: str) -> Deed:
        return Deed("archive", where, "", lambda: self._me.inbox.archive(where))

    def _unarchive(self, where: str, _: str) -> Deed:
        return Deed("unarchive", where, "", lambda: self._me.inbox.unarchive(where))

    def _add_label(self, where: str, _: str) -> Deed:
        label = self._chance.choice("abc")
        return Deed("add_label", where, "", lambda: self._me.inbox.add_label(where, label))

    def _remove_label(self, where: str, _: str) -> Deed:
        label = self._chance.choice("abc")
        return Deed("remove_label", where, "", lambda: self._me.inbox.remove_label(where, label))

    def _extend(self, where: str, word: str) -> Deed:
        return Deed("extend", where, word, lambda: self._me.inbox.set_extension(where, word))

    def _rename(self, _: str, word: str) -> Deed:
        team = self._chance.choice(TEAMS)
        return Deed("rename", team, word, lambda: self._me.teams.rename(team, word))

    def _add(self, _: str, __: str) -> Deed:
        team, members = self._chance.choice(TEAMS), self._some_accounts()
        return Deed("add", team, "", lambda: self._me.teams.add_members(team, members))

    def _remove(self, _: str, __: str) -> Deed:
        team, member = self._chance.choice(TEAMS), self._chance.choice(ACCOUNTS)
        return Deed("remove", team, "", lambda: self._me.teams.remove_member(team, member))

    def _leave(self, _: str, __: str) -> Deed:
        team = self._chance.choice(TEAMS)
        return Deed("leave", team, "", lambda: self._me.teams.leave(team))

    def _found(self, where: str, word: str) -> Deed:
        if self._founded >= MOST_FOUNDED:
            return self._send(where, word)
        self._founded += 1
        team, members = Conversation(f"team:{word}"), self._some_accounts()
        return Deed("found", team, word, lambda: self._me.teams.create(word, members, id=word))

    def _profile(self, _: str, word: str) -> Deed:
        avatar = self._chance.choice((None, "", f"https://example.org/{word}"))
        return Deed("profile", "", word, lambda: self._me.profiles.set(name=word, avatar=avatar))

    def _alias(self, where: str, word: str) -> Deed:
        return Deed("alias", where, word, lambda: self._me.inbox.set_alias(where, word))

    def _team_avatar(self, _: str, word: str) -> Deed:
        team = self._chance.choice(TEAMS)
        return Deed("team_avatar", team, word, lambda: self._me.teams.set_avatar(team, word))

    def _recall(self, where: str, _: str) -> Deed:
        seq, notice = self._some_seq(where), self._chance.random() < 0.5
        return Deed("recall", where, "", lambda: self._me.messages.recall(where, seq, notice))

    def _edit(self, where: str, word: str) -> Deed:
        seq = self._some_seq(where)
        return Deed(
            "edit", where, word, lambda: self._me.messages.edit(where, seq, f"says {word}")
        )

    def _delete_message(self, where: str, _: str) -> Deed:
        seq = self._some_seq(where)
        return Deed("delete_message", where, "", lambda: self._me.messages.delete(where, seq))

    def _some_seq(self, where: str) -> int:
        row = self._rows.get(where)
        return max(row.last_seq - self._chance.randrange(4), 1) if row else 1

    def _some_accounts(self) -> list[str]:
        return self._chance.sample(ACCOUNTS, self._chance.randint(1, len(ACCOUNTS)))
