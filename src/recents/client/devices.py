"""The devices of this account: which there are, and ending one."""

from __future__ import annotations

from recents.client.asking import Asking
from recents.wire.frames import Device, MyDevices, Revoked, RevokeDevice
from recents.wire.frames import Devices as DevicesFound


class Devices:
    """The devices of one account, as the node knows them.

    Every call asks the node: it raises ``Refused`` when the node says no, ``Unavailable`` when it
    does not answer.
    """

    def __init__(self, asking: Asking) -> None:
        """Ask through ``asking``."""
        self._asking = asking

    async def list(self) -> tuple[Device, ...]:
        """Return the devices, the one seen last first; this one has ``this`` set."""
        query = MyDevices(id=self._asking.new_id())
        return (await self._asking.query(query, DevicesFound)).devices

    async def revoke(self, device_id: str) -> bool:
        """End a device: its connection, and every one that it may try from now on.

        Args:
            device_id: which; see ``list``.

        Returns:
            Whether its token stays good since other devices use it as well: who holds the token
            can come back as another device. To end that too, revoke the token on the node.

        Raises:
            Refused: ``not_found``.
        """
        command = RevokeDevice(id=self._asking.new_id(), device_id=device_id)
        return (await self._asking.query(command, Revoked)).token_shared
