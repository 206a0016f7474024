"""Laws 4 and 5 over random histories: node, devices and oracle agree after every step.

Law 4: rows fetched before + batches applied = rows fetched after. Law 5: every number equals a
brute-force recount. Each account has two devices; several commands are under way at once, and
devices act on old knowledge after they were cut off.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from recents.core.commands import MuteLevel
from recents.core.ids import Kind
from recents.server.settings import Settings
from recents.server.store.memory import MemoryStore
from recents.server.store.port import Store
from recents.server.store.sqlite import SqliteStore
from tests.laws.company import ACCOUNTS, Company, Deed, Device
from tests.laws.deeds import Deeds

TEAMS = ("team:t1", "super_team:s1")
KINDS = st.sampled_from([None, (Kind.P2P,), (Kind.TEAM,), (Kind.TEAM, Kind.SUPER_TEAM)])
FOUNDER = ACCOUNTS[0]
WHO = st.sampled_from(ACCOUNTS)
DEVICE = st.tuples(WHO, st.integers(0, 1))
PEERS = [f"p2p:{account}" for account in ACCOUNTS]
TEAM = st.sampled_from([TEAMS[0], TEAMS[0], TEAMS[1]])
WHERE = st.sampled_from([*PEERS, *TEAMS, *TEAMS])
TEXT = st.sampled_from(["hi", "two\nlines", "x" * 300, "", "世界 👋"])
SWITCHES = st.tuples(*[st.sampled_from([True, True, True, False])] * 3)
BACK = st.sampled_from([0, 0, 1, 2, 3])
ACT = st.sampled_from(
    ["post", "post", "answer", "read", "read", "read_all", "delete", "mark", "mark from", "draft"]
)
DRAFT = st.sampled_from(["", "", "dear", "dear you"])
LEVEL: st.SearchStrategy[MuteLevel | None] = st.sampled_from([None, "none", "mentions"])
SMALL_FRAMES = Settings(first_page_rows=2, rows_per_frame=3, recent_messages=3)
"""So that lists of five rows come in pages, and bursts in several frames."""

Plan = Callable[[Deeds, Device], Deed]
"""A deed to be made of what a device shows at that moment."""


def _posts() -> st.SearchStrategy[Plan]:
    return st.builds(
        lambda where, text, switches, back: (
            lambda deeds, device: deeds.post(device, where, text, switches, back)
        ),
        WHERE,
        TEXT,
        SWITCHES,
        st.none() | BACK,
    )


def _readings() -> st.SearchStrategy[Plan]:
    return st.builds(
        lambda where, back: lambda deeds, device: deeds.read(device, where, back), WHERE, BACK
    ) | st.builds(lambda kinds: lambda deeds, device: deeds.read_all(device, kinds), KINDS)


def _deletions() -> st.SearchStrategy[Plan]:
    return (
        st.builds(
            lambda where, clear: lambda deeds, device: deeds.delete(device, where, clear),
            WHERE,
            st.booleans(),
        )
        | st.builds(
            lambda kinds, clear: lambda deeds, device: deeds.delete_all(device, kinds, clear),
            KINDS,
            st.booleans(),
        )
        | st.builds(lambda where: lambda deeds, device: deeds.clear_history(device, where), WHERE)
    )


def _marks() -> st.SearchStrategy[Plan]:
    return st.builds(
        lambda where: lambda deeds, device: deeds.mark_unread(device, where), WHERE
    ) | st.builds(
        lambda where, back: lambda deeds, device: deeds.mark_unread_from(device, where, back),
        WHERE,
        BACK,
    )


def _drafts_and_mutes() -> st.SearchStrategy[Plan]:
    return st.builds(
        lambda where, text: lambda deeds, device: deeds.set_draft(device, where, text),
        WHERE,
        DRAFT,
    ) | st.builds(
        lambda where, level: lambda deeds, device: deeds.mute(device, where, level), WHERE, LEVEL
    )


def _everything() -> st.SearchStrategy[Plan]:
    return st.builds(
        lambda clear: lambda deeds, device: deeds.delete_all(device, None, clear), st.booleans()
    ) | st.just(lambda deeds, device: deeds.read_all(device, None))


def _rosters() -> st.SearchStrategy[Plan]:
    add = st.builds(
        lambda team, members: lambda deeds, device: deeds.add_members(device, team, members),
        TEAM,
        st.sets(WHO, min_size=1),
    )
    part = st.builds(
        lambda team, member: lambda deeds, device: deeds.remove_member(device, team, member),
        TEAM,
        WHO,
    ) | st.builds(lambda team: lambda deeds, device: deeds.leave(device, team), TEAM)
    return add | add | part


_WITH_ROWS = _readings() | _deletions() | _marks() | _drafts_and_mutes()
REPEATABLE = st.tuples(DEVICE, _posts() | _posts() | _WITH_ROWS)
ANYTHING = st.tuples(DEVICE, _posts() | _posts() | _WITH_ROWS | _rosters())
Planned = tuple[tuple[str, int], Plan]


class Histories(RuleBasedStateMachine):
    """What people do, in any order; the oracle hears of what was accepted."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.company = Company(self.make_store(Path(self._folder.name)), SMALL_FRAMES)
        self.deeds = Deeds(self.company)

    def make_store(self, folder: Path) -> Store:
        raise NotImplementedError

    def teardown(self) -> None:
        self.company.close()
        self._folder.cleanup()

    def device(self, which: tuple[str, int]) -> Device:
        account, number = which
        return self.company.devices[account][number]

    def planned(self, plans: list[Planned]) -> list[Deed]:
        return [plan(self.deeds, self.device(which)) for which, plan in plans]

    @initialize(
        members=st.sets(WHO, max_size=2),
        talk=st.lists(st.tuples(WHO, SWITCHES), min_size=3, max_size=6),
        late=st.sets(WHO),
    )
    def found_teams_that_talked_before_others_came(
        self, members: set[str], talk: list[tuple[str, tuple[bool, bool, bool]]], late: set[str]
    ) -> None:
        founder = self.device((FOUNDER, 0))
        for team in TEAMS:
            self.company.do(self.deeds.found(founder, team, members))
            for who, switches in talk:
                self.company.do(self.deeds.post(self.device((who, 0)), team, "hi", switches, None))
        self.company.do(self.deeds.add_members(founder, TEAMS[0], late))

    @rule(owner=DEVICE | st.just((FOUNDER, 1)), members=st.sets(WHO))
    def found_again(self, owner: tuple[str, int], members: set[str]) -> None:
        self.company.do(self.deeds.found(self.device(owner), TEAMS[1], members))

    @rule(which=DEVICE, plan=_posts())
    def post(self, which: tuple[str, int], plan: Plan) -> None:
        self.company.do(plan(self.deeds, self.device(which)))

    @rule(where=WHERE, who=st.lists(WHO, min_size=2, max_size=5), text=TEXT)
    def talk(self, where: str, who: list[str], text: str) -> None:
        self.company.do(
            *[
                self.deeds.post(self.device((account, 0)), where, text, (True, True, True), None)
                for account in who
            ]
        )

    @rule(which=DEVICE, plan=_readings())
    def read(self, which: tuple[str, int], plan: Plan) -> None:
        self.company.do(plan(self.deeds, self.device(which)))

    @rule(which=DEVICE, plan=_marks() | _drafts_and_mutes())
    def organize(self, which: tuple[str, int], plan: Plan) -> None:
        self.company.do(plan(self.deeds, self.device(which)))

    @rule(which=DEVICE, plan=_deletions())
    def delete(self, which: tuple[str, int], plan: Plan) -> None:
        followers = [device.follower for device in self.company.devices[which[0]]]
        before = [len(follower.batches) for follower in followers]
        self.company.do(plan(self.deeds, self.device(which)))
        self.company.check()
        for follower, batches in zip(followers, before, strict=True):
            assert len(follower.batches) <= batches + 1, "D4: one batch, not one per row"

    @rule(which=DEVICE, plan=_rosters())
    def come_and_go(self, which: tuple[str, int], plan: Plan) -> None:
        self.company.do(plan(self.deeds, self.device(which)))

    @rule(who=WHO, team=TEAM)
    def come_back(self, who: str, team: str) -> None:
        self.company.do(
            self.deeds.leave(self.device((who, 1)), team),
            self.deeds.post(self.device((FOUNDER, 0)), team, "away", (True,) * 3, None),
        )
        self.company.do(self.deeds.add_members(self.device((FOUNDER, 0)), team, {who}))

    @rule(which=DEVICE, team=TEAM, name=st.sampled_from(["One", "Two", "三"]))
    def rename(self, which: tuple[str, int], team: str, name: str) -> None:
        self.company.do(self.deeds.rename(self.device(which), team, name))

    @rule(dice=st.integers(1, 6))
    def dismiss(self, dice: int) -> None:
        if dice == 6:
            self.company.do(self.deeds.dismiss(self.device((FOUNDER, 1)), TEAMS[1]))
        else:
            self.company.do(self.deeds.dismiss(self.device((ACCOUNTS[dice % 3 + 1], 0)), TEAMS[1]))

    @rule(plans=st.lists(ANYTHING, min_size=2, max_size=8))
    def several_at_once(self, plans: list[Planned]) -> None:
        self.company.do(*self.planned(plans))

    @rule(
        account=WHO,
        speaker=WHO,
        team=st.none() | TEAM,
        acts=st.lists(st.tuples(st.integers(0, 1), ACT, BACK), min_size=2, max_size=6),
    )
    def several_at_once_in_one_place(
        self, account: str, speaker: str, team: str | None, acts: list[tuple[int, str, int]]
    ) -> None:
        """An account's devices post, read and delete where somebody has just talked to it."""
        for _ in range(2):
            there = team or f"p2p:{account}"
            self.company.do(
                self.deeds.post(self.device((speaker, 0)), there, "hi", (True,) * 3, None)
            )
        self.company.check()
        here = team or f"p2p:{speaker}"
        deeds = []
        for number, act, back in acts:
            device = self.device((account, number))
            if act == "post":
                deeds.append(self.deeds.post(device, here, "me too", (back < 3, True, True), None))
            elif act == "answer":
                deeds.append(self.deeds.post(device, here, "yes", (True, True, back < 3), back))
            elif act == "read":
                deeds.append(self.deeds.read(device, here, back))
            elif act == "read_all":
                deeds.append(self.deeds.read_all(device, None))
            elif act == "mark":
                deeds.append(self.deeds.mark_unread(device, here))
            elif act == "mark from":
                deeds.append(self.deeds.mark_unread_from(device, here, back))
            elif act == "draft":
                deeds.append(self.deeds.set_draft(device, here, "dear" * back))
            else:
                deeds.append(self.deeds.delete(device, here, back == 0))
        self.company.do(*deeds)

    @rule(
        which=DEVICE,
        late=st.lists(_everything() | _WITH_ROWS, min_size=1, max_size=3),
        others=st.lists(ANYTHING, max_size=4),
        talk=st.lists(st.tuples(WHO, st.sampled_from(["p2p", *TEAMS])), max_size=4),
        back=st.none() | TEAM,
    )
    def act_on_old_knowledge(
        self,
        which: tuple[str, int],
        late: list[Plan],
        others: list[Planned],
        talk: list[tuple[str, str]],
        back: str | None,
    ) -> None:
        """While a device is cut off others talk to its account, or have it join a team again."""
        device, other = self.device(which), self.device((which[0], 1 - which[1]))
        early = [deed for deed in self.planned(others) if deed.device is not device]
        for who, where in talk:
            speaker = other if who == which[0] else self.device((who, 0))
            there = f"p2p:{which[0]}" if where == "p2p" else where
            early.append(self.deeds.post(speaker, there, "meanwhile", (True,) * 3, None))
        if back:
            founder = other if which[0] == FOUNDER else self.device((FOUNDER, 0))
            early.append(self.deeds.leave(other, back))
            early.append(self.deeds.add_members(founder, back, {which[0]}))
        self.company.do_behind_the_back_of(
            device, [plan(self.deeds, device) for plan in late], early
        )

    @rule(which=DEVICE, plans=st.lists(REPEATABLE, min_size=1, max_size=6))
    def lose_answers(self, which: tuple[str, int], plans: list[Planned]) -> None:
        self.company.lose_answers(self.device(which), *self.planned(plans))

    @rule(which=DEVICE)
    def reconnect(self, which: tuple[str, int]) -> None:
        self.company.cut(self.device(which))

    @rule(who=WHO)
    def log_in_fresh(self, who: str) -> None:
        self.company.check_fresh(who)

    @invariant()
    def everything_agrees(self) -> None:
        self.company.check()


class OnMemory(Histories):
    """On the store that forgets."""

    def make_store(self, folder: Path) -> Store:
        return MemoryStore()


class OnSqlite(Histories):
    """On the embedded store."""

    def make_store(self, folder: Path) -> Store:
        return SqliteStore(folder / "recents.db")


_BUDGET = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TestOnMemory = OnMemory.TestCase
TestOnMemory.settings = _BUDGET
TestOnMemory = pytest.mark.timeout(300)(TestOnMemory)

TestOnSqlite = OnSqlite.TestCase
TestOnSqlite.settings = settings(_BUDGET, max_examples=25)
TestOnSqlite = pytest.mark.timeout(300)(TestOnSqlite)
