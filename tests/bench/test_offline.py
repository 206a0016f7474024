"""The measurements of a device: what they are made on is right, and each can be taken."""

import asyncio
from pathlib import Path

import pytest

from bench.device import Nowhere, device, fill, message, offline, row, sqlite_copy
from recents.core.errors import Unavailable
from tests.bench.test_whole import start


def test_a_filled_copy_is_a_list_from_the_newest_row_on(tmp_path: Path) -> None:
    async def look() -> None:
        await fill(sqlite_copy(tmp_path / "copy.db"), 300)
        me = device(sqlite_copy(tmp_path / "copy.db"))
        await me.open()
        await offline(me)
        page = await me.inbox.list(1_000)
        assert list(page.entries) == [row(number, number + 1) for number in range(299, -1, -1)]
        assert page.totals.conversations == 300
        assert page.totals.unread == sum(one.unread for one in page.entries)
        await me.close()

    asyncio.run(look())


def test_a_row_and_its_message_belong_together() -> None:
    one, other = row(7, 1_234), message(7, 1_234)
    assert one.preview is not None
    assert (one.preview.seq, one.preview.client_id) == (other.seq, other.client_id)
    assert (one.activity_ms, one.preview.sender) == (other.time_ms, other.sender)
    assert one.preview.text == other.text


def test_nowhere_is_no_node() -> None:
    with pytest.raises(Unavailable):
        asyncio.run(Nowhere().open())


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_every_measurement_of_a_device_can_be_taken() -> None:
    table = start("-m", "bench", "offline", "coming_back", "--quick")

    for what in (
        "first 50 rows with totals, 100,000 conversations on disk",
        "memory per row held",
        "apply one changed row and its message",
        "apply 1,000 changed rows",
        "a message offline: on the disk and shown, p50",
        "first start with 5,000 conversations, deflated: bytes",
        "the SDK reconnects, nothing of 5,000 changed: requests",
        "10 of 5,000 changed: rows",
        "an outbox of 1,000 messages, until all are answered",
    ):
        assert what in table
