"""Webhooks: each committed message told to application servers, at least once, in order.

Rules of this file:

1. There is no queue. A webhook has a position in the messages of the store, which are only ever
   added; what lies behind it is still to be told. So nothing is lost at any kill, and a receiver
   that is slow, or gone for days, costs one number.
2. Of one conversation a message is told after the one before it was taken; of several
   conversations some at a time.
3. A position moves only over messages that were taken. After a kill a few are told again: a
   receiver knows them by ``webhook-id``.
4. A receiver that refuses a message for some days is left alone until somebody resumes it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from recents.core.errors import Code, RecentsError, Refused
from recents.core.ids import Conversation, named_by
from recents.core.message import Message
from recents.server.accounts import shown_once
from recents.server.forgetting import DAY_MS
from recents.server.settings import Settings
from recents.server.store.port import Placed, Store, StoreFailed, Webhook
from recents.webhooks import SECRET_PREFIX, sign

log = logging.getLogger(__name__)

MESSAGE_SENT = "message.sent"
EVENTS = (MESSAGE_SENT,)

MAX_WEBHOOKS = 16
"""An application server has one or two; each reads all messages."""

BATCH_MESSAGES = 64
"""Read at a time; after a kill at most so many are told again."""

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 3_600.0
"""Between two attempts: twice as long each time, half of it chance."""

GONE = 410
MAX_FAILURE_CHARACTERS = 200


class SendFailed(RecentsError):
    """A delivery did not get through; the message says why."""


class Sender(Protocol):
    """A way to a receiver."""

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Deliver; return the status of the answer.

        Raises:
            SendFailed: there was none.
        """


class Sent(msgspec.Struct, frozen=True):
    """What an event is about.

    Attributes:
        conversation: as the sender names it.
        message: as it is when it is told.
    """

    conversation: Conversation
    message: Message


class Event(msgspec.Struct, frozen=True):
    """What is told: ``timestamp`` is that of the message."""

    type: str
    timestamp: str
    data: Sent


