"""REST for application servers: accounts, tokens, teams, an account's rows.

Every call needs the admin key. Team calls are carried out in the name of the team's owner.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from aiohttp import web

from recents.core.commands import (
    AddMembers,
    CreateTeam,
    DismissTeam,
    RemoveMember,
    RenameTeam,
)
from recents.core.errors import Code, Refused
from recents.core.head import Head
from recents.core.ids import (
    TEAM_KINDS,
    Conversation,
    ConversationKey,
    check_conversation,
    kind_of,
)
from recents.server.accounts import unknown_account
from recents.server.node import Node
from recents.wire.frames import ListRows, Rows

T = TypeVar("T")

_LIMIT = re.compile(r"[0-9]{1,9}", re.ASCII)


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/accounts``."""

    account: str
    name: str = ""


class Name(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PATCH /v1/accounts/{account}`` and ``PATCH /v1/teams/{team}``."""

    name: str


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/accounts/{account}/tokens``."""

    label: str = ""


class NewTeam(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/teams``."""

    team: Conversation
    owner: str
    name: str = ""
    members: tuple[str, ...] = ()


class NewMembers(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /v1/teams/{team}/members``."""

    members: tuple[str, ...]


def add_routes(app: web.Application, node: Node) -> None:
    """Add the REST calls to an application."""
    face = Rest(node)
    app.router.add_post("/v1/accounts", face.create_account)
    app.router.add_get("/v1/accounts", face.list_accounts)
    app.router.add_get("/v1/accounts/{account}", face.get_account)
    app.router.add_patch("/v1/accounts/{account}", face.rename_account)
    app.router.add_get("/v1/accounts/{account}/inbox", face.list_rows)
    app.router.add_post("/v1/accounts/{account}/tokens", face.give_token)
    app.router.add_get("/v1/accounts/{account}/tokens", face.list_tokens)
    app.router.add_delete("/v1/accounts/{account}/tokens", face.revoke_tokens)
    app.router.add_delete("/v1/accounts/{account}/tokens/{token_id}", face.revoke_tokens)
    app.router.add_post("/v1/teams", face.create_team)
    app.router.add_get("/v1/teams/{team}", face.get_team)
    app.router.add_patch("/v1/teams/{team}", face.rename_team)
    app.router.add_delete("/v1/teams/{team}", face.dismiss_team)
    app.router.add_get("/v1/teams/{team}/members", face.list_members)
    app.router.add_post("/v1/teams/{team}/members", face.add_members)
    app.router.add_delete("/v1/teams/{team}/members/{account}", face.remove_member)


class Rest:
    """The calls, each taking a request and returning an answer."""

    def __init__(self, node: Node) -> None:
        """Serve a node."""
        self._node = node

    async def create_account(self, request: web.Request) -> web.Response:
        """Make an account: 201, or 409 when the id is taken."""
        body = await _body(request, NewAccount)
        return _json(await self._node.accounts.create(body.account, body.name), status=201)

    async def list_accounts(self, request: web.Request) -> web.Response:
        """List accounts in byte order after ``?after=``, at most ``?limit=``."""
        limit = self._limit(request)
        after = request.query.get("after", "")
        found = await self._node.store.accounts(after, limit + 1)
        return _json({"accounts": found[:limit], "more": len(found) > limit})

    async def get_account(self, request: web.Request) -> web.Response:
        """Return an account."""
        return _json(await self._node.accounts.get(request.match_info["account"]))

    async def rename_account(self, request: web.Request) -> web.Response:
        """Change an account's display name."""
        body = await _body(request, Name)
        await self._node.accounts.rename(request.match_info["account"], body.name)
        return await self.get_account(request)

    async def list_rows(self, request: web.Request) -> web.Response:
        """Return a page of an account's rows with its totals."""
        account = (await self._node.accounts.get(request.match_info["account"])).account
        query = ListRows(
            id="-",
            limit=self._limit(request),
            cursor=request.query.get("cursor") or None,
            archived=_archived(request.query.get("archived", "false")),
        )
        rows = await self._node.questions.answer(account, query)
        assert isinstance(rows, Rows)
        return _json(rows)

    async def give_token(self, request: web.Request) -> web.Response:
        """Make a token: 201 with the secret, which is shown this once."""
        body = await _body(request, NewToken)
        token, secret = await self._node.accounts.give_token(
            request.match_info["account"], body.label
        )
        return _json({"token_id": token.token_id, "token": secret}, status=201)

    async def list_tokens(self, request: web.Request) -> web.Response:
        """List an account's tokens without their secrets."""
        account = (await self._node.accounts.get(request.match_info["account"])).account
        tokens = [
            {
                "token_id": token.token_id,
                "label": token.label,
                "created_ms": token.created_ms,
                "revoked_ms": token.revoked_ms,
            }
            for token in await self._node.store.tokens_of(account)
        ]
        return _json({"tokens": tokens})

    async def revoke_tokens(self, request: web.Request) -> web.Response:
        """Revoke one token, or all; devices that use them are disconnected at once."""
        count = await self._node.revoke(
            request.match_info["account"], request.match_info.get("token_id")
        )
        return _json({"revoked": count})

    async def create_team(self, request: web.Request) -> web.Response:
        """Make a team in the name of its owner: 201."""
        body = await _body(request, NewTeam)
        if await self._node.store.account(body.owner) is None:
            raise unknown_account(body.owner)
        await self._node.command(
            body.owner,
            CreateTeam(
                id=self._node.new_command_id(),
                conversation=body.team,
                name=body.name,
                members=body.members,
            ),
        )
        return _json(await self._team(body.team), status=201)

    async def get_team(self, request: web.Request) -> web.Response:
        """Return a team with the number of its members."""
        return _json(await self._team(request.match_info["team"]))

    async def rename_team(self, request: web.Request) -> web.Response:
        """Give a team another name."""
        body = await _body(request, Name)
        team, owner = await self._owner_of(request)
        command = RenameTeam(id=self._node.new_command_id(), conversation=team, name=body.name)
        await self._node.command(owner, command)
        return await self.get_team(request)

    async def dismiss_team(self, request: web.Request) -> web.Response:
        """End a team for everybody."""
        team, owner = await self._owner_of(request)
        command = DismissTeam(id=self._node.new_command_id(), conversation=team)
        await self._node.command(owner, command)
        return await self.get_team(request)

    async def list_members(self, request: web.Request) -> web.Response:
        """List present members in byte order after ``?after=``, at most ``?limit=``."""
        team, owner = await self._owner_of(request)
        limit = self._limit(request)
        after = request.query.get("after", "")
        found = await self._node.store.members(ConversationKey(team), after, limit + 1)
        members = [
            {"account": one.account, "joined_ms": one.joined_ms, "owner": one.account == owner}
            for one in found[:limit]
        ]
        return _json({"members": members, "more": len(found) > limit})

    async def add_members(self, request: web.Request) -> web.Response:
        """Add accounts to a team; those who are in it already stay as they are."""
        body = await _body(request, NewMembers)
        team, owner = await self._owner_of(request)
        command = AddMembers(
            id=self._node.new_command_id(), conversation=team, members=body.members
        )
        await self._node.command(owner, command)
        return await self.get_team(request)

    async def remove_member(self, request: web.Request) -> web.Response:
        """Remove an account from a team; succeeds when it is not in it."""
        team, owner = await self._owner_of(request)
        command = RemoveMember(
            id=self._node.new_command_id(),
            conversation=team,
            member=request.match_info["account"],
        )
        await self._node.command(owner, command)
        return await self.get_team(request)

    async def _owner_of(self, request: web.Request) -> tuple[Conversation, str]:
        team = request.match_info["team"]
        head = await self._head(team)
        return Conversation(team), head.owner or ""

    async def _head(self, team: str) -> Head:
        conversation = check_conversation(team)
        head = (
            await self._node.store.head(ConversationKey(conversation))
            if kind_of(conversation) in TEAM_KINDS
            else None
        )
        if head is None:
            raise Refused(Code.NOT_FOUND, f"there is no team {team!r}")
        return head

    async def _team(self, team: str) -> dict[str, object]:
        head = await self._head(team)
        members = await self._node.store.count_members(ConversationKey(team))
        return {
            "team": team,
            "name": head.name,
            "owner": head.owner,
            "dismissed": head.dismissed,
            "members": members,
        }

    def _limit(self, request: web.Request) -> int:
        text = request.query.get("limit", "100")
        most = self._node.settings.page_limit
        limit = int(text) if _LIMIT.fullmatch(text) else 0
        if not 1 <= limit <= most:
            raise Refused(Code.BAD_VALUE, f"limit is {text[:20]!r}; ask for 1 to {most}")
        return limit


async def _body(request: web.Request, kind: type[T]) -> T:
    return msgspec.json.decode(await request.read() or b"{}", type=kind)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json"
    )


def _archived(word: str) -> bool | None:
    words = {"true": True, "false": False, "all": None}
    if word not in words:
        raise Refused(Code.BAD_VALUE, f"archived is {word[:80]!r}; use true, false or all")
    return words[word]
