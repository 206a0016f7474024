"""Laws 4 and 5 over random histories, for the core alone: no node, no store, no device.

Law 5: every number equals a brute-force recount. Law 4: rows before + what changed since =
rows after; it holds only if every change of a row raises the row's version. Recall, edit and
delete-for-me are in it: their rules are the core's before any command has them.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from recents.core.ordering import place_of
from recents.core.replica import Replica
from recents.testing.oracle import Oracle
from tests.laws.comparing import compare
from tests.laws.core_in_dictionaries import CoreInDictionaries

ACCOUNTS = ("ann", "bob", "cid")
TEAMS = ("team:t1", "super_team:1")
WHO = st.sampled_from(ACCOUNTS)
WHERE = st.sampled_from(["p2p:ann", "p2p:bob", "p2p:cid", *TEAMS, *TEAMS])
TEAM = st.sampled_from(TEAMS)
KINDS = st.sampled_from([None, ["p2p"], ["team"], ["team", "super_team"]])
MOSTLY = st.sampled_from([True, True, True, False])
BACK = st.sampled_from([0, 0, 1, 2, 5])
TEXT = st.sampled_from(["hi", "two\nlines", "x" * 300, ""])
AFTERWARDS = st.sampled_from(["recall", "recall away", "edit", "delete"])
LATER = st.sampled_from([0, 0, 1, 5, -3])


class CoreHistories(RuleBasedStateMachine):
    """What people do, in any order; the oracle says what could have been accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()
        self.core = CoreInDictionaries()
        self.devices = {account: Replica() for account in ACCOUNTS}
        self.told: dict[str, int] = dict.fromkeys(ACCOUNTS, 0)
        self.known: dict[str, dict[str, int]] = {account: {} for account in ACCOUNTS}
        self.posted = 0
        self.now_ms = 1_000

    def both(self, step: str, *args: object, **fields: object) -> None:
        """Do a step if the oracle accepts it."""
        try:
            expected = getattr(self.oracle, step)(*args, **fields)
        except ValueError:
            return
        assert getattr(self.core, step)(*args, **fields) == expected

    def time_ms(self, later: int) -> int:
        """The node's clock, which may stand still and step back (M4)."""
        self.now_ms += later
        return self.now_ms

    def newest(self, account: str, conversation: str) -> int:
        """The newest seq of a row in the list."""
        for row in self.oracle.rows(account):
            if row.conversation == conversation:
                return row.last_seq
        return 0

    @initialize(members=st.sets(WHO), talks=st.lists(st.tuples(WHO, WHERE, MOSTLY), max_size=12))
    def begin(self, members: set[str], talks: list[tuple[str, str, bool]]) -> None:
        """A company that has talked for a while, so that who comes later finds something."""
        self.both("create_team", "team:t1", owner="ann", members=members, name="One", at_ms=900)
        self.both("create_team", "super_team:1", owner="bob", members=members, at_ms=900)
        for who, where, counts in talks:
            self.post(who, where, "before", (counts, True, True), 0, None)

    @rule(
        who=WHO,
        where=WHERE,
        text=TEXT,
        switches=st.tuples(MOSTLY, MOSTLY, MOSTLY),
        later=LATER,
        back=st.none() | BACK,
    )
    def post(
        self,
        who: str,
        where: str,
        text: str,
        switches: tuple[bool, bool, bool],
        later: int,
        back: int | None,
    ) -> None:
        displayed = None if back is None else max(self.newest(who, where) - back, 0)
        self.posted += 1
        self.both(
            "post",
            who,
            where,
            client_id=f"m{self.posted}",
            at_ms=self.time_ms(later),
            text=text,
            counts=switches[0],
            bumps=switches[1],
            previews=switches[2],
            displayed_seq=displayed,
        )

    @rule(who=WHO, where=WHERE, number=st.integers(1, 3))
    def post_again(self, who: str, where: str, number: int) -> None:
        at_ms = self.time_ms(1)
        for _ in range(2):
            self.both("post", who, where, client_id=f"again{number}", at_ms=at_ms)

    @rule(who=WHO, where=WHERE, back=BACK, notice=st.booleans())
    def recall(self, who: str, where: str, back: int, notice: bool) -> None:
        self.both("recall", who, where, self.newest(who, where) - back, notice=notice)

    @rule(
        who=WHO,
        where=WHERE,
        reader=WHO,
        deeds=st.lists(st.tuples(st.integers(0, 4), AFTERWARDS), max_size=4),
    )
    def talk_and_think_again(
        self, who: str, where: str, reader: str, deeds: list[tuple[int, str]]
    ) -> None:
        """Some of what was just said is recalled or edited, or deleted by a reader."""
        for _ in range(4):
            self.post(who, where, "well", (True, True, True), 1, None)
        seen_as = f"p2p:{who}" if where == f"p2p:{reader}" else where
        newest = self.newest(who, where)
        for back, deed in deeds:
            if deed == "delete":
                self.both("delete_message", reader, seen_as, newest - back)
            elif deed == "edit":
                self.both("edit", who, where, newest - back, "better")
            else:
                self.both("recall", who, where, newest - back, notice=deed == "recall")
            self.a_device_that_is_told_changes_only_shows_the_same()

    @rule(who=WHO, where=WHERE, back=BACK, text=TEXT)
    def edit(self, who: str, where: str, back: int, text: str) -> None:
        self.both("edit", who, where, self.newest(who, where) - back, text)

    @rule(who=WHO, where=WHERE, back=BACK)
    def delete_message(self, who: str, where: str, back: int) -> None:
        self.both("delete_message", who, where, self.newest(who, where) - back)

    @rule(who=WHO, where=WHERE, back=BACK)
    def read(self, who: str, where: str, back: int) -> None:
        self.both("read", who, where, max(self.newest(who, where) - back, 0))

    @rule(who=WHO, where=WHERE)
    def read_what_is_there(self, who: str, where: str) -> None:
        self.both("read", who, where)

    @rule(who=WHO)
    def look(self, who: str) -> None:
        """A device has its list now; later it may read or delete all of it."""
        self.known[who] = self.oracle.newest(who)

    @rule(who=WHO, kinds=KINDS, looked=st.booleans())
    def read_all(self, who: str, kinds: list[str] | None, looked: bool) -> None:
        self.both("read_all", who, kinds, self.known[who] if looked else None)

    @rule(who=WHO, kinds=KINDS, looked=st.booleans(), clear_history=st.booleans())
    def delete_all(
        self, who: str, kinds: list[str] | None, looked: bool, clear_history: bool
    ) -> None:
        upto = self.known[who] if looked else None
        self.both("delete_all", who, kinds, upto, clear_history=clear_history)

    @rule(who=WHO, where=WHERE, back=BACK, clear_history=st.booleans())
    def delete(self, who: str, where: str, back: int, clear_history: bool) -> None:
        upto = max(self.newest(who, where) - back, 0)
        self.both("delete", who, where, upto, clear_history=clear_history)

    @rule(who=WHO, where=WHERE, back=BACK)
    def clear_history(self, who: str, where: str, back: int) -> None:
        self.both("clear_history", who, where, max(self.newest(who, where) - back, 0))

    @rule(team=TEAM, members=st.sets(WHO, min_size=1), later=LATER)
    def add_members(self, team: str, members: set[str], later: int) -> None:
        self.both("add_members", team, sorted(members), at_ms=self.time_ms(later))

    @rule(team=TEAM, who=WHO)
    def remove_member(self, team: str, who: str) -> None:
        self.both("remove_member", team, who)

    @rule(team=TEAM, who=WHO)
    def leave(self, team: str, who: str) -> None:
        self.both("leave", team, who)

    @rule(team=TEAM, name=st.sampled_from(["One", "Two", "三"]))
    def rename(self, team: str, name: str) -> None:
        self.both("rename", team, name)

    @rule(dice=st.integers(1, 6))
    def dismiss(self, dice: int) -> None:
        if dice == 6:
            self.both("dismiss", "super_team:1")

    @invariant()
    def rows_order_and_totals_are_the_oracles(self) -> None:
        for account in ACCOUNTS:
            rows, totals = self.core.rows(account), self.core.totals(account)
            compare(f"core for {account}", rows, totals, self.oracle, account)
            for row in rows:
                assert row.unread == len(self.oracle.countable(account, row.conversation))
                assert row.unread >= 0

    @invariant()
    def a_device_that_is_told_changes_only_shows_the_same(self) -> None:
        for account, device in self.devices.items():
            rows, gone = self.core.changed_since(account, self.told[account])
            device.accept(rows, gone)
            self.told[account] = self.core.version
            shown = sorted(device.rows.values(), key=place_of)
            compare(f"device of {account}", shown, device.totals, self.oracle, account)


TestCoreHistories = CoreHistories.TestCase
TestCoreHistories.settings = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
