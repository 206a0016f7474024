"""`recents serve`: a node on one SQLite file, until somebody stops it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from recents.cli import admin_key
from recents.cli.ending import Ended, ExitCode, run, stop_signals
from recents.cli.harmless import harmless
from recents.cli.login import DEFAULT_NODE
from recents.cli.program import command
from recents.core.errors import RecentsError

DEFAULT_STORE = Path("recents.db")
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7380

Port = Annotated[
    int, typer.Option(min=0, max=65_535, metavar="PORT", help="TCP port; 0 takes any free one.")
]


@dataclass(frozen=True, slots=True)
class _Key:
    """The admin key and where it is from; ``made`` is its file if this start made it."""

    key: str
    source: str
    file: Path | None = None
    made: Path | None = None


def serve(
    store: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="SQLite file that keeps everything; made if it is not there."
        ),
    ] = DEFAULT_STORE,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Address to listen on; 0.0.0.0 is reachable from outside."
        ),
    ] = DEFAULT_HOST,
    port: Port = DEFAULT_PORT,
    restored: Annotated[
        bool,
        typer.Option(
            "--restored",
            help="The file is a backup that was put back: devices fetch everything anew.",
        ),
    ] = False,
) -> None:
    """Run a node. Ctrl-C stops it: devices are told, what was committed is answered.

    The admin key for `recents account` is RECENTS_ADMIN_KEY, or else the file STORE.admin-key,
    which is made at the first start and readable by its owner only.
    """
    run(_serve(store.absolute(), host, port, restored=restored), new_event_loop)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make an event loop for a node: uvloop's where there is one."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(store: Path, host: str, port: int, *, restored: bool) -> None:
    # Here, so that commands which only ask a node do without a node's libraries.
    from recents.server.doors.listening import CannotListen, Listening
    from recents.server.node import Node, open_store
    from recents.server.store.port import StoreUnusable

    _check_place(store)
    key = _settled_key(store)
    node = Node(open_store(store, restored=restored))
    started = False
    try:
        async with (
            stop_signals() as stop,
            Listening(node, host, port, admin_key=key.key) as listening,
        ):
            started = True
            for line in _greeting(listening.address, store, key):
                print(harmless(line), flush=True)
            await stop.wait()
            print("stopping: devices are told, what was committed is answered", flush=True)
        print("stopped", flush=True)
    except StoreUnusable as error:
        raise Ended(str(error), ExitCode.STORE_UNUSABLE) from error
    except CannotListen as error:
        raise Ended(str(error), ExitCode.CANNOT_LISTEN) from error
    finally:
        if key.made and not started:
            # A start that failed leaves nothing behind, least of all beside another's file.
            key.made.unlink(missing_ok=True)


def _check_place(store: Path) -> None:
    if not store.parent.is_dir():
        raise Ended(
            f"the store cannot be made: there is no folder {store.parent}", ExitCode.STORE_UNUSABLE
        )
    if store.is_dir():
        raise Ended(
            f"{store} is a folder: name a file for the store, for example {store / 'recents.db'}",
            ExitCode.STORE_UNUSABLE,
        )


def _settled_key(store: Path) -> _Key:
    key = admin_key.from_environment()
    if key is not None:
        return _Key(key, f"the one in {admin_key.VARIABLE}")
    file = admin_key.key_file_of(store)
    try:
        with suppress(FileExistsError):
            return _Key(admin_key.make(file), f"in {file}", file, file)
        return _Key(admin_key.read(file), f"in {file}", file)
    except RecentsError:
        raise
    except OSError as error:
        raise Ended(
            f"the store cannot be made in {store.parent}: {error.strerror}",
            ExitCode.STORE_UNUSABLE,
        ) from error


def _greeting(address: str, store: Path, key: _Key) -> list[str]:
    words = ["account", "add", "NAME"]
    from_here = _reachable(address)
    if from_here != DEFAULT_NODE:
        words += ["--node", from_here]
    if key.file is not None:
        words += ["--admin-key-file", str(key.file)]
    return [
        f"A Recents node listens on {address}",
        f"  store      {store}",
        f"  admin key  {key.source}",
        "",
        "Add an account, in another terminal:",
        f"  {command(*words)}",
        "",
        "Ctrl-C stops the node.",
    ]


def _reachable(address: str) -> str:
    """Return where this machine itself reaches a node that listens on ``address``."""
    return address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
