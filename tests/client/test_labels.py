"""The labels of rows, and what is in each: rules G4, G5."""

from __future__ import annotations

from msgspec.structs import replace

from recents.client.labels import Label, labels_of
from tests.core.making import a_row


def test_g5_each_label_counts_its_rows_and_what_is_unread_in_them() -> None:
    rows = [
        replace(a_row("p2p:a", unread=2), labels=("Z", "a")),
        replace(a_row("p2p:b", unread=3), labels=("a",)),
        replace(a_row("p2p:c", unread=5, archived=True), labels=("a", "é")),
        a_row("p2p:d", unread=7),
    ]
    assert labels_of(rows) == (
        Label(name="Z", conversations=1, unread=2),
        Label(name="a", conversations=2, unread=5),
        Label(name="é"),
    )
    assert labels_of([]) == ()
