"""What a receiver does with a delivery: rules of recents/webhooks.py."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from recents.core.errors import CallerMistake, PeerMistake
from recents.webhooks import sign, verify

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = b'{"type":"message.sent"}'
SENT_S = 1_767_225_600
HEADERS = sign(SECRET, "msg_1", SENT_S, BODY)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    signed = f"msg_1.{SENT_S}.".encode() + BODY
    digest = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(SENT_S),
        "webhook-signature": f"v1,{digest}",
    } == HEADERS


@pytest.mark.parametrize("now_s", [None, SENT_S, SENT_S + 300, SENT_S - 299.5])
def test_what_was_signed_is_accepted(now_s: float | None) -> None:
    assert verify(SECRET, HEADERS, BODY, now_s=now_s) == {"type": "message.sent"}


def test_headers_are_alike_in_upper_and_lower_case() -> None:
    assert verify(SECRET, {name.title(): one for name, one in HEADERS.items()}, BODY)


def test_one_good_signature_of_several_is_enough() -> None:
    both = f"v1,AAAA {HEADERS['webhook-signature']} v2,x"
    assert verify(SECRET, HEADERS | {"webhook-signature": both}, BODY)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(SENT_S + 1)},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,\udcffé"},
        {"webhook-signature": HEADERS["webhook-signature"].upper()},
    ],
)
def test_what_was_changed_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(PeerMistake, match="not signed"):
        verify(SECRET, HEADERS | change, BODY)


def test_another_body_or_secret_is_refused() -> None:
    with pytest.raises(PeerMistake, match="not signed"):
        verify(SECRET, HEADERS, BODY + b" ")
    with pytest.raises(PeerMistake, match="not signed"):
        verify("whsec_" + base64.b64encode(b"other").decode(), HEADERS, BODY)
    with pytest.raises(PeerMistake, match="not signed"):
        verify(SECRET, {}, BODY)


@pytest.mark.parametrize("now_s", [SENT_S + 301, SENT_S - 301])
def test_what_is_from_another_time_is_refused(now_s: float) -> None:
    with pytest.raises(PeerMistake, match="another time"):
        verify(SECRET, HEADERS, BODY, now_s=now_s)


def test_what_does_not_say_when_is_refused() -> None:
    signed = b"msg_1.soon." + BODY
    digest = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    headers = {"webhook-timestamp": "soon", "webhook-signature": f"v1,{digest}"}
    with pytest.raises(PeerMistake, match="when it was sent"):
        verify(SECRET, HEADERS | headers, BODY)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{"])
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(PeerMistake, match="no event"):
        verify(SECRET, sign(SECRET, "msg_1", SENT_S, body), body)


@pytest.mark.parametrize("secret", ["whsec_é", "whsec_***", "whsec_A"])
def test_a_secret_is_base_64(secret: str) -> None:
    with pytest.raises(CallerMistake, match="whsec_"):
        verify(secret, HEADERS, BODY)
