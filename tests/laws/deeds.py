"""What people do: each a call of the SDK, and beside it what the oracle is told of it.

Rules of this file:

1. A deed is planned from what the device shows and the account knows at that moment; what
   happens until the node carries it out must not change what it covers (R1, R5, D2, D4).
2. The oracle is told in the words of the rules, never in those of the protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from recents.core.entry import InboxEntry
from recents.core.ids import Kind
from tests.laws.company import Company, Deed, Device

Switches = tuple[bool, bool, bool]
"""``counts``, ``bumps``, ``previews``."""


class Deeds:
    """Plans deeds in one company."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._oracle = company.oracle
        self._posted = 0
        self._dismissed: set[str] = set()
        self._founded: set[str] = set()
        self._present: set[tuple[str, str]] = set()
        self._joined: Counter[tuple[str, str]] = Counter()

    def post(
        self, device: Device, where: str, text: str, switches: Switches, back: int | None
    ) -> Deed:
        """Post; with ``back`` all but so many of the messages on screen are read (U6)."""
        self._posted += 1
        client_id = f"m{self._posted}"
        counts, bumps, previews = switches
        row = self._row(device, where)
        seen = max(row.last_seq - back, 0) if row and back is not None else None
        return Deed(
            device,
            lambda: device.client.messages.send(
                where,
                text,
                counts=counts,
                bumps=bumps,
                previews=previews,
                displayed_seq=seen,
                client_id=client_id,
            ),
            lambda at_ms: self._oracle.post(
                device.account,
                where,
                client_id=client_id,
                at_ms=at_ms,
                text=text,
                counts=counts,
                bumps=bumps,
                previews=previews,
                displayed_seq=seen,
            ),
        )

    def read(self, device: Device, where: str, back: int) -> Deed:
        row = self._row(device, where)
        upto = max(row.last_seq - back, 0) if row else None
        told = (lambda _: self._oracle.read(device.account, where, upto)) if row else None
        asked = upto if back else None
        return Deed(device, lambda: device.client.inbox.mark_read(where, asked), told)

    def read_all(self, device: Device, kinds: Collection[Kind] | None) -> Deed:
        known = self._known(device)
        return Deed(
            device,
            lambda: device.client.inbox.mark_all_read(kinds),
            lambda _: self._oracle.read_all(device.account, kinds, self._still(device, known)),
        )

    def delete(self, device: Device, where: str, clear_history: bool) -> Deed:
        row = self._row(device, where)
        upto = row.last_seq if row else None
        given = row is not None or clear_history
        return Deed(
            device,
            lambda: device.client.inbox.delete(where, clear_history=clear_history),
            (
                lambda _: self._oracle.delete(
                    device.account, where, upto, clear_history=clear_history
                )
            )
            if given
            else None,
        )

    def delete_all(
        self, device: Device, kinds: Collection[Kind] | None, clear_history: bool
    ) -> Deed:
        known = self._known(device)
        return Deed(
            device,
            lambda: device.client.inbox.delete_all(kinds, clear_history=clear_history),
            lambda _: self._oracle.delete_all(
                device.account, kinds, self._still(device, known), clear_history=clear_history
            ),
        )

    def clear_history(self, device: Device, where: str) -> Deed:
        row = self._row(device, where)
        upto = row.last_seq if row else None
        return Deed(
            device,
            lambda: device.client.inbox.clear_history(where),
            lambda _: self._oracle.clear_history(device.account, where, upto),
        )

    def found(self, device: Device, team: str, members: Collection[str]) -> Deed:
        """Create a team; asked again by its owner, it changes nothing."""
        kind, _, team_id = team.partition(":")

        def tell(at_ms: int) -> None:
            if team in self._founded:
                return
            self._founded.add(team)
            self._oracle.create_team(
                team, owner=device.account, members=members, name="One", at_ms=at_ms
            )
            self._join(team, {device.account, *members})

        return Deed(
            device,
            lambda: device.client.teams.create("One", sorted(members), id=team_id, kind=kind),
            tell,
        )

    def add_members(self, device: Device, team: str, members: Collection[str]) -> Deed:
        def tell(at_ms: int) -> None:
            self._oracle.add_members(team, members, at_ms=at_ms)
            self._join(team, members)

        return Deed(
            device,
            lambda: device.client.teams.add_members(team, sorted(members)),
            tell if members else None,
        )

    def remove_member(self, device: Device, team: str, member: str) -> Deed:
        def tell(_: int) -> None:
            self._oracle.remove_member(team, member)
            self._present.discard((member, team))

        return Deed(device, lambda: device.client.teams.remove_member(team, member), tell)

    def leave(self, device: Device, team: str) -> Deed:
        def tell(_: int) -> None:
            # Who has gone may leave a team that was dismissed since: nothing changes.
            if (device.account, team) in self._present:
                self._oracle.leave(team, device.account)
                self._present.discard((device.account, team))

        return Deed(device, lambda: device.client.teams.leave(team), tell)

    def rename(self, device: Device, team: str, name: str) -> Deed:
        return Deed(
            device,
            lambda: device.client.teams.rename(team, name),
            lambda _: self._oracle.rename(team, name),
        )

    def dismiss(self, device: Device, team: str) -> Deed:
        def tell(_: int) -> None:
            if team not in self._dismissed:
                self._oracle.dismiss(team)
            self._dismissed.add(team)

        return Deed(device, lambda: device.client.teams.dismiss(team), tell)

    def _row(self, device: Device, where: str) -> InboxEntry | None:
        return self._company.run(device.row(where))

    def _known(self, device: Device) -> dict[tuple[str, int], int]:
        """The newest seq of each conversation, and how often the account had joined it."""
        newest = self._oracle.newest(device.account)
        return {(name, self._joined[device.account, name]): newest[name] for name in newest}

    def _still(self, device: Device, known: dict[tuple[str, int], int]) -> dict[str, int]:
        """What was known, but for the teams that the account joined again since."""
        return {
            name: seq
            for (name, times), seq in known.items()
            if times == self._joined[device.account, name]
        }

    def _join(self, team: str, accounts: Collection[str]) -> None:
        for account in accounts:
            if (account, team) not in self._present:
                self._present.add((account, team))
                self._joined[account, team] += 1
