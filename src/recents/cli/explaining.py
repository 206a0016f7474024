"""`recents explain`: why a row shows what it shows."""

from __future__ import annotations

from collections.abc import Iterator

from recents.cli.ending import run
from recents.cli.lists import ToArgument
from recents.cli.login import (
    DEFAULT_NODE,
    AccountOption,
    JsonOption,
    NodeOption,
    TokenOption,
    checked_login,
    conversation_of,
    opened,
)
from recents.cli.rendering import print_json, print_lines, stamp
from recents.core.explain import Explanation, NamedMessage, Placement, Positions, Reason

_REASONS = {
    Reason.BEFORE_JOINING: "from before you joined",
    Reason.AFTER_PARTING: "from after you left",
    Reason.CLEARED: "in the history that you cleared",
    Reason.READ: "read",
    Reason.OWN: "your own",
    Reason.SILENT: "sent as not counting",
    Reason.RECALLED: "recalled",
    Reason.DELETED: "deleted by you",
}
_MOVES = {
    "joining": "by joining",
    "reading": "by reading",
    "clearing": "by clearing the history",
    "deleting": "by deleting the row",
    "marking": "by marking unread from there on",
    None: "by reading or marking",
}
_MUTES = {
    "none": "muted",
    "mentions": "muted but for mentions",
    None: "not muted",
}


def explain(
    to: ToArgument,
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """Say why a row shows what it shows.

    Names the messages that are unread, those after the read position that do not count and why,
    what gives the row its place, and what it adds to the badge. Shows no text of any message.
    """

    async def work() -> None:
        login = checked_login(node, account, token)
        async with opened(login) as me:
            explanation = await me.inbox.explain(conversation_of(to))
        if json:
            print_json(explanation)
        else:
            print_lines(*lines_of(explanation))

    run(work())


def lines_of(told: Explanation) -> Iterator[str]:
    """Say an explanation in sentences, one a line."""
    hidden = "" if told.listed else "; the row is not in the list"
    yield f"{told.conversation}: {told.unread} unread{hidden}"
    if told.counted != told.unread:
        yield (
            f"only {told.counted} of them are known here"
            if not told.complete
            else (f"but {told.counted} messages count: `recents doctor` finds out why")
        )
    yield from _named(told.messages, told.more)
    if told.reasons:
        numbers = [f"{count} {_REASONS[reason]}" for reason, count in told.reasons.items()]
        yield f"not counted: {', '.join(numbers)}"
        yield from _named(told.uncounted, told.more_uncounted)
    yield _positions(told.positions)
    yield _place(told.place)
    share = told.share
    until = f" until {stamp(told.mute_until_ms)}" if told.mute_until_ms else ""
    yield f"{_MUTES[told.mute]}{until}: adds {share.unread} to unread, {share.badge} to the badge"


def _named(messages: tuple[NamedMessage, ...], more: bool) -> Iterator[str]:
    if more:
        yield "  … and older ones"
    for message in messages:
        reason = f", {_REASONS[message.reason]}" if message.reason else ""
        yield (
            f"  message {message.seq} of {message.sender}, {stamp(message.time_ms)}, "
            f"id {message.client_id}{reason}"
        )


def _positions(at: Positions) -> str:
    said = f"read up to {at.read_seq} of {at.last_seq}, {_MOVES[at.read_by]}"
    if at.cleared_seq:
        said += f"; history cleared up to {at.cleared_seq}"
    if at.joined_seq:
        said += f"; joined after {at.joined_seq}"
    if at.deleted_seq is not None:
        said += f"; deleted at {at.deleted_seq}"
    return said


def _place(place: Placement) -> str:
    if place.by == "pin":
        return f"pinned, at rank {place.rank}"
    by = {"draft": "by the draft", "joining": "by joining", None: "by what is not known here"}
    what = f"by message {place.seq}" if place.seq else "by a message far back"
    return f"placed at {stamp(place.place_ms)}, {by.get(place.by, what)}"
