"""Values of commands: within the rules, and not (rules I1, M5, G1, G5, G7)."""

from __future__ import annotations

import msgspec
import pytest

from recents.core.checking import check
from recents.core.commands import (
    MAX_MEMBERS_PER_COMMAND,
    AddLabel,
    AddMembers,
    AnyCommand,
    Archive,
    ClearHistory,
    CreateTeam,
    Delete,
    DeleteAll,
    DeleteMessages,
    DismissTeam,
    Edit,
    LeaveTeam,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Post,
    Read,
    ReadAll,
    Recall,
    RemoveLabel,
    RemoveMember,
    RenameTeam,
    SetAlias,
    SetDraft,
    SetExtension,
    SetProfile,
    SetTeamAvatar,
    Unarchive,
    Unpin,
)
from recents.core.errors import Code, Refused
from recents.core.ids import Conversation, Kind

BOB = Conversation("p2p:bob")
TEAM = Conversation("team:t1")
BIG = Conversation("super_team:big")
NOBODY = Conversation("p2p:")
POST = Post(id="1", conversation=BOB, client_id="c1")

WITHIN_THE_RULES: dict[str, AnyCommand] = {
    "an empty post": POST,
    "a post to a team": Post(id="1", conversation=TEAM, client_id="c1"),
    "a full post": Post(
        id="x" * 64,
        conversation=BIG,
        client_id="x" * 64,
        kind="x" * 32,
        text="👋" * 5_000,
        attachment="x" * (16 * 1024 - 2),
        mentions=("bob",) * 199 + ("@all",),
        counts=False,
        bumps=False,
        previews=False,
        displayed_seq=2**53 - 1,
        epoch=2**53 - 1,
    ),
    "nothing displayed": Post(id="1", conversation=BOB, client_id="c1", displayed_seq=0),
    "read": Read(id="1", conversation=BOB),
    "read up to nothing": Read(id="1", conversation=BOB, upto_seq=0),
    "read knowing of no mark": Read(id="1", conversation=BOB, epoch=0),
    "read knowing of the last mark": Read(id="1", conversation=BOB, epoch=2**53 - 1),
    "a dot": MarkUnread(id="1", conversation=TEAM),
    "unread from the first": MarkUnreadFrom(id="1", conversation=BIG, seq=1),
    "unread from the last": MarkUnreadFrom(id="1", conversation=BOB, seq=2**53 - 1),
    "a draft": SetDraft(id="1", conversation=TEAM, text="👋" * 5_000),
    "no draft": SetDraft(id="1", conversation=BOB),
    "mute": Mute(id="1", conversation=BIG, level="none"),
    "mute all but mentions": Mute(id="1", conversation=BOB, level="mentions"),
    "mute for a while": Mute(id="1", conversation=BOB, level="none", until_ms=2**53 - 1),
    "unmute": Mute(id="1", conversation=TEAM),
    "the highest pin": Pin(id="1", conversation=BOB, rank=1 - 2**53, ext="x" * 1_024),
    "the lowest pin": Pin(id="1", conversation=BOB, rank=2**53 - 1, ext="é" * 512),
    "unpin": Unpin(id="1", conversation=TEAM),
    "archive": Archive(id="1", conversation=TEAM, upto_seq=0),
    "archive all there is": Archive(id="1", conversation=TEAM),
    "unarchive": Unarchive(id="1", conversation=TEAM),
    "add a label": AddLabel(id="1", conversation=TEAM, label="👋" * 64),
    "remove a label": RemoveLabel(id="1", conversation=TEAM, label="x"),
    "an extension": SetExtension(id="1", conversation=TEAM, text="é" * 2_048),
    "no extension": SetExtension(id="1", conversation=TEAM),
    "delete messages": DeleteMessages(id="1", conversation=BOB, seqs=tuple(range(1, 101))),
    "recall": Recall(id="1", conversation=BOB, seq=1),
    "recall without notice": Recall(id="1", conversation=TEAM, seq=2**53 - 1, notice=False),
    "edit": Edit(id="1", conversation=BOB, seq=1, text="👋" * 5_000, mentions=("bob", "@all")),
    "delete": Delete(id="1", conversation=TEAM, upto_seq=7, clear_history=True),
    "clear": ClearHistory(id="1", conversation=BIG, upto_seq=2**53 - 1),
    "read all": ReadAll(id="1"),
    "read all of no kind": ReadAll(id="1", kinds=()),
    "delete all": DeleteAll(id="1", kinds=(Kind.P2P,), upto="anything", clear_history=True),
    "create": CreateTeam(id="1", conversation=TEAM),
    "create with members": CreateTeam(
        id="1", conversation=BIG, name="三" * 128, members=("bob",) * MAX_MEMBERS_PER_COMMAND
    ),
    "add nobody": AddMembers(id="1", conversation=TEAM, members=()),
    "add": AddMembers(id="1", conversation=TEAM, members=("bob",)),
    "remove": RemoveMember(id="1", conversation=TEAM, member="bob"),
    "leave": LeaveTeam(id="1", conversation=TEAM),
    "rename": RenameTeam(id="1", conversation=TEAM, name=""),
    "dismiss": DismissTeam(id="1", conversation=BIG),
    "an alias": SetAlias(id="1", conversation=TEAM, alias="三" * 128),
    "no alias": SetAlias(id="1", conversation=BOB),
    "an avatar of a team": SetTeamAvatar(id="1", conversation=BIG, avatar="x" * 1_024),
    "a new face": SetProfile(id="1", name="三" * 128, avatar="x" * 1_024),
    "no face any more": SetProfile(id="1", name="", avatar=""),
    "the same face": SetProfile(id="1"),
}

