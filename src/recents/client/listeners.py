"""Who wants to hear, and how they are told (rule C1, case 30).

Rules of this file:

1. A listener is called at once and must return soon; what it raises is logged and hurts nobody.
2. A feed is for those who take their time: it never waits for them and never grows beyond the
   list itself.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Generic, ParamSpec, Protocol

from recents.client.changes import Backlog, ChangeBatch
from recents.client.state import State
from recents.client.store.port import SetAside
from recents.core.commands import AnyCommand
from recents.core.errors import CallerMistake, RecentsError, Refused
from recents.core.ids import Conversation
from recents.core.message import Message

log = logging.getLogger(__name__)

P = ParamSpec("P")


class Listeners(Generic[P]):
    """Functions that are called with the same arguments, in the order they came."""

    def __init__(self) -> None:
        self._listeners: dict[object, Callable[P, object]] = {}

    def __len__(self) -> int:
        return len(self._listeners)

    def add(self, listener: Callable[P, object]) -> Callable[[], None]:
        """Call ``listener`` from now on.

        Returns:
            A function that ends this; calling it again does nothing.

        Raises:
            CallerMistake: it is a coroutine function, which nobody would await.
        """
        if any(map(inspect.iscoroutinefunction, (listener, type(listener).__call__))):
            raise CallerMistake(
                "a listener is called, not awaited: pass a plain function, or use "
                "`async for batch in inbox.changes()`"
            )
        key = object()
        self._listeners[key] = listener

        def remove() -> None:
            self._listeners.pop(key, None)

        return remove

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every listener."""
        for listener in tuple(self._listeners.values()):
            try:
                listener(*args, **kwargs)
            # Some future's, asked for its result: whoever tells is not cancelled by that.
            except (Exception, asyncio.CancelledError):
                log.exception("! a listener failed: %r", listener)
            except SystemExit:
                # Elsewhere it ends no program, only the thread that everybody waits for.
                if threading.current_thread() is threading.main_thread():
                    raise
                log.exception("! a listener cannot end the program: %r", listener)


class ChangeFeed(AsyncIterator[ChangeBatch]):
    """Batches one after the other, for one consumer; ends when the client closes.

    Batches that come while the consumer is busy arrive as one.
    """

    def __init__(self) -> None:
        self._backlog = Backlog()
        self._wake = asyncio.Event()
        self._ended = False
        self._why: Callable[[], RecentsError] | None = None

    def put(self, batch: ChangeBatch) -> None:
        """Add a batch; never waits."""
        self._backlog.put(batch)
        self._wake.set()

    def end(self, why: Callable[[], RecentsError] | None = None) -> None:
        """End the feed after what it holds, with an error where there is one."""
        self._ended, self._why = True, why
        self._wake.set()

    def take_now(self) -> ChangeBatch | None:
        """Take what waits, as one batch; None where nothing does, and never will be waited for.

        Raises:
            Refused: the node has ended it for good, and nothing is left.
        """
        batch = self._backlog.take()
        if batch is None and self._ended and self._why is not None:
            raise self._why()
        return batch

    async def __anext__(self) -> ChangeBatch:
        while True:
            batch = self.take_now()
            if batch is not None:
                return batch
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()


class Follows(Protocol):
    """What is told every batch before any listener is, until the end."""

    def put(self, batch: ChangeBatch) -> None:
        """Take a batch; never waits."""

    def end(self, why: Callable[[], RecentsError] | None = None) -> None:
        """Hear that there are no more, with an error where there is one."""


class Announcer:
    """Tells the application everything there is to hear.

    Attributes:
        batches: called with each ``ChangeBatch``.
        messages: called with the conversation and each new message.
        statuses: called with the conversation and each message of this device's own whenever it
            is sending, sent or failed (P4).
        refusals: called with each command that the node refused, and why.
        set_asides: called with each local copy that could not be used (C6).
        states: called with each new state.
        state: the newest state.
        failing: the newest attempt to connect came to nothing.
        ended: there is nothing more to hear.
        endings: called when that comes.
    """

    def __init__(self) -> None:
        self.batches: Listeners[[ChangeBatch]] = Listeners()
        self.messages: Listeners[[Conversation, Message]] = Listeners()
        self.statuses: Listeners[[Conversation, Message]] = Listeners()
        self.refusals: Listeners[[AnyCommand, Refused]] = Listeners()
        self.set_asides: Listeners[[SetAside]] = Listeners()
        self.states: Listeners[[State]] = Listeners()
        self.state: State = "offline"
        self.failing = False
        self.ended = False
        self.endings: Listeners[[]] = Listeners()
        # A consumer that breaks out of its loop forgets its feed; then so do we.
        self._feeds: weakref.WeakSet[ChangeFeed] = weakref.WeakSet()
        self._why: Callable[[], RecentsError] | None = None
        self._followers: dict[object, Follows] = {}

    def follow(self, follower: Follows) -> Callable[[], None]:
        """Tell ``follower`` the batches from now on.

        Returns:
            A function that ends this; calling it again does nothing.
        """
        key = object()
        if self.ended:
            follower.end(self._why)
        else:
            self._followers[key] = follower

        def leave() -> None:
            self._followers.pop(key, None)

        return leave

    def feed(self) -> ChangeFeed:
        """Open a feed of the batches from now on."""
        feed = ChangeFeed()
        if self.ended:
            feed.end(self._why)
        else:
            self._feeds.add(feed)
        return feed

    def tell_batch(self, batch: ChangeBatch) -> None:
        """Announce a change of the list."""
        for feed in self._feeds:
            feed.put(batch)
        for follower in tuple(self._followers.values()):
            follower.put(batch)
        self.batches.tell(batch)

    def tell_state(self, state: State) -> None:
        """Announce a state, if it is another one."""
        if state != self.state:
            self.state = state
            self.states.tell(state)

    def end(self, why: Callable[[], RecentsError] | None) -> None:
        """End all feeds, with an error where there is one."""
        self.ended, self._why = True, why
        for feed in self._feeds:
            feed.end(why)
        for follower in tuple(self._followers.values()):
            follower.end(why)
        self.endings.tell()
