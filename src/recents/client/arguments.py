"""What an application passes in, checked before anything is sent.

Rules of this file:

1. The core says what is wrong; here it becomes the caller's mistake, raised at the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypedDict, TypeVar

import msgspec

from recents.core import ids
from recents.core.checking import check
from recents.core.commands import AnyCommand
from recents.core.errors import CallerMistake, Refused
from recents.core.filters import MAIN_LIST, Filter
from recents.core.ids import Conversation, Kind

C = TypeVar("C", bound=AnyCommand)


class Filtering(TypedDict, total=False):
    """Which rows ``list``, ``totals`` and ``watch`` are about; all that is said must hold.

    Attributes:
        kinds: conversations of these kinds only.
        unread_only: only rows with unread messages or a dot (R4).
        muted: True: only muted rows; False: only others (U4).
        pinned: True: only pinned rows; False: only others (G1).
        archived: True: only archived rows; None: these and others; others by default (G4).
        label: only rows with this label (G5).
        mentioned_only: only rows with unread mentions of this account or of all (G3).
    """

    kinds: Iterable[Kind | str] | None
    unread_only: bool
    muted: bool | None
    pinned: bool | None
    archived: bool | None
    label: str | None
    mentioned_only: bool


@contextmanager
def callers_mistake() -> Iterator[None]:
    """Turn a refusal of the core, or a value that it cannot even look at, into ours."""
    try:
        yield
    except Refused as refusal:
        raise CallerMistake(refusal.args[0]) from refusal
    except (AttributeError, TypeError) as error:
        raise CallerMistake(f"an argument has the wrong type: {error}") from error


def checked(command: C) -> C:
    """Return a command whose values are within the rules.

    Raises:
        CallerMistake: they are not.
    """
    with callers_mistake():
        check(command)
    return command


def p2p(account: str) -> Conversation:
    """Name the conversation with ``account``: ``p2p("bob")`` is ``p2p:bob``.

    Raises:
        CallerMistake: this cannot be an account id (I1).
    """
    with callers_mistake():
        return ids.p2p(account)


def team(team_id: str) -> Conversation:
    """Name a team's conversation: ``team("t1")`` is ``team:t1``.

    Raises:
        CallerMistake: this cannot be a team's id (I1).
    """
    with callers_mistake():
        return ids.team(team_id)


def super_team(team_id: str) -> Conversation:
    """Name a super team's conversation: ``super_team("big")`` is ``super_team:big``.

    Raises:
        CallerMistake: this cannot be a team's id (I1).
    """
    with callers_mistake():
        return ids.super_team(team_id)


def checked_conversation(conversation: str) -> Conversation:
    """Return ``conversation`` if it names one.

    Raises:
        CallerMistake: it does not.
    """
    with callers_mistake():
        return ids.check_conversation(conversation)


def several(texts: Iterable[str], what: str) -> tuple[str, ...]:
    """Return several texts as a tuple.

    Raises:
        CallerMistake: it is one text, which Python would take apart into characters.
    """
    if isinstance(texts, str):
        raise CallerMistake(f"{what} takes several: write [{texts!r}]")
    return tuple(texts)


def some_kinds(kinds: Iterable[Kind | str] | None) -> tuple[Kind, ...] | None:
    """Return kinds of conversations; None stands for all.

    Raises:
        CallerMistake: one of them is none.
    """
    if kinds is None:
        return None
    named = several(kinds, "kinds")
    for kind in named:
        if kind not in tuple(Kind):
            raise CallerMistake(f"there is no kind {kind!r}: use {', '.join(Kind)}")
    return tuple(Kind(kind) for kind in named)


def filter_of(said: Filtering) -> Filter:
    """Return the filter that an application asks for.

    Raises:
        CallerMistake: there is no such filter, or it cannot have this value.
    """
    if not said:
        return MAIN_LIST
    unknown = said.keys() - set(Filter.__struct_fields__)
    if unknown:
        known = ", ".join(Filter.__struct_fields__)
        raise CallerMistake(f"there is no filter {min(unknown)!r}: use {known}")
    values: dict[str, object] = {**said}
    if "kinds" in said:
        values["kinds"] = some_kinds(said["kinds"])
    try:
        # The struct itself checks nothing when it is made.
        return msgspec.convert(values, Filter)
    except msgspec.ValidationError as error:
        raise CallerMistake(f"a filter has the wrong value: {error}") from error


def checked_seq(seq: int, what: str) -> int:
    """Return ``seq`` if it is a whole number; the rules about it are the core's.

    Raises:
        CallerMistake: it is something else.
    """
    if not isinstance(seq, int):
        raise CallerMistake(f"{what} is {seq!r}; it must be a whole number")
    return seq


def checked_text(text: str) -> str:
    """Return ``text`` if it is one.

    Raises:
        CallerMistake: it is something else.
    """
    if not isinstance(text, str):
        raise CallerMistake(f"{text!r} is no text to search for")
    return text


def positive(limit: int, what: str = "limit") -> int:
    """Return ``limit`` if it is at least 1.

    Raises:
        CallerMistake: it is not.
    """
    if limit < 1:
        raise CallerMistake(f"{what} is {limit}; it must be 1 or above")
    return limit
