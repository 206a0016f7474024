"""A thread with an event loop of its own, and how blocking calls get there and back.

Rules of this file:

1. The caller gets what the coroutine returned or raised, as it is, whatever runs in its thread.
2. Whoever stops waiting (Ctrl-C) stops nothing: what was commanded stays commanded.
3. Nothing hangs: not a caller when another thread closes, not the interpreter when nobody does,
   not a process that was forked.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from recents.core.errors import CallerMistake, Unavailable

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=type)

_LAST_PATIENCE_S = 10.0
"""Seconds that the end of the interpreter waits for one forgotten client at most."""


class OwnThread:
    """A thread that runs coroutines for other threads, from ``start`` to ``end``, once.

    Args:
        name: of the thread.
        at_exit: what is left to do when nobody called ``end``.
    """

    def __init__(self, name: str, at_exit: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._name = name
        self._at_exit = at_exit
        # Calls and the end must not overtake each other on the way to the loop.
        self._gate = threading.Lock()
        self._thread: _Thread | None = None
        self._open = False
        self._pid = 0

    @property
    def running(self) -> bool:
        """Whether there is a thread that takes calls."""
        return self._open and self._pid == os.getpid()

    def start(self) -> bool:
        """Start the thread; tells whether there was none before.

        Raises:
            CallerMistake: it has ended already.
            Unavailable: this process was forked from the one that has the thread, or the system
                has no room for a thread.
        """
        self._check_process()
        with self._gate:
            if self._thread is not None:
                if not self._open:
                    raise CallerMistake(
                        "this client was opened before; call recents.connect_blocking again"
                    )
                return False
            self._thread = _Thread(self._name)
            self._open, self._pid = True, os.getpid()
        _remember(self)
        return True

    def call(
        self, ask: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a coroutine on the thread and wait for what comes of it.

        Raises:
            CallerMistake: this is called by a listener, on the very thread.
            Unavailable: there is no thread, or no longer.
        """
        self._check_process()
        self._check_caller()
        with self._gate:
            if self._thread is None or not self._open:
                raise _closed()
            future = asyncio.run_coroutine_threadsafe(ask(*args, **kwargs), self._thread.loop)
        try:
            return _result(future)
        except BaseException:
            # Nothing to a future that has ended; an interrupted caller waits no longer.
            future.cancel()
            raise
        finally:
            # What it raised leads to this frame: without the name there is no circle.
            del future

    def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a plain function where nothing changes meanwhile: on the thread if it runs."""

        async def there() -> T:
            return work(*args, **kwargs)

        if self.running and not self._is_here():
            # If another thread ends it just now, then nothing changes any more.
            with suppress(Unavailable):
                return self.call(there)
        return work(*args, **kwargs)

    def end(self, last: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run a last coroutine, then end the thread; nothing where there is none.

        Who still waits for a call gets ``Unavailable``. Whoever is interrupted here does not wait
        for the end, which comes all the same.

        Raises:
            CallerMistake: this is called by a listener, on the very thread.
        """
        if self._thread is None or self._pid != os.getpid():
            return
        self._check_caller()
        future = self._begin_to_end(self._thread, last)
        if future is not None:
            _result(future)
        self._thread.join(_LAST_PATIENCE_S)

    def leave(self) -> None:
        """End the thread without its owner: in time, and without a word."""
        thread = self._thread
        if thread is None or self._pid != os.getpid():
            return
        with suppress(RuntimeError):
            self._begin_to_end(thread, self._at_exit)
        if not self._is_here():
            thread.join(_LAST_PATIENCE_S)

    def __del__(self) -> None:
        if self.running:
            try:
                warnings.warn(
                    f"{self._name} was not closed", ResourceWarning, stacklevel=1, source=self
                )
            finally:
                self.leave()

    def _begin_to_end(
        self, thread: _Thread, last: Callable[[], Coroutine[Any, Any, object]]
    ) -> Future[None] | None:
        """Take no more calls; None where that is so already."""
        with self._gate:
            if not self._open:
                return None
            self._open = False
            return asyncio.run_coroutine_threadsafe(thread.end(last), thread.loop)

    def _is_here(self) -> bool:
        return self._thread is not None and self._thread.is_here()

    def _check_caller(self) -> None:
        if self._is_here():
            raise CallerMistake(
                "a listener runs on the client's own thread, which cannot wait for itself: let "
                "another thread do it, or use `for batch in me.inbox.changes()`"
            )

    def _check_process(self) -> None:
        if self._thread is not None and self._pid != os.getpid():
            raise Unavailable(
                "this client belongs to the process that this one was forked from: call "
                "recents.connect_blocking here as well",
                None,
            )


class _Thread:
    """The thread itself; knows nothing of who calls, so that a forgotten owner can be noticed."""

    def __init__(self, name: str) -> None:
        self.loop: asyncio.AbstractEventLoop
        self._ended = asyncio.Event()
        self._begun: Future[None] = Future()
        # A daemon: whatever happens here, the interpreter can end.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise Unavailable(str(error)) from error
        self._begun.result()

    async def end(self, last: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run a last coroutine and end."""
        try:
            await last()
        finally:
            self._ended.set()

    def join(self, patience_s: float) -> None:
        """Wait until it has ended, some seconds at most."""
        self._thread.join(patience_s)

    def is_here(self) -> bool:
        """Tell whether it is the one that asks."""
        return self._thread is threading.current_thread()

    def _run(self) -> None:
        try:
            runner = asyncio.Runner()
            self.loop = runner.get_loop()
        except BaseException as error:
            self._begun.set_exception(error)
            return
        # At its end the runner cancels what is left, so that nobody waits in vain.
        with runner:
            self._begun.set_result(None)
            runner.run(self._ended.wait())


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except CancelledError:
        raise _closed() from None
    finally:
        del future


def _closed() -> Unavailable:
    return Unavailable(
        "the client is not open: use `with recents.connect_blocking(...) as me`", None
    )


# The end of the interpreter. Thread pools end before ``atexit`` begins, and the copy of a client
# is written by one: so this has to come before them, which only this function knows how to do.
_at_exit: Callable[[Callable[[], None]], object] = getattr(
    threading, "_register_atexit", atexit.register
)
_started: weakref.WeakSet[OwnThread] = weakref.WeakSet()
_registered = threading.Event()


def _remember(own: OwnThread) -> None:
    _started.add(own)
    if not _registered.is_set():
        _registered.set()
        # Too late for that: then it ends as after a kill, which loses nothing.
        with suppress(RuntimeError):
            _at_exit(_end_all)


def _end_all() -> None:
    for own in tuple(_started):
        own.leave()


def twin_of(original: type) -> Callable[[C], C]:
    """Let the methods of a blocking class have the documentation of their asynchronous twins.

    Only those whose own documentation is the first line of the other.
    """

    def complete(twin: C) -> C:
        for name, method in vars(twin).items():
            whole = getattr(vars(original).get(name), "__doc__", None)
            short = method.__doc__ if inspect.isfunction(method) else None
            if whole and short and whole.partition("\n")[0] == short:
                method.__doc__ = whole
        return twin

    return complete
