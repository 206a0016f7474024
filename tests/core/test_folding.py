"""Text without case, accents and widths, and taken apart into words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recents.core.folding import folded, tokens_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello", "hello"),
        ("ÉCOLE", "ecole"),
        ("e\u0301", "e"),
        ("Straße", "strasse"),
        ("Ｒｅｃｅｎｔｓ１２", "recents12"),
        ("ﾒﾓ", "メモ"),
        ("İstanbul", "istanbul"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("한국", "한국"),
        ("張偉", "張偉"),
        ("ﬁne", "fine"),
    ],
)
def test_case_accents_and_widths_make_no_difference(text: str, expected: str) -> None:
    assert folded(text) == expected


@given(st.text())
def test_folded_text_folds_to_itself(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text())
def test_capitals_fold_like_small_letters_where_they_are_a_pair(text: str) -> None:
    pairs = "".join(char for char in text if char.upper().lower() == char)
    assert folded(pairs.upper()) == folded(pairs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Can't stop, won't!", ["can", "t", "stop", "won", "t"]),
        ("snake_case 42", ["snake", "case", "42"]),
        ("今天，开会", ["今", "天", "开", "会"]),
        ("买iPhone手机", ["买", "iphone", "手", "机"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("カメラ", ["カ", "メ", "ラ"]),
        ("서울", ["서", "울"]),
        ("ok👍🏽", ["ok", "👍", "🏽"]),
        ("naïve café", ["naive", "cafe"]),
        ("Привет мир", ["привет", "мир"]),
    ],
)
def test_words_and_characters_of_scripts_without_blanks(text: str, expected: list[str]) -> None:
    assert tokens_of(text) == expected


@given(st.text())
def test_words_stay_what_they_are(text: str) -> None:
    tokens = tokens_of(text)
    assert tokens_of(" ".join(tokens)) == tokens
