"""Calls about the rows of an account, and what may be done with each.

A command that is about one row needs one entry in ``ROUTES``: its body is made from the command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from recents.core.commands import (
    AddLabel,
    AnyCommand,
    Archive,
    ClearHistory,
    Delete,
    DeleteAll,
    LeaveTeam,
    MarkUnread,
    MarkUnreadFrom,
    Mute,
    Pin,
    Read,
    ReadAll,
    RemoveLabel,
    SetAlias,
    SetDraft,
    SetExtension,
    Unarchive,
    Unpin,
)
from recents.core.entry import InboxEntry
from recents.core.errors import Code
from recents.server.doors.rest.routes import Asked, Route
from recents.server.doors.rest.shapes import Carried, RowPage, given_for
from recents.wire.frames import ListRows, MyTeams, Rows, Teams

INBOX = "/v1/accounts/{account}/inbox"
ROW = "/v1/accounts/{account}/conversations/{conversation}"


async def list_rows(asked: Asked) -> Rows:
    """Return a page of rows with the totals."""
    page = asked.query(RowPage)
    query = ListRows(id="-", limit=page.limit, cursor=page.cursor or None, archived=page.archived)
    rows = await asked.node.questions.answer(asked.account, query)
    assert isinstance(rows, Rows)
    return rows


async def get_row(asked: Asked) -> InboxEntry:
    """Return one row."""
    return await asked.node.questions.row(asked.account, asked.conversation)


async def list_teams(asked: Asked) -> Teams:
    """Return the teams that an account is in."""
    teams = await asked.node.questions.answer(asked.account, MyTeams(id="-"))
    assert isinstance(teams, Teams)
    return teams


def commanding(
    command: type[AnyCommand],
    method: str,
    path: str,
    summary: str,
    *,
    refusals: tuple[Code, ...] = (),
    example: Mapping[str, object] | None = None,
) -> Route:
    """Return the call that gives a command in the name of the account in the path.

    Args:
        command: which one. What the path does not say comes in the body, with DELETE in the query.
        method: of HTTP.
        path: where.
        summary: one sentence.
        refusals: why it may be refused.
        example: of the body.
    """
    in_path = {"conversation"} if "{conversation}" in path else set()
    given = given_for(command, *in_path)
    body = given if method != "DELETE" and msgspec.structs.fields(given) else None
    query = given if method == "DELETE" and msgspec.structs.fields(given) else None

    make: Callable[..., AnyCommand] = command

    async def give(asked: Asked) -> Carried:
        values: dict[str, object] = {name: asked.path[name] for name in in_path}
        if body or query:
            values |= msgspec.structs.asdict(asked.body(given) if body else asked.query(given))
        done = await asked.command(asked.account, make(id=asked.new_id(), **values))
        return Carried(version=done.version)

    return Route(
        name=str(command.__struct_config__.tag),
        method=method,
        path=path,
        tag="Rows",
        summary=summary,
        call=give,
        answer=Carried,
        body=body,
        query=query,
        refusals=refusals,
        opened_by="account",
        example=example or {},
        answered={"version": 42},
    )


_ROW = {
    "conversation": "p2p:bob",
    "version": 41,
    "activity_ms": 1767225600000,
    "last_seq": 3,
    "unread": 1,
    "preview": {
        "seq": 3,
        "client_id": "m-7f3a",
        "sender": "bob",
        "time_ms": 1767225600000,
        "text": "Lunch?",
    },
}
_POSITION = (Code.NOT_A_MEMBER, Code.BEYOND_END)

ROUTES = (
    Route(
        name="list_rows",
        method="GET",
        path=INBOX,
        tag="Rows",
        summary="Return a page of an account's rows, newest first, with the totals of all rows.",
        query=RowPage,
        call=list_rows,
        answer=Rows,
        opened_by="account",
        answered={"rows": [_ROW], "totals": {"unread": 1, "conversations": 1}},
    ),
    commanding(
        ReadAll,
        "POST",
        f"{INBOX}/read",
        "Read every conversation of some kinds, or all (R5).",
        example={"kinds": ["team"]},
    ),
    commanding(DeleteAll, "DELETE", INBOX, "Delete the rows of some kinds, or all (D4)."),
    Route(
        name="list_teams",
        method="GET",
        path="/v1/accounts/{account}/teams",
        tag="Teams",
        summary="List the teams that an account is in.",
        call=list_teams,
        answer=Teams,
        opened_by="account",
        answered={"teams": [{"conversation": "team:kitchen", "owner": "alice"}]},
    ),
    Route(
        name="get_row",
        method="GET",
        path=ROW,
        tag="Rows",
        summary="Return one row of an account's list.",
        call=get_row,
        answer=InboxEntry,
        refusals=(Code.NOT_FOUND,),
        opened_by="account",
        answered=_ROW,
    ),
    commanding(
        Delete,
        "DELETE",
        ROW,
        "Delete a row for this account, on all its devices (D1).",
        refusals=_POSITION,
    ),
    commanding(
        Read,
        "POST",
        f"{ROW}/read",
        "Read a conversation, by default up to the newest message (R1).",
        refusals=_POSITION,
        example={"upto_seq": 3},
    ),
    commanding(
        MarkUnread, "POST", f"{ROW}/unread", "Put a dot on a row (R4).", refusals=_POSITION
    ),
    commanding(
        MarkUnreadFrom,
        "POST",
        f"{ROW}/unread-from",
        "Make the messages from one on unread again (R3).",
        refusals=_POSITION,
        example={"seq": 2},
    ),
    commanding(
        ClearHistory,
        "POST",
        f"{ROW}/clear",
        "Clear the history for this account; the row stays (D5).",
        refusals=_POSITION,
        example={"upto_seq": 3},
    ),
    commanding(
        SetDraft,
        "PUT",
        f"{ROW}/draft",
        "Keep a text that was not sent yet, for all devices; an empty one clears it (G6).",
        refusals=(Code.NOT_A_MEMBER,),
        example={"text": "I wanted to say"},
    ),
    commanding(
        Mute,
        "PUT",
        f"{ROW}/mute",
        "Mute a conversation; without a level, let it alert again (G2).",
        refusals=(Code.NOT_A_MEMBER,),
        example={"level": "none"},
    ),
    commanding(
        Pin,
        "PUT",
        f"{ROW}/pin",
        "Hold a row at the top of the list; the least rank is on top (G1).",
        refusals=(Code.NOT_A_MEMBER,),
        example={"rank": -1048576, "ext": "red"},
    ),
    commanding(Unpin, "DELETE", f"{ROW}/pin", "Take the pin of a row away (G1)."),
    commanding(
        Archive,
        "PUT",
        f"{ROW}/archive",
        "Put a row out of the main list and its totals (G4).",
        refusals=_POSITION,
        example={"upto_seq": 3},
    ),
    commanding(Unarchive, "DELETE", f"{ROW}/archive", "Put a row back into the list (G4)."),
    commanding(
        AddLabel,
        "POST",
        f"{ROW}/labels",
        "Put a label on a row (G5).",
        refusals=(Code.NOT_A_MEMBER,),
        example={"label": "work"},
    ),
    commanding(RemoveLabel, "DELETE", f"{ROW}/labels", "Take a label off a row (G5)."),
    commanding(
        SetExtension,
        "PUT",
        f"{ROW}/extension",
        "Keep a text of the application with a row; an empty one takes it away (G7).",
        refusals=(Code.NOT_A_MEMBER,),
        example={"text": "ticket 7"},
    ),
    commanding(
        SetAlias,
        "PUT",
        f"{ROW}/alias",
        "Give a row a name that this account alone sees; an empty one takes it away (I1).",
        refusals=(Code.NOT_A_MEMBER,),
        example={"alias": "Dear Bob"},
    ),
    commanding(
        LeaveTeam,
        "POST",
        f"{ROW}/leave",
        "Leave a team; its owner cannot (T2).",
        refusals=(Code.NOT_A_MEMBER, Code.OWNER_CANNOT_LEAVE, Code.TEAM_DISMISSED),
    ),
)
