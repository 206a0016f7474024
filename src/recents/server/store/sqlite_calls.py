"""The part of the SQLite store's writing that is about calls of application servers.

Everything here runs on the writer's thread, each change in a transaction of its own; none of it
takes a version, since no row of a list changes.
"""

from __future__ import annotations

import apsw

from recents.server.store.port import KeptAnswer, Webhook
from recents.server.store.queries import named_queries
from recents.server.store.sqlite_failures import work_failures
from recents.server.store.sqlite_rows import Row, fitting, json_text
from recents.server.store.sqlite_transaction import Transaction

FORGOTTEN_AT_ONCE = 1_000
"""Answers that are forgotten in one go: the commits that wait behind it wait for a few ms."""


class CallWriting:
    """What the writer's thread does with keys and webhooks; see the port for what each is."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._sql = named_queries("calls")

    def begin_answer(self, begun: KeptAnswer, after_ms: int) -> KeptAnswer | None:
        """Note that a call was begun; return what is known of it instead where it was before."""
        name = {"caller": begun.caller, "key": begun.key}
        values = {**name, "digest": begun.digest, "at_ms": begun.at_ms, "after_ms": after_ms}
        with work_failures("the commit"), Transaction(self._connection):
            self._connection.execute(self._sql["begin_answer"], values)
            if self._connection.changes():
                return None
            rows: list[Row] = self._connection.execute(self._sql["kept_answer"], name).fetchall()
        return KeptAnswer(*rows[0])

    def keep_answer(self, kept: KeptAnswer) -> None:
        """Note how a call ended."""
        values = {
            "caller": kept.caller,
            "key": kept.key,
            "digest": kept.digest,
            "status": kept.status,
            "body": kept.body,
        }
        with work_failures("the commit"), Transaction(self._connection):
            self._connection.execute(self._sql["keep_answer"], values)

    def forget_answers(self, before_ms: int, most: int) -> int:
        """Forget some of the oldest keys."""
        values = {"before_ms": fitting(before_ms), "most": most, "limit": FORGOTTEN_AT_ONCE}
        with work_failures("forgetting"), Transaction(self._connection):
            self._connection.execute(self._sql["forget_answers"], values)
            return self._connection.changes()

    def add_webhook(self, webhook: Webhook) -> None:
        """Store a webhook."""
        values = {
            "webhook_id": webhook.webhook_id,
            "url": webhook.url,
            "events": json_text(webhook.events),
            "secret": webhook.secret,
            "created_ms": webhook.created_ms,
            **_state_of(webhook),
        }
        with work_failures("the commit"), Transaction(self._connection):
            self._connection.execute(self._sql["add_webhook"], values)

    def note_webhook(self, webhook: Webhook) -> bool:
        """Note position and state of a webhook; False when there is none."""
        values = {"webhook_id": webhook.webhook_id, **_state_of(webhook)}
        with work_failures("the commit"), Transaction(self._connection):
            self._connection.execute(self._sql["note_webhook"], values)
            return self._connection.changes() > 0

    def remove_webhook(self, webhook_id: str) -> bool:
        """Forget a webhook; False when there is none."""
        with work_failures("the commit"), Transaction(self._connection):
            self._connection.execute(self._sql["remove_webhook"], {"webhook_id": webhook_id})
            return self._connection.changes() > 0


def _state_of(webhook: Webhook) -> dict[str, int | str | None]:
    return {
        "position": webhook.position,
        "failing_since_ms": webhook.failing_since_ms,
        "disabled_ms": webhook.disabled_ms,
        "failure": webhook.failure,
    }
