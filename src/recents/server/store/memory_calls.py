"""What a store in memory keeps for calls of application servers: answers of keys, webhooks."""

from __future__ import annotations

import msgspec

from recents.server.store.port import KeptAnswer, Webhook


class CallMemory:
    """The part of ``MemoryStore`` that knows nothing of rows; see the port for what each is."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[tuple[str, str], KeptAnswer] = {}
        self._webhooks: dict[str, Webhook] = {}

    async def begin_answer(self, begun: KeptAnswer, after_ms: int) -> KeptAnswer | None:
        """Note that a call was begun; where it was before, return what is known instead."""
        known = self._answers.get((begun.caller, begun.key))
        if known is not None and known.at_ms >= after_ms:
            return known
        self._answers[begun.caller, begun.key] = begun
        return None

    async def keep_answer(self, kept: KeptAnswer) -> None:
        """Note how a call ended."""
        known = self._answers.get((kept.caller, kept.key))
        if known is not None and known.digest == kept.digest:
            self._answers[kept.caller, kept.key] = msgspec.structs.replace(
                known, status=kept.status, body=kept.body
            )

    async def forget_answers(self, before_ms: int, most: int) -> int:
        """Forget keys, here all at once; return how many."""
        by_age = sorted(self._answers.values(), key=lambda kept: -kept.at_ms)
        newest_beyond = by_age[most].at_ms if most < len(by_age) else before_ms - 1
        old = [one for one in by_age if one.at_ms < before_ms or one.at_ms <= newest_beyond]
        for one in old:
            del self._answers[one.caller, one.key]
        return len(old)

    async def add_webhook(self, webhook: Webhook) -> None:
        """Store a webhook."""
        self._webhooks[webhook.webhook_id] = webhook

    async def webhooks(self) -> list[Webhook]:
        """Return all webhooks, oldest first, then by id."""
        found = self._webhooks.values()
        return sorted(found, key=lambda webhook: (webhook.created_ms, webhook.webhook_id))

    async def note_webhook(self, webhook: Webhook) -> bool:
        """Note position and state of a webhook; False when there is none with this id."""
        known = self._webhooks.get(webhook.webhook_id)
        if known is None:
            return False
        self._webhooks[webhook.webhook_id] = msgspec.structs.replace(
            known,
            position=webhook.position,
            failing_since_ms=webhook.failing_since_ms,
            disabled_ms=webhook.disabled_ms,
            failure=webhook.failure,
        )
        return True

    async def remove_webhook(self, webhook_id: str) -> bool:
        """Forget a webhook; False when there is none with this id."""
        return self._webhooks.pop(webhook_id, None) is not None
