"""Telling the application, whatever it does with it."""

import asyncio
import logging
import weakref

import pytest

from recents.client.changes import ChangeBatch
from recents.client.listeners import Announcer, Listeners
from recents.core.errors import CallerMistake, Code, Refused
from recents.core.totals import Totals
from tests.client.fake_node import names, row


def _batch(name: str, version: int = 1) -> ChangeBatch:
    return ChangeBatch(totals=Totals(), cause="message", added=(row(name, version),))


def test_listeners_hear_in_the_order_they_came() -> None:
    heard: list[str] = []
    listeners: Listeners[[str]] = Listeners()
    listeners.add(lambda word: heard.append(f"1 {word}"))
    listeners.add(lambda word: heard.append(f"2 {word}"))
    listeners.tell("hi")
    assert heard == ["1 hi", "2 hi"]


def test_a_removed_listener_hears_nothing_and_may_be_removed_twice() -> None:
    heard: list[str] = []
    listeners: Listeners[[str]] = Listeners()
    remove = listeners.add(heard.append)
    remove()
    remove()
    listeners.tell("hi")
    assert heard == []


def test_one_function_added_twice_is_two_listeners() -> None:
    heard: list[str] = []
    listeners: Listeners[[str]] = Listeners()
    remove = listeners.add(heard.append)
    listeners.add(heard.append)
    remove()
    listeners.tell("hi")
    assert heard == ["hi"]


@pytest.mark.parametrize("failure", [RuntimeError, asyncio.CancelledError])
def test_a_failing_listener_is_logged_and_hurts_no_other(
    caplog: pytest.LogCaptureFixture, failure: type[BaseException]
) -> None:
    heard: list[str] = []
    listeners: Listeners[[str]] = Listeners()

    def fail(word: str) -> None:
        raise failure(word)

    listeners.add(fail)
    listeners.add(heard.append)
    with caplog.at_level(logging.ERROR):
        listeners.tell("hi")
    assert heard == ["hi"]
    assert "a listener failed" in caplog.text


def test_a_coroutine_function_is_no_listener() -> None:
    async def listener(word: str) -> None: ...

    listeners: Listeners[[str]] = Listeners()
    with pytest.raises(CallerMistake, match="not awaited"):
        listeners.add(listener)


def test_neither_is_an_object_that_is_called_like_one() -> None:
    class Listener:
        async def __call__(self, word: str) -> None: ...

    listeners: Listeners[[str]] = Listeners()
    with pytest.raises(CallerMistake, match="not awaited"):
        listeners.add(Listener())


def test_a_listener_may_remove_itself_while_it_is_told() -> None:
    heard: list[str] = []
    listeners: Listeners[[str]] = Listeners()

    def once(word: str) -> None:
        heard.append(word)
        remove()

    remove = listeners.add(once)
    listeners.tell("1")
    listeners.tell("2")
    assert heard == ["1"]


@pytest.mark.asyncio
async def test_case30_a_slow_consumer_gets_many_batches_as_one() -> None:
    announcer = Announcer()
    feed = announcer.feed()
    for version in range(1, 10_001):
        announcer.tell_batch(_batch(f"u{version % 10}", version))
    batch = await anext(feed)
    assert len(batch.added) == 10


@pytest.mark.asyncio
async def test_a_feed_wakes_its_consumer_and_ends_after_what_it_holds() -> None:
    announcer = Announcer()
    feed = announcer.feed()
    consumer = asyncio.create_task(anext(feed))
    await asyncio.sleep(0)
    announcer.tell_batch(_batch("a"))
    assert names((await consumer).added) == ["p2p:a"]
    announcer.tell_batch(_batch("b"))
    announcer.end(None)
    assert [names(batch.added) async for batch in feed] == [["p2p:b"]]


@pytest.mark.asyncio
async def test_a_feed_ends_with_the_nodes_refusal() -> None:
    announcer = Announcer()
    feed = announcer.feed()
    announcer.end(lambda: Refused(Code.REVOKED, "over"))
    for late_or_not in (feed, announcer.feed()):
        with pytest.raises(Refused, match="over"):
            await anext(late_or_not)


@pytest.mark.asyncio
async def test_a_forgotten_feed_is_not_fed_any_more() -> None:
    announcer = Announcer()
    feed = announcer.feed()
    announcer.tell_batch(_batch("a"))
    async for _ in feed:
        break
    fed = weakref.ref(feed)
    del feed
    assert fed() is None
    announcer.tell_batch(_batch("b"))


def test_a_state_is_told_once() -> None:
    announcer, heard = Announcer(), list[str]()
    announcer.states.add(heard.append)
    announcer.tell_state("connecting")
    announcer.tell_state("connecting")
    assert heard == ["connecting"]
