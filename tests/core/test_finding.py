"""Which rows are found, and which come first."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from recents.core.entry import InboxEntry
from recents.core.finding import Findable, best, findable, sounding
from recents.core.folding import folded
from recents.core.ids import Conversation
from recents.core.membership import Draft
from recents.core.message import Preview
from recents.core.ordering import place_of


def row(
    id: str,
    name: str | None = None,
    text: str | None = None,
    draft: str | None = None,
    at: int = 1,
) -> InboxEntry:
    return InboxEntry(
        conversation=Conversation(f"team:{id}"),
        version=1,
        activity_ms=at,
        name=name,
        preview=None
        if text is None
        else Preview(seq=1, client_id="c", sender="b", time_ms=1, text=text),
        draft=None if draft is None else Draft(draft, 0),
    )


def search(query: str, *rows: InboxEntry, limit: int = 50) -> list[str]:
    return [found.id for found in best(in_order(rows), folded(query).split(), limit)]


def in_order(rows: Iterable[InboxEntry]) -> list[Findable]:
    return [findable(row) for row in sorted(rows, key=place_of)]


def test_names_come_before_texts_and_beginnings_before_middles() -> None:
    rows = [
        row("1", "Lunch", "no", at=1),
        row("2", "Lunch today", at=2),
        row("3", "Our lunch", at=3),
        row("4", "Prelunch", at=4),
        row("5", "Other", "lunch?", at=5),
        row("6", "Nobody", "dinner", at=6),
        row("lunch", "Noon", at=0),
    ]
    assert search("LUNCH", *rows) == ["1", "lunch", "2", "3", "4", "5"]
    assert search("lunch", *rows, limit=3) == ["1", "lunch", "2"]


def test_equals_stand_in_the_order_of_the_list() -> None:
    rows = [row("a", "Team", at=1), row("b", "Team", at=3), row("c", "Team", at=2)]
    assert search("team", *rows) == ["b", "c", "a"]
    assert search("team", *rows, limit=2) == ["b", "c"]


def test_every_word_must_be_found_and_the_worst_one_decides() -> None:
    rows = [
        row("1", "Anna Berg", "see you", at=1),
        row("2", "Anna", "with Berg", at=9),
        row("3", "Anna", "alone", at=9),
    ]
    assert search("anna berg", *rows) == ["1", "2"]
    assert search("berg anna", *rows) == ["1", "2"]


def test_drafts_and_previews_are_looked_through() -> None:
    rows = [row("1", draft="to be sent"), row("2", text="was sent"), row("3")]
    assert search("sent", *rows) == ["1", "2"]
    assert search("was to", *rows) == []


def test_a_name_is_found_by_the_syllables_of_its_sound() -> None:
    found = findable(row("1", "张伟明", "zhong"))
    assert best([found], ["zwm"], 9) == []
    sounding(found, lambda name: ["zhangweiming", "zwm", "weiming", "wm"])
    for query in ("zw", "zhangw", "wei", "wm", "zhong", "张伟"):
        assert [one.id for one in best([found], [query], 9)] == ["1"], query
    for query in ("ang", "hang", "eiming"):
        assert best([found], [query], 9) == [], query


texts = st.text("ab \u4e2d", max_size=4)


@given(
    st.lists(st.builds(row, st.sampled_from("pqrs"), texts, texts, texts, st.integers(0, 3))),
    st.lists(st.text("ab\u4e2d", min_size=1, max_size=2), min_size=1, max_size=2),
    st.integers(1, 5),
)
def test_the_same_rows_as_by_looking_at_each(
    rows: list[InboxEntry], words: list[str], limit: int
) -> None:
    rows = list({one.conversation: one for one in rows}.values())

    def has(one: InboxEntry, word: str) -> bool:
        texts = (one.preview, one.draft)
        seen = [one.title, one.id, *(text.text for text in texts if text)]
        return any(word in text for text in seen)

    expected = {one.id for one in rows if all(has(one, word) for word in words)}
    found = [one.id for one in best(in_order(rows), words, limit)]
    assert len(found) == len(set(found)) == min(limit, len(expected))
    assert set(found) <= expected
