"""One good frame of every type, and strategies that make them at random."""

from __future__ import annotations

from typing import get_args

import msgspec
from hypothesis import strategies as st

from recents.core.commands import (
    AddLabel,
    AddMembers,
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
from recents.core.entry import InboxEntry
from recents.core.errors import Code
from recents.core.ids import Conversation, Kind
from recents.core.membership import Draft, Pinned
from recents.core.message import Message, Preview
from recents.core.replica import Gone
from recents.core.totals import Totals
from recents.wire.frames import (
    Answer,
    Bye,
    CaughtUp,
    Changed,
    DeviceFrame,
    Error,
    Explain,
    Hello,
    History,
    ListRows,
    LookUpProfiles,
    MyDevices,
    MyMentions,
    MyTeams,
    NodeFrame,
    RevokeDevice,
    TeamMembers,
    Welcome,
)

BOB = Conversation("p2p:bob")
TEAM = Conversation("team:t1")

MESSAGE = Message(seq=1, ordinal=1, sender="bob", client_id="c1", time_ms=5, text="héllo\n👋")
ROW = InboxEntry(
    conversation=BOB,
    version=3,
    activity_ms=5,
    last_seq=1,
    unread=1,
    draft=Draft("héllo", 5),
    mute="none",
    mute_until_ms=9,
    pin=Pinned(-(2**53) + 1, "héllo", 5, 6),
    archived=True,
    labels=("a", "héllo"),
    extension="héllo",
    marked_unread=True,
    preview=Preview(seq=1, client_id="c1", sender="bob", time_ms=5, text="héllo 👋"),
)

DEVICE_FRAMES: list[DeviceFrame] = [
    Hello(
        protocol=1,
        account="alice",
        token="secret",
        device="phone",
        device_id="d1",
        deflate=True,
        since="x.1",
    ),
    Post(id="1", conversation=BOB, client_id="c1", text="a\u2028b\x00", attachment={"a": [1.5]}),
    Read(id="1", conversation=BOB, upto_seq=1, epoch=3),
    ReadAll(id="1", kinds=(Kind.P2P,), upto="x.1"),
    MarkUnread(id="1", conversation=BOB),
    MarkUnreadFrom(id="1", conversation=BOB, seq=1),
    Delete(id="1", conversation=BOB, clear_history=True),
    DeleteAll(id="1"),
    ClearHistory(id="1", conversation=BOB),
    SetDraft(id="1", conversation=BOB, text="héllo\n👋"),
    Mute(id="1", conversation=BOB, level="mentions", until_ms=9),
    Pin(id="1", conversation=BOB, rank=-1, ext="héllo"),
    Unpin(id="1", conversation=BOB),
    Archive(id="1", conversation=BOB, upto_seq=1),
    Unarchive(id="1", conversation=BOB),
    AddLabel(id="1", conversation=BOB, label="héllo"),
    RemoveLabel(id="1", conversation=BOB, label="héllo"),
    SetExtension(id="1", conversation=BOB, text="héllo"),
    CreateTeam(id="1", conversation=TEAM, name="T", members=("bob",)),
    AddMembers(id="1", conversation=TEAM, members=("bob",)),
    RemoveMember(id="1", conversation=TEAM, member="bob"),
    LeaveTeam(id="1", conversation=TEAM),
    RenameTeam(id="1", conversation=TEAM, name="U"),
    DismissTeam(id="1", conversation=TEAM),
    SetAlias(id="1", conversation=BOB, alias="Ánn"),
    SetTeamAvatar(id="1", conversation=TEAM, avatar="t.png"),
    SetProfile(id="1", name="Ánn", avatar="a.png"),
    ListRows(id="1", cursor="5.p2p:bob", archived=None),
    Recall(id="1", conversation=BOB, seq=1, notice=False),
    DeleteMessages(id="1", conversation=BOB, seqs=(1, 2)),
    Edit(id="1", conversation=BOB, seq=1, text="héllo", mentions=("bob",)),
    History(id="1", conversation=BOB, before_seq=7),
    TeamMembers(id="1", conversation=TEAM, after="bob"),
    MyTeams(id="1"),
    LookUpProfiles(id="1", accounts=("bob",)),
    MyDevices(id="1"),
    MyMentions(id="1", conversation=BOB, after_seq=2),
    RevokeDevice(id="1", device_id="d1"),
    Explain(id="1", conversation=BOB),
]

NODE_FRAMES: list[NodeFrame] = [
    Welcome(protocol=1, account="alice", time_ms=5, heartbeat_s=25),
    CaughtUp(rows=(ROW,), gone=(Gone(TEAM, 2),), reset=True, totals=Totals(unread=1), token="x.3"),
    Changed(
        token="x.3",
        rows=(ROW,),
        gone=(Gone(TEAM, 2),),
        messages={BOB: (MESSAGE,)},
        amended={BOB: (MESSAGE,)},
    ),
    Answer(id="1", version=3, result=msgspec.Raw(b'{"seq":1}')),
    Error(code=Code.BAD_VALUE, message="no", id="1", details={"newest_seq": 1}),
    Bye(code=Code.CLOSING, message="later", retry_after_s=1),
]

assert {type(frame) for frame in DEVICE_FRAMES} == set(get_args(DeviceFrame))
assert {type(frame) for frame in NODE_FRAMES} == set(get_args(NodeFrame))

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**18, max_value=10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value."""

FIELDS = sorted({name for frame in DEVICE_FRAMES for name in frame.__struct_fields__})
TYPES = [str(type(frame).__struct_config__.tag) for frame in DEVICE_FRAMES]

ALMOST_FRAMES = st.builds(
    lambda tag, fields: msgspec.json.encode({"type": tag, **fields}),
    st.sampled_from(TYPES) | JSON,
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6),
)
"""Objects with a type and known fields, of which hardly any value fits."""


@st.composite
def mutated_frames(draw: st.DrawFn) -> bytes:
    """Return the text of a good frame with a few bytes taken out, put in or exchanged."""
    data = bytearray(msgspec.json.encode(draw(st.sampled_from([*DEVICE_FRAMES, *NODE_FRAMES]))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 3))
        data[at : at + length] = draw(
            st.binary(max_size=4) | st.sampled_from([b'"', b"\\ud800", b"\x00", b"{", b"[", b"-9"])
        )
    return bytes(data)
