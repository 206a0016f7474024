"""Recents: the list of whom you talked with last, exact and live on every device.

import recents
from recents import p2p

async with recents.connect("http://127.0.0.1:7380", account="alice", token="…") as me:
    await me.messages.send(p2p("bob"), "hello")
    page = await me.inbox.list()
"""

from recents.client.arguments import p2p, super_team, team
from recents.client.changes import Cause, ChangeBatch
from recents.client.client import Client
from recents.client.listeners import ChangeFeed
from recents.client.local_list import InboxPage
from recents.client.messages import HistoryPage
from recents.client.opening import connect
from recents.client.state import State
from recents.core.entry import InboxEntry
from recents.core.errors import (
    CallerMistake,
    Code,
    PeerMistake,
    RecentsError,
    Refused,
    Unavailable,
)
from recents.core.ids import Conversation, Kind
from recents.core.message import Message, Preview
from recents.core.totals import Totals
from recents.wire.frames import Member, Team

__all__ = [
    "CallerMistake",
    "Cause",
    "ChangeBatch",
    "ChangeFeed",
    "Client",
    "Code",
    "Conversation",
    "HistoryPage",
    "InboxEntry",
    "InboxPage",
    "Kind",
    "Member",
    "Message",
    "PeerMistake",
    "Preview",
    "RecentsError",
    "Refused",
    "State",
    "Team",
    "Totals",
    "Unavailable",
    "connect",
    "p2p",
    "super_team",
    "team",
]
