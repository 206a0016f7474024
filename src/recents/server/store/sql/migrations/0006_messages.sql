-- What messages need that change: recalls and edits (P2, P3), mentions in the counts
-- (G3), messages that somebody deleted for itself (U1, P2).

-- `change` numbers the recalls and edits of a conversation, 0: none of this message; who has left
-- sees those up to `changes` of its parting (T2).
ALTER TABLE messages ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE heads ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE heads ADD COLUMN last_mention INTEGER NOT NULL DEFAULT 0;

-- One row per account, or `@all`, that a countable message mentions: messages that mention nobody
-- write none. It is so from the change `since` of the conversation on, and no longer from `until`.
CREATE TABLE mentions (
    key TEXT NOT NULL,
    target TEXT NOT NULL,
    seq INTEGER NOT NULL,
    since INTEGER NOT NULL,
    sender TEXT NOT NULL,
    until INTEGER,
    PRIMARY KEY (key, target, seq, since)
) STRICT, WITHOUT ROWID;

INSERT INTO mentions (key, target, seq, since, sender)
SELECT DISTINCT m.key, named.value, m.seq, 0, m.sender
FROM messages AS m, json_each(m.mentions) AS named
WHERE m.mentions IS NOT NULL AND m.counts;

UPDATE heads
SET last_mention = coalesce((SELECT max(seq) FROM mentions WHERE mentions.key = heads.key), 0);

-- The commit of the last change: what devices must hear of that were away.
ALTER TABLE messages ADD COLUMN changed_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_by_change ON messages (key, changed_version) WHERE changed_version > 0;

-- One row per account and message that it deleted for itself; `skipped` where the message would
-- count for it (U2). Rows are looked for only up to `last_hidden` of the membership.
CREATE TABLE hidden (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    PRIMARY KEY (account, key, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX hidden_by_version ON hidden (account, version);

ALTER TABLE memberships ADD COLUMN last_hidden INTEGER NOT NULL DEFAULT 0;
