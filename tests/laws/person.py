"""Somebody with a device: gives commands, and holds the device to its word (laws 2, 5).

Rules of this file:

1. One command is given after another, and each is looked at when the device keeps it: it must say
   what was meant, of what was shown at that moment.
2. What was meant is told in terms of the rows on the screen, never of the protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import Any

import msgspec

from recents.core.commands import (
    AddMembers,
    AnyCommand,
    ClearHistory,
    CreateTeam,
    Delete,
    DeleteAll,
    DeleteMessages,
    Edit,
    MarkUnread,
    MarkUnreadFrom,
    Post,
    Read,
    ReadAll,
    Recall,
    RemoveMember,
    RenameTeam,
    SetDraft,
    SetTeamAvatar,
)
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake, Refused, Unavailable
from recents.core.ids import Kind
from recents.core.pending import Pending
from recents.testing import Device, World
from recents.testing.hearing import Hearing
from recents.wire.sync_token import parts_of
from tests.laws.comparing import as_expected
from tests.laws.follower import Follower

PLACES = ("p2p:ann", "p2p:bob", "p2p:cid", "team:t1", "super_team:s1")
TEAMS = PLACES[3:]
WHO = ("ann", "bob", "cid")
MENTIONS = {1: ("ann", "@all"), 4: ("bob", "cid"), 5: ("@all",), 6: ("ann", "@all", "bob")}
KINDS = (None, (Kind.P2P,), (Kind.TEAM,), (Kind.TEAM, Kind.SUPER_TEAM))
INSTANT_S = 1e-4
"""Long enough for all that is ready, too short for any message to arrive."""

ABOUT = (
    "unread",
    "marked_unread",
    "mute",
    "name",
    "membership",
    "archived",
    "mute_until_ms",
    "labels",
    "extension",
    "avatar",
    "alias",
    "mentions_me",
    "mentions_all",
)
"""What a device can know of a row while it is alone."""


class Person:
    """Somebody with one device.

    Attributes:
        device: which.
        follower: watches its list.
        alone: while the device is offline: what the node would have heard.
    """

    def __init__(self, world: World, device: Device) -> None:
        self.world = world
        self.device = device
        self.account = device.account
        self.follower = Follower(device, self._marks)
        self.alone: Hearing | None = None
        self._wrong: list[str] = []
        self._posted = 0
        self._given: list[Pending] = []
        self._shown: Mapping[str, InboxEntry] = {}
        self._expected: dict[str, AnyCommand] = {}
        self._discarded: set[str] = set()
        self._unsure: set[str] = set()
        self._own_marks: dict[str, int] = {}
        device.on_given = self._note

    @property
    def wrong(self) -> list[str]:
        """What broke a law."""
        return self._wrong + self.follower.wrong

    async def look(self) -> None:
        """Look at the screen."""
        if self.device.alive:
            await self.follower.look()

    async def restart(self) -> None:
        """Start the program until it runs; without a copy it needs a node and a network."""
        while not self.device.alive:
            await self.world.start_node()
            try:
                await self.device.restart()
            except Unavailable:
                self.device.link.up = True

    def wipe(self) -> None:
        """Lose the device's store."""
        self.device.wipe()
        self.follower.forget()

    async def look_at_history(self, where: int) -> None:
        """Read some messages: what the device has seen it can count (law 5)."""
        if self.device.alive:
            self._begin(self.device.client.messages.history(PLACES[where]))

    async def give_up_failed(self) -> None:
        """Discard the messages that the node refused."""
        for pending in list(self.device.store.journal.now.values()):
            # Where the store could not keep it, it is not marked as failed there.
            if isinstance(pending.command, Post):
                with contextlib.suppress(CallerMistake):
                    await self.device.client.messages.discard(pending.command.client_id)
                    self._discarded.add(pending.command.id)

    # Commands.

    async def do(self, verb: str, where: int, a: int, b: int) -> None:
        """Give one command, and look at what the device keeps of it."""
        await self.look()
        if not self.follower.following:
            return
        name = PLACES[where % len(PLACES)]
        self._given, self._shown = [], _screen(self.follower)
        call = self._call(verb, name, a, b)
        if call is None:
            return
        failed = self._failures()
        self._begin(call)
        await asyncio.sleep(INSTANT_S)
        if self._given:
            self._judge(verb, name, a, b)
        elif self._failures() == failed and self._must_give(verb, name):
            self._object(f"law 2: {verb} {name} gave no command, the screen had {self._shown}")

    def _begin(self, call: Coroutine[Any, Any, Any]) -> None:
        # A crash may come before it has begun.
        self.device.begin(_quiet(call)).add_done_callback(lambda _: call.close())

    def _call(self, verb: str, name: str, a: int, b: int) -> Coroutine[Any, Any, Any] | None:
        inbox, teams = self.device.client.inbox, self.device.client.teams
        row, team, who = self._shown.get(name), TEAMS[a % 2], WHO[b % 3]
        newest = row.last_seq if row else 0
        match verb:
            case "post":
                return self._post(name, a, b)
            case "read":
                return inbox.mark_read(name)
            case "read_some":
                return inbox.mark_read(name, max(newest - a, 0)) if row else None
            case "read_all":
                return inbox.mark_all_read(KINDS[a % 4])
            case "mark_unread":
                return inbox.mark_unread(name)
            case "mark_unread_from":
                return inbox.mark_unread_from(name, newest - a % newest) if newest else None
            case "delete":
                return inbox.delete(name, clear_history=b < 3)
            case "delete_all":
                return inbox.delete_all(KINDS[a % 4], clear_history=b < 3)
            case "clear_history":
                return inbox.clear_history(name)
            case "draft":
                return inbox.set_draft(name, "" if a < 2 else f"draft {a}")
            case "mute":
                until_ms = self.world.now_ms + 1_000 * a**2 * b if b else None
                return inbox.mute(name, "none" if a % 2 else "mentions", until_ms)
            case "unmute":
                return inbox.unmute(name)
            case "pin":
                return inbox.pin(name, f"ext {b}" if a < 3 else "")
            case "unpin":
                return inbox.unpin(name)
            case "move_pin":
                return inbox.move_pin(name, PLACES[b] if b < len(PLACES) else None)
            case "archive":
                return inbox.archive(name)
            case "unarchive":
                return inbox.unarchive(name)
            case "add_label":
                return inbox.add_label(name, f"label {b % 3}")
            case "remove_label":
                return inbox.remove_label(name, f"label {b % 3}")
            case "extend":
                return inbox.set_extension(name, "x" * (a % 3))
            case "recall":
                seq = max(newest - a % 4, 0)
                return self.device.client.messages.recall(name, seq, b % 2 == 0) if seq else None
            case "edit":
                seq = max(newest - a % 4, 0)
                text, named = f"{self.device.name} says better {b}", MENTIONS.get(b, ())
                messages = self.device.client.messages
                return messages.edit(name, seq, text, mentions=named) if seq else None
            case "delete_messages":
                seqs = sorted({max(newest - a % 4, 1), max(newest - b % 3, 1)})
                return self.device.client.messages.delete(name, *seqs) if newest else None
            case "create":
                members = [one for at, one in enumerate(WHO) if b >> at & 1]
                kind, _, team_id = team.partition(":")
                return teams.create(f"Team {a}", members, id=team_id, kind=kind)
            case "add":
                return teams.add_members(team, [who])
            case "remove":
                return teams.remove_member(team, who)
            case "leave":
                return teams.leave(team)
            case "rename":
                return teams.rename(team, f"Name {b}")
            case "dismiss":
                return teams.dismiss(team) if b < 2 else None
            case "alias":
                return inbox.set_alias(name, "" if a < 2 else f"My {b}")
            case "team_avatar":
                return teams.set_avatar(team, "" if b < 2 else f"t{b}")
            case "profile":
                called = None if a == 1 and b else f"Name {b}" if a else ""
                return self.device.client.profiles.set(
                    name=called, avatar=f"a{b % 3}" if b else None
                )
            case "retry" | "discard":
                return self._once_more(verb)
            case _:
                raise AssertionError(verb)

    def _post(self, name: str, a: int, b: int) -> Coroutine[Any, Any, Any]:
        self._posted += 1
        row = self._shown.get(name)
        newest = row.last_seq if row else 0
        return self.device.client.messages.send(
            name,
            f"{self.device.name} says {self._posted}",
            counts=a != 1,
            bumps=a != 2,
            previews=a != 3,
            mentions=MENTIONS.get(a, ()),
            displayed_seq=max(newest - b % 3, 0) if row and b >= 4 else None,
        )

    def _once_more(self, verb: str) -> Coroutine[Any, Any, Any] | None:
        messages = self.device.client.messages
        for pending in self.device.store.journal.now.values():
            if pending.failed and isinstance(pending.command, Post):
                if verb == "retry":
                    return messages.retry(pending.command.client_id)
                self._discarded.add(pending.command.id)
                return messages.discard(pending.command.client_id)
        return None

    # Whether the device understood (law 2).

    def _note(self, new: list[Pending]) -> None:
        self._given += new
        self._shown = _screen(self.follower)
        for pending in new:
            self._expected[pending.command.id] = pending.command
            if _clears_unseen(pending.command):
                # A device that does not know how far it clears can show too much (D5).
                self.follower.expect(getattr(pending.command, "conversation", ""))
            if isinstance(pending.command, Recall | DeleteMessages):
                # The node may say no, and then what was taken off is unread again (P2).
                self.follower.expect(pending.command.conversation)
            if isinstance(pending.command, MarkUnread | MarkUnreadFrom):
                name = pending.command.conversation
                self._own_marks[name] = self._own_marks.get(name, 0) + 1
            if self.alone is not None:
                self._imagine(pending)

    def _failures(self) -> int:
        """Count what may have kept a device from keeping a command."""
        happened = self.world.happened
        return happened["fail_step"] + happened["scripted"] + happened["crash_device"]

    def _must_give(self, verb: str, name: str) -> bool:
        if not self.device.alive or verb in ("retry", "discard", "read_all", "delete_all"):
            return False
        only_where_shown = ("read", "read_some", "mark_unread", "delete")
        return verb not in only_where_shown or name in self._shown

    def _judge(self, verb: str, name: str, a: int, b: int) -> None:
        row, first = self._shown.get(name), self._given[0].command
        newest = row.last_seq if row else None
        match verb, first:
            case "post", Post() as post:
                right = post.text == f"{self.device.name} says {self._posted}"
            case "read", Read() as read:
                right = read.conversation == name and read.upto_seq == newest
            case "read_some", Read() as read:
                right = read.conversation == name and newest is not None
            case "read_all", ReadAll() as everything:
                right = everything.kinds == KINDS[a % 4] and self._covers(everything)
            case "delete_all", DeleteAll() as everything:
                right = everything.kinds == KINDS[a % 4] and self._covers(everything)
            case "delete", Delete() as delete:
                right = delete.conversation == name and delete.clear_history == (b < 3)
                right = right and (row is None or delete.upto_seq == newest)
            case "clear_history", ClearHistory() as clear:
                right = clear.conversation == name
                right = right and (row is None or clear.upto_seq == newest)
            case "mark_unread_from", MarkUnreadFrom() as mark:
                right = mark.conversation == name
            case "recall", Recall() as recall:
                right = recall.conversation == name and recall.notice == (b % 2 == 0)
            case "edit", Edit() as edit:
                right = edit.conversation == name
            case _:
                right = True
        if not right:
            self._object(f"law 2: {verb} {name} {a} {b} gave {first}, shown {self._shown}")

    def _covers(self, command: ReadAll | DeleteAll) -> bool:
        """Tell whether nothing is covered that was not on the screen (R5, D4)."""
        assert command.upto is not None, "a device that is complete has a token"
        version = parts_of(command.upto)[1]
        return all(
            self.world.hearing.newest_at(self.account, row.conversation, version) <= row.last_seq
            for row in self._shown.values()
            if row.version and not row.archived
        )

    def check_words(self) -> None:
        """Law 2: what was given was carried out once, in the order in which it was given."""
        journal = self.device.store.journal
        mine = journal.given
        place = {name: at for at, name in enumerate(mine)}
        refused = {name for who, name in self.world.hearing.refused if who == self.account}
        # A message to a team may have been refused, the answer lost, and then be taken: it is
        # asked for again, and a refused message leaves no verdict.
        order = [
            place[one.command.id]
            for one in self.world.accepted
            if one.account == self.account
            and one.command.id in mine
            and not (isinstance(one.command, Post) and one.command.conversation in TEAMS)
        ]
        if order != sorted(set(order)):
            self._object(f"law 2: carried out as {order}")
        accepted = {
            one.command.id: one.command
            for one in self.world.accepted
            if one.account == self.account
        }
        for name, pending in mine.items():
            if name not in accepted:
                if name not in refused and name not in self._discarded:
                    self._object(f"law 2: nothing became of {pending}")
            elif not _same_words(self._expected[name], accepted[name]):
                self._object(f"law 2: {self._expected[name]} arrived as {accepted[name]}")

    # Alone (law 5).

    def be_alone(self) -> None:
        """From here on only this device's own commands count for what it shows."""
        self.alone = self.world.hearing.copy()
        self._unsure = set()

    async def check_alone(self) -> None:
        """Compare the screen with what the oracle expects of the commands."""
        assert self.alone is not None, "somebody is alone"
        if not self.device.alive:
            return
        await self.look()
        await self._explain_alone()
        expected = self.alone.oracle.rows(self.account)
        want = [_about(_plain(row)) for row in expected if row.conversation not in self._unsure]
        got = [
            _about(as_expected(row))
            for row in await self.device.rows()
            if row.conversation not in self._unsure
        ]
        if got != want:
            given = [pending.command for pending in self.device.store.journal.now.values()]
            self._object(f"law 5, alone:\n got  {got}\n want {want}\n {given}")

    async def _explain_alone(self) -> None:
        """Whatever is missing on the device, what it names adds up to what it shows."""
        for row in await self.device.rows():
            told = await self.device.client.inbox.explain(row.conversation)
            if told.unread != row.unread or (told.complete and told.counted != row.unread):
                self._object(f"law 5, alone: {told} does not explain {row}")

    def _imagine(self, pending: Pending) -> None:
        assert self.alone is not None, "somebody is alone"
        command = pending.command
        name = getattr(command, "conversation", None)
        upto = _upto(command)
        if name and pending.left is None and upto is not None and upto < pending.seen_seq:
            self._unsure.add(name)
        match command:
            # What the node alone knows: teams of others, whose they are, where a hidden row was.
            case CreateTeam(conversation=team) if self.alone.is_founded(team):
                self._unsure.add(team)
            case RemoveMember(conversation=team) | RenameTeam(conversation=team):
                self._unsure.add(team)
            case SetTeamAvatar(conversation=team):
                self._unsure.add(team)
            case AddMembers(conversation=team, members=members) if self.account in members:
                self._unsure.add(team)
            case SetDraft(conversation=hidden) if hidden not in self._shown:
                self._unsure.add(hidden)
            case Post(conversation=new) if new.startswith("p2p:") and new not in self._shown:
                # Whom it has no row with it has never seen.
                self._unsure.add(new)
            case Delete() | ClearHistory():
                # It will cover the messages in front of it, once they have a place (D2).
                command = msgspec.structs.replace(command, upto_seq=None)
            # Only a node knows who may, and what a device never saw (P2, P3).
            case (
                Recall(conversation=where)
                | Edit(conversation=where)
                | DeleteMessages(conversation=where)
            ):
                self._unsure.add(where)
            case Post(conversation=hidden) if self._is_hidden(hidden):
                self._unsure.add(hidden)
            case _:
                pass
        try:
            self.alone.imagine(self.account, command, pending.at_ms)
        except ValueError:
            if name:
                self._unsure.add(name)

    def _is_hidden(self, name: str) -> bool:
        """Tell whether there is a conversation of which the screen shows no row."""
        assert self.alone is not None, "somebody is alone"
        return name not in self._shown and name in self.alone.oracle.newest(self.account)

    def _marks(self, name: str) -> int:
        return self.world.hearing.marks(self.account, name) + self._own_marks.get(name, 0)

    def _object(self, what: str) -> None:
        self._wrong.append(f"{self.device.name} of {self.account}: {what}")


