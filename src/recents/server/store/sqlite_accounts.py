"""The part of the SQLite store's writing that is about who may log in: accounts, tokens, devices.

Everything here runs on the writer's thread, each change in a transaction of its own; none of it
takes a version, since no row of a list changes.
"""

from __future__ import annotations

from collections.abc import Collection

import apsw

from recents.server.store.port import Account, KnownDevice, Token
from recents.server.store.queries import named_queries
from recents.server.store.sqlite_failures import work_failures
from recents.server.store.sqlite_transaction import Transaction


class AccountWriting:
    """What the writer's thread does with accounts; see the port for what each is."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._sql = named_queries("writing")

    def create_account(self, account: Account) -> bool:
        """Store a new account; False when the id is taken."""
        return self._change(
            "create_account",
            account=account.account,
            name=account.name,
            created_ms=account.created_ms,
            avatar=account.avatar,
        )

    def add_token(self, token: Token) -> None:
        """Store a token."""
        self._change(
            "add_token",
            token_id=token.token_id,
            account=token.account,
            digest=token.digest,
            label=token.label,
            created_ms=token.created_ms,
            revoked_ms=token.revoked_ms,
        )

    def revoke_tokens(self, account: str, at_ms: int, token_id: str | None) -> list[str]:
        """Revoke one token or all of an account; return the ids that were good until now."""
        values = {"account": account, "at_ms": at_ms, "token_id": token_id}
        with work_failures("revoking"), Transaction(self._connection):
            rows = self._connection.execute(self._sql["revoke_tokens"], values).fetchall()
        return [str(row[0]) for row in sorted(rows, key=lambda row: (row[1], row[0]))]

    def put_devices(self, devices: Collection[KnownDevice], most: int) -> None:
        """Note devices as they are now, and keep at most so many of each account."""
        rows = [
            (
                device.account,
                device.device_id,
                device.name,
                device.token_id,
                device.created_ms,
                device.seen_ms,
                device.revoked_ms,
            )
            for device in devices
        ]
        accounts = [
            {"account": account, "most": most}
            for account in {device.account for device in devices}
        ]
        with work_failures("the commit"), Transaction(self._connection):
            self._connection.executemany(self._sql["put_device"], rows)
            self._connection.executemany(self._sql["trim_devices"], accounts)

    def revoke_device(self, account: str, device_id: str, at_ms: int) -> bool:
        """Revoke a device; False when there is none, or it was revoked before."""
        return self._change("revoke_device", account=account, device_id=device_id, at_ms=at_ms)

    def _change(self, query: str, **values: str | int | bytes | None) -> bool:
        with work_failures("the commit"), Transaction(self._connection):
            self._connection.execute(self._sql[query], values)
            return self._connection.changes() > 0
