"""Time that passes when everybody waits, and processes that can be killed.

A loop asks its selector to wait until the next timer; this one does not wait, it moves its clock
there. An hour of back-off takes as long as the steps in it, and always the same steps.

Rules of this file:

1. Time moves only when nothing is ready, and exactly to the next timer.
2. Whatever a process starts belongs to it; killed, all of it ends at its next step.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

IDLE_S = 5.0
"""Real seconds in which a thread must have said something when no timer is set at all."""

_owner: contextvars.ContextVar[Process | None] = contextvars.ContextVar("owner", default=None)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time, as ``asyncio.run`` does in real time.

    Raises:
        RuntimeError: it waits for something that can never happen.
    """
    with asyncio.Runner(loop_factory=VirtualLoop, debug=False) as runner:
        return runner.run(main)


class Process:
    """What dies together: the tasks of one program.

    Attributes:
        alive: False from ``kill`` on.
    """

    def __init__(self) -> None:
        """Begin without a task."""
        self.alive = True
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task of this process; what it starts belongs to the process as well."""
        context = contextvars.copy_context()
        context.run(_owner.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    def kill(self) -> None:
        """End all tasks; what they still try to do comes to nothing."""
        self.alive = False
        for task in list(self._tasks):
            task.cancel()

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """Take a task in that was started by one of this process."""
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        if not self.alive:
            task.cancel()


def is_dead() -> bool:
    """Tell whether the running task belongs to a process that was killed."""
    owner = _owner.get()
    return owner is not None and not owner.alive


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop of which the clock starts at 0 and jumps from timer to timer."""

    def __init__(self) -> None:
        """Begin at 0 s."""
        self.now_s = 0.0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self.now_s

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:  # noqa: ANN401  # as asyncio's
        """Start a task, of the process whose task is running."""
        task = super().create_task(coro, **options)
        context = options.get("context")
        owner = _owner.get() if context is None else context.get(_owner)
        if owner is not None:
            owner.adopt(task)
        return task


class _Leaping(selectors.BaseSelector):
    """Asks the real selector without waiting, and moves the clock instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = self._real.select(IDLE_S if timeout is None else 0)
        if not found and timeout is None:
            raise RuntimeError("everybody waits for something that nobody will do")
        if not found and timeout is not None:
            self._loop.now_s += max(timeout, 0)
        return found

    def register(
        self,
        fileobj: Any,  # noqa: ANN401
        events: int,
        data: Any = None,  # noqa: ANN401
    ) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()