def _clears_unseen(command: AnyCommand) -> bool:
    return isinstance(command, Delete | ClearHistory) and command.upto_seq is None


def _screen(follower: Follower) -> Mapping[str, InboxEntry]:
    return {str(name): row for name, row in follower.rows.items()}


def _upto(command: AnyCommand) -> int | None:
    match command:
        case Read() | Delete() | ClearHistory():
            return command.upto_seq
        case MarkUnreadFrom():
            return command.seq - 1
        case Post():
            return command.displayed_seq
        case _:
            return None


def _same_words(meant: AnyCommand, done: AnyCommand) -> bool:
    """Tell whether a command is the one that was given, or one that covers own messages too."""
    if isinstance(meant, Delete) and isinstance(done, Delete):
        return (meant.upto_seq or 0) <= (done.upto_seq or 0)
    if isinstance(meant, ClearHistory) and isinstance(done, ClearHistory):
        return (meant.upto_seq or 0) <= (done.upto_seq or 0)
    return meant == done


def _plain(row: Any) -> dict[str, Any]:  # noqa: ANN401  # the oracle's own types
    shown = {name: getattr(row, name) for name in (*ABOUT, "conversation")}
    shown["pin"] = row.pin and {"rank": row.pin.rank, "ext": row.pin.ext}
    shown["draft"] = row.draft and {"text": row.draft.text}
    shown["preview"] = row.preview and {"client_id": row.preview.client_id}
    return shown


def _about(row: dict[str, Any]) -> dict[str, Any]:
    about = {name: row[name] for name in (*ABOUT, "conversation")}
    about["draft"] = row["draft"] and row["draft"]["text"]
    about["pin"] = row["pin"] and (row["pin"]["rank"], row["pin"]["ext"])
    about["preview"] = row["preview"] and row["preview"]["client_id"]
    return about


async def _quiet(call: Coroutine[Any, Any, Any]) -> None:
    """Await what may be refused, or be impossible now."""
    with contextlib.suppress(Refused, Unavailable, CallerMistake):
        await call
