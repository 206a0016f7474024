"""Calls about accounts, their tokens and their devices."""

from __future__ import annotations

from recents.core.commands import SetProfile
from recents.core.errors import Code, Refused
from recents.server.doors.rest.routes import Asked, Route
from recents.server.doors.rest.shapes import (
    Accounts,
    GivenToken,
    KnownToken,
    NewAccount,
    NewFace,
    NewToken,
    Page,
    RevokedTokens,
    Tokens,
)
from recents.server.store.port import Account
from recents.wire.frames import Devices, Revoked

ONE = "/v1/accounts/{account}"


async def create_account(asked: Asked) -> Account:
    """Make an account."""
    body = asked.body(NewAccount)
    try:
        return await asked.node.accounts.create(body.account, body.name, body.avatar)
    except Refused as refusal:
        if asked.begun_ms is None or refusal.code is not Code.ACCOUNT_EXISTS:
            raise
        # The node ended after it had made the account, and before it could answer.
        made = await asked.node.accounts.get(body.account)
        same = (made.name, made.avatar) == (body.name, body.avatar)
        if made.created_ms < asked.begun_ms or not same:
            raise
        return made


async def list_accounts(asked: Asked) -> Accounts:
    """Return a page of accounts."""
    page = asked.query(Page)
    found = await asked.node.store.accounts(page.after, page.limit + 1)
    return Accounts(accounts=tuple(found[: page.limit]), more=len(found) > page.limit)


async def get_account(asked: Asked) -> Account:
    """Return an account."""
    return await asked.node.accounts.get(asked.account)


async def change_face(asked: Asked) -> Account:
    """Change an account's name or avatar, in the rows of its contacts as well."""
    face = asked.body(NewFace)
    command = SetProfile(id=asked.new_id(), name=face.name, avatar=face.avatar)
    await asked.command(asked.account, command)
    return await get_account(asked)


async def give_token(asked: Asked) -> GivenToken:
    """Make a token."""
    token, secret = await asked.node.accounts.give_token(
        asked.account, asked.body(NewToken).label, asked.new_id() if asked.key else None
    )
    return GivenToken(token_id=token.token_id, token=secret)


async def list_tokens(asked: Asked) -> Tokens:
    """Return an account's tokens without their secrets."""
    await get_account(asked)
    return Tokens(
        tokens=tuple(
            KnownToken(
                token_id=token.token_id,
                label=token.label,
                created_ms=token.created_ms,
                revoked_ms=token.revoked_ms,
            )
            for token in await asked.node.store.tokens_of(asked.account)
        )
    )


async def revoke_tokens(asked: Asked) -> RevokedTokens:
    """Revoke one token, or all; devices that use them are disconnected at once."""
    count = await asked.node.revoke(asked.account, asked.path.get("token_id"))
    return RevokedTokens(revoked=count)


async def list_devices(asked: Asked) -> Devices:
    """Return an account's devices."""
    return await asked.node.devices_of(asked.account)


async def revoke_device(asked: Asked) -> Revoked:
    """End a device."""
    return await asked.node.revoke_device(
        asked.account, asked.path["device_id"], asked.caller.token_id
    )


_ALICE = {
    "account": "alice",
    "name": "Alice",
    "created_ms": 1767225600000,
    "avatar": "",
    "version": 0,
}
_TOKEN = {"token_id": "id-1", "label": "phone", "created_ms": 1767225600000, "revoked_ms": None}
_DEVICE = {"device_id": "d-1", "created_ms": 1767225600000, "seen_ms": 1767225600000}

ROUTES = (
    Route(
        name="create_account",
        method="POST",
        path="/v1/accounts",
        tag="Accounts",
        summary="Make an account; its id is taken for ever.",
        body=NewAccount,
        call=create_account,
        answer=Account,
        status=201,
        refusals=(Code.ACCOUNT_EXISTS,),
        example={"account": "alice", "name": "Alice"},
        answered=_ALICE,
    ),
    Route(
        name="list_accounts",
        method="GET",
        path="/v1/accounts",
        tag="Accounts",
        summary="List accounts in byte order.",
        query=Page,
        call=list_accounts,
        answer=Accounts,
        answered={"accounts": [_ALICE], "more": True},
    ),
    Route(
        name="get_account",
        method="GET",
        path=ONE,
        tag="Accounts",
        summary="Return an account.",
        call=get_account,
        answer=Account,
        opened_by="account",
        answered=_ALICE,
    ),
    Route(
        name="change_face",
        method="PATCH",
        path=ONE,
        tag="Accounts",
        summary="Change the name or the avatar of an account, in all rows that show them.",
        body=NewFace,
        call=change_face,
        answer=Account,
        opened_by="account",
        example={"name": "Alice"},
        answered=_ALICE,
    ),
    Route(
        name="give_token",
        method="POST",
        path=f"{ONE}/tokens",
        tag="Tokens",
        summary="Make a token; its secret is shown this once.",
        body=NewToken,
        call=give_token,
        answer=GivenToken,
        secret="token_id",
        refusals=(Code.SHOWN_ONCE,),
        status=201,
        example={"label": "phone"},
        answered={"token_id": "id-1", "token": "MPh4T0kQ"},
    ),
    Route(
        name="list_tokens",
        method="GET",
        path=f"{ONE}/tokens",
        tag="Tokens",
        summary="List the tokens of an account, without their secrets.",
        call=list_tokens,
        answer=Tokens,
        answered={"tokens": [_TOKEN]},
    ),
    Route(
        name="revoke_all_tokens",
        method="DELETE",
        path=f"{ONE}/tokens",
        tag="Tokens",
        summary="Revoke all tokens of an account; its devices are disconnected at once.",
        call=revoke_tokens,
        answer=RevokedTokens,
        answered={"revoked": 1},
    ),
    Route(
        name="revoke_token",
        method="DELETE",
        path=f"{ONE}/tokens/{{token_id}}",
        tag="Tokens",
        summary="Revoke a token; the devices that use it are disconnected at once.",
        call=revoke_tokens,
        answer=RevokedTokens,
        refusals=(Code.NOT_FOUND,),
        answered={"revoked": 1},
    ),
    Route(
        name="list_devices",
        method="GET",
        path=f"{ONE}/devices",
        tag="Devices",
        summary="List the devices of an account, the one seen last first.",
        call=list_devices,
        answer=Devices,
        opened_by="account",
        answered={"devices": [_DEVICE]},
    ),
    Route(
        name="revoke_device",
        method="DELETE",
        path=f"{ONE}/devices/{{device_id}}",
        tag="Devices",
        summary="End a device: its connection, and every one that it may try from now on.",
        call=revoke_device,
        answer=Revoked,
        refusals=(Code.NOT_FOUND,),
        opened_by="account",
        answered={},
    ),
)
