"""Nothing from others reaches a terminal that does more than show."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from recents.cli.harmless import harmless, harmless_json

OVERRIDES = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_escape_sequences_are_shown_not_obeyed() -> None:
    assert harmless("\x1b[2J\x07\x7f") == "␛[2J␇␡"
    assert harmless("\x9b31m\x85") == "�31m�"


def test_lines_stay_lines() -> None:
    assert harmless("a\r\nb\tc\u2028d") == "a␍␊b␉c␤d"


def test_directions_are_not_overridden() -> None:
    assert harmless(f"invoice{OVERRIDES}fdp.exe") == f"invoice{'�' * len(OVERRIDES)}fdp.exe"


def test_ordinary_text_of_all_scripts_stays() -> None:
    for text in (
        "Zoë & 林小雨",
        "שלום",
        "سلام می‌خواهم",
        "👩‍👩‍👧 🇵🇹 ❤️",
        "a\u0301",
        "[bold]x[/bold]",
    ):
        assert harmless(text) == text


@given(st.text(st.characters()))
def test_no_control_character_gets_through(text: str) -> None:
    shown = harmless(text)
    assert len(shown) == len(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not set(OVERRIDES) & set(shown)
    shown.encode()


@given(st.text())
def test_json_keeps_its_value(text: str) -> None:
    escaped = harmless_json(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(escaped) == {"text": text}
    assert harmless(escaped) == escaped
