"""Laws 4 and 5 over random histories, for the core alone: no node, no store, no device.

Law 5: every number equals a brute-force recount. Law 4: rows before + what changed since =
rows after; it holds only if every change of a row raises the row's version.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.ordering import place_of
from recents.core.replica import Replica
from recents.testing.oracle import Oracle
from tests.laws.comparing import compare, compare_explanation
from tests.laws.core_in_dictionaries import CoreInDictionaries

# One test plays hundreds of histories: half a minute where nothing else runs.
pytestmark = pytest.mark.timeout(180)

ACCOUNTS = ("ann", "bob", "cid")
TEAMS = ("team:t1", "super_team:1")
WHO = st.sampled_from(ACCOUNTS)
WHERE = st.sampled_from(["p2p:ann", "p2p:bob", "p2p:cid", *TEAMS, *TEAMS])
TEAM = st.sampled_from(TEAMS)
KINDS = st.sampled_from([None, ["p2p"], ["team"], ["team", "super_team"]])
MOSTLY = st.sampled_from([True, True, True, False])
BACK = st.sampled_from([0, 0, 1, 2, 5])
TEXT = st.sampled_from(["hi", "two\nlines", "x" * 300, ""])
MARKING = ["look", "look", "mark", "back", "read", "read", "read all", "delete"]
AFTERWARDS = st.sampled_from(["recall", "recall away", "edit", "delete"])
LATER = st.sampled_from([0, 0, 1, 5, -3])
LEVEL = st.sampled_from([None, "none", "mentions"])
MENTIONS = st.sampled_from([(), (), ("bob",), ("@all",), ("ann", "@all"), ("cid", "bob")])
PART = st.sampled_from([None, "", "Ann", "安"])
"""Of a profile."""
DRAFT = st.sampled_from(["", "", "dear", "dear ann"])
RANK = st.sampled_from([0, 0, 1, -1, 2**53 - 1, 1 - 2**53])
FORGOTTEN = st.none() | st.integers(0, 2)
"""How many of the newest marks a reader had not heard of; None: it does not say."""


class Looked(NamedTuple):
    """What a device had when it looked: in the words of the oracle, and in those of the wire."""

    newest: dict[str, int]
    marks: dict[str, int]
    archived: set[str]
    rows: dict[Conversation, InboxEntry]
    version: int


class CoreHistories(RuleBasedStateMachine):
    """What people do, in any order; the oracle says what could have been accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()
        self.core = CoreInDictionaries()
        self.devices = {account: Replica() for account in ACCOUNTS}
        self.told: dict[str, int] = dict.fromkeys(ACCOUNTS, 0)
        self.looked: dict[str, Looked] = {
            account: Looked({}, {}, set(), {}, 0) for account in ACCOUNTS
        }
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

    def marks_known(self, account: str, conversation: str, forgotten: int | None) -> int | None:
        """What a reader knew of that had not heard of the newest marks."""
        if forgotten is None:
            return None
        return max(self.oracle.marks(account).get(conversation, 0) - forgotten, 0)

    @initialize(members=st.sets(WHO), talks=st.lists(st.tuples(WHO, WHERE, MOSTLY), max_size=12))
    def begin(self, members: set[str], talks: list[tuple[str, str, bool]]) -> None:
        """A company that has talked for a while, so that who comes later finds something."""
        self.both("create_team", "team:t1", owner="ann", members=members, name="One", at_ms=900)
        self.both("create_team", "super_team:1", owner="bob", members=members, at_ms=900)
        for who, where, counts in talks:
            self.post(who, where, "before", (counts, True, True), 0, None, None)

    @rule(
        who=WHO,
        where=WHERE,
        text=TEXT,
        switches=st.tuples(MOSTLY, MOSTLY, MOSTLY),
        later=LATER,
        back=st.none() | BACK,
        forgotten=FORGOTTEN,
        mentions=MENTIONS,
    )
    def post(
        self,
        who: str,
        where: str,
        text: str,
        switches: tuple[bool, bool, bool],
        later: int,
        back: int | None,
        forgotten: int | None,
        mentions: tuple[str, ...] = (),
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
            mentions=mentions,
            marks_known=None if back is None else self.marks_known(who, where, forgotten),
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
            named = ("@all", reader) if self.posted % 3 else ("@all",)
            self.post(who, where, "well", (True, True, True), 1, None, None, named)
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

    @rule(who=WHO, where=WHERE, back=BACK, text=TEXT, mentions=MENTIONS)
    def edit(self, who: str, where: str, back: int, text: str, mentions: tuple[str, ...]) -> None:
        self.both("edit", who, where, self.newest(who, where) - back, text, mentions)

    @rule(who=WHO, where=WHERE, back=BACK)
    def delete_message(self, who: str, where: str, back: int) -> None:
        self.both("delete_message", who, where, self.newest(who, where) - back)

    @rule(who=WHO, where=WHERE, back=BACK, forgotten=FORGOTTEN)
    def read(self, who: str, where: str, back: int, forgotten: int | None) -> None:
        upto = max(self.newest(who, where) - back, 0)
        marks_known = self.marks_known(who, where, forgotten)
        self.both("read", who, where, upto, marks_known=marks_known)

    @rule(who=WHO, where=WHERE)
    def read_what_is_there(self, who: str, where: str) -> None:
        self.both("read", who, where)

    @rule(who=WHO)
    def look(self, who: str) -> None:
        """A device has its list now; later it may read or delete all of it."""
        rows = dict(self.devices[who].rows)
        self.looked[who] = Looked(
            self.oracle.newest(who),
            self.oracle.marks(who),
            self.oracle.archived(who),
            rows,
            self.core.version,
        )

    @rule(who=WHO, kinds=KINDS, looked=st.booleans())
    def read_all(self, who: str, kinds: list[str] | None, looked: bool) -> None:
        upto = self.looked[who].newest if looked else None
        marks = self.looked[who].marks if looked else None
        archived = self.looked[who].archived if looked else None
        self.both("read_all", who, kinds, upto, marks_known=marks, archives_known=archived)

    @rule(who=WHO, where=WHERE)
    def read_what_was_looked_at(self, who: str, where: str) -> None:
        """What a row said of its marks is enough to leave newer ones alone (R3, R4)."""
        looked = self.looked[who]
        row = looked.rows.get(Conversation(where))
        if row is not None:
            self.oracle.read(who, where, row.last_seq, marks_known=looked.marks[where])
            self.core.read_what_a_row_showed(who, row)

    @rule(who=WHO)
    def read_all_that_was_looked_at(self, who: str) -> None:
        """So is the version of a token (R5)."""
        looked = self.looked[who]
        self.oracle.read_all(
            who,
            upto=looked.newest,
            marks_known=looked.marks,
            archives_known=self.core.archives_before(who, looked.version),
        )
        self.core.read_all_as_at(who, looked.newest, looked.version)

    @rule(who=WHO, where=WHERE)
    def mark_unread(self, who: str, where: str) -> None:
        self.both("mark_unread", who, where)

    @rule(who=WHO, where=WHERE, back=BACK)
    def mark_unread_from(self, who: str, where: str, back: int) -> None:
        self.both("mark_unread_from", who, where, self.newest(who, where) - back)

    @rule(who=WHO, where=WHERE, text=DRAFT, later=LATER)
    def set_draft(self, who: str, where: str, text: str, later: int) -> None:
        self.both("set_draft", who, where, text, at_ms=self.time_ms(later))

    @rule(who=WHO, where=WHERE, level=LEVEL, lasts=st.sampled_from([None, None, 0, 1, 20]))
    def mute(self, who: str, where: str, level: str | None, lasts: int | None) -> None:
        until_ms = None if lasts is None else self.now_ms + lasts
        self.both("mute", who, where, level, until_ms, at_ms=self.now_ms)

    @rule(who=WHO, where=WHERE, later=LATER)
    def end_mute(self, who: str, where: str, later: int) -> None:
        self.both("end_mute", who, where, at_ms=self.time_ms(later))

    @rule(who=WHO, where=WHERE, rank=RANK, ext=st.sampled_from(["", "x"]), later=LATER)
    def pin(self, who: str, where: str, rank: int, ext: str, later: int) -> None:
        self.both("pin", who, where, rank, ext, at_ms=self.time_ms(later))

    @rule(who=WHO, where=WHERE)
    def unpin(self, who: str, where: str) -> None:
        self.both("unpin", who, where)

    @rule(who=WHO, where=WHERE, back=BACK)
    def archive(self, who: str, where: str, back: int) -> None:
        self.both("archive", who, where, max(self.newest(who, where) - back, 0))

    @rule(who=WHO, where=WHERE)
    def unarchive(self, who: str, where: str) -> None:
        self.both("unarchive", who, where)

    @rule(who=WHO, where=WHERE, label=st.sampled_from("ab"), text=st.sampled_from(["", "x"]))
    def label_and_extend(self, who: str, where: str, label: str, text: str) -> None:
        self.both("add_label" if text else "remove_label", who, where, label)
        self.both("set_extension", who, where, text)

    @rule(who=WHO, where=WHERE, alias=st.sampled_from(["", "", "dear", "亲爱的"]))
    def set_alias(self, who: str, where: str, alias: str) -> None:
        self.both("set_alias", who, where, alias)

    @rule(team=TEAM, avatar=st.sampled_from(["", "a.png", "b.png"]))
    def set_team_avatar(self, team: str, avatar: str) -> None:
        self.both("set_team_avatar", team, avatar)

    @rule(who=WHO, name=PART, avatar=PART)
    def set_profile(self, who: str, name: str | None, avatar: str | None) -> None:
        self.both("set_profile", who, name=name, avatar=avatar)

    @rule(who=WHO, where=WHERE, deeds=st.lists(st.sampled_from(MARKING), min_size=2, max_size=6))
    def one_after_the_other(self, who: str, where: str, deeds: list[str]) -> None:
        """Marks, and reads that knew of them or did not, close together in one place."""
        for deed in deeds:
            if deed == "look":
                self.look(who)
            elif deed == "mark":
                self.mark_unread(who, where)
            elif deed == "back":
                self.mark_unread_from(who, where, 1)
            elif deed == "read":
                self.read_what_was_looked_at(who, where)
            elif deed == "read all":
                self.read_all_that_was_looked_at(who)
            else:
                self.delete(who, where, 1, clear_history=False)
            self.a_device_that_is_told_changes_only_shows_the_same()

    @rule(who=WHO, kinds=KINDS, looked=st.booleans(), clear_history=st.booleans())
    def delete_all(
        self, who: str, kinds: list[str] | None, looked: bool, clear_history: bool
    ) -> None:
        upto = self.looked[who].newest if looked else None
        archived = self.looked[who].archived if looked else None
        self.both(
            "delete_all", who, kinds, upto, clear_history=clear_history, archives_known=archived
        )

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
                compare_explanation(self.core.explain(account, row), row, self.oracle, account)

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
    max_examples=250,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
