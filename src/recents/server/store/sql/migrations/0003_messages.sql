-- What messages need that change: recalls and edits (P2, P3), mentions in the counts (G3).

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
