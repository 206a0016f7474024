"""Signing and verifying webhooks, by the Standard Webhooks specification.

For a receiver:

    event = recents.webhooks.verify(secret, request.headers, await request.read(), now_s=time())

Rules of this file:

1. A signature covers id, time and body; signatures are compared in constant time.
2. Nothing here reads a clock: who gives ``now_s`` is protected from deliveries that are played
   again later, who does not keeps the ids that came before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from recents.core.errors import CallerMistake, PeerMistake

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

SECRET_PREFIX = "whsec_"
TOLERANCE_S = 300


def sign(secret: str, webhook_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery.

    Raises:
        CallerMistake: the secret is none.
    """
    return {
        ID_HEADER: webhook_id,
        TIMESTAMP_HEADER: str(timestamp_s),
        SIGNATURE_HEADER: _signature(secret, webhook_id, str(timestamp_s), body),
    }


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float | None = None
) -> dict[str, object]:
    """Return the event in a delivery that this secret has signed.

    Args:
        secret: what the webhook's making showed, ``whsec_…``.
        headers: of the request; upper and lower case are alike.
        body: of the request, byte by byte as it came.
        now_s: the time, seconds since 1970; deliveries that are more than five minutes older or
            newer are refused. None: however old they are.

    Raises:
        CallerMistake: the secret is none.
        PeerMistake: somebody else sent this, or it was changed, or it is too old.
    """
    given = {name.lower(): value for name, value in headers.items()}
    webhook_id, timestamp, signatures = (
        given.get(name, "") for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
    )
    right = _signature(secret, webhook_id, timestamp, body).encode()
    sent = [one.encode("utf-8", "surrogateescape") for one in signatures.split(" ")]
    if not any(hmac.compare_digest(right, one) for one in sent):
        raise PeerMistake("the delivery is not signed with this secret")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise PeerMistake("the delivery does not say when it was sent")
    if now_s is not None and abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise PeerMistake("the delivery is from another time: it may be an old one, played again")
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PeerMistake(f"the delivery is no event: {error}") from error


def _signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CallerMistake("this is not the secret of a webhook: it begins whsec_") from error
    signed = f"{webhook_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    digest = hmac.digest(key, signed, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
