"""A copy's file in the right place: opened, or set aside and begun anew (C6).

Rules of this file:

1. A file is set aside in an order that can be interrupted anywhere: what takes its place is whole,
   with the rescued commands in it, before the old one is renamed. The next opening finishes it.
2. Nothing that was set aside is ever overwritten: names are counted.
3. Used by one thread, which may wait for the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import apsw

from recents.client.store.port import Saved, SetAside, StepFailed
from recents.client.store.sqlite_copy import Copy
from recents.client.store.sqlite_failures import damaged, opening_failures, unusable
from recents.client.store.sqlite_opening import (
    PARTS,
    Unfit,
    built,
    closed,
    locked,
    looked_into,
    make_folder,
    part,
    remove,
    sync_folder,
    whole,
)
from recents.client.store.sqlite_rescue import WORK, rescued


class CopyFile:
    """The file of one account's copy.

    Args:
        path: where it belongs.
        account: whose it is.
        new_id: makes the device id of a new one.
        kept_messages: messages kept of each conversation, the newest.
    """

    def __init__(
        self, path: Path, account: str, new_id: Callable[[], str], kept_messages: int
    ) -> None:
        self.path = path
        self._new = part(path, ".new")
        self._account = account
        self._new_id = new_id
        self._kept_messages = kept_messages
        self._lock: apsw.Connection | None = None
        self._copy: Copy | None = None
        self._device_id = ""

    @property
    def copy(self) -> Copy:
        """The open copy.

        Raises:
            StepFailed: it was not opened, or closed.
            CopyDamaged: it was found damaged.
        """
        if self._copy is not None:
            return self._copy
        if self._lock is not None:
            raise damaged(self.path, "the last step")
        raise StepFailed(f"{self.path} is not open")

    def open(self) -> Saved:
        """Make it ready, whatever is there.

        Raises:
            StoreUnusable: it cannot be used, with what to do.
        """
        self.close()
        try:
            with opening_failures(self.path):
                self._check_place()
                make_folder(self.path.parent)
                self._lock = locked(self.path, self._account)
                self._finish()
                return self._opened()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        copy, self._copy = self._copy, None
        lock, self._lock = self._lock, None
        if copy is not None:
            closed(copy.connection)
        if lock is not None:
            lock.close()

    def shorten_log(self) -> None:
        """Move commits from a long log into the file, while nobody waits."""
        if self._copy is not None:
            self._copy.shorten_log()

    def index_some(self, most_waiting: int) -> bool:
        """Index messages for searching, while nobody waits; see ``Copy.index_some``."""
        return self._copy is not None and self._copy.index_quietly(most_waiting)

    def give_up(self) -> None:
        """Use a damaged file no longer; it stays as it is until ``begin_anew``."""
        copy, self._copy = self._copy, None
        if copy is not None:
            copy.connection.close()

    def begin_anew(self) -> SetAside:
        """Set the file aside and begin with an empty one, of the same device.

        Raises:
            StoreUnusable: that fails as well.
        """
        if self._lock is None:
            raise unusable(f"{self.path} is not open: open it first")
        self.give_up()
        with opening_failures(self.path):
            aside = SetAside(path=self._free("damaged"), reason="it was damaged while in use")
            self._replace(Saved(device_id=self._device_id, set_aside=aside))
            self._opened()
        return aside

    def set_aside_as_it_is(self, label: str, reason: str) -> SetAside:
        """Set a readable file that is not open aside, and put a new one in its place.

        Its unsent commands are in the new one, and the next opening tells of it.

        Raises:
            StoreUnusable: that fails.
        """
        with opening_failures(self.path):
            self._lock = locked(self.path, self._account)
            self._finish()
            return self._set_aside(Unfit(label, reason))

    def _opened(self) -> Saved:
        """Open what is there, or something new in its place."""
        try:
            if not any(part(self.path, ending).exists() for ending in PARTS):
                self._replace(Saved(device_id=self._new_id()))
            self._copy, saved = self._look()
        except Unfit as unfit:
            self._set_aside(unfit)
            self._copy, saved = self._look()
        self._device_id = saved.device_id
        return saved

    def _check_place(self) -> None:
        if self.path.is_dir():
            raise unusable(f"{self.path} is a folder: move it away, or choose another folder")

    def _look(self) -> tuple[Copy, Saved]:
        return looked_into(self.path, self._account, self._kept_messages)

    def _set_aside(self, unfit: Unfit) -> SetAside:
        found = rescued(self.path, self._account, unfit)
        aside = SetAside(
            path=self._free(unfit.label),
            reason=unfit.reason,
            rescued=len(found.outbox),
            lost=found.lost,
        )
        device_id = found.device_id or self._new_id()
        self._replace(Saved(device_id=device_id, outbox=found.outbox, set_aside=aside))
        return aside

    def _free(self, label: str) -> str:
        for number in count(1):
            path = part(self.path, f".{label}-{number}")
            if not any(part(path, ending).exists() for ending in PARTS):
                return str(path)
        raise AssertionError("numbers do not end")

    def _replace(self, saved: Saved) -> None:
        built(self._new, self._account, saved)
        self._put_in_place(saved.set_aside)

    def _finish(self) -> None:
        """Finish what a program that was killed had begun."""
        remove(part(self.path, WORK))
        begun = whole(self._new, self._account)
        if begun is None:
            remove(self._new)
        else:
            self._put_in_place(begun.set_aside)

    def _put_in_place(self, aside: SetAside | None) -> None:
        if aside is not None:
            for ending in PARTS:
                old = part(self.path, ending)
                if old.exists():
                    old.rename(f"{aside.path}{ending}")
            sync_folder(self.path.parent)
        self._new.rename(self.path)
        sync_folder(self.path.parent)
