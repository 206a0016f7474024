"""How fast a whole store is recounted: many small conversations and a few large ones."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from statistics import median

import apsw

from bench.report import Figure
from recents.server.node import open_store
from recents.server.store.sqlite_doctor import FileDoctor

# a writes to b; nobody has read anything.
_MAKE = """
INSERT OR IGNORE INTO accounts (account, name, created_ms)
SELECT who || :size || '-' || value, '', 1
FROM (SELECT 'a' AS who UNION SELECT 'b'), json_each(:numbers);

INSERT INTO messages (key, version, seq, ordinal, sender, client_id, time_ms, kind, text,
    counts, bumps, previews, state)
SELECT 'p2p:a' || :size || '-' || c.value || '|b' || :size || '-' || c.value, 1,
    m.value, m.value, 'a' || :size || '-' || c.value, c.value || '-' || m.value, m.value, 'text',
    'hello', 1, 1, 1, 'normal'
FROM json_each(:places) AS m, json_each(:numbers) AS c;

INSERT INTO heads (key, version, last_seq, ordinal, time_ms, activity_ms, last_retraction,
    low_receipt, high_receipt, dismissed, name, owner, preview)
SELECT 'p2p:a' || :size || '-' || value || '|b' || :size || '-' || value, 1, :size, :size, :size,
    :size, 0, 0, 0, 0, NULL, NULL,
    json_object('seq', :size, 'client_id', value || '-' || :size,
        'sender', 'a' || :size || '-' || value, 'time_ms', :size, 'text', 'hello')
FROM json_each(:numbers);

INSERT INTO memberships (account, conversation, key, version, joined_ms, joined_seq,
    joined_version, read_seq, read_ordinal, skipped_after_read, cleared_seq, deleted_seq, removed)
SELECT me || :size || '-' || value, 'p2p:' || you || :size || '-' || value,
    'p2p:a' || :size || '-' || value || '|b' || :size || '-' || value,
    1, 1, 0, 1, 0, 0, CASE me WHEN 'a' THEN :size ELSE 0 END, 0, -1, 0
FROM (SELECT 'a' AS me, 'b' AS you UNION SELECT 'b', 'a'), json_each(:numbers);

UPDATE store SET version = 1;
"""


async def measure_doctor(folder: Path, quick: bool) -> list[Figure]:
    """Recount a file of a million messages."""
    path = folder / "doctor.db"
    store = open_store(path)
    await store.open()
    await store.close()
    part = 20 if quick else 1
    _fill(path, {10: 50_000 // part, 5_000: 100 // part})
    seconds = [_examine(path) for _ in range(1 if quick else 3)]
    messages = 1_000_000 // part
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure(f"recount of {messages:,} messages, processor time", f"{median(seconds):.2f} s"),
        Figure("… messages", f"{messages / median(seconds):,.0f} /s"),
        Figure("… largest size of the process", f"{peak_mb:,.0f} MB"),
    ]


def _fill(path: Path, conversations: dict[int, int]) -> None:
    connection = apsw.Connection(str(path))
    with connection:
        for size, count in conversations.items():
            numbers, places = list(range(count)), list(range(1, size + 1))
            values = {"size": size, "numbers": str(numbers), "places": str(places)}
            connection.execute(_MAKE, values)
    connection.close()


def _examine(path: Path) -> float:
    """Return the processor time of a recount: it is one thread that waits for nobody."""
    findings: list[str] = []
    began = time.process_time()
    with FileDoctor(path) as doctor:
        doctor.examine(lambda finding: findings.append(str(finding)))
    assert not findings, findings[:5]
    return time.process_time() - began
