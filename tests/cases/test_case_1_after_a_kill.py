"""Case 1, the hard way: what was acknowledged is there after ``kill -9``."""

from __future__ import annotations

import asyncio
import itertools
import signal
from pathlib import Path

import pytest

import recents
from recents import Client, p2p
from tests.cases.world import until
from tests.cli.terminal import AtNode, serving

SENDERS = 8
ENOUGH = 300


@pytest.mark.timeout(120)
def test_case_1_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path) as at:
        tokens = {account: hire(at, account) for account in ("alice", "bob")}
        acknowledged = asyncio.run(send_until_killed(at, tokens["alice"]))
        assert at.running.process.wait() == -signal.SIGKILL
    with serving(tmp_path) as at:
        asyncio.run(check_lists(at, tokens, acknowledged))


async def send_until_killed(at: AtNode, token: str) -> dict[int, str]:
    """Send from several places at once, and kill the node in the middle of it."""
    acknowledged: dict[int, str] = {}

    async def send(alice: Client, sender: int) -> None:
        for number in itertools.count():
            text = f"{sender}-{number}"
            message = await alice.messages.send(p2p("bob"), text)
            if message.status != "sent":
                return
            acknowledged[message.seq] = text

    async with (
        recents.connect(at.address, account="alice", token=token, data_dir=None) as alice,
        asyncio.TaskGroup() as group,
    ):
        for sender in range(SENDERS):
            group.create_task(send(alice, sender))
        await until(lambda: len(acknowledged) >= ENOUGH)
        at.running.process.send_signal(signal.SIGKILL)
    return acknowledged


async def check_lists(at: AtNode, tokens: dict[str, str], acknowledged: dict[int, str]) -> None:
    """Both sides have the row, as far as was acknowledged, and every message of it."""
    for account, peer in (("alice", "bob"), ("bob", "alice")):
        token = tokens[account]
        async with recents.connect(
            at.address, account=account, token=token, data_dir=None
        ) as device:
            (row,) = (await device.inbox.list()).entries
            assert row.conversation == p2p(peer)
            assert row.last_seq >= max(acknowledged) >= ENOUGH
            assert row.unread == (row.last_seq if account == "bob" else 0)
            texts = await texts_of(device, peer)
            assert list(texts) == list(range(1, row.last_seq + 1)), "M1: no gaps"
            assert acknowledged.items() <= texts.items()


async def texts_of(device: Client, peer: str) -> dict[int, str]:
    """Return the texts of all messages by seq, oldest first."""
    texts: dict[int, str] = {}
    more, before = True, None
    while more:
        page = await device.messages.history(p2p(peer), before, limit=1_000)
        texts = {message.seq: message.text for message in page.messages} | texts
        more, before = page.more, page.messages[0].seq
    return texts


def hire(at: AtNode, account: str) -> str:
    """Make an account on the node, and return its token."""
    token: str = at.here.as_json("account", "add", account)["token"]
    return token
