-- What calls of application servers leave: the answer of each idempotency key, and webhooks.

-- One row per key that was used lately. `caller` is the account whose token it was, empty for the
-- admin key; `digest` is the SHA-256 of what was asked. `status` is 0 until there is an answer: a
-- row like that at a start says that the node ended in the middle.
CREATE TABLE idempotency_keys (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;

-- The oldest are forgotten first.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at_ms);

-- One row per webhook. There is no queue: `position` is the id of the newest message up to which
-- everything has been delivered, and messages are only ever added behind it. `secret` is kept as
-- it is, every delivery is signed with it. `events` is a JSON list.
CREATE TABLE webhooks (
    webhook_id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    position INTEGER NOT NULL,
    failing_since_ms INTEGER,
    disabled_ms INTEGER,
    failure TEXT NOT NULL
) STRICT, WITHOUT ROWID;
