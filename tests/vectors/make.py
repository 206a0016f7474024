"""Makes ``docs/spec/vectors``: ``python -m tests.vectors.make``.

What is expected comes from the oracle, which shares no code with what the vectors judge.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from recents.testing import oracle_naming
from recents.testing.oracle import Oracle
from tests.vectors.histories import HISTORIES
from tests.vectors.naming_histories import LOOKS
from tests.vectors.orders import CURSORS, NO_CURSORS, ORDERS, PIN_CURSORS, Order, Place, Row
from tests.vectors.steps import History, Step

FOLDER = Path(__file__).parent.parent.parent / "docs" / "spec" / "vectors"
FORMAT = 3
WIDTH = 99


def counting() -> dict[str, object]:
    """Return the content of ``counting.json``."""
    return {"format": FORMAT, "vectors": [_counted(history) for history in HISTORIES]}


def ordering() -> dict[str, object]:
    """Return the content of ``ordering.json``."""
    return {
        "format": FORMAT,
        "vectors": [_ordered(order) for order in ORDERS],
        "cursors": [
            {"cursor": f"{place_ms}.{name}", "after": _place((place_ms, name))}
            for place_ms, name in CURSORS
        ]
        + [
            {"cursor": f"p{rank}.{name}", "after": _pin((rank, name))}
            for rank, name in PIN_CURSORS
        ],
        "no_cursors": NO_CURSORS,
    }


def naming() -> dict[str, object]:
    """Return the content of ``naming.json``."""
    return {
        "format": FORMAT,
        "colours": oracle_naming.COLOURS,
        "vectors": [_named(*look) for look in LOOKS],
    }


def text_of(content: dict[str, object]) -> str:
    """Return JSON for eyes: whatever fits stands on one line."""
    return _text(content, 0, 0) + "\n"


def _counted(history: History) -> dict[str, object]:
    oracle = Oracle()
    steps: list[Step] = []
    for step in history.steps:
        arguments = {name: value for name, value in step.items() if name not in ("do", "then")}
        getattr(oracle, str(step["do"]))(**arguments)
        looking = step.get("then", [])
        assert isinstance(looking, list)
        seen = {account: _seen(oracle, account) for account in looking}
        steps.append({"do": step["do"], **arguments, **({"then": seen} if seen else {})})
    return {"name": history.name, "rules": history.rules.split(), "steps": steps}


def _seen(oracle: Oracle, account: str) -> dict[str, object]:
    rows = oracle.rows(account)
    return {
        "rows": [dataclasses.asdict(row) for row in rows],
        "totals": dataclasses.asdict(oracle.totals(account)),
        "countable": {
            row.conversation: oracle.countable(account, row.conversation) for row in rows
        },
    }


def _named(alias: str, name: str | None, id: str) -> dict[str, object]:
    title = oracle_naming.title(alias, name, id)
    return {
        "alias": alias,
        "name": name,
        "id": id,
        "title": title,
        "initials": oracle_naming.initials(title, id),
        "colour": oracle_naming.colour(id),
    }


def _ordered(order: Order) -> dict[str, object]:
    free = [row for row in order.rows if row[1] not in order.ranks]
    places = sorted(
        [(max((row[0], *row[2:])), row[1]) for row in free],
        key=lambda place: (-place[0], place[1].encode()),
    )
    pins = sorted(
        [(rank, name) for name, rank in order.ranks.items()],
        key=lambda pin: (pin[0], pin[1].encode()),
    )
    below = [name for _, name in places]
    return {
        "name": order.name,
        "rows": [_row(row, order) for row in order.rows],
        "order": [name for _, name in pins] + below,
        "pages": [
            {
                "after": _pin(after),
                "order": [pin[1] for pin in pins if _is_below(pin, after)] + below,
            }
            for after in order.after_pins
        ]
        + [
            {
                "after": _place(after),
                "order": [place[1] for place in places if _is_behind(place, after)],
            }
            for after in order.after
        ],
    }


def _is_below(pin: Place, after: Place) -> bool:
    return (pin[0], pin[1].encode()) > (after[0], after[1].encode())


def _is_behind(place: Place, after: Place) -> bool:
    if place[0] != after[0]:
        return place[0] < after[0]
    return place[1].encode() > after[1].encode()


def _row(row: Row, order: Order) -> dict[str, object]:
    draft = {"draft_ms": row[2]} if len(row) == 3 else {}
    pin = {"rank": order.ranks[row[1]]} if row[1] in order.ranks else {}
    return {"activity_ms": row[0], "conversation": row[1], **draft, **pin}


def _pin(place: Place) -> dict[str, object]:
    return {"rank": place[0], "conversation": place[1]}


def _place(place: Place) -> dict[str, object]:
    return {"place_ms": place[0], "conversation": place[1]}


def _text(value: object, indent: int, used: int) -> str:
    """Write a value; ``used`` characters of its first line are taken."""
    flat = json.dumps(value, ensure_ascii=False)
    if indent + used + len(flat) < WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = indent + 2
    if isinstance(value, dict):
        parts = [f'"{key}": {_text(one, inner, len(key) + 4)}' for key, one in value.items()]
    else:
        parts = [_text(one, inner, 0) for one in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{_filled(parts, inner)}\n{' ' * indent}{closing}"


def _filled(parts: list[str], indent: int) -> str:
    """Put as many parts on a line as fit; one of several lines has them for itself."""
    lines: list[str] = []
    for part in parts:
        several = "\n" in part
        if lines and not several and "\n" not in lines[-1]:
            longer = f"{lines[-1]}, {part}"
            if indent + len(longer) < WIDTH:
                lines[-1] = longer
                continue
        lines.append(part)
    margin = " " * indent
    return ",\n".join(margin + line for line in lines)


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = {"counting": counting(), "ordering": ordering(), "naming": naming()}
    for name, content in made.items():
        path = FOLDER / f"{name}.json"
        path.write_text(text_of(content), encoding="utf-8")
        print(f"{path}: {len(path.read_bytes())} bytes")


if __name__ == "__main__":
    main()
