"""The command line put together."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from recents.cli import (
    accounts,
    demo,
    devices,
    doctor,
    explaining,
    keeping,
    lists,
    marks,
    messages,
    names,
    searching,
    serving,
    watching,
)
from recents.cli.ending import EXIT_CODES

app = typer.Typer(
    help="Recent conversations: a node to serve them, and an account's list in the terminal.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    # Tracebacks with the values of variables would show tokens.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recents {version('recents')}")
        raise typer.Exit


@app.callback()
def begin(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Recent conversations: a node to serve them, and an account's list in the terminal."""


app.command()(serving.serve)
app.add_typer(accounts.app, name="account")
app.command("list")(lists.list_rows)
app.command()(searching.search)
app.command()(watching.watch)
app.command()(lists.send)
app.command()(lists.read)
app.command()(lists.delete)
app.command()(marks.unread)
app.command()(marks.draft)
app.command()(marks.mute)
app.command()(marks.unmute)
app.command()(names.alias)
app.command()(names.profile)
app.command()(keeping.pin)
app.command()(keeping.unpin)
app.command()(keeping.archive)
app.command()(keeping.unarchive)
app.command()(keeping.label)
app.command()(keeping.labels)
app.command()(messages.history)
app.command()(messages.recall)
app.command()(messages.edit)
app.add_typer(devices.app, name="devices")
app.command()(demo.demo)
app.command()(explaining.explain)
app.command()(doctor.doctor)
