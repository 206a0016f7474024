"""From frames to whole changes: what comes in parts is put together first (rules C1, D4).

Rules of this file:

1. A catch-up is collected aside and is one change; so is a change that comes in several frames.
   Only the first page of a first start is shown by itself; it is kept with the rest of them.
2. A catch-up that broke off is forgotten: the token brings it again.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recents.client.changes import Cause
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.message import Message
from recents.core.replica import Gone
from recents.core.totals import Totals
from recents.wire.frames import CaughtUp, Changed


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the confirmed rows, whole.

    Attributes:
        rows: rows as they are now.
        gone: rows to take away.
        replaces_all: there are no other rows.
        token: everything up to here is in it; None on the first page of a first start.
        totals: the sums over all rows, where more of them are to come.
        messages: new messages per conversation, oldest first.
        cause: where it came from.
        caught_up: it ends a catch-up.
        amended: messages that became others, as they are now.
    """

    cause: Cause
    rows: tuple[InboxEntry, ...] = ()
    gone: tuple[Gone, ...] = ()
    replaces_all: bool = False
    token: str | None = None
    totals: Totals | None = None
    messages: dict[Conversation, tuple[Message, ...]] = {}
    caught_up: bool = False
    amended: dict[Conversation, tuple[Message, ...]] = {}


class Incoming:
    """Puts changes together.

    Attributes:
        catching_up: a catch-up is under way.
    """

    def __init__(self) -> None:
        self.catching_up = False
        self._aside: dict[Conversation, InboxEntry | Gone] = {}
        self._messages: dict[Conversation, tuple[Message, ...]] = {}
        self._amended: dict[Conversation, tuple[Message, ...]] = {}
        self._cause: Cause | None = None
        self._replacing = False

    def begin(self) -> None:
        """A connection begins with a catch-up."""
        self.catching_up = True
        self._forget()

    def take_page(self, page: CaughtUp, *, first_start: bool) -> Arrival | None:
        """Take in a page of a catch-up; the last one ends it.

        Args:
            page: the page.
            first_start: this device has no rows yet.
        """
        self._replacing |= page.reset
        self._put_aside(page.rows, page.gone)
        self._put_amended(page.amended)
        if page.token is None:
            if first_start and page.reset:
                return Arrival(cause="catch_up", rows=page.rows, totals=page.totals)
            return None
        self.catching_up = False
        return self._whole("catch_up", page.token, caught_up=True)

    def take_changes(self, changed: Changed, cause: Cause) -> Arrival | None:
        """Take in what changed just now; None while it goes on in the next frame."""
        self._put_aside(changed.rows, changed.gone)
        self._put_amended(changed.amended)
        for name, messages in changed.messages.items():
            self._messages[name] = self._messages.get(name, ()) + messages
        if self.catching_up:
            return None
        self._cause = "message" if self._cause == "message" else cause
        return None if changed.token is None else self._whole(self._cause, changed.token)

    def _put_aside(self, rows: Iterable[InboxEntry], gone: Iterable[Gone]) -> None:
        for images in (rows, gone):
            for image in images:
                known = self._aside.get(image.conversation)
                if known is None or known.version < image.version:
                    self._aside[image.conversation] = image

    def _put_amended(self, amended: dict[Conversation, tuple[Message, ...]]) -> None:
        for name, messages in amended.items():
            self._amended[name] = self._amended.get(name, ()) + messages

    def _whole(self, cause: Cause, token: str, *, caught_up: bool = False) -> Arrival:
        images = self._aside.values()
        arrival = Arrival(
            cause=cause,
            rows=tuple(image for image in images if isinstance(image, InboxEntry)),
            gone=tuple(image for image in images if isinstance(image, Gone)),
            replaces_all=self._replacing,
            token=token,
            messages=self._messages,
            caught_up=caught_up,
            amended=self._amended,
        )
        self._forget()
        return arrival

    def _forget(self) -> None:
        self._aside = {}
        self._messages = {}
        self._amended = {}
        self._cause = None
        self._replacing = False
