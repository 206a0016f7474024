"""Sync tokens: what they say, and what no node ever made (docs/protocol.md, 4.1)."""

from __future__ import annotations

import pytest

from recents.core.errors import Code, Refused
from recents.wire.sync_token import parts_of, token_of, version_in

EPOCH, OTHER = "5f1d3c0a99e2b7d4", "0123456789abcdef"


@pytest.mark.parametrize("version", [0, 1, 41, 10**15 - 1])
def test_a_token_is_epoch_and_version(version: int) -> None:
    token = token_of(EPOCH, version)
    assert token == f"{EPOCH}.{version}"
    assert parts_of(token) == (EPOCH, version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        ".",
        EPOCH,
        f"{EPOCH}.",
        ".1",
        f"{EPOCH}.-1",
        f"{EPOCH}.1e3",
        f"{EPOCH}.1\n",
        f"{EPOCH}.1.2",
        f"{EPOCH.upper()}.1",
        f"{EPOCH}.\u0661",
        f"{EPOCH}.{10**15}",
        "0" * 100_000,
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_text_that_no_node_made_is_refused(text: str) -> None:
    for read in (parts_of, lambda token: version_in(token, EPOCH, 5)):
        with pytest.raises(Refused) as refused:
            read(text)
        assert refused.value.code is Code.BAD_VALUE
        assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("token", "version"),
    [
        (token_of(EPOCH, 0), 0),
        (token_of(EPOCH, 5), 5),
        (token_of(EPOCH, 6), None),
        (token_of(OTHER, 5), None),
    ],
)
def test_a_token_of_another_store_or_of_the_future_is_worth_nothing(
    token: str, version: int | None
) -> None:
    assert version_in(token, EPOCH, 5) == version
