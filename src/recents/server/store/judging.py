"""Rows as they are stored, beside what a recount says (rules M1, U1, U2, U5, D, R6, T2).

Rules of this file:

1. Rows are judged column by column, under the names of the columns; each finding says what is and
   what should be.
2. What follows from the messages is made right; what somebody has said (a name, a draft, a mute)
   is nobody's to correct.
3. A position beyond its range is moved to the end that it is beyond, and no further.
4. As in ``recount`` no code is shared with what is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from recents.server.store.recount import Finding, Recount, Said, key_for

T = TypeVar("T")

MUTE_LEVELS = (None, "none", "mentions")

PREVIEW_DEFAULTS: dict[str, Said] = {
    "kind": "text",
    "text": "",
    "state": "normal",
    "recalled_by": None,
}
"""Left out where a preview is stored."""


class HeadRow(msgspec.Struct, frozen=True):
    """A row of ``heads``, without what nobody can recount."""

    key: str
    version: int
    last_seq: int
    ordinal: int
    time_ms: int
    activity_ms: int
    last_retraction: int
    low_receipt: int
    high_receipt: int
    dismissed: int
    name: str | None
    owner: str | None
    preview: str | None


class MemberRow(msgspec.Struct, frozen=True):
    """A row of ``memberships``, without the text of the draft."""

    key: str
    account: str
    conversation: str
    version: int
    joined_seq: int
    joined_version: int
    read_seq: int
    read_ordinal: int
    skipped_after_read: int
    cleared_seq: int
    deleted_seq: int
    removed: int
    parting: str | None
    read_epoch: int
    marked_unread: int
    mute: str | None


class Judged:
    """A row while its columns are looked at.

    Attributes:
        findings: what is wrong with it.
        better: the columns that were made right, with their right values.
    """

    def __init__(self, key: str, account: str | None) -> None:
        self.findings: list[Finding] = []
        self.better: dict[str, Said] = {}
        self._key = key
        self._account = account

    def equal(self, column: str, found: Said, expected: Said, *, repairable: bool = True) -> None:
        """Hold a column to a value."""
        if found != expected:
            self._object(column, found, expected, repairable=repairable)
            if repairable:
                self.better[column] = expected

    def within(self, column: str, found: int, least: int, most: int) -> int:
        """Hold a column to a range; return the value, moved into it."""
        right = max(least, min(found, max(least, most)))
        if right != found:
            expected: Said = least if least >= most else f"{least} to {most}"
            self._object(column, found, expected, repairable=True)
            self.better[column] = right
        return right

    def deplore(self, what: str, found: Said, expected: Said) -> None:
        """Note what nobody can make right from the messages."""
        self._object(what, found, expected, repairable=False)

    def _object(self, what: str, found: Said, expected: Said, *, repairable: bool) -> None:
        self.findings.append(
            Finding(
                conversation=self._key,
                account=self._account,
                what=what,
                found=found,
                expected=expected,
                repairable=repairable,
            )
        )


class Judgement:
    """One conversation, while its rows are looked at.

    Attributes:
        findings: what is wrong.
        rows: for each row that can be made right, the query that does so and its values.
    """

    def __init__(self, recount: Recount, newest: int) -> None:
        """Begin after all messages were counted; ``newest``: number of the newest commit."""
        self.findings: list[Finding] = list(recount.findings)
        self.rows: list[tuple[str, dict[str, Said]]] = []
        self._recount = recount
        self._newest = newest
        self._absent = set(recount.senders)

    def judge_head(self, row: HeadRow | None, preview: Mapping[str, Said] | None) -> None:
        """Judge the head; None: there is none, though there is something that belongs to it."""
        key = self._recount.key
        if not self._recount.sound:
            return
        if row is None:
            # Of a team nobody knows the owner any more.
            lost = not key.startswith("p2p:")
            self._miss("head", "a head", repairable=not lost)
            if lost:
                return
            row = HeadRow(key, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, None)
            judged = judge_head(row, self._recount, preview, self._newest)
        else:
            judged = judge_head(row, self._recount, preview, self._newest)
            self.findings += judged.findings
            if not judged.better:
                return
        self.rows.append(("repair_head", {**msgspec.structs.asdict(row), **judged.better}))

    def judge_member(self, row: MemberRow, unread: int | None) -> None:
        """Judge a membership; ``unread`` as in ``judge_member``."""
        self._absent.discard(row.account)
        if not self._recount.sound:
            return
        judged = judge_member(row, unread, self._recount, self._newest)
        self.findings += judged.findings
        if judged.better:
            values = {**msgspec.structs.asdict(row), **judged.better}
            self.rows.append(("repair_membership", values))

    def end(self) -> None:
        """Note who has written without ever having been a member."""
        for account in sorted(self._absent):
            self._miss("membership", "a membership, since it has written", account)

    def _miss(
        self, what: str, expected: str, account: str | None = None, *, repairable: bool = False
    ) -> None:
        self.findings.append(
            Finding(
                conversation=self._recount.key,
                account=account,
                what=what,
                found=None,
                expected=expected,
                repairable=repairable,
            )
        )


def judge_head(
    row: HeadRow, recount: Recount, preview: Mapping[str, Said] | None, newest: int
) -> Judged:
    """Hold a head to the recount.

    Args:
        row: the head as it is stored.
        recount: of all messages of the conversation.
        preview: what the newest message to show says, as a preview has it; None: there is none.
        newest: number of the newest commit.
    """
    judged, end = Judged(row.key, None), recount.last_seq
    judged.within("version", row.version, recount.newest_version, newest)
    judged.equal("last_seq", row.last_seq, end)
    judged.equal("ordinal", row.ordinal, recount.ordinal_at(end))
    judged.equal("time_ms", row.time_ms, recount.time_at(end))
    judged.equal("activity_ms", row.activity_ms, recount.activity_at(end))
    judged.equal("last_retraction", row.last_retraction, recount.newest_retraction)
    furthest = end if row.key.startswith("p2p:") else 0
    judged.within("low_receipt", row.low_receipt, 0, furthest)
    judged.within("high_receipt", row.high_receipt, 0, furthest)
    _judge_preview(judged, row.preview, preview)
    if (row.owner is None) != row.key.startswith("p2p:"):
        judged.deplore("owner", row.owner, None if row.owner else "an account")
    return judged


def judge_member(row: MemberRow, unread: int | None, recount: Recount, newest: int) -> Judged:
    """Hold a membership to the recount.

    Args:
        row: the membership as it is stored.
        unread: what the store counts as unread in its row; None: it makes no row of it.
        recount: of all messages of the conversation.
        newest: number of the newest commit.
    """
    judged = Judged(row.key, row.account)
    if key_for(row.account, row.conversation) != row.key:
        judged.deplore("conversation", row.conversation, f"a name of {row.key}")
    version = judged.within("version", row.version, 0, newest)
    for column in ("joined_version", "read_epoch", "marked_unread"):
        judged.within(column, getattr(row, column), 0, version)
    end = _judge_parting(judged, row, recount)
    if end is None:
        return judged
    joined = judged.within("joined_seq", row.joined_seq, 0, end)
    cleared = judged.within("cleared_seq", row.cleared_seq, 0, end)
    judged.within("deleted_seq", row.deleted_seq, -1, end)
    read = judged.within("read_seq", row.read_seq, max(joined, cleared), end)
    judged.equal("read_ordinal", row.read_ordinal, recount.ordinal_at(read))
    skipped = recount.skipped_between(row.account, read, end)
    judged.equal("skipped_after_read", row.skipped_after_read, skipped)
    if unread is not None:
        changes = _changes_at_parting(row)
        judged.equal("unread", unread, recount.unread(row.account, read, end, changes))
        # The store makes it from the columns above; there is no such column to write.
        judged.better.pop("unread", None)
    if row.mute not in MUTE_LEVELS:
        judged.deplore("mute", row.mute, "none, mentions or nothing")
    return judged


def _judge_parting(judged: Judged, row: MemberRow, recount: Recount) -> int | None:
    """Hold the head as it was at the parting to the messages up to then.

    Returns:
        The newest message that the account can see; None: nobody knows.
    """
    if row.parting is None:
        judged.equal("removed", row.removed, 0)
        return recount.last_seq
    try:
        parting = msgspec.json.decode(row.parting, type=dict[str, object])
    except msgspec.DecodeError:
        judged.deplore("parting", "something unreadable", "a head")
        return None
    if row.key.startswith("p2p:"):
        judged.deplore("parting", "a head", None)
    within = Judged(row.key, row.account)
    end = within.within("last_seq", _number(parting, "last_seq"), 0, recount.last_seq)
    within.equal("ordinal", _number(parting, "ordinal"), recount.ordinal_at(end))
    within.equal("time_ms", _number(parting, "time_ms"), recount.time_at(end))
    within.equal("activity_ms", _number(parting, "activity_ms"), recount.activity_at(end))
    within.within("last_retraction", _number(parting, "last_retraction"), 0, end)
    for finding in within.findings:
        judged.findings.append(msgspec.structs.replace(finding, what=f"parting {finding.what}"))
    if within.better:
        judged.better["parting"] = msgspec.json.encode({**parting, **within.better}).decode()
    return end


def _changes_at_parting(row: MemberRow) -> int | None:
    if row.parting is None:
        return None
    return _number(msgspec.json.decode(row.parting, type=dict[str, object]), "changes")


def _number(head: Mapping[str, object], name: str) -> int:
    value = head.get(name, 0)
    return value if isinstance(value, int) else 0


def _judge_preview(
    judged: Judged, stored: str | None, expected: Mapping[str, Said] | None
) -> None:
    """Compare by what they say; a finding names the messages only."""
    try:
        found = None if stored is None else msgspec.json.decode(stored, type=dict[str, object])
    except msgspec.DecodeError:
        found = {}
    if found is not None:
        found = without_defaults(found)
    if found == expected:
        return
    wanted = None if expected is None else f"message {expected['seq']}"
    shown = None if found is None else f"message {found.get('seq')}"
    if shown == wanted:
        shown = f"{shown}, not as it is"
    judged.equal("preview", shown, wanted)
    text = None if expected is None else msgspec.json.encode(expected).decode()
    judged.better["preview"] = text


def without_defaults(preview: Mapping[str, T]) -> dict[str, T]:
    """Return a preview without what goes without saying; stores may write it or not."""
    return {
        name: value
        for name, value in preview.items()
        if name not in PREVIEW_DEFAULTS or value != PREVIEW_DEFAULTS[name]
    }
