"""What people do: each a call of the SDK, and beside it what the oracle is told of it.

Rules of this file:

1. A deed is planned from what the device shows and the account knows at that moment; what
   happens until the node carries it out must not change what it covers (R1, R5, D2, D4).
2. The oracle is told in the words of the rules, never in those of the protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from contextlib import suppress

from recents.core.commands import MuteLevel, Post, Read
from recents.core.entry import InboxEntry
from recents.core.errors import CallerMistake, Code, Refused
from recents.core.ids import Kind
from tests.laws.company import Company, Deed, Device
from tests.laws.ear import Heard

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
        self._changed: set[tuple[str, str]] = set()
        """What each device marked or deleted itself, so that it may know of all marks there."""
        self._sent: dict[tuple[str, str], int] = {}
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
        messages = device.client.messages

        def tell(heard: Heard) -> None:
            self._sent[device.name, where] = self._oracle.post(
                device.account,
                where,
                client_id=client_id,
                at_ms=heard.at_ms,
                text=text,
                counts=counts,
                bumps=bumps,
                previews=previews,
                displayed_seq=seen,
                marks_known=None if seen is None else self._heard_of(heard, device, row),
            )

        async def send() -> None:
            try:
                await messages.send(
                    where,
                    text,
                    counts=counts,
                    bumps=bumps,
                    previews=previews,
                    displayed_seq=seen,
                    client_id=client_id,
                )
            except Refused:
                # Until its user gives it up, or deletes the row, this device alone shows it (P4).
                with suppress(CallerMistake):
                    await messages.discard(client_id)
                raise

        return Deed(
            device,
            send,
            tell,
        )

    def read(self, device: Device, where: str, back: int) -> Deed:
        row = self._row(device, where)
        upto = max(row.last_seq - back, 0) if row else None
        asked = upto if back else None

        def tell(heard: Heard) -> None:
            self._oracle.read(
                device.account, where, upto, marks_known=self._heard_of(heard, device, row)
            )

        return Deed(
            device, lambda: device.client.inbox.mark_read(where, asked), tell if row else None
        )

    def read_all(self, device: Device, kinds: Collection[Kind] | None) -> Deed:
        known = self._known(device)
        return Deed(
            device,
            lambda: device.client.inbox.mark_all_read(kinds),
            lambda heard: self._oracle.read_all(
                device.account,
                kinds,
                self._still(device, known),
                marks_known=heard.marks_known,
            ),
        )

    def mark_unread(self, device: Device, where: str) -> Deed:
        self._changed.add((device.name, where))
        return Deed(
            device,
            lambda: device.client.inbox.mark_unread(where),
            (lambda _: self._oracle.mark_unread(device.account, where))
            if self._row(device, where)
            else None,
        )

    def mark_unread_from(self, device: Device, where: str, back: int) -> Deed:
        """Make all but so many of the messages that the row shows unread again (R3)."""
        self._changed.add((device.name, where))
        row = self._row(device, where)
        seq = max(row.last_seq - back, 1) if row else 1

        async def mark() -> None:
            try:
                await device.client.inbox.mark_unread_from(where, seq)
            except Refused as refusal:
                if refusal.code is not Code.BEYOND_END or (row and row.last_seq):
                    raise

        return Deed(
            device,
            mark,
            lambda _: self._oracle.mark_unread_from(device.account, where, seq),
        )

    def set_draft(self, device: Device, where: str, text: str) -> Deed:
        return Deed(
            device,
            lambda: device.client.inbox.set_draft(where, text),
            lambda heard: self._oracle.set_draft(device.account, where, text, at_ms=heard.at_ms),
        )

    def mute(self, device: Device, where: str, level: MuteLevel | None) -> Deed:
        """Mute, and without a level unmute."""
        inbox = device.client.inbox
        return Deed(
            device,
            lambda: inbox.mute(where, level) if level else inbox.unmute(where),
            lambda _: self._oracle.mute(device.account, where, level),
        )

    def delete(self, device: Device, where: str, clear_history: bool) -> Deed:
        self._changed.add((device.name, where))
        row = self._row(device, where)
        upto = row.last_seq if row else None
        given = row is not None or clear_history
        return Deed(
            device,
            lambda: device.client.inbox.delete(where, clear_history=clear_history),
            (
                lambda _: self._oracle.delete(
                    device.account,
                    where,
                    self._with_own(device, where, upto),
                    clear_history=clear_history,
                )
            )
            if given
            else None,
        )

    def delete_all(
        self, device: Device, kinds: Collection[Kind] | None, clear_history: bool
    ) -> Deed:
        known = self._known(device)
        self._changed |= {(device.name, name) for name, _ in known}
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
            lambda _: self._oracle.clear_history(
                device.account, where, self._with_own(device, where, upto)
            ),
        )

    def found(self, device: Device, team: str, members: Collection[str]) -> Deed:
        """Create a team; asked again by its owner, it changes nothing."""
        kind, _, team_id = team.partition(":")

        def tell(heard: Heard) -> None:
            if team in self._founded:
                return
            self._founded.add(team)
            self._oracle.create_team(
                team, owner=device.account, members=members, name="One", at_ms=heard.at_ms
            )
            self._join(team, {device.account, *members})

        return Deed(
            device,
            lambda: device.client.teams.create("One", sorted(members), id=team_id, kind=kind),
            tell,
        )

    def add_members(self, device: Device, team: str, members: Collection[str]) -> Deed:
        def tell(heard: Heard) -> None:
            self._oracle.add_members(team, members, at_ms=heard.at_ms)
            self._join(team, members)

        return Deed(
            device,
            lambda: device.client.teams.add_members(team, sorted(members)),
            tell if members else None,
        )

    def remove_member(self, device: Device, team: str, member: str) -> Deed:
        def tell(_: Heard) -> None:
            self._oracle.remove_member(team, member)
            self._present.discard((member, team))

        return Deed(device, lambda: device.client.teams.remove_member(team, member), tell)

    def leave(self, device: Device, team: str) -> Deed:
        def tell(_: Heard) -> None:
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
        def tell(_: Heard) -> None:
            if team not in self._dismissed:
                self._oracle.dismiss(team)
            self._dismissed.add(team)

        return Deed(device, lambda: device.client.teams.dismiss(team), tell)

    def _row(self, device: Device, where: str) -> InboxEntry | None:
        return self._company.run(device.row(where))

    def _with_own(self, device: Device, where: str, upto: int | None) -> int | None:
        """What a deletion covers: what the row showed, and what the device sent before it (D2)."""
        return None if upto is None else max(upto, self._sent.get((device.name, where), 0))

    def _heard_of(self, heard: Heard, device: Device, row: InboxEntry | None) -> int | None:
        """How many marks a reader said it knew: none less than the row that it saw."""
        command = heard.command
        assert isinstance(command, Read | Post)
        if row is None:
            return heard.mark_known
        if command.epoch is None:
            changed_here = (device.name, row.conversation) in self._changed
            assert changed_here or not self._oracle.marks(device.account)[row.conversation], (
                "only a device with a mark of its own under way, or without the row, knows all"
            )
        else:
            assert command.epoch >= row.read_epoch, "the device forgot a mark that it had shown"
        return heard.mark_known

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
