"""A history: plain steps, carried out in a world, and the laws that must hold in it.

A step is a verb and small numbers, which mean whatever there is to choose from at that moment:
any list of steps is a history, so that a failing one can be made shorter step by step.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import NamedTuple

from recents.core.errors import CallerMistake, Refused, Unavailable
from recents.core.explain import Explanation
from recents.core.ids import Conversation, key_of
from recents.server.settings import Settings
from recents.testing import Faults, World, run
from recents.wire.frames import Explain
from tests.laws.comparing import compare, compare_explanation
from tests.laws.person import PLACES, Person

ACCOUNTS = ("ann", "bob", "cid")
DEVICES = ("ann", "bob", "cid", "ann", "bob")
SMALL_FRAMES = Settings(
    first_page_rows=2, rows_per_frame=3, recent_messages=3, batch_commands=8, deflate_bytes=2_000
)
NO_DEEDS = 5_000
_INSTANT_S = 1e-4

ROUGH = Faults(
    lose=0.03,
    cut=0.02,
    repeat=0.03,
    delay=0.05,
    delay_s=15.0,
    crash_device=0.01,
    crash_node=0.01,
    fail_commit=0.02,
    fail_step=0.01,
)

COMMANDS = {
    "post": 14,
    "read": 6,
    "read_some": 3,
    "read_all": 3,
    "mark_unread": 3,
    "mark_unread_from": 4,
    "delete": 4,
    "delete_all": 2,
    "clear_history": 2,
    "draft": 3,
    "mute": 2,
    "unmute": 1,
    "pin": 3,
    "unpin": 1,
    "move_pin": 2,
    "archive": 4,
    "unarchive": 1,
    "add_label": 2,
    "remove_label": 1,
    "extend": 2,
    "create": 2,
    "add": 3,
    "remove": 1,
    "leave": 1,
    "rename": 1,
    "dismiss": 1,
    "retry": 2,
    "discard": 1,
    "profile": 3,
    "alias": 2,
    "team_avatar": 1,
    "recall": 3,
    "edit": 3,
    "delete_messages": 3,
}
EVENTS = {
    "pause": 6,
    "look": 2,
    "offline": 3,
    "online": 3,
    "cut": 2,
    "lose": 3,
    "crash": 2,
    "crash_in_step": 2,
    "fail_step": 1,
    "wipe": 1,
    "crash_node": 1,
    "crash_node_in_commit": 2,
    "fail_commit": 2,
    "settle": 1,
    "alone": 2,
}
VERBS = {**COMMANDS, **EVENTS}


class Step(NamedTuple):
    """One step; see ``History._do``."""

    verb: str
    who: int
    where: int
    a: int
    b: int


def made_up(seed: int, length: int) -> list[Step]:
    """Return a history from a seed."""
    chance = random.Random(seed)
    verbs = chance.choices(list(VERBS), list(VERBS.values()), k=length)
    return [Step(verb, *(chance.randrange(n) for n in (len(DEVICES), 5, 8, 8))) for verb in verbs]


def play(steps: list[Step], *, seed: int, rough: bool) -> Counter[str]:
    """Carry a history out; return what was done and what went wrong in it.

    Raises:
        AssertionError: a law is broken.
    """
    return run(History(seed, rough=rough).play(steps))


class History:
    """A world while a history is carried out in it."""

    def __init__(self, seed: int, *, rough: bool) -> None:
        self.world = World(seed=seed, settings=SMALL_FRAMES)
        self.people: list[Person] = []
        self.done: Counter[str] = Counter()
        self._faults = ROUGH if rough else Faults()
        self._chance = random.Random(seed)

    async def play(self, steps: list[Step]) -> Counter[str]:
        async with self.world:
            for account in DEVICES:
                self.people.append(Person(self.world, await self.world.device(account)))
            self.world.faults = self._faults
            for step in steps:
                await self._do(step)
                self.done[step.verb] += 1
                for person in self.people:
                    await person.look()
                self._object()
                await self._explain(step)
            await self._settle()
            return self.done + self.world.happened

    async def _do(self, step: Step) -> None:
        person = self.people[step.who % len(self.people)]
        if step.verb in COMMANDS:
            if person.device.alive:
                await person.do(step.verb, step.where, step.a, step.b)
                # Sometimes at once, sometimes when the answer may have come.
                await asyncio.sleep((0, 0, 0.01, 0.1)[step.b % 4])
            return
        await self._happen(step, person)

    async def _happen(self, step: Step, person: Person) -> None:
        device, world = person.device, self.world
        match step.verb:
            case "pause":
                await asyncio.sleep((0.001, 0.02, 0.1, 0.5, 2, 5, 20, 60)[step.a])
            case "look":
                await person.look_at_history(step.where)
            case "offline" if device.alive:
                await device.offline()
            case "online":
                device.link.up = True
            case "cut":
                device.link.cut()
            case "lose":
                device.link.lose_next("answer" if step.a % 2 else "command")
            case "crash":
                device.crash()
                await person.restart()
            case "crash_in_step":
                device.crash_at_next_commit("after" if step.a % 2 else "before")
            case "fail_step":
                device.fail_next_commit()
            case "wipe" if step.a < 4:
                person.wipe()
                await person.restart()
            case "crash_node":
                world.crash_node()
                await asyncio.sleep(step.a)
                await world.start_node()
            case "crash_node_in_commit":
                world.crash_node_at_next_commit("after" if step.a % 2 else "before")
            case "fail_commit":
                world.fail_next_commit()
            case "settle":
                await self._settle()
            case "alone":
                await self._alone(person, step)
            case _:
                pass
        if not device.alive:
            await person.restart()
        if world.site.node is None:
            await world.start_node()

    async def _alone(self, person: Person, step: Step) -> None:
        """Law 5 offline: a device shows what the oracle expects of it and its own commands."""
        await self._settle()
        faults, self.world.faults = self.world.faults, Faults()
        chance = random.Random(step.a * 8 + step.b)
        await person.device.offline()
        person.be_alone()
        commands = [verb for verb in COMMANDS if verb not in ("retry", "discard")]
        for _ in range(1 + step.a):
            verb = chance.choice(commands)
            await person.do(verb, chance.randrange(5), chance.randrange(8), chance.randrange(8))
            await person.check_alone()
        person.alone = None
        person.device.link.up = True
        self.world.faults = faults

    async def _settle(self) -> None:
        faults, self.world.faults = self.world.faults, Faults()
        await self._settle_without_faults()
        self.world.faults = faults

    async def _settle_without_faults(self) -> None:
        await self.world.settle()
        for person in self.people:
            await person.give_up_failed()
        await self.world.settle()
        for person in self.people:
            await person.look()
            self._object()
            person.check_words()
            device = person.device
            page = await device.client.inbox.list(limit=1_000, archived=None)
            who = f"law 1: device {device.name}"
            totals = await device.client.inbox.totals()
            compare(who, page.entries, totals, self.world.oracle, device.account)
            for row in page.entries:
                told = await device.client.inbox.explain(row.conversation)
                # Where the question was lost on its way the device has said what it knew.
                if told.positions.joined_seq is not None:
                    compare_explanation(told, row, self.world.oracle, device.account)
        for account in ACCOUNTS:
            async with self.world.visitor(account) as fresh:
                await self.world.settle()
                page = await fresh.client.inbox.list(limit=1_000, archived=None)
                who = f"law 1: a fresh device of {account}"
                totals = await fresh.client.inbox.totals()
                compare(who, page.entries, totals, self.world.oracle, account)

    async def _explain(self, step: Step) -> None:
        """Law 5: the node names the very messages behind one of its rows, at any time."""
        node, account = self.world.site.node, ACCOUNTS[step.who % len(ACCOUNTS)]
        if node is None:
            return
        name, version = Conversation(PLACES[step.where % len(PLACES)]), node.store.version
        found = await node.store.look([(account, key_of(account, name))])
        if not found:
            return
        told = await node.questions.answer(account, Explain(id="q", conversation=name))
        assert isinstance(told, Explanation)
        if node.store.version == version:
            compare_explanation(told, found[0].entry(), self.world.oracle, account)

    def _object(self) -> None:
        wrong = [one for person in self.people for one in person.wrong]
        assert not wrong, "\n".join(wrong)


__all__ = [
    "COMMANDS",
    "DEVICES",
    "VERBS",
    "CallerMistake",
    "Refused",
    "Step",
    "Unavailable",
    "made_up",
    "play",
]
