"""What a query looks for in messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.core.phrases import phrases_of, says_all


def test_words_are_phrases_and_signs_alone_are_nothing() -> None:
    assert phrases_of("Don't  panic, -") == (("don", "t"), ("panic",))
    assert phrases_of("开会 ok") == (("开", "会"), ("ok",))
    assert phrases_of(" ?! ") == ()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("lunch", True),
        ("LUN", True),
        ("unch", False),
        ("noon lunch", True),
        ("lunch dinner", False),
        ("don't", True),
        ("don't b", False),
        ("ont", False),
        ("会", True),
        ("开会", True),
        ("天开", True),
        ("天会", False),
        ("cafe", True),
        ("\uff43afé", True),
    ],
)
def test_all_words_in_any_order_the_last_token_of_each_unfinished(query: str, found: bool) -> None:
    text = "Don’t forget: lunch at noon, Café Ü; 今天开会"
    assert says_all(text, phrases_of(query)) == found


@given(st.text())
def test_every_text_says_itself(text: str) -> None:
    assert says_all(text, phrases_of(text))
