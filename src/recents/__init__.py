"""Recents: the list of whom you talked with last, exact and live on every device.

import recents
from recents import p2p

async with recents.connect("http://127.0.0.1:7380", account="alice", token="…") as me:
    await me.messages.send(p2p("bob"), "hello")
    page = await me.inbox.list()
"""

from recents.client.arguments import Filtering, p2p, super_team, team
from recents.client.blocking import BlockingClient, connect_blocking
from recents.client.blocking_inbox import BlockingChangeFeed
from recents.client.blocking_view import BlockingLiveView
from recents.client.changes import Cause, ChangeBatch
from recents.client.client import Client
from recents.client.history import HistoryPage
from recents.client.labels import Label
from recents.client.listeners import ChangeFeed
from recents.client.live_view import LiveView
from recents.client.local_list import InboxPage
from recents.client.opening import USER_DATA, connect
from recents.client.state import State
from recents.client.store.port import FoundMessage, SetAside
from recents.core.entry import InboxEntry
from recents.core.errors import (
    CallerMistake,
    Code,
    PeerMistake,
    RecentsError,
    Refused,
    Unavailable,
)
from recents.core.explain import Explanation, NamedMessage, Reason
from recents.core.ids import Conversation, Kind
from recents.core.live import Insert, Move, Remove, Update, ViewChange
from recents.core.membership import Draft
from recents.core.message import Message, Preview
from recents.core.totals import Totals
from recents.wire.frames import Device, Member, Profile, Team

__all__ = [
    "USER_DATA",
    "BlockingChangeFeed",
    "BlockingClient",
    "BlockingLiveView",
    "CallerMistake",
    "Cause",
    "ChangeBatch",
    "ChangeFeed",
    "Client",
    "Code",
    "Conversation",
    "Device",
    "Draft",
    "Explanation",
    "Filtering",
    "FoundMessage",
    "HistoryPage",
    "InboxEntry",
    "InboxPage",
    "Insert",
    "Kind",
    "Label",
    "LiveView",
    "Member",
    "Message",
    "Move",
    "NamedMessage",
    "PeerMistake",
    "Preview",
    "Profile",
    "Reason",
    "RecentsError",
    "Refused",
    "Remove",
    "SetAside",
    "State",
    "Team",
    "Totals",
    "Unavailable",
    "Update",
    "ViewChange",
    "connect",
    "connect_blocking",
    "p2p",
    "super_team",
    "team",
]
