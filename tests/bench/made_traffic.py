"""Chat traffic that is made up, in the shape of the real files, with all that is odd in them."""

import json
import random
from pathlib import Path

PEOPLE = [
    *(f"person{number}" for number in range(34)),
    "with blank",
    "with_blank",
    "a:b|c/d#e",
    "Zoë",
    "@all",
    "x" * 80,
]

CHANNELS = ["Org/Help", "Org/help", "Org Help", "#ubuntu", "tiny", "y" * 200]

TEXTS = ["hello", "two\r\nlines\n\nand more", "naïve ☕ 👍", "", "z" * 300, "w" * 5_001, None]


def write_traffic(path: Path, lines: int, seed: int) -> Path:
    """Write so many lines: bursts with equal times, teams, P2P, notes, bodies that are missing."""
    chance = random.Random(seed)
    now_ms = 1_456_704_146_801
    with path.open("w", encoding="utf-8") as file:
        while lines > 0:
            now_ms += chance.choice([0, 40, 900, 600_000])
            place = _place(chance)
            for _ in range(min(lines, chance.choice([1, 1, 2, 5, 12]))):
                now_ms += chance.choice([0, 0, 0, 7])
                file.write(json.dumps(_line(chance, now_ms, place)) + "\n")
                lines -= 1
    return path


def _place(chance: random.Random) -> tuple[str, list[str]]:
    """A channel and who speaks in it, or two people, or one with itself."""
    if chance.random() < 0.6:
        channel = chance.choices(CHANNELS, weights=[9, 5, 3, 3, 1, 1])[0]
        return channel, chance.sample(PEOPLE, 3)
    pair = [chance.choice(PEOPLE), chance.choice(PEOPLE)]
    return f"dm:{pair[0]}:{pair[1]}", pair


def _line(chance: random.Random, time_ms: int, place: tuple[str, list[str]]) -> dict[str, object]:
    channel, people = place
    sender = chance.choice(people)
    line: dict[str, object] = {
        "time_ms": time_ms,
        "channel": channel,
        "sender": sender,
        "text": chance.choices(TEXTS, weights=[9, 3, 3, 1, 1, 1, 6])[0],
        "mentions": chance.sample([*PEOPLE, "a stranger"], chance.choice([0, 0, 0, 1, 3])),
    }
    if len(people) == 2:
        line["to"] = people[0] if sender == people[1] else people[1]
    return line
