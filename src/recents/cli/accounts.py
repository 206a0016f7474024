"""`recents account`: accounts and their tokens, over the node's REST face."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from recents.cli import admin_key
from recents.cli.ending import Ended, ExitCode, run
from recents.cli.login import DEFAULT_NODE, JsonOption, NodeOption
from recents.cli.program import command
from recents.cli.rendering import print_json, print_lines, print_table, stamp
from recents.cli.rest import Rest
from recents.core.errors import Code, Refused

DEFAULT_KEY_FILE = Path("recents.db.admin-key")

_PAGE = "1000"

app = typer.Typer(help="Accounts and their tokens.", no_args_is_help=True, rich_markup_mode=None)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The account's id.")]
LabelOption = Annotated[str, typer.Option(help="A note on what the token is for.", metavar="TEXT")]
KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--admin-key-file",
        metavar="FILE",
        help="File with the node's admin key; by default RECENTS_ADMIN_KEY, "
        f"else {DEFAULT_KEY_FILE} in this folder.",
    ),
]


class _Account(msgspec.Struct):
    account: str
    name: str
    created_ms: int


class _Accounts(msgspec.Struct):
    accounts: list[_Account]
    more: bool


class _Token(msgspec.Struct):
    token_id: str
    label: str
    created_ms: int
    revoked_ms: int | None


class _Tokens(msgspec.Struct):
    tokens: list[_Token]


class _NewToken(msgspec.Struct):
    token_id: str
    token: str


class _Revoked(msgspec.Struct):
    revoked: int


@app.command()
def add(
    account: NameArgument,
    name: Annotated[str, typer.Option(help="Display name, any text.", metavar="TEXT")] = "",
    label: LabelOption = "",
    node: NodeOption = DEFAULT_NODE,
    admin_key_file: KeyFileOption = None,
    json: JsonOption = False,
) -> None:
    """Make an account with a token, which is shown this once."""

    async def work() -> None:
        async with _admin(node, admin_key_file) as rest:
            try:
                await rest.call("POST", "accounts", body={"account": account, "name": name})
            except Refused as refusal:
                if refusal.code is Code.ACCOUNT_EXISTS:
                    hint = f"`recents account token {account}` gives it another token"
                    raise Refused(refusal.code, f"{refusal.args[0]}; {hint}") from refusal
                raise
            await _give_token(rest, node, account, label, json)

    run(work())


@app.command()
def token(
    account: NameArgument,
    label: LabelOption = "",
    node: NodeOption = DEFAULT_NODE,
    admin_key_file: KeyFileOption = None,
    json: JsonOption = False,
) -> None:
    """Give an account another token, for another device or after a revocation."""

    async def work() -> None:
        async with _admin(node, admin_key_file) as rest:
            await _give_token(rest, node, account, label, json)

    run(work())


@app.command("list")
def list_accounts(
    account: Annotated[
        str, typer.Argument(metavar="NAME", help="List this account's tokens instead.")
    ] = "",
    node: NodeOption = DEFAULT_NODE,
    admin_key_file: KeyFileOption = None,
    json: JsonOption = False,
) -> None:
    """List all accounts, or the tokens of one (never the secrets)."""

    async def work() -> None:
        async with _admin(node, admin_key_file) as rest:
            if account:
                _show_tokens(await _tokens(rest, account), json)
            else:
                _show_accounts(await _accounts(rest), json)

    run(work())


@app.command()
def revoke(
    account: NameArgument,
    token_id: Annotated[
        str, typer.Option(help="Only this token; `account list NAME` shows the ids.", metavar="ID")
    ] = "",
    node: NodeOption = DEFAULT_NODE,
    admin_key_file: KeyFileOption = None,
    json: JsonOption = False,
) -> None:
    """Revoke all tokens of an account, or one; devices that use them are disconnected."""

    async def work() -> None:
        async with _admin(node, admin_key_file) as rest:
            path = ["accounts", account, "tokens", *([token_id] if token_id else [])]
            revoked = msgspec.convert(await rest.call("DELETE", *path), _Revoked).revoked
            if json:
                print_json({"account": account, "revoked": revoked})
            elif revoked:
                print_lines(f"{account}: {revoked} token{'s' * (revoked > 1)} revoked")
            else:
                print_lines(f"{account}: no token was valid any more")

    run(work())


@app.command()
def rename(
    account: NameArgument,
    display_name: Annotated[str, typer.Argument(metavar="DISPLAY", help="The new display name.")],
    node: NodeOption = DEFAULT_NODE,
    admin_key_file: KeyFileOption = None,
    json: JsonOption = False,
) -> None:
    """Change an account's display name."""

    async def work() -> None:
        async with _admin(node, admin_key_file) as rest:
            body = {"name": display_name}
            renamed = await rest.call("PATCH", "accounts", account, body=body)
            if json:
                print_json(renamed)
            else:
                print_lines(f"{account} is called {display_name!r} now")

    run(work())