AGAINST_THE_RULES: dict[str, tuple[AnyCommand, str]] = {
    "delete no message": (DeleteMessages(id="1", conversation=BOB, seqs=()), "0 messages in one"),
    "delete too many": (
        DeleteMessages(id="1", conversation=BOB, seqs=tuple(range(1, 102))),
        "101 messages in one",
    ),
    "delete nothing": (DeleteMessages(id="1", conversation=BOB, seqs=(0,)), "seq is 0"),
    "recall no message": (Recall(id="1", conversation=BOB, seq=0), "seq is 0"),
    "edit far beyond": (Edit(id="1", conversation=BOB, seq=2**53, text=""), "below 2**53"),
    "edit at length": (Edit(id="1", conversation=BOB, seq=1, text="x" * 5_001), "5001 characters"),
    "edit for nobody": (
        Edit(id="1", conversation=BOB, seq=1, text="", mentions=("a b",)),
        "is not a valid",
    ),
    "edit nowhere": (Edit(id="1", conversation=Conversation("bob"), seq=1, text=""), "'bob'"),
    "no id": (msgspec.structs.replace(POST, id=""), "not a valid command id"),
    "a long id": (ReadAll(id="x" * 65), "not a valid command id: use 1 to 64"),
    "an id with a blank": (DeleteAll(id="a b"), "not a valid command id"),
    "a post to nobody": (msgspec.structs.replace(POST, conversation=NOBODY), "does not name"),
    "no client id": (msgspec.structs.replace(POST, client_id=""), "not a valid client_id"),
    "a long client id": (
        msgspec.structs.replace(POST, client_id="x" * 65),
        "not a valid client_id",
    ),
    "no message kind": (msgspec.structs.replace(POST, kind=""), "not a valid message kind"),
    "a long message kind": (
        msgspec.structs.replace(POST, kind="x" * 33),
        "not a valid message kind: use 1 to 32",
    ),
    "a long text": (msgspec.structs.replace(POST, text="x" * 5_001), "5001 characters"),
    "a large attachment": (
        msgspec.structs.replace(POST, attachment="x" * 16 * 1024),
        "16386 bytes",
    ),
    "a seq below 0 displayed": (
        msgspec.structs.replace(POST, displayed_seq=-1),
        "displayed_seq is -1; it must be 0 or above",
    ),
    "a post of one who knew less than nothing": (
        msgspec.structs.replace(POST, epoch=-1),
        "epoch is -1; it must be 0 or above",
    ),
    "201 mentions": (
        msgspec.structs.replace(POST, mentions=("bob",) * 201),
        "201 mentions; use at most 200, or @all",
    ),
    "a mention of nobody": (
        msgspec.structs.replace(POST, mentions=("bob", "a b")),
        "'a b' is not a valid account id",
    ),
    "a read of nothing": (Read(id="1", conversation=NOBODY), "does not name"),
    "a read below 0": (Read(id="1", conversation=BOB, upto_seq=-1), "upto_seq is -1"),
    "a read no JavaScript can say": (
        Read(id="1", conversation=BOB, upto_seq=2**53),
        "upto_seq is 9007199254740992",
    ),
    "a read of one who knew less than nothing": (
        Read(id="1", conversation=BOB, epoch=-1),
        "epoch is -1; it must be 0 or above",
    ),
    "a read that knew too much": (
        Read(id="1", conversation=BOB, epoch=2**53),
        "epoch is 9007199254740992; it must be below 2**53",
    ),
    "a dot on nothing": (MarkUnread(id="1", conversation=NOBODY), "does not name"),
    "unread from nothing": (MarkUnreadFrom(id="1", conversation=NOBODY, seq=1), "does not name"),
    "unread from before the first": (
        MarkUnreadFrom(id="1", conversation=BOB, seq=0),
        "seq is 0; it must be 1 or above",
    ),
    "unread from what no JavaScript can say": (
        MarkUnreadFrom(id="1", conversation=BOB, seq=2**53),
        "seq is 9007199254740992; it must be below 2**53",
    ),
    "a draft to nobody": (SetDraft(id="1", conversation=NOBODY), "does not name"),
    "a long draft": (SetDraft(id="1", conversation=BOB, text="x" * 5_001), "5001 characters"),
    "a pin of nothing": (Pin(id="1", conversation=NOBODY, rank=0), "does not name"),
    "a pin too high": (Pin(id="1", conversation=BOB, rank=-(2**53)), "rank is -9007"),
    "a pin too low": (Pin(id="1", conversation=BOB, rank=2**53), "rank is 9007"),
    "a long pin": (Pin(id="1", conversation=BOB, rank=0, ext="é" * 513), "has 1026 bytes"),
    "half a pin": (Pin(id="1", conversation=BOB, rank=0, ext="\ud83d"), "surrogate"),
    "an archive of nothing": (Archive(id="1", conversation=NOBODY), "does not name"),
    "an archive below": (Archive(id="1", conversation=BOB, upto_seq=-1), "upto_seq is -1"),
    "an unarchive of nothing": (Unarchive(id="1", conversation=NOBODY), "does not name"),
    "an empty label": (AddLabel(id="1", conversation=BOB, label=""), "has 0 characters"),
    "a long label": (RemoveLabel(id="1", conversation=BOB, label="x" * 65), "has 65 characters"),
    "half a label": (AddLabel(id="1", conversation=BOB, label="\ud83d"), "surrogate"),
    "a label on nothing": (AddLabel(id="1", conversation=NOBODY, label="x"), "does not name"),
    "a long extension": (
        SetExtension(id="1", conversation=BOB, text="é" * 2_049),
        "extension has 4098 bytes",
    ),
    "half an extension": (SetExtension(id="1", conversation=BOB, text="\ud83d"), "surrogate"),
    "an unpin of nothing": (Unpin(id="1", conversation=NOBODY), "does not name"),
    "a mute until never": (
        Mute(id="1", conversation=BOB, level="none", until_ms=2**53),
        "until_ms is 9007",
    ),
    "an unmute until then": (Mute(id="1", conversation=BOB, until_ms=5), "goes with a level"),
    "a mute of nothing": (Mute(id="1", conversation=NOBODY), "does not name"),
    "a delete below 0": (Delete(id="1", conversation=BOB, upto_seq=-5), "upto_seq is -5"),
    "a delete of nothing": (Delete(id="1", conversation=NOBODY), "does not name"),
    "a clearing below 0": (ClearHistory(id="1", conversation=BOB, upto_seq=-1), "upto_seq"),
    "a clearing of nothing": (ClearHistory(id="1", conversation=NOBODY), "does not name"),
    "a team of two": (CreateTeam(id="1", conversation=BOB), "'p2p:bob' is not a team: write"),
    "a team without id": (
        CreateTeam(id="1", conversation=Conversation("team:")),
        "does not name",
    ),
    "a long team name": (
        CreateTeam(id="1", conversation=TEAM, name="x" * 129),
        "the name has 129 characters",
    ),
    "a team with nobody": (
        CreateTeam(id="1", conversation=TEAM, members=("bob", "")),
        "not a valid account id",
    ),
    "1,001 members": (
        CreateTeam(id="1", conversation=TEAM, members=("bob",) * 1_001),
        "1001 members in one command; name at most 1000",
    ),
    "adding 1,001": (
        AddMembers(id="1", conversation=TEAM, members=("bob",) * 1_001),
        "1001 members in one command",
    ),
    "adding to two": (AddMembers(id="1", conversation=BOB, members=()), "is not a team"),
    "removing from two": (RemoveMember(id="1", conversation=BOB, member="bob"), "is not a team"),
    "removing nobody": (RemoveMember(id="1", conversation=TEAM, member=""), "valid account id"),
    "leaving two": (LeaveTeam(id="1", conversation=BOB), "is not a team"),
    "a long name of one's own": (
        SetProfile(id="1", name="x" * 129),
        "129 characters; use at most 128",
    ),
    "a long alias": (
        SetAlias(id="1", conversation=BOB, alias="x" * 129),
        "129 characters; use at most 128",
    ),
    "an alias of nobody": (SetAlias(id="1", conversation=NOBODY), "does not name"),
    "an avatar of two": (SetTeamAvatar(id="1", conversation=BOB), "is not a team"),
    "a large avatar of a team": (
        SetTeamAvatar(id="1", conversation=TEAM, avatar="x" * 1_025),
        "1025 bytes; use at most 1024",
    ),
    "a large avatar": (SetProfile(id="1", avatar="é" * 513), "1026 bytes; use at most 1024"),
    "renaming two": (RenameTeam(id="1", conversation=BOB, name="x"), "is not a team"),
    "a long new name": (
        RenameTeam(id="1", conversation=TEAM, name="x" * 129),
        "the name has 129 characters",
    ),
    "dismissing two": (DismissTeam(id="1", conversation=BOB), "is not a team"),
}


@pytest.mark.parametrize("command", WITHIN_THE_RULES.values(), ids=WITHIN_THE_RULES)
def test_a_command_within_the_rules_is_accepted(command: AnyCommand) -> None:
    check(command)


@pytest.mark.parametrize(("command", "reason"), AGAINST_THE_RULES.values(), ids=AGAINST_THE_RULES)
def test_a_command_against_the_rules_is_refused_with_the_reason(
    command: AnyCommand, reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        check(command)
    assert refused.value.code is Code.BAD_VALUE
    assert reason in str(refused.value)
