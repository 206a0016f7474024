"""`recents devices`: the devices of the account, through the SDK."""

from __future__ import annotations

from typing import Annotated

import typer

from recents.cli.ending import run
from recents.cli.login import (
    DEFAULT_NODE,
    AccountOption,
    JsonOption,
    NodeOption,
    TokenOption,
    checked_login,
    opened,
)
from recents.cli.rendering import print_json, print_lines, print_table, stamp

app = typer.Typer(help="The devices of your account.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_devices(
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """List the devices that keep a copy of the list, the one seen last first.

    This program keeps none, so it is not among them.
    """

    async def work() -> None:
        login = checked_login(node, account, token)
        async with opened(login) as me:
            found = await me.devices.list()
        if json:
            print_json({"devices": found})
            return
        rows = [
            (
                one.device_id,
                one.name,
                stamp(one.created_ms),
                "connected" if one.connected else stamp(one.seen_ms),
            )
            for one in found
        ]
        if rows:
            print_table(("device id", "name", "since", "last seen"), rows)
        else:
            print_lines(f"{login.account}: no devices")

    run(work())


@app.command()
def revoke(
    device_id: Annotated[
        str, typer.Argument(metavar="ID", help="Which; `devices list` shows it.")
    ],
    account: AccountOption = "",
    token: TokenOption = "",
    node: NodeOption = DEFAULT_NODE,
    json: JsonOption = False,
) -> None:
    """End a device: its connection, and every one that it may try from now on."""

    async def work() -> None:
        login = checked_login(node, account, token)
        async with opened(login) as me:
            shared = await me.devices.revoke(device_id)
        if json:
            print_json({"device_id": device_id, "token_shared": shared})
            return
        print_lines(f"{device_id} is revoked")
        if shared:
            print_lines(
                "its token stays good, since other devices or this program use it: whoever has "
                "it can come back as another device. On the node, `recents account revoke "
                f"{login.account}` ends that"
            )

    run(work())
