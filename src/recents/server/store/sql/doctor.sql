-- What recounts and repairs a whole file. These read every row, in the order of the keys; memberships
-- are sorted for it, outside of memory where there are many.

-- doctor_schema --
-- What the file is made of.
SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name;

-- doctor_newest --
-- The number of the newest commit, and the largest that any row has.
SELECT
    (SELECT version FROM store),
    max(
        (SELECT coalesce(max(version), 0) FROM messages),
        (SELECT coalesce(max(version), 0) FROM heads),
        (SELECT coalesce(max(version), 0) FROM memberships)
    );

-- doctor_messages --
-- All messages, without what they say.
SELECT key, seq, ordinal, version, time_ms, sender, counts, bumps, previews, state, change
FROM messages
ORDER BY key, seq;

-- doctor_hidden --
-- Messages of others that accounts deleted for themselves and that would count (U2).
SELECT key, account, seq FROM hidden WHERE skipped ORDER BY key, account, seq;

-- doctor_heads --
-- All heads.
SELECT
    key, version, last_seq, ordinal, time_ms, activity_ms, last_retraction,
    low_receipt, high_receipt, dismissed, name, owner, preview
FROM heads
ORDER BY key;

-- doctor_members --
-- All memberships.
SELECT
    key, account, conversation, version, joined_seq, joined_version,
    read_seq, read_ordinal, skipped_after_read, cleared_seq, deleted_seq, removed, parting,
    read_epoch, marked_unread, mute
FROM memberships
ORDER BY key, account, conversation;

-- doctor_unread --
-- What the rows that the store makes of them show.
SELECT key, account, conversation, unread FROM inbox ORDER BY key, account, conversation;

-- doctor_previewed --
-- One message, as a preview tells of it.
SELECT seq, client_id, sender, time_ms, kind, text, state, recalled_by
FROM messages
WHERE key = :key AND seq = :seq;

-- doctor_twins --
-- Messages that were stored twice (M2).
SELECT key, sender, client_id, count(*)
FROM messages
GROUP BY client_id, sender, key
HAVING count(*) > 1;

-- doctor_strangers --
-- Accounts of memberships that do not exist.
SELECT DISTINCT account FROM memberships
WHERE account NOT IN (SELECT account FROM accounts)
ORDER BY account;

-- doctor_counts --
-- How much there is to go through.
SELECT count(*) FROM messages;

-- repair_head --
-- Write what follows from the messages; a head that is missing is made, without what people say.
INSERT INTO heads (
    key, version, last_seq, ordinal, time_ms, activity_ms, last_retraction,
    low_receipt, high_receipt, dismissed, preview
)
VALUES (
    :key, :version, :last_seq, :ordinal, :time_ms, :activity_ms, :last_retraction,
    :low_receipt, :high_receipt, 0, :preview
)
ON CONFLICT (key) DO UPDATE SET
    version = excluded.version,
    last_seq = excluded.last_seq,
    ordinal = excluded.ordinal,
    time_ms = excluded.time_ms,
    activity_ms = excluded.activity_ms,
    last_retraction = excluded.last_retraction,
    low_receipt = excluded.low_receipt,
    high_receipt = excluded.high_receipt,
    preview = excluded.preview;

-- repair_membership --
-- Write what follows from the messages, and positions that lay beyond them.
UPDATE memberships
SET
    version = :version,
    joined_seq = :joined_seq,
    joined_version = :joined_version,
    read_seq = :read_seq,
    read_ordinal = :read_ordinal,
    skipped_after_read = :skipped_after_read,
    cleared_seq = :cleared_seq,
    deleted_seq = :deleted_seq,
    removed = :removed,
    parting = :parting,
    read_epoch = :read_epoch,
    marked_unread = :marked_unread
WHERE account = :account AND conversation = :conversation;
