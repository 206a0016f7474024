"""Calls about messages: sending in anybody's name, system messages, history."""

from __future__ import annotations

import asyncio

import msgspec

from recents.core.checking import check
from recents.core.commands import Post
from recents.core.errors import Code, Refused
from recents.core.ids import Conversation, is_p2p, key_of
from recents.core.membership import is_present
from recents.server.accounts import unknown_account
from recents.server.doors.rest.routes import Asked, Route
from recents.server.doors.rest.rows import ROW
from recents.server.doors.rest.shapes import Given, MessagePage, Told, given_for
from recents.server.posting import not_a_member
from recents.wire.codec import check_depth
from recents.wire.frames import History, Messages, Posted

MAX_RECEIVERS = 1_000
"""Bounds what one call may ask of the node; longer lists are several calls."""

SYSTEM_KIND = "system"

NewMessage = given_for(Post, optional=["client_id"])
"""A message to send; without a ``client_id`` it gets one."""


class SystemMessage(Given, frozen=True):
    """A message of the system account, to several conversations at once.

    Attributes:
        to: ``p2p:alice`` is the account alice, ``team:kitchen`` a team that the system account is
            a member of.
    """

    to: tuple[Conversation, ...]
    text: str = ""
    kind: str = SYSTEM_KIND
    attachment: object = None
    counts: bool = True
    bumps: bool = True
    previews: bool = True


class Sent(Told, frozen=True):
    """Where one message of several stands."""

    conversation: Conversation
    seq: int
    time_ms: int


class SentAll(Told, frozen=True):
    """Where the messages stand, in the order of ``to``."""

    sent: tuple[Sent, ...]


async def send_message(asked: Asked) -> Posted:
    """Send a message in the name of the account in the path."""
    given = msgspec.structs.asdict(asked.body(NewMessage))
    new_id = asked.new_id()
    post = Post(id=new_id, **(given | {"client_id": given["client_id"] or new_id}))
    check_depth(post.attachment)
    done = await asked.command(asked.account, post)
    assert done.posted is not None
    return done.posted


async def list_messages(asked: Asked) -> Messages:
    """Return messages of a conversation as an account sees it."""
    page = asked.query(MessagePage)
    query = History(
        id="-", conversation=asked.conversation, before_seq=page.before_seq, limit=page.limit
    )
    messages = await asked.node.questions.answer(asked.account, query)
    assert isinstance(messages, Messages)
    return messages


async def send_system_message(asked: Asked) -> SentAll:
    """Send a message of the system account; to all, or where that cannot be, to nobody."""
    body = asked.body(SystemMessage)
    if not 1 <= len(body.to) <= MAX_RECEIVERS:
        raise Refused(
            Code.BAD_VALUE, f"{len(body.to)} receivers in one call; name 1 to {MAX_RECEIVERS}"
        )
    sender = asked.node.settings.system_account
    await _make_system_account(asked, sender)
    given = msgspec.structs.asdict(body)
    del given["to"]
    new_id = asked.new_id()
    posts = [Post(id=new_id, client_id=new_id, conversation=to, **given) for to in body.to]
    check_depth(body.attachment)
    for post in posts:
        check(post)
    await _check_receivers(asked, sender, body.to)
    outcomes = await asyncio.gather(
        *(asked.command(sender, post) for post in posts), return_exceptions=True
    )
    sent = []
    for to, outcome in zip(body.to, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        assert outcome.posted is not None
        sent.append(Sent(conversation=to, seq=outcome.posted.seq, time_ms=outcome.posted.time_ms))
    return SentAll(sent=tuple(sent))


async def _make_system_account(asked: Asked, account: str) -> None:
    if await asked.node.store.account(account) is not None:
        return
    try:
        await asked.node.accounts.create(account)
    except Refused as refusal:
        # Two first system messages may come at the same moment.
        if refusal.code is not Code.ACCOUNT_EXISTS:
            raise


async def _check_receivers(asked: Asked, sender: str, to: tuple[Conversation, ...]) -> None:
    store = asked.node.store
    teams = {one for one in to if not is_p2p(one)}
    for account in {one[4:] for one in to} - {one[4:] for one in teams}:
        if await store.account(account) is None:
            raise unknown_account(account)
    looked = await store.look([(sender, key_of(sender, one)) for one in teams])
    for one in teams - {s.conversation for s in looked if is_present(s.head, s.membership)}:
        raise not_a_member(one)


_MESSAGE = {
    "seq": 3,
    "ordinal": 3,
    "sender": "alice",
    "client_id": "m-7f3a",
    "time_ms": 1767225600000,
    "text": "Lunch?",
}

ROUTES = (
    Route(
        name="send_message",
        method="POST",
        path="/v1/accounts/{account}/messages",
        tag="Messages",
        summary="Send a message in the name of an account (M1–M5).",
        body=NewMessage,
        call=send_message,
        answer=Posted,
        status=201,
        refusals=(Code.NOT_A_MEMBER, Code.TEAM_DISMISSED, Code.BEYOND_END),
        opened_by="account",
        example={"conversation": "p2p:bob", "text": "Lunch?"},
        answered={"seq": 3, "ordinal": 3, "time_ms": 1767225600000},
    ),
    Route(
        name="list_messages",
        method="GET",
        path=f"{ROW}/messages",
        tag="Messages",
        summary="Return messages of a conversation as an account sees it, oldest first.",
        query=MessagePage,
        call=list_messages,
        answer=Messages,
        refusals=(Code.NOT_A_MEMBER,),
        opened_by="account",
        answered={"messages": [_MESSAGE]},
    ),
    Route(
        name="send_system_message",
        method="POST",
        path="/v1/system-messages",
        tag="Messages",
        summary="Send a message of the system account to accounts and teams: to all or to nobody.",
        body=SystemMessage,
        call=send_system_message,
        answer=SentAll,
        status=201,
        refusals=(Code.UNKNOWN_ACCOUNT, Code.NOT_A_MEMBER, Code.TEAM_DISMISSED),
        example={"to": ["p2p:alice"], "text": "The kitchen closes at six."},
        answered={"sent": [{"conversation": "p2p:alice", "seq": 1, "time_ms": 1767225600000}]},
    ),
)
