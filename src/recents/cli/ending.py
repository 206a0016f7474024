"""How a command ends: an exit code that means something, and one sentence on stderr.

Rules of this file:

1. What went wrong on purpose (``RecentsError``) is one sentence; only a mistake in this program
   itself shows a traceback.
2. Exit codes are never renumbered; ``docs/cli.md`` lists them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import typer

from recents.cli.harmless import harmless
from recents.core.errors import CallerMistake, Code, PeerMistake, RecentsError, Refused

T = TypeVar("T")

_STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class ExitCode(IntEnum):
    """What the exit code of a command says."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    UNAUTHORIZED = 4
    STORE_UNUSABLE = 5
    CANNOT_LISTEN = 6
    MISTAKE_OF_OURS = 70
    INTERRUPTED = 130
    READER_GONE = 141


EXIT_CODES = (
    "Exit codes: 0 done; 1 refused by the node; 2 wrong usage; 3 no node answers; "
    "4 not authorized; 5 the store cannot be used; 6 cannot listen on that address; "
    "70 a mistake in this program; 130 interrupted; 141 the reader of the output went away."
)


class Ended(RecentsError):
    """A command cannot go on.

    Attributes:
        exit_code: with which the program ends.
    """

    def __init__(self, sentence: str, exit_code: ExitCode) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def exit_code_of(error: RecentsError) -> ExitCode:
    """Return the exit code for an error."""
    if isinstance(error, Ended):
        return error.exit_code
    if isinstance(error, CallerMistake):
        return ExitCode.USAGE
    if isinstance(error, Refused):
        closed = error.code in {Code.UNAUTHORIZED, Code.REVOKED}
        return ExitCode.UNAUTHORIZED if closed else ExitCode.REFUSED
    # Unavailable, and a PeerMistake: whatever answers there is no node of ours.
    return ExitCode.UNREACHABLE


def say(sentence: str) -> None:
    """Tell the user something that is not output: on stderr, so that pipes stay clean."""
    with suppress(OSError, ValueError):
        print(f"recents: {harmless(sentence)}", file=sys.stderr, flush=True)


def _leave(exit_code: ExitCode) -> NoReturn:
    raise typer.Exit(int(exit_code))


@contextmanager
def one_sentence() -> Iterator[None]:
    """Run a command's body; end the program the way this file says."""
    try:
        yield
        sys.stdout.flush()
    except PeerMistake as error:
        say(f"what answers there does not speak our protocol: {error}")
        _leave(exit_code_of(error))
    except RecentsError as error:
        say(str(error))
        _leave(exit_code_of(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("interrupted")
        _leave(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # `recents list | head -1`: nobody reads on; the interpreter must not flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _leave(ExitCode.READER_GONE)
    except (typer.Exit, typer.Abort, typer.BadParameter, ModuleNotFoundError):
        raise
    except Exception:
        traceback.print_exc()
        say("this is a mistake in recents itself; please report the lines above")
        _leave(ExitCode.MISTAKE_OF_OURS)


def run(
    work: Coroutine[Any, Any, T],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Run a command's asynchronous body; its errors end the program with a sentence."""
    with one_sentence(), asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work)
    raise AssertionError("one_sentence lets no error pass")


@asynccontextmanager
async def stop_signals() -> AsyncIterator[asyncio.Event]:
    """Give an event that is set by Ctrl-C, SIGTERM, or the end of the terminal.

    A second Ctrl-C then interrupts at once, for those who do not want to wait.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked_to_stop() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, asked_to_stop)
    try:
        yield stop
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until it ends or somebody asks to stop, which is a good end."""
    async with stop_signals() as stop:
        working = asyncio.create_task(work)
        waiting = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            for task in (working, waiting):
                task.cancel()
            await asyncio.gather(working, waiting, return_exceptions=True)
