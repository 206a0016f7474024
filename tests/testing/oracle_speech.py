"""Short ways to tell the oracle what happened and to ask what it expects."""

from __future__ import annotations

from recents.testing.oracle import ExpectedRow, ExpectedTotals, Oracle

TEAM = "team:t1"


def team_of(*accounts: str) -> Oracle:
    """An oracle with `team:t1`, which the first of `accounts` owns."""
    oracle = Oracle()
    oracle.create_team(TEAM, owner=accounts[0], members=accounts[1:], name="One", at_ms=100)
    return oracle


def say(oracle: Oracle, sender: str, conversation: str, *texts: str) -> int:
    """Post `texts` one after the other; client ids are the texts, times grow. The last seq."""
    seq = 0
    for text in texts:
        newest = len(oracle.history(sender, conversation))
        seq = oracle.post(sender, conversation, client_id=text, at_ms=1_000 + newest, text=text)
    return seq


def row_of(oracle: Oracle, account: str, conversation: str) -> ExpectedRow:
    """The visible row; the test fails if there is none."""
    return {row.conversation: row for row in oracle.rows(account)}[conversation]


def names_of(oracle: Oracle, account: str) -> list[str]:
    """The conversations of the visible rows, in their order."""
    return [row.conversation for row in oracle.rows(account)]


def text_shown(oracle: Oracle, account: str, conversation: str) -> str | None:
    """The text of the preview, None if the row has no preview."""
    preview = row_of(oracle, account, conversation).preview
    return None if preview is None else preview.text


def empty_row(
    conversation: str,
    *,
    at_ms: int,
    last_seq: int = 0,
    cleared_seq: int = 0,
    name: str | None = None,
) -> ExpectedRow:
    """The row of a member who has read everything and finds no message."""
    return ExpectedRow(
        conversation=conversation,
        place_ms=at_ms,
        activity_ms=at_ms,
        last_seq=last_seq,
        read_seq=last_seq,
        unread=0,
        preview=None,
        status=None,
        membership="member",
        name=name,
        marked_unread=False,
        cleared_seq=cleared_seq,
        draft=None,
        mute=None,
        pin=None,
        archived=False,
        mute_until_ms=None,
        labels=(),
        extension="",
        avatar="",
        alias="",
        title=name or conversation.partition(":")[2],
        mentions_me=0,
        mentions_all=0,
    )


def sums(unread: int, unread_conversations: int, conversations: int) -> ExpectedTotals:
    """The totals of rows of which none is muted or marked."""
    return ExpectedTotals(
        unread=unread,
        unread_conversations=unread_conversations,
        conversations=conversations,
        muted_unread=0,
        marked_unread=0,
        mentions=0,
        badge=unread,
    )
