"""Chat traffic from a JSON-lines file, made fit for a node.

A line is ``{"time_ms", "channel", "sender", "text", "mentions"}`` and, person to person, ``"to"``.

Rules of this file:

1. The order of the file is the order of the traffic; equal times keep their places.
2. Names that break rule I1 are rewritten, and two names never become one.
3. Nothing is left out in silence: what was made up, shortened or renamed is counted.
"""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec

from recents.core.ids import MAX_DISPLAY_NAME_CHARACTERS, MAX_ID_BYTES
from recents.core.message import MAX_MENTIONS, MAX_TEXT_CHARACTERS, MENTION_ALL

_NOT_IN_IDS = re.compile(r"[^!-~]|[:|/#]")

_WORDS = (
    *("about", "after", "again", "coffee", "could", "from", "have", "hello", "know", "later"),
    *("library", "maybe", "meet", "need", "never", "okay", "party", "really", "see", "thanks"),
    *("that", "there", "think", "this", "today", "tomorrow", "want", "when", "where", "yes"),
)


class CannotRead(Exception):
    """The file is not what a replay takes; the message says where and why."""


class Line(msgspec.Struct, frozen=True):
    """One message as the file has it."""

    time_ms: int
    channel: str
    sender: str
    text: str | None = None
    mentions: tuple[str, ...] = ()
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message as it will be sent, to one account or to a team."""

    sender: str
    text: str
    mentions: tuple[str, ...]
    to: str | None = None
    team: str | None = None


@dataclass(slots=True)
class Traffic:
    """All messages of a run, and who takes part.

    Attributes:
        messages: in the order of the file.
        accounts: in the order in which they appear.
        team_names: what to call each team, by its id.
        made_up: bodies that the file does not have.
        shortened: texts that were too long to be sent whole (M5).
        renamed: accounts and teams whose names had to be rewritten (I1).
    """

    messages: list[Spoken] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    team_names: dict[str, str] = field(default_factory=dict)
    made_up: int = 0
    shortened: int = 0
    renamed: int = 0


class Ids:
    """Ids by rule I1 for names of any shape; the same name always has the same id."""

    def __init__(self) -> None:
        """Start with no name; `@all` is nobody's."""
        self._ids: dict[str, str] = {}
        self._taken = {MENTION_ALL}

    def __contains__(self, name: str) -> bool:
        return name in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids.values())

    @property
    def renamed(self) -> int:
        """How many names are not their own ids."""
        return sum(name != made for name, made in self._ids.items())

    def id_of(self, name: str) -> str:
        """Return the id of a name."""
        known = self._ids.get(name)
        if known is not None:
            return known
        plain = _NOT_IN_IDS.sub("_", name)[:MAX_ID_BYTES] or "_"
        made, number = plain, 1
        while made in self._taken:
            number += 1
            mark = f"~{number}"
            made = plain[: MAX_ID_BYTES - len(mark)] + mark
        self._taken.add(made)
        self._ids[name] = made
        return made


def read_lines(path: Path, limit: int | None = None) -> list[Line]:
    """Read the lines of a file, plain or packed by gzip.

    Raises:
        CannotRead: it is not there, or a line is not of this shape.
    """
    decoder = msgspec.json.Decoder(Line)
    lines: list[Line] = []
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, text in enumerate(islice(file, limit), 1):
                try:
                    lines.append(decoder.decode(text))
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise CannotRead(f"{path}, line {number}: {error}") from error
    except (OSError, EOFError) as error:
        raise CannotRead(f"{path} cannot be read: {error}") from error
    if not lines:
        raise CannotRead(f"{path} has no lines")
    return lines


def traffic_of(lines: list[Line], seed: int) -> Traffic:
    """Turn lines into traffic; `seed` decides on the bodies that are made up."""
    chance = random.Random(seed)
    accounts, teams = Ids(), Ids()
    for line in lines:
        accounts.id_of(line.sender)
        if line.to is not None:
            accounts.id_of(line.to)
    traffic = Traffic(accounts=list(accounts))
    for line in lines:
        to = None if line.to is None else accounts.id_of(line.to)
        team = teams.id_of(line.channel) if to is None else None
        if team is not None:
            traffic.team_names[team] = line.channel[:MAX_DISPLAY_NAME_CHARACTERS]
        spoken = Spoken(
            sender=accounts.id_of(line.sender),
            text=_body(line, chance, traffic),
            mentions=_mentions(line, accounts),
            to=to,
            team=team,
        )
        traffic.messages.append(spoken)
    traffic.renamed = accounts.renamed + teams.renamed
    return traffic


def _body(line: Line, chance: random.Random, traffic: Traffic) -> str:
    if line.text is None:
        traffic.made_up += 1
        return " ".join(chance.choices(_WORDS, k=chance.randint(1, 12)))
    traffic.shortened += len(line.text) > MAX_TEXT_CHARACTERS
    return line.text[:MAX_TEXT_CHARACTERS]


def _mentions(line: Line, accounts: Ids) -> tuple[str, ...]:
    """Return the mentions of accounts of this run; others would be strangers to the node."""
    mentions = [
        name if name == MENTION_ALL else accounts.id_of(name)
        for name in line.mentions
        if name == MENTION_ALL or name in accounts
    ]
    return tuple(dict.fromkeys(mentions))[:MAX_MENTIONS]
