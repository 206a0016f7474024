"""Looking through a device's copy, and beginning it anew where it is wrong (rules C2, C5, C6, O1).

Rules of this file:

1. Looking changes nothing. Nobody else may have the copy open.
2. A copy is never mended: the node has the rows, so one that is wrong is set aside like one that
   is damaged, with its unsent commands rescued, and fetched again.
3. Sums and places are found anew here, not with the functions that wrote them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import apsw
import msgspec

from recents.client.store.port import SetAside
from recents.client.store.queries import named_queries
from recents.client.store.sqlite_failures import DAMAGED, opening_failures, unusable
from recents.client.store.sqlite_file import CopyFile
from recents.client.store.sqlite_opening import Unfit, connected, identify, locked
from recents.core.entry import InboxEntry
from recents.core.message import Message
from recents.core.pending import Pending
from recents.core.totals import Totals
from recents.wire.sync_token import parts_of

KEPT_MESSAGES = 200
"""What a device keeps of each conversation unless told otherwise."""

_SPOKEN = frozenset({"preview", "draft"})
"""Fields of a row that hold what people say."""

Row = tuple[Any, ...]


class CopyFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something in a copy that is not as it should be.

    Attributes:
        conversation: in which row, or among whose messages; "": in the copy as a whole.
        what: which part of it.
        found: what is there. Never what a message says.
        expected: what should be.
    """

    what: str
    found: str | int | None
    expected: str | int | None
    conversation: str = ""


class CopyExamined(msgspec.Struct, kw_only=True):
    """What was looked at, and how much of it was wrong."""

    rows: int = 0
    messages: int = 0
    commands: int = 0
    findings: int = 0


Tell = Callable[[CopyFinding], None]


