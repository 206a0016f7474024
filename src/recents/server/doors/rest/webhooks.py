"""Calls about webhooks."""

from __future__ import annotations

from recents.core.errors import Code, Refused
from recents.server.doors.outgoing import check_url
from recents.server.doors.rest.routes import Asked, Route
from recents.server.doors.rest.shapes import Given, Told
from recents.server.store.port import Webhook
from recents.server.webhooks import EVENTS

ONE = "/v1/webhooks/{webhook_id}"


class NewWebhook(Given, frozen=True):
    """A webhook to make; it hears of what happens from then on."""

    url: str
    events: tuple[str, ...] = EVENTS


class KnownWebhook(Told, frozen=True):
    """A webhook without its secret.

    Attributes:
        failing_since_ms: since when it does not get on; null: all goes well.
        disabled_ms: since when it is left alone, until it is resumed; null: it is not.
        failure: why the last attempt failed; empty: it did not.
    """

    webhook_id: str
    url: str
    events: tuple[str, ...]
    created_ms: int
    failing_since_ms: int | None
    disabled_ms: int | None
    failure: str


class MadeWebhook(Told, frozen=True):
    """A webhook that was made. The secret is shown this once."""

    webhook_id: str
    url: str
    events: tuple[str, ...]
    created_ms: int
    secret: str


class WebhookList(Told, frozen=True):
    """All webhooks, oldest first."""

    webhooks: tuple[KnownWebhook, ...]


async def create_webhook(asked: Asked) -> MadeWebhook:
    """Make a webhook."""
    body = asked.body(NewWebhook)
    check_url(body.url)
    if not body.events or set(body.events) - set(EVENTS):
        raise Refused(Code.BAD_VALUE, f"there are these events: {', '.join(EVENTS)}")
    events = tuple(dict.fromkeys(body.events))
    made = await asked.node.webhooks.create(asked.new_id(), body.url, events)
    return MadeWebhook(
        webhook_id=made.webhook_id,
        url=made.url,
        events=made.events,
        created_ms=made.created_ms,
        secret=made.secret,
    )


async def list_webhooks(asked: Asked) -> WebhookList:
    """Return all webhooks without their secrets."""
    return WebhookList(webhooks=tuple(map(_known, await asked.node.store.webhooks())))


async def remove_webhook(asked: Asked) -> KnownWebhook:
    """Forget a webhook."""
    return _known(await asked.node.webhooks.remove(asked.path["webhook_id"]))


async def resume_webhook(asked: Asked) -> KnownWebhook:
    """Try again now."""
    return _known(await asked.node.webhooks.resume(asked.path["webhook_id"]))


def _known(webhook: Webhook) -> KnownWebhook:
    return KnownWebhook(
        webhook_id=webhook.webhook_id,
        url=webhook.url,
        events=webhook.events,
        created_ms=webhook.created_ms,
        failing_since_ms=webhook.failing_since_ms,
        disabled_ms=webhook.disabled_ms,
        failure=webhook.failure,
    )


_MADE = {
    "webhook_id": "id-1",
    "url": "https://example.org/recents",
    "events": list(EVENTS),
    "created_ms": 1767225600000,
}
_KNOWN = {**_MADE, "failing_since_ms": None, "disabled_ms": None, "failure": ""}

ROUTES = (
    Route(
        name="create_webhook",
        method="POST",
        path="/v1/webhooks",
        tag="Webhooks",
        summary="Have each message that is sent from now on told to a URL, signed.",
        body=NewWebhook,
        call=create_webhook,
        answer=MadeWebhook,
        status=201,
        secret="webhook_id",
        refusals=(Code.SHOWN_ONCE,),
        example={"url": "https://example.org/recents"},
        answered={**_MADE, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
    ),
    Route(
        name="list_webhooks",
        method="GET",
        path="/v1/webhooks",
        tag="Webhooks",
        summary="List all webhooks, oldest first, and how they do.",
        call=list_webhooks,
        answer=WebhookList,
        answered={"webhooks": [_KNOWN]},
    ),
    Route(
        name="resume_webhook",
        method="POST",
        path=f"{ONE}/resume",
        tag="Webhooks",
        summary="Try again now, from where it stopped.",
        call=resume_webhook,
        answer=KnownWebhook,
        refusals=(Code.NOT_FOUND,),
        answered=_KNOWN,
    ),
    Route(
        name="remove_webhook",
        method="DELETE",
        path=ONE,
        tag="Webhooks",
        summary="Forget a webhook.",
        call=remove_webhook,
        answer=KnownWebhook,
        refusals=(Code.NOT_FOUND,),
        answered=_KNOWN,
    ),
)
