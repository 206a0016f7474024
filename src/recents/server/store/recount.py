"""What the rows of a conversation must say, recounted from its messages (rules M1, U1, O2, P1).

Rules of this file:

1. It shares nothing with what it judges: neither the core's functions nor the SQL of the stores,
   so that a mistake there cannot hide itself here. Only a row's place among the others is theirs.
2. Messages come one after the other and are not kept: four numbers of each are, so memory is
   bounded by some 40 bytes a message of the largest conversation.
3. Messages are the truth; where they contradict each other nothing that follows is judged.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable

import msgspec

PREVIEW_CHARACTERS = 200
"""P1, written down once more: see rule 1."""

Said = str | int | None

MessageRow = tuple[str, int, int, int, int, str, int, int, int, str, int]
"""Key, seq, ordinal, version, time, sender, counts, bumps, previews, state, change."""

HiddenRow = tuple[str, str, int]
"""Key, account, seq of a message of somebody else that counts."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is not as it should be.

    Attributes:
        conversation: its key; "" for what concerns the whole file.
        account: whose membership; None: the conversation's own rows.
        what: the column, or what is missing.
        found: what is there. Never what a message says.
        expected: what should be, or in which range.
        repairable: it follows from the messages, so it can be made right.
    """

    what: str
    found: Said
    expected: Said
    conversation: str = ""
    account: str | None = None
    repairable: bool = True


class Recount:
    """Goes through the messages of one conversation in their order.

    Attributes:
        key: the conversation.
        findings: what is wrong with the messages: of each sort the first.
        newest_version: the commit of the newest message.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.findings: list[Finding] = []
        self.newest_version = 0
        # Ordinals, times, activity, previews: each at place `seq`, and at 0 what holds before
        # the first message.
        self._columns = tuple(array("q", [0]) for _ in range(4))
        self._counting: dict[str, array[int]] = {}
        self._retracted: list[tuple[int, str, int]] = []
        self._hidden: dict[str, array[int]] = {}

    @property
    def sound(self) -> bool:
        """Whether the messages can be counted."""
        return not self.findings

    @property
    def last_seq(self) -> int:
        """The newest message; 0 when there is none."""
        return len(self._columns[0]) - 1

    @property
    def senders(self) -> set[str]:
        """Everybody who has sent a message."""
        return set(self._counting)

    @property
    def newest_retraction(self) -> int:
        """The newest recalled message that counted; 0: there is none."""
        return self._retracted[-1][0] if self._retracted else 0

    def take(self, rows: Iterable[MessageRow]) -> int:
        """Go through messages; behind a gap there is nothing to count any more.

        Returns:
            How many there were.
        """
        ordinals, times, activity, shown = self._columns
        ordinal, time_ms, version, seen = ordinals[-1], times[-1], self.newest_version, 0
        bumped_ms, preview = activity[-1], shown[-1]
        for _, seq, stored, number, at_ms, sender, counts, bumps, previews, state, change in rows:
            seen += 1
            if seq != len(ordinals):
                self._object("message seq", seq, len(ordinals))
                continue
            ordinal += counts
            if stored != ordinal:
                self._object(f"ordinal of message {seq}", stored, ordinal)
            if at_ms < time_ms:
                self._object(f"time_ms of message {seq}", at_ms, f"at least {time_ms}")
            if number < version:
                self._object(f"version of message {seq}", number, f"at least {version}")
            time_ms, version = at_ms, number
            bumped_ms = at_ms if bumps else bumped_ms
            preview = seq if previews and state != "gone" else preview
            ordinals.append(ordinal)
            times.append(at_ms)
            activity.append(bumped_ms)
            shown.append(preview)
            if sender not in self._counting:
                self._counting[sender] = array("q")
            if counts:
                self._counting[sender].append(seq)
                if state in ("recalled", "gone"):
                    self._retracted.append((seq, sender, change))
        self.newest_version = version
        return seen

    def hide(self, rows: Iterable[HiddenRow]) -> None:
        """Note what accounts deleted for themselves, in its order."""
        for _, account, seq in rows:
            self._hidden.setdefault(account, array("q")).append(seq)

    def ordinal_at(self, seq: int) -> int:
        """How many messages with ``counts`` there are up to a place."""
        return self._columns[0][seq]

    def time_at(self, seq: int) -> int:
        """The time of a message; 0 before the first."""
        return self._columns[1][seq]

    def activity_at(self, seq: int) -> int:
        """The time of the newest bumping message up to a place; 0: there is none (O2)."""
        return self._columns[2][seq]

    def preview_at(self, seq: int) -> int:
        """The newest message up to a place that may be a preview; 0: there is none (P1)."""
        return self._columns[3][seq]

    def skipped_between(self, account: str, after_seq: int, end: int) -> int:
        """How many messages with ``counts`` between two places are an account's own, or hidden."""
        return sum(
            bisect_right(seqs, end) - bisect_right(seqs, after_seq)
            for seqs in (self._counting.get(account), self._hidden.get(account))
            if seqs
        )

    def unread(self, account: str, position: int, end: int, changes: int | None = None) -> int:
        """How many messages between two places are unread for an account (U1).

        Args:
            account: whose.
            position: the place after which they are.
            end: the place up to which it sees the conversation.
            changes: with how many recalls and edits it sees it; None: all of them (T2).
        """
        hidden = self._hidden.get(account, ())
        recalled = sum(
            position < seq <= end
            and sender != account
            and (changes is None or change <= changes)
            and seq not in hidden
            for seq, sender, change in self._retracted
        )
        countable = self.ordinal_at(end) - self.ordinal_at(position)
        return countable - self.skipped_between(account, position, end) - recalled

    def _object(self, what: str, found: Said, expected: Said) -> None:
        kind = what.split(" ", maxsplit=1)[0]
        if not any(one.what.startswith(kind) for one in self.findings):
            self.findings.append(
                Finding(
                    conversation=self.key,
                    what=what,
                    found=found,
                    expected=expected,
                    repairable=False,
                )
            )


def preview_text(text: str) -> str:
    """What a row shows of a text (P1)."""
    return text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")[:PREVIEW_CHARACTERS]


def key_for(account: str, conversation: str) -> str:
    """The key of what an account calls ``conversation`` (I2)."""
    kind, _, who = conversation.partition(":")
    if kind != "p2p":
        return conversation
    return "p2p:" + "|".join(sorted((account, who), key=str.encode))