class Webhooks:
    """Keeps webhooks and delivers to them."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock_ms: Callable[[], int],
        new_secret: Callable[[], str],
        chance: Callable[[], float],
    ) -> None:
        """Prepare; ``chance`` gives numbers from 0 up to 1."""
        self._store = store
        self._settings = settings
        self._clock_ms = clock_ms
        self._new_secret = new_secret
        self._chance = chance
        self._news: dict[str, asyncio.Event] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._changing = asyncio.Lock()
        self._sender: Sender | None = None

    # What application servers ask

    async def create(self, webhook_id: str, url: str, events: tuple[str, ...]) -> Webhook:
        """Make a webhook that hears of every message from now on.

        Raises:
            Refused: ``shown_once`` where there is one with this id; ``bad_value``: too many.
        """
        async with self._changing:
            known = await self._store.webhooks()
            if any(one.webhook_id == webhook_id for one in known):
                raise shown_once("webhook_id", webhook_id)
            if len(known) >= MAX_WEBHOOKS:
                raise Refused(
                    Code.BAD_VALUE, f"there are {MAX_WEBHOOKS} webhooks already; remove one first"
                )
            random = hashlib.sha256(self._new_secret().encode()).digest()
            webhook = Webhook(
                webhook_id=webhook_id,
                url=url,
                events=events,
                secret=SECRET_PREFIX + base64.b64encode(random).decode(),
                created_ms=self._clock_ms(),
                position=await self._store.newest_position(),
            )
            await self._store.add_webhook(webhook)
            self._begin(webhook)
            return webhook

    async def remove(self, webhook_id: str) -> Webhook:
        """Forget a webhook; what is on its way may still arrive.

        Raises:
            Refused: ``not_found``.
        """
        async with self._changing:
            webhook = await self._find(webhook_id)
            await self._end(webhook_id)
            await self._store.remove_webhook(webhook_id)
            return webhook

    async def resume(self, webhook_id: str) -> Webhook:
        """Try again now, from where it stopped; what came meanwhile is told.

        Raises:
            Refused: ``not_found``.
        """
        async with self._changing:
            await self._end(webhook_id)
            webhook = await self._find(webhook_id)
            resumed = replace(webhook, failing_since_ms=None, disabled_ms=None, failure="")
            await self._store.note_webhook(resumed)
            self._begin(resumed)
            return resumed

    async def _find(self, webhook_id: str) -> Webhook:
        for webhook in await self._store.webhooks():
            if webhook.webhook_id == webhook_id:
                return webhook
        raise Refused(Code.NOT_FOUND, f"there is no webhook {webhook_id[:80]!r}")

    # Delivering

    async def start(self, sender: Sender) -> None:
        """Begin to deliver by a way.

        Raises:
            StoreFailed: the store could not be read.
        """
        self._sender = sender
        for webhook in await self._store.webhooks():
            self._begin(webhook)

    async def stop(self) -> None:
        """End; what is on its way is told again after the next start."""
        async with self._changing:
            self._sender = None
            for webhook_id in list(self._running):
                await self._end(webhook_id)

    def poke(self) -> None:
        """Tell that messages were committed."""
        for news in self._news.values():
            news.set()

    def _begin(self, webhook: Webhook) -> None:
        if self._sender is None or webhook.disabled_ms is not None:
            return
        news = self._news[webhook.webhook_id] = asyncio.Event()
        self._running[webhook.webhook_id] = asyncio.create_task(
            self._deliver(webhook, self._sender, news), name=f"webhook {webhook.webhook_id}"
        )

    async def _end(self, webhook_id: str) -> None:
        self._news.pop(webhook_id, None)
        task = self._running.pop(webhook_id, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _deliver(self, webhook: Webhook, sender: Sender, news: asyncio.Event) -> None:
        wait_s = FIRST_WAIT_S
        taken: set[int] = set()
        while webhook.disabled_ms is None:
            news.clear()
            try:
                batch = await self._store.messages_behind(webhook.position, BATCH_MESSAGES)
                if not batch:
                    await news.wait()
                    continue
                before = len(taken)
                failures = await self._attempt(webhook, sender, batch, taken)
                if len(taken) > before:
                    wait_s = FIRST_WAIT_S
                webhook = self._after(webhook, batch, taken, failures)
                taken = {one for one in taken if one > webhook.position}
                await self._store.note_webhook(webhook)
            except StoreFailed as failure:
                log.warning("! webhook %s waits for the store: %s", webhook.webhook_id, failure)
                failures = [str(failure)]
            except Exception:
                # A mistake of ours about one message must not end all telling.
                log.exception("! webhook %s failed by a mistake of the node", webhook.webhook_id)
                failures = ["a mistake of the node"]
            if failures:
                await asyncio.sleep(wait_s * (0.5 + 0.5 * self._chance()))
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _attempt(
        self, webhook: Webhook, sender: Sender, batch: list[Placed], taken: set[int]
    ) -> list[str]:
        """Tell what was not taken yet; return why conversations could not go on."""
        conversations: dict[str, list[Placed]] = {}
        for placed in batch:
            conversations.setdefault(placed.key, []).append(placed)
        room = asyncio.Semaphore(self._settings.webhook_deliveries)

        async def tell(messages: list[Placed]) -> str:
            for placed in messages:
                if placed.position in taken:
                    continue
                async with room:
                    failure = await self._tell(webhook, sender, placed)
                if failure:
                    return failure
                taken.add(placed.position)
            return ""

        outcomes = await asyncio.gather(*map(tell, conversations.values()))
        return [failure for failure in outcomes if failure]

    async def _tell(self, webhook: Webhook, sender: Sender, placed: Placed) -> str:
        """Deliver one message; return why it was not taken, "" where it was."""
        body = msgspec.json.encode(event_of(placed))
        # With the epoch: after a backup was put back, other messages have these positions.
        webhook_id = f"msg_{self._store.epoch}_{placed.position}"
        headers = sign(webhook.secret, webhook_id, self._clock_ms() // 1_000, body)
        try:
            status = await sender.send(webhook.url, headers, body)
        except SendFailed as failure:
            return str(failure)[:MAX_FAILURE_CHARACTERS]
        return "" if 200 <= status < 300 else _answered(status)

    def _after(
        self, webhook: Webhook, batch: list[Placed], taken: set[int], failures: list[str]
    ) -> Webhook:
        """Return a webhook as it is after an attempt."""
        position = webhook.position
        for placed in batch:
            if placed.position not in taken:
                break
            position = placed.position
        if not failures:
            return replace(webhook, position=position, failing_since_ms=None, failure="")
        now_ms = self._clock_ms()
        since_ms = webhook.failing_since_ms
        if since_ms is None or position > webhook.position:
            since_ms = now_ms
        too_long = now_ms - since_ms >= self._settings.webhook_failing_days * DAY_MS
        return replace(
            webhook,
            position=position,
            failing_since_ms=since_ms,
            disabled_ms=now_ms if too_long or _answered(GONE) in failures else None,
            failure=failures[0],
        )


def event_of(placed: Placed) -> Event:
    """Return what is told of a message."""
    message = placed.message
    time = datetime.fromtimestamp(message.time_ms / 1_000, UTC)
    return Event(
        type=MESSAGE_SENT,
        timestamp=time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        data=Sent(named_by(message.sender, placed.key), message),
    )


def _answered(status: int) -> str:
    return f"the receiver answered {status}"
