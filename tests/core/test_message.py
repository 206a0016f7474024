"""Messages and their short form: rules M5, P1, P2, P3."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.core.errors import Code, Refused
from recents.core.message import (
    Message,
    Preview,
    check_attachment,
    check_text,
    check_token,
    edited,
    is_countable,
    named_in,
    preview_of,
    preview_text,
    recalled,
    vanished,
)
from tests.core.making import a_message

RICH = Message(
    seq=3,
    ordinal=2,
    sender="ann",
    client_id="c3",
    time_ms=1_234,
    kind="image",
    text="a cat",
    attachment={"url": "cat.png"},
    mentions=("bob", "@all"),
    bumps=False,
)

LINES = {
    "a\nb": "a b",
    "a\rb": "a b",
    "a\r\nb": "a b",
    "a\n\nb": "a  b",
    "a\n\rb": "a  b",
    "a\r\r\nb": "a  b",
    "\na\n": " a ",
    "a\tb": "a\tb",
    "a\u2028b": "a\u2028b",  # a line separator, but none of the three newlines
}


@pytest.mark.parametrize(("text", "shown"), LINES.items(), ids=map(repr, LINES))
def test_p1_each_newline_becomes_a_space(text: str, shown: str) -> None:
    assert preview_text(text) == shown


def test_p1_a_preview_has_at_most_200_characters() -> None:
    assert preview_text("x" * 200) == "x" * 200
    assert preview_text("x" * 201) == "x" * 200
    assert preview_text("👋" * 5_000) == "👋" * 200
    assert preview_text("\r\n" * 5_000) == " " * 200
    assert preview_text("x" * 199 + "\r\nyz") == "x" * 199 + " "
    assert preview_text("\r\n" * 199 + "yz") == " " * 199 + "y"


@given(st.text(st.sampled_from("ab\r\n"), max_size=600))
def test_p1_shortening_before_or_after_joining_the_lines_is_the_same(text: str) -> None:
    whole = text.replace("\r\n", " ").replace("\r", " ").replace("\n", " ")
    assert preview_text(text) == whole[:200]


def test_p1_a_preview_carries_what_a_row_shows() -> None:
    assert preview_of(RICH) == Preview(
        seq=3, client_id="c3", sender="ann", time_ms=1_234, kind="image", text="a cat"
    )
    assert preview_of(RICH).state == "normal"


def test_p2_a_recall_takes_the_content_and_keeps_the_place() -> None:
    assert recalled(RICH, "olga") == Message(
        seq=3,
        ordinal=2,
        sender="ann",
        client_id="c3",
        time_ms=1_234,
        kind="image",
        bumps=False,
        state="recalled",
        recalled_by="olga",
    )


def test_p2_the_preview_of_a_recalled_message_is_its_notice() -> None:
    notice = preview_of(recalled(RICH, "olga"))
    assert (notice.seq, notice.time_ms, notice.kind) == (3, 1_234, "image")
    assert (notice.text, notice.state, notice.recalled_by) == ("", "recalled", "olga")


def test_p2_a_recalled_message_shows_no_text_even_if_it_has_some() -> None:
    odd = msgspec.structs.replace(RICH, state="recalled")
    assert preview_of(odd).text == ""


def test_p3_an_edit_changes_text_and_state_only() -> None:
    assert edited(RICH, "two cats", ("cid",)) == msgspec.structs.replace(
        RICH, text="two cats", mentions=("cid",), state="edited"
    )
    assert edited(edited(RICH, "two"), "three").state == "edited"
    assert preview_of(edited(RICH, "a\nb")).text == "a b"


def test_p1_of_a_message_that_vanished_only_its_place_is_left() -> None:
    gone = vanished(RICH)
    assert gone == msgspec.structs.replace(
        RICH, text="", attachment=None, mentions=(), state="gone"
    )
    assert preview_of(gone).text == ""
    with pytest.raises(Refused, match="was recalled"):
        edited(gone, "again")


def test_p3_a_recalled_message_cannot_be_edited() -> None:
    with pytest.raises(Refused, match="was recalled; send a new one") as refused:
        edited(recalled(RICH, "ann"), "again")
    assert refused.value.code is Code.BAD_VALUE


def test_p3_an_edit_keeps_to_the_length_of_a_text() -> None:
    assert edited(RICH, "x" * 5_000).text == "x" * 5_000
    with pytest.raises(Refused, match="5001 characters"):
        edited(RICH, "x" * 5_001)


def test_m5_a_text_has_at_most_5000_characters() -> None:
    for text in ("", "x" * 5_000, "👋" * 5_000):
        assert check_text(text) == text
    with pytest.raises(Refused, match="has 5001 characters; send at most 5000") as refused:
        check_text("x" * 5_001)
    assert refused.value.code is Code.BAD_VALUE


def test_m5_half_a_surrogate_pair_is_no_text() -> None:
    for text in ("\ud83d", "ok then \ude00"):
        with pytest.raises(Refused, match="of the text is half a surrogate pair"):
            check_text(text)
        with pytest.raises(Refused, match="half a surrogate pair"):
            edited(RICH, text)


@pytest.mark.parametrize("attachment", [None, {}, [], 0, "a", {"a": [1, 2.5, None, True]}])
def test_m5_an_attachment_is_any_json_value(attachment: object) -> None:
    check_attachment(attachment)


def test_m5_an_attachment_has_at_most_16_kib_as_json() -> None:
    check_attachment("x" * (16 * 1024 - 2))
    for large in ("x" * (16 * 1024 - 1), {"k": "三" * 6_000}):
        with pytest.raises(Refused, match="send at most 16384, or a link") as refused:
            check_attachment(large)
        assert refused.value.code is Code.BAD_VALUE


def test_m5_an_attachment_that_is_no_json_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    for thing in (object(), {"a": object()}, {1.5: {object()}}, circle):
        with pytest.raises(Refused, match="is not JSON") as refused:
            check_attachment(thing)
        assert refused.value.code is Code.BAD_VALUE


def test_a_token_is_a_short_printable_word() -> None:
    for word in ("a", "x" * 64, "!", "~", "a:b|c/d#e"):
        assert check_token(word, "client_id") == word
    for wrong in ("", "x" * 65, "a b", "a\n", "\x7f", "ä"):
        with pytest.raises(Refused, match="is not a valid client_id: use 1 to 64") as refused:
            check_token(wrong, "client_id")
        assert refused.value.code is Code.BAD_VALUE
    with pytest.raises(Refused, match="use 1 to 3"):
        check_token("abcd", "kind", 3)


def test_a_plain_message_is_small_as_json() -> None:
    assert msgspec.json.encode(a_message()) == (
        b'{"seq":1,"ordinal":1,"sender":"ann","client_id":"c1","time_ms":1000,"text":"hi"}'
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_m5_an_attachment_holds_no_number_that_json_lacks(number: float) -> None:
    for attachment in (number, {"a": [1.5, number]}, [(number,)]):
        with pytest.raises(Refused, match="no number"):
            check_attachment(attachment)
    check_attachment({"a": [1.5, -2, None]})


def test_g3_a_message_names_accounts_once_and_nobody_where_it_does_not_count() -> None:
    twice = msgspec.structs.replace(RICH, mentions=("bob", "@all", "bob"))
    assert named_in(twice) == {"bob", "@all"}
    assert named_in(msgspec.structs.replace(twice, counts=False)) == frozenset()
    assert named_in(recalled(twice, "ann")) == frozenset()


def test_u1_ones_own_and_what_was_taken_back_is_not_countable() -> None:
    assert is_countable(RICH, "bob")
    assert not is_countable(RICH, "ann")
    assert not is_countable(msgspec.structs.replace(RICH, counts=False), "bob")
    assert not is_countable(recalled(RICH, "ann"), "bob")
    assert not is_countable(vanished(RICH), "bob")
