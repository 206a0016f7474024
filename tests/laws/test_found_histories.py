"""Histories that once broke a law, each as short as it went, told step by step."""

from __future__ import annotations

import asyncio

from recents.testing import Faults, World, run
from tests.laws.history import Step, play


def test_C3_a_late_hello_of_a_connection_given_up_ends_no_newer_one() -> None:
    """The node took it for a second program, and said goodbye for good."""

    async def history() -> None:
        async with World() as world:
            alice = await world.device("alice")
            alice.link.cut()
            world.faults = Faults(delay=1, delay_s=30)
            await asyncio.sleep(1)
            alice.crash()
            world.faults = Faults()
            await alice.restart()
            assert await alice.client.synced(60)
            await asyncio.sleep(60)
            assert alice.client.state == "synced"
            assert alice.client.trouble is None

    run(history())


def test_P4_a_message_seen_as_sent_is_not_sending_again_when_others_follow() -> None:
    """Of seeds 22 and 2351: the row came with the catch-up, the answer after Bob's message."""
    steps = [("post", 2, 1, 6, 4), ("post", 4, 2, 6, 6), ("crash", 2, 0, 2, 6)]
    play([Step(*step) for step in steps], seed=22, rough=False)


def test_P4_nor_when_its_row_is_deleted_elsewhere() -> None:
    """Of seed 8690."""
    steps = [
        ("post", 0, 3, 6, 2),
        ("post", 1, 1, 1, 4),
        ("crash_node_in_commit", 4, 2, 3, 4),
        ("post", 0, 3, 7, 7),
        ("delete", 4, 1, 1, 1),
    ]
    play([Step(*step) for step in steps], seed=8690, rough=False)