@asynccontextmanager
async def _admin(node: str, key_file: Path | None) -> AsyncIterator[Rest]:
    """Reach the node with the admin key.

    Raises:
        Ended: there is no key.
        Unavailable: no node answers.
    """
    key, source = await _key(node, key_file)
    async with Rest(node, key) as rest:
        try:
            yield rest
        except Refused as refusal:
            if refusal.code is not Code.UNAUTHORIZED:
                raise
            raise Ended(
                f"the node at {node} does not accept the admin key from {source}: is it another "
                "node's? See --admin-key-file",
                ExitCode.UNAUTHORIZED,
            ) from refusal


async def _key(node: str, key_file: Path | None) -> tuple[str, str]:
    key = admin_key.from_environment() if key_file is None else None
    if key is not None:
        return key, admin_key.VARIABLE
    file = (key_file or DEFAULT_KEY_FILE).absolute()
    try:
        return admin_key.read(file), str(file)
    except FileNotFoundError as error:
        # Without a node there is no key either, and the node is what to begin with.
        async with Rest(node) as rest:
            await _expect_node(rest)
        raise Ended(
            f"there is no admin key at {file}: run this in the folder of the node's store, name "
            f"the file with --admin-key-file, or set {admin_key.VARIABLE}",
            ExitCode.UNAUTHORIZED,
        ) from error


async def _expect_node(rest: Rest) -> None:
    try:
        await rest.call("GET", "accounts", query={"limit": "1"})
    except Refused:
        return


async def _give_token(rest: Rest, node: str, account: str, label: str, json: bool) -> None:
    answer = await rest.call("POST", "accounts", account, "tokens", body={"label": label})
    given = msgspec.convert(answer, _NewToken)
    if json:
        print_json({"account": account, "token_id": given.token_id, "token": given.token})
        return
    lines = [f"export RECENTS_ACCOUNT={account}", f"export RECENTS_TOKEN={given.token}"]
    if node != DEFAULT_NODE:
        lines.append(f"export RECENTS_NODE={node}")
    print_lines(
        f"{account} can log in with token {given.token_id}. Its secret is shown this once:",
        "",
        *[f"  {line}" for line in lines],
        f"  {command('watch')}",
    )


async def _accounts(rest: Rest) -> list[_Account]:
    found: list[_Account] = []
    more = True
    while more:
        after = {"after": found[-1].account} if found else {}
        answer = await rest.call("GET", "accounts", query={"limit": _PAGE, **after})
        page = msgspec.convert(answer, _Accounts)
        found += page.accounts
        more = page.more and bool(page.accounts)
    return found


async def _tokens(rest: Rest, account: str) -> list[_Token]:
    return msgspec.convert(await rest.call("GET", "accounts", account, "tokens"), _Tokens).tokens


def _show_accounts(accounts: list[_Account], json: bool) -> None:
    if json:
        print_json({"accounts": msgspec.to_builtins(accounts)})
        return
    rows = [(one.account, one.name, stamp(one.created_ms)) for one in accounts]
    if rows:
        print_table(("account", "name", "since"), rows)
    else:
        print_lines("no accounts yet: `recents account add NAME` makes one")


def _show_tokens(tokens: list[_Token], json: bool) -> None:
    if json:
        print_json({"tokens": msgspec.to_builtins(tokens)})
        return
    rows = [
        (
            one.token_id,
            one.label,
            stamp(one.created_ms),
            "valid" if one.revoked_ms is None else f"revoked {stamp(one.revoked_ms)}",
        )
        for one in tokens
    ]
    print_table(("token id", "label", "since", "state"), rows)
