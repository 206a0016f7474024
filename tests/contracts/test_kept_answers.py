"""Contract: what is known of calls with an idempotency key."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from recents.server.store.port import KeptAnswer, Store

pytestmark = pytest.mark.asyncio

ASKED = KeptAnswer("", "k", b"\0" * 32, 100)
ANSWERED = replace(ASKED, status=201, body=b'{"a":"\xc3\xa9"}')


async def test_a_key_is_begun_once_and_kept_over_a_restart(store: Store) -> None:
    assert await store.begin_answer(ASKED, 0) is None
    assert await store.begin_answer(replace(ASKED, at_ms=150), 0) == ASKED
    await store.keep_answer(ANSWERED)
    await store.close()
    await store.open()
    assert await store.begin_answer(replace(ASKED, digest=b"x", at_ms=150), 100) == ANSWERED
    assert store.version == store.rows_written == 0


async def test_each_caller_has_keys_of_its_own(store: Store) -> None:
    assert await store.begin_answer(ASKED, 0) is None
    assert await store.begin_answer(replace(ASKED, caller="alice"), 0) is None
    assert await store.begin_answer(replace(ASKED, key="K"), 0) is None


async def test_what_is_too_old_counts_as_never_begun(store: Store) -> None:
    await store.begin_answer(ASKED, 0)
    await store.keep_answer(ANSWERED)
    anew = replace(ASKED, digest=b"y" * 32, at_ms=200)
    assert await store.begin_answer(anew, 101) is None
    await store.keep_answer(ANSWERED)
    assert await store.begin_answer(anew, 101) == anew, "the late answer is to another request"


async def test_the_oldest_are_forgotten(store: Store) -> None:
    for number in range(10):
        await store.begin_answer(replace(ASKED, key=str(number), at_ms=number), 0)
    assert await _forgotten(store, 3, 100) == 3
    assert await _forgotten(store, 3, 4) == 3
    known = [
        key
        for key in map(str, range(10))
        if await store.begin_answer(replace(ASKED, key=key, at_ms=99), 0) is not None
    ]
    assert known == ["6", "7", "8", "9"]


async def _forgotten(store: Store, before_ms: int, most: int) -> int:
    count = 0
    while some := await store.forget_answers(before_ms, most):
        count += some
    return count