class CopyDoctor:
    """Looks through one account's copy on one device: ``with CopyDoctor(path, account) as it``.

    Args:
        path: the file.
        account: whose it must be.
        kept_messages: most messages of a conversation.
    """

    def __init__(self, path: Path, account: str, kept_messages: int = KEPT_MESSAGES) -> None:
        self._path = path
        self._account = account
        self._kept_messages = kept_messages
        self._sql = named_queries("doctor")
        self._lock: apsw.Connection

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            StoreUnusable: it is not there, or in use.
        """
        if not self._path.is_file():
            raise unusable(f"there is no copy of {self._account} at {self._path}")
        with opening_failures(self._path):
            self._lock = locked(self._path, self._account)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.close()

    def examine(self, tell: Tell) -> CopyExamined:
        """Go through everything, and tell what is wrong.

        Raises:
            StoreUnusable: the file cannot be read.
        """
        examined = CopyExamined()

        def note(finding: CopyFinding) -> None:
            examined.findings += 1
            tell(finding)

        with opening_failures(self._path):
            try:
                connection = connected(self._path)
                try:
                    identify(connection, self._account)
                    self._look(connection, examined, note)
                finally:
                    connection.close()
            except Unfit as unfit:
                note(CopyFinding(what="file", found=unfit.reason, expected="this account's copy"))
            except DAMAGED:
                note(CopyFinding(what="file", found="damaged", expected="readable"))
        return examined

    def compare(self, token: str, rows: Iterable[InboxEntry], tell: Tell) -> int | None:
        """Hold the copy to what the node has, as far as the copy claims to have that.

        Args:
            token: up to where the node's rows go.
            rows: all rows of the account, as a new device has them.
            tell: hears of each finding.

        Returns:
            How many rows were compared; None: the copy is of another line of versions, or not
            complete yet, so the node sends it everything anyhow.

        Raises:
            StoreUnusable: the file cannot be read.
        """
        with opening_failures(self._path):
            connection = connected(self._path)
            try:
                ((_, own_token, _, _, _),) = _all(
                    connection.execute(named_queries("copy")["copy"])
                )
                kept = _all(connection.execute(self._sql["doctor_rows"]))
            finally:
                connection.close()
        if own_token is None or parts_of(own_token)[0] != parts_of(token)[0]:
            return None
        own, newest = parts_of(own_token)[1], parts_of(token)[1]
        mine = {name: msgspec.json.decode(text, type=InboxEntry) for name, _, text in kept}
        theirs = {row.conversation: row for row in rows}
        for name, row in theirs.items():
            if name in mine:
                _compare_row(mine[name], row, tell)
            elif row.version <= own:
                tell(_differs(name, "row", "missing", "there"))
        if own >= newest:
            for name in mine.keys() - theirs.keys():
                tell(_differs(name, "row", "there", "gone"))
        return len(theirs)

    def _look(self, connection: apsw.Connection, examined: CopyExamined, note: Tell) -> None:
        for (said,) in _all(connection.execute("PRAGMA integrity_check")):
            if said != "ok":
                note(CopyFinding(what="integrity", found=said, expected="ok"))
        sums = self._rows(connection, examined, note)
        self._messages(connection, examined, note)
        self._outbox(connection, examined, note)
        ((_, token, text, _, _),) = _all(connection.execute(named_queries("copy")["copy"]))
        kept = msgspec.json.decode(text, type=Totals)
        # Before the first catch-up has ended they are those of rows still to come.
        for name, expected in sums.items() if token is not None else ():
            found = getattr(kept, name)
            if found != expected:
                note(CopyFinding(what=f"totals {name}", found=found, expected=expected))

    def _rows(
        self, connection: apsw.Connection, examined: CopyExamined, note: Tell
    ) -> dict[str, int]:
        """Look at each row; return the sums over all."""
        sums = dict.fromkeys(
            ("unread", "unread_conversations", "conversations", "muted_unread", "marked_unread"), 0
        )
        rows: apsw.Cursor = connection.execute(self._sql["doctor_rows"])
        for conversation, place, text in rows:
            examined.rows += 1
            where = str(conversation)
            try:
                entry = msgspec.json.decode(str(text), type=InboxEntry)
            except msgspec.DecodeError:
                note(_unreadable(where, "row", "a row"))
                continue
            if entry.conversation != conversation:
                note(_differs(where, "row", entry.conversation, where))
            place_ms = max(entry.activity_ms, entry.draft.time_ms if entry.draft else 0)
            if place != -place_ms:
                note(_differs(where, "place", int(str(place)), -place_ms))
            if entry.unread < 0:
                note(_differs(where, "unread", entry.unread, "at least 0"))
            sums["unread"] += entry.unread
            sums["unread_conversations"] += entry.unread > 0
            sums["conversations"] += 1
            sums["muted_unread"] += entry.unread if entry.mute else 0
            sums["marked_unread"] += entry.marked_unread
        return sums

    def _messages(self, connection: apsw.Connection, examined: CopyExamined, note: Tell) -> None:
        rows: Any = connection.execute(self._sql["doctor_messages"])
        for where, messages in groupby(rows, itemgetter(0)):
            count = 0
            for _, seq, text, cleared_seq in messages:
                count += 1
                try:
                    message = msgspec.json.decode(text, type=Message)
                except msgspec.DecodeError:
                    note(_unreadable(where, f"message {seq}", "a message"))
                    continue
                if message.seq != seq:
                    note(_differs(where, f"seq of message {seq}", message.seq, seq))
                if seq <= cleared_seq:
                    note(_differs(where, f"message {seq}", "there", f"cleared, to {cleared_seq}"))
            examined.messages += count
            if count > self._kept_messages:
                note(_differs(where, "messages", count, f"at most {self._kept_messages}"))

    def _outbox(self, connection: apsw.Connection, examined: CopyExamined, note: Tell) -> None:
        rows: Any = connection.execute(self._sql["doctor_outbox"])
        for number, account, text in rows:
            examined.commands += 1
            if account != self._account:
                note(_differs("", f"account of command {number}", account, self._account))
            try:
                pending = msgspec.json.decode(text, type=Pending)
            except msgspec.DecodeError:
                note(_unreadable("", f"command {number}", "a command"))
                continue
            if pending.number != number:
                note(_differs("", f"number of command {number}", pending.number, number))


def _compare_row(mine: InboxEntry, theirs: InboxEntry, tell: Tell) -> None:
    """Compare two images of one version; an older one is only late."""
    if mine.version > theirs.version:
        tell(_differs(mine.conversation, "version", mine.version, f"at most {theirs.version}"))
    if mine.version != theirs.version:
        return
    for name in mine.__struct_fields__:
        found, expected = getattr(mine, name), getattr(theirs, name)
        if found != expected:
            if name in _SPOKEN:
                found, expected = "another one", "the node's"
            tell(_differs(mine.conversation, name, str(found), str(expected)))


def begin_anew(path: Path, account: str, new_id: Callable[[], str]) -> SetAside:
    """Set a copy that is wrong aside, with its unsent commands rescued; the next start fetches it.

    Raises:
        StoreUnusable: that fails; nothing was changed.
    """
    file = CopyFile(path, account, new_id, KEPT_MESSAGES)
    try:
        return file.set_aside_as_it_is("drifted", "what it shows does not add up")
    finally:
        file.close()


def _all(rows: apsw.Cursor) -> list[Row]:
    found: list[Row] = rows.fetchall()
    return found


def _differs(conversation: str, what: str, found: str | int, expected: str | int) -> CopyFinding:
    return CopyFinding(conversation=conversation, what=what, found=found, expected=expected)


def _unreadable(conversation: str, what: str, expected: str) -> CopyFinding:
    return _differs(conversation, what, "unreadable", expected)
