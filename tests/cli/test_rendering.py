"""How rows look."""

import json
from datetime import datetime

import pytest
from msgspec.structs import replace
from rich.console import Console

from recents.cli.rendering import (
    badge,
    mark,
    print_json,
    rows_table,
    status,
    summary,
    sums,
    when,
)
from recents.core.commands import MuteLevel
from recents.core.entry import InboxEntry
from recents.core.ids import Conversation
from recents.core.membership import Draft
from recents.core.message import MessageState, Preview
from recents.core.totals import Totals

NOW = datetime(2025, 6, 11, 12, 0).astimezone()
NOW_MS = int(NOW.timestamp() * 1000)
HOUR_MS = 3_600_000


def preview(sender: str, text: str = "hello", state: MessageState = "normal") -> Preview:
    by = sender if state == "recalled" else None
    return Preview(
        seq=1,
        client_id="c",
        sender=sender,
        time_ms=NOW_MS,
        text=text,
        state=state,
        recalled_by=by,
    )


def entry(conversation: str, shown: Preview | None, unread: int = 0) -> InboxEntry:
    return InboxEntry(
        conversation=Conversation(conversation),
        version=1,
        activity_ms=NOW_MS,
        unread=unread,
        preview=shown,
        name="Team [red]T[/red]" if conversation.startswith("team") else None,
    )


def picture(row: InboxEntry, width: int) -> str:
    screen = Console(width=width, markup=True, highlight=False, force_terminal=False)
    with screen.capture() as capture:
        screen.print(rows_table([row], "me", NOW, width=width, narrow_drops="conversation"))
    return capture.get()


@pytest.mark.parametrize(
    ("conversation", "shown", "words"),
    [
        ("p2p:bob", preview("bob"), "hello"),
        ("p2p:bob", preview("me"), "You: hello"),
        ("team:t", preview("bob"), "bob: hello"),
        ("team:t", preview("bob", state="edited"), "bob: hello (edited)"),
        ("p2p:bob", preview("bob", state="recalled"), "bob recalled a message"),
        ("p2p:bob", preview("me", state="recalled"), "You recalled a message"),
        ("p2p:bob", None, ""),
    ],
)
def test_who_said_what(conversation: str, shown: Preview | None, words: str) -> None:
    assert summary(entry(conversation, shown), "me") == words


def test_other_kinds_are_named() -> None:
    image = Preview(seq=1, client_id="c", sender="bob", time_ms=1, kind="image")
    assert summary(entry("p2p:bob", image), "me") == "[image]"


def test_u3_only_a_badge_that_asks_for_it_is_capped() -> None:
    assert badge(0) == ""
    assert badge(12345) == "12345"
    assert badge(99, 99) == "99"
    assert badge(100, 99) == "99+"


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0, "12:00"), (11, "01:00"), (24, "Tue"), (6 * 24, "Thu"), (7 * 24, "04 Jun")],
)
def test_times_as_people_say_them(hours: int, words: str) -> None:
    assert when(NOW_MS - hours * HOUR_MS, NOW) == words


def test_last_year_has_its_number() -> None:
    assert when(NOW_MS - 365 * 24 * HOUR_MS, NOW) == "2024-06-11"


def test_a_sentence_of_totals() -> None:
    assert sums(Totals()) == "no conversations"
    assert sums(Totals(conversations=2)) == "all read in 2 conversations"
    some = Totals(unread=3, unread_conversations=1, conversations=1)
    assert sums(some) == "3 unread in 1 of 1 conversation"
    more = replace(some, muted_unread=2, marked_unread=1)
    assert sums(more) == "3 unread (2 of them muted) in 1 of 1 conversation, 1 marked unread"
    marked = Totals(conversations=2, marked_unread=1)
    assert sums(marked) == "no message unread in 2 conversations, 1 marked unread"


def test_status_says_when_i_am_out() -> None:
    left = InboxEntry(
        conversation=Conversation("team:t"), version=1, activity_ms=1, membership="left"
    )
    assert status(left) == "left"


@pytest.mark.parametrize(
    ("mute", "words"), [("none", "✓ sent, muted"), ("mentions", "✓ sent, mentions only")]
)
def test_g2_status_says_what_is_muted(mute: MuteLevel, words: str) -> None:
    row = replace(entry("p2p:bob", preview("me")), status="sent", mute=mute)
    assert status(row) == words
    assert status(replace(row, status="failed", mute=None)) == "! not sent"


def test_r4_a_mark_is_a_dot_and_no_number() -> None:
    row = entry("p2p:bob", preview("bob"))
    assert mark(row) == ""
    assert mark(replace(row, marked_unread=True)) == "•"
    assert mark(replace(row, unread=100)) == "100"
    assert mark(replace(row, unread=100, marked_unread=True), 99) == "99+ •"


def test_g6_a_draft_stands_before_the_last_message() -> None:
    row = replace(entry("p2p:bob", preview("bob")), draft=Draft("not yet", NOW_MS - HOUR_MS))
    assert summary(row, "me") == "Draft: not yet"
    assert "11:00" in picture(row, 160)


def test_markup_of_others_is_text() -> None:
    shown = picture(entry("team:t", preview("bob", "[bold]x[/bold] :smile:")), 160)
    assert "Team [red]T[/red]" in shown
    assert "bob: [bold]x[/bold] :smile:" in shown


@pytest.mark.parametrize("width", [60, 80, 99, 100, 160])
def test_a_row_is_one_line_and_only_the_message_is_cut(width: int) -> None:
    shown = picture(entry("p2p:bob", preview("bob", "茶 " * 200), unread=1234), width)
    assert len(shown.splitlines()) == 2
    assert all(len(line) <= width for line in shown.splitlines())
    assert "1234" in shown
    assert "12:00" in shown
    assert "…" in shown
    assert ("p2p:bob" in shown) == (width >= 100)


def test_json_of_a_row_has_all_fields(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"rows": [entry("p2p:bob", preview("bob"))], "nothing": None})
    answer = json.loads(capsys.readouterr().out)
    assert answer["nothing"] is None
    assert answer["rows"][0]["preview"]["recalled_by"] is None
    assert answer["rows"][0]["unread"] == 0
