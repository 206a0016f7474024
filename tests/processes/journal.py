"""What a device's program writes down before and after each command, and what its copy kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from recents.core.commands import AnyCommand
from recents.core.ids import Conversation
from tests.processes.lines import lines_in

K = TypeVar("K")

Outcome = Literal["done", "refused", "unavailable"]


class Giving(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A command is about to be given.

    Attributes:
        number: unique within its run.
        what: the name of the deed.
        where: the conversation; "" for all.
        word: what is unique in it: a message's ``client_id``, the text of a draft, a team's name.
    """

    run: int
    number: int
    what: str
    where: str = ""
    word: str = ""


class Given(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The call came back: the command is acknowledged, unless it is ``unavailable``.

    Attributes:
        seq: of a message that the node has: its place; 0: it is on its way.
    """

    run: int
    number: int
    outcome: Outcome
    seq: int = 0


class Kept(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The copy on this device has these commands: they are journaled."""

    commands: tuple[AnyCommand, ...]


class Came(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The program was started, or its list became as the node's."""

    run: int
    state: Literal["started", "synced"]


Line = Giving | Given | Kept | Came


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """A command whose call returned."""

    giving: Giving
    given: Given


class Journal:
    """One device's lines, read when all is over."""

    def __init__(self, path: Path) -> None:
        self._lines: list[Line] = lines_in(path, Line)  # type: ignore[arg-type]

    def acknowledged(self) -> Iterator[Acknowledged]:
        """The commands that were acknowledged, in the order in which that was."""
        giving = {(line.run, line.number): line for line in self._of(Giving)}
        for given in self._of(Given):
            if given.outcome != "unavailable":
                yield Acknowledged(giving=giving[given.run, given.number], given=given)

    def kept(self) -> list[AnyCommand]:
        """The journaled commands, each once, in their order."""
        commands: dict[str, AnyCommand] = {}
        for line in self._of(Kept):
            for command in line.commands:
                commands.setdefault(command.id, command)
        return list(commands.values())

    def places(self) -> set[Conversation]:
        """The conversations that something was given for."""
        return {Conversation(line.where) for line in self._of(Giving) if line.where}

    def times(self, state: str) -> int:
        """How often the program came into a state."""
        return sum(line.state == state for line in self._of(Came))

    def _of(self, kind: type[K]) -> Iterable[K]:
        return (line for line in self._lines if isinstance(line, kind))
