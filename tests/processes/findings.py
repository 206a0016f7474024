"""What must hold at the end: nothing acknowledged is lost, nothing is doubled (M1, M2, C4)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from recents.core.commands import (
    AnyCommand,
    CreateTeam,
    Edit,
    Post,
    RenameTeam,
    SetAlias,
    SetDraft,
    SetExtension,
    SetProfile,
    SetTeamAvatar,
)
from recents.core.ids import ConversationKey, key_of
from recents.core.message import Message
from tests.processes.journal import Journal
from tests.processes.record import Decided

Histories = Mapping[ConversationKey, Sequence[Message]]


def check_histories(histories: Histories) -> None:
    """No gaps (M1), nothing twice (M2), every message as it was sent."""
    for key, messages in histories.items():
        assert [one.seq for one in messages] == list(range(1, len(messages) + 1)), key
        names = Counter((one.sender, one.client_id) for one in messages)
        assert names.most_common(1)[0][1] == 1, f"{key} has a message twice"
        for one in messages:
            if one.state == "normal":
                assert one.text == f"says {one.client_id}"
            else:
                # What an edit says is another word; of a recalled one nothing is left (P2, P3).
                assert one.text.startswith("says ") == (one.state == "edited"), f"{one}"


def refused_messages(account: str, batches: Iterable[Decided]) -> set[str]:
    """Return the ``client_id`` of each message that the node refused: it need not be there."""
    return {
        heard.command.client_id
        for batch in batches
        for heard in batch.heard
        if heard.actor == account and isinstance(heard.command, Post) and not heard.taken
    }


def check_messages(
    account: str, journal: Journal, histories: Histories, refused: Collection[str]
) -> int:
    """Every message that was acknowledged is there, in its place, in its sender's order.

    Returns:
        How many were.
    """
    seqs = {
        (key, one.client_id): one.seq
        for key, messages in histories.items()
        for one in messages
        if one.sender == account
    }
    acknowledged = 0
    for done in journal.acknowledged():
        giving, given = done.giving, done.given
        if giving.what != "send" or given.outcome == "refused" or giving.word in refused:
            continue
        acknowledged += 1
        seq = seqs.get((key_of(account, giving.where), giving.word))
        assert seq is not None, f"{account}'s message {giving.word} in {giving.where} is missing"
        assert given.seq in (0, seq), f"{giving.word} has seq {seq}, not {given.seq}"
    last: defaultdict[ConversationKey, int] = defaultdict(int)
    for command in journal.kept():
        if isinstance(command, Post) and command.client_id not in refused:
            key = key_of(account, command.conversation)
            seq = seqs.get((key, command.client_id))
            assert seq is not None, f"the journaled message {command.client_id} is missing"
            assert seq > last[key], f"{command.client_id} overtook another message in {key}"
            last[key] = seq
    return acknowledged


def check_journaled(
    account: str, journal: Journal, batches: Iterable[Decided], refused: Collection[str]
) -> int:
    """Every acknowledged command was journaled, every journaled one carried out once, in order.

    Returns:
        How many were.
    """
    kept = journal.kept()
    words = Counter(_word(command) for command in kept)
    for done in journal.acknowledged():
        word = done.giving.word
        assert not word or words[word] == 1, f"{done.giving} was not journaled once"
    places: dict[str, int] = {}
    times: Counter[str] = Counter()
    asked_again: set[str] = set()
    for place, heard in enumerate(heard for batch in batches for heard in batch.heard):
        if heard.actor != account:
            continue
        if heard.again:
            asked_again.add(heard.command.id)
        else:
            times[heard.command.id] += 1
            places.setdefault(heard.command.id, place)
    before = -1
    for command in kept:
        if isinstance(command, Post):
            # See ``check_messages``; a repeated one is no second time.
            if command.client_id in refused:
                continue
        elif times[command.id] != 1:
            # What changes nothing may be in a batch of which only the repetition was noted.
            once = times[command.id] == 0 and command.id in asked_again
            assert once, f"carried out {times[command.id]} times: {command}"
            continue
        assert places[command.id] > before, f"{command} was overtaken"
        before = places[command.id]
    return len(kept)


def _word(command: AnyCommand) -> str:
    """What is unique in a command; see ``journal.Giving``."""
    match command:
        case Post():
            return command.client_id
        case SetDraft() | SetExtension():
            return command.text
        case CreateTeam() | RenameTeam():
            return command.name
        case Edit():
            return command.text.removeprefix("says ")
        case SetProfile():
            return command.name or ""
        case SetAlias():
            return command.alias
        case SetTeamAvatar():
            return command.avatar
        case _:
            return ""
