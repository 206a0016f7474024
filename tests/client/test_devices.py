"""The devices of an account, as the node is asked about them."""

import pytest

from recents.core.errors import Code, Refused
from recents.wire.frames import Device, Devices, MyDevices, Revoked, RevokeDevice
from tests.client.fake_node import FakeNode, make_client

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_the_devices_of_an_account(node: FakeNode) -> None:
    known = Device(device_id="d1", created_ms=1, seen_ms=2, name="laptop", this=True)
    node.answers = lambda request: Devices(devices=(known,))
    async with make_client(node) as me:
        assert await me.devices.list() == (known,)
        assert me.device_id == "d1"
        assert len(node.heard(MyDevices)) == 1


@pytest.mark.parametrize("shared", [True, False])
async def test_ending_one_tells_whether_its_token_is_still_good(
    node: FakeNode, shared: bool
) -> None:
    node.answers = lambda request: Revoked(token_shared=shared)
    async with make_client(node) as me:
        assert await me.devices.revoke("d2") is shared
        assert node.heard(RevokeDevice)[0].device_id == "d2"


async def test_ending_an_unknown_one_is_refused(node: FakeNode) -> None:
    node.answers = lambda request: Refused(Code.NOT_FOUND, "no such device")
    async with make_client(node) as me:
        with pytest.raises(Refused, match="no such device"):
            await me.devices.revoke("d9")
