"""What the tests about working offline share: a real node, in this process."""

from __future__ import annotations

from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.replica import same_to_the_user
from tests.cases.world import Device, World

BOB, ALICE = Conversation("p2p:bob"), Conversation("p2p:alice")


async def texts(device: Device, name: str) -> list[str]:
    page = await device.client.messages.history(name, limit=1_000)
    return [message.text for message in page.messages]


async def same_as_a_new_device(world: World, *devices: Device) -> None:
    """C3: every device shows what a new one is told."""
    for device in devices:
        async with world.for_a_moment(device.account) as fresh:
            theirs = await fresh.rows()
            mine = await device.rows()
            assert [row.conversation for row in mine] == [row.conversation for row in theirs]
            assert all(map(same_to_the_user, mine, theirs))
            totals = await fresh.client.inbox.totals()
            assert await device.client.inbox.totals() == totals
        assert device.client.unsent == 0


async def hear_nothing(device: Device) -> None:
    """From now on the node hears this device, and its answers are lost."""
    device.link.deaf = True


async def hear_again(device: Device) -> None:
    """The deaf connection is lost, and another one made."""
    device.link.deaf = False
    await device.link.cut()
    await device.come_back()


def images(device: Device, name: str) -> list[InboxEntry | None]:
    """How a row looked after each batch that it was in; None: away."""
    seen: list[InboxEntry | None] = []
    for batch in device.batches:
        seen += [row for row in batch.added + batch.updated if row.conversation == name]
        seen += [None for row in batch.removed if row.conversation == name]
    return seen
