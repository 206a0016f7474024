"""What changed for an account since a version, as frames (rules O4, C3; design: one question).

Rules of this file:

1. The version is taken before the rows are read, so nothing between the two is missed; and rows
   that turn out newer are read again with a newer version, so that the token covers what is shown.
2. Newest rows first; on a first start the first page comes with the totals of all rows.
3. Messages that were changed meanwhile are told, for devices keep some.
4. A row that is not visible is ``gone``; on a first start it is not mentioned at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from recents.core.entry import InboxEntry, is_visible, row_version
from recents.core.ids import Conversation, ConversationKey, named_by
from recents.core.message import Message
from recents.core.ordering import place_of
from recents.core.replica import Gone
from recents.core.totals import totals_of
from recents.server.recent import FRAME_BYTES, size_of
from recents.server.settings import Settings
from recents.server.store.port import Seen, Store
from recents.wire.frames import CaughtUp
from recents.wire.sync_token import token_of, version_in

_TRIES = 5
"""Commits that may come in between; where a row changes faster still, a newer one follows."""


def rows_and_gone(found: Iterable[Seen]) -> tuple[list[InboxEntry], list[Gone]]:
    """Part what is in the list from what is not."""
    rows, gone = [], []
    for seen in found:
        if is_visible(seen.head, seen.membership):
            rows.append(seen.entry())
        else:
            version = row_version(seen.head, seen.membership)
            gone.append(Gone(seen.conversation, version, seen.membership.cleared_seq))
    return rows, gone


async def catch_up(
    store: Store,
    settings: Settings,
    account: str,
    since: str | None,
    newest: Callable[[], int],
) -> AsyncIterator[CaughtUp]:
    """Yield the frames that bring a device from its token up to now.

    Args:
        store: where the rows are.
        settings: sizes of the pages.
        account: whose rows.
        since: the device's token, or None.
        newest: tells the newest version for which the device has been marked.

    Raises:
        Refused: ``bad_value`` for a token that no node made.
    """
    known = None if since is None else version_in(since, store.epoch, newest())
    found, version = await _changed_since(store, account, known or 0, newest)
    token = token_of(store.epoch, version)
    rows, gone = rows_and_gone(found)
    if known is not None:
        async for frame in _amended(store, account, known):
            yield frame
        rows.sort(key=place_of)
        for frame in _pages(rows, gone, token, settings):
            yield frame
        return
    rows.sort(key=place_of)
    first, rest = rows[: settings.first_page_rows], rows[settings.first_page_rows :]
    totals = totals_of(rows)
    if not rest:
        yield CaughtUp(rows=tuple(first), reset=True, totals=totals, token=token)
        return
    yield CaughtUp(rows=tuple(first), reset=True, totals=totals)
    for frame in _pages(rest, [], token, settings):
        yield frame


async def _changed_since(
    store: Store, account: str, since: int, newest: Callable[[], int]
) -> tuple[list[Seen], int]:
    """Return what changed, and the version up to which this is all (rule 1)."""
    found: dict[ConversationKey, Seen] = {}
    version = newest()
    for _ in range(_TRIES):
        if since < version or not since:
            changed = await store.changed_since(account, since)
            found.update((seen.key, seen) for seen in changed)
        if all(row_version(seen.head, seen.membership) <= version for seen in found.values()):
            break
        since, version = version, newest()
    return list(found.values()), version


async def _amended(store: Store, account: str, since: int) -> AsyncIterator[CaughtUp]:
    """Yield what became of messages that a device may have kept, a bounded part at a time."""
    page: dict[Conversation, tuple[Message, ...]] = {}
    room = FRAME_BYTES
    for key, messages in (await store.amended_since(account, since)).items():
        page[named_by(account, key)] = tuple(messages)
        room -= sum(map(size_of, messages))
        if room <= 0:
            yield CaughtUp(amended=page)
            page, room = {}, FRAME_BYTES
    if page:
        yield CaughtUp(amended=page)


def _pages(
    rows: list[InboxEntry], gone: list[Gone], token: str, settings: Settings
) -> Iterable[CaughtUp]:
    size = settings.rows_per_frame
    pages = [CaughtUp(rows=tuple(rows[at : at + size])) for at in range(0, len(rows), size)]
    pages += [CaughtUp(gone=tuple(gone[at : at + size])) for at in range(0, len(gone), size)]
    yield from pages[:-1]
    last = pages[-1] if pages else CaughtUp()
    yield CaughtUp(rows=last.rows, gone=last.gone, token=token)
