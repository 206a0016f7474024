"""Chinese names, spelled."""

import subprocess
import sys

import pytest

from recents.client.sounds import MOST_READINGS, sounds_of


def test_a_name_is_spelled_from_each_syllable_on_whole_and_by_first_letters() -> None:
    assert set(sounds_of("张伟杰")) == {"zhangweijie", "zwj", "weijie", "wj", "jie", "j"}


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("重庆", "chongqing"),
        ("重庆", "zhongqing"),
        ("吕布", "lvbu"),
        ("张 伟", "zhangwei"),
        ("Tom张", "tomzhang"),
        ("項目A組", "xiangmuazu"),
    ],
)
def test_every_reading_of_a_character_counts(name: str, sound: str) -> None:
    assert sound in sounds_of(name)


def test_a_name_with_many_readings_is_spelled_in_some() -> None:
    assert 0 < len(sounds_of("重单曾乐重单曾乐重单曾乐")) <= 2 * 12 * MOST_READINGS


def test_who_has_no_chinese_names_does_not_pay_for_them() -> None:
    program = (
        "import sys\n"
        "from recents.client.sounds import sounds_of\n"
        "assert sounds_of('Müller') == []\n"
        "assert 'pypinyin' not in sys.modules\n"
        "assert sounds_of('张')\n"
        "assert 'pypinyin' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
