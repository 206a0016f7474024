"""Rows, messages and commands for steps, made of as little as a test has to say."""

from __future__ import annotations

from recents.client.store.port import DeviceStore
from recents.core.commands import Post, Read
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation, p2p
from recents.core.message import Message
from recents.core.ordering import Place, place_of
from recents.core.pending import Pending

ALICE = "alice"
BOB, CAROL, DAVE = p2p("bob"), p2p("carol"), p2p("dave")


def row(
    conversation: Conversation, at_ms: int = 1_000, *, version: int = 1, cleared_seq: int = 0
) -> InboxEntry:
    return InboxEntry(
        conversation=conversation,
        version=version,
        activity_ms=at_ms,
        last_seq=9,
        cleared_seq=cleared_seq,
    )


def message(seq: int, text: str = "hello") -> Message:
    return Message(seq=seq, ordinal=seq, sender="bob", client_id=f"m{seq}", time_ms=seq, text=text)


def waiting(number: int, *, command_id: str = "", version: int | None = None) -> Pending:
    command = Read(id=command_id or f"c{number}", conversation=BOB, upto_seq=number)
    return Pending(number=number, command=command, at_ms=number, version=version)


def writing(number: int, text: str = "hello", attachment: object = None) -> Pending:
    command = Post(
        id=f"c{number}",
        conversation=BOB,
        client_id=f"c{number}",
        text=text,
        attachment=attachment,
    )
    return Pending(number=number, command=command, at_ms=number)


async def all_rows(store: DeviceStore, page: int = 50) -> list[InboxEntry]:
    """Walk the whole list in pages."""
    rows: list[InboxEntry] = []
    place: Place | None = None
    while True:
        some = await store.rows_after(place, page)
        rows += some
        if len(some) < page:
            return rows
        place = place_of(rows[-1])


async def names(store: DeviceStore) -> list[str]:
    return [entry.conversation for entry in await all_rows(store)]


async def seqs(
    store: DeviceStore, conversation: Conversation, before_seq: int = 10**9, limit: int = 1_000
) -> list[int]:
    return [found.seq for found in await store.messages(conversation, before_seq, limit)]
