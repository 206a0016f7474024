-- store --
-- Which line of versions this is, and the number of its newest commit.
SELECT epoch, version FROM store;

-- renew_epoch --
-- Begins another line of versions: the file is a backup that was put back.
UPDATE store SET epoch = lower(hex(randomblob(8))) RETURNING epoch;

-- heads --
-- The heads with given keys, as JSON.
SELECT
    h.key,
    h.version, h.last_seq, h.ordinal, h.time_ms, h.activity_ms, h.last_retraction,
    h.low_receipt, h.high_receipt, h.dismissed, h.name, h.owner, h.preview,
    h.faces, h.avatar, h.changes, h.last_mention
FROM json_each(:keys) AS wanted
CROSS JOIN heads AS h ON h.key = wanted.value;

-- memberships --
-- The memberships of given pairs of account and conversation, as JSON.
SELECT
    m.account, m.key,
    m.version, m.joined_ms, m.joined_seq, m.joined_version,
    m.read_seq, m.read_ordinal, m.skipped_after_read,
    m.cleared_seq, m.deleted_seq, m.removed, m.parting,
    m.read_epoch, m.marked_unread, m.mute, m.draft_ms, m.draft_text,
    m.pin_rank, m.pinned_ms, m.pin_updated_ms, m.pin_ext,
    m.archived_seq, m.archived_ordinal, m.archived_own, m.archived_version,
    m.mute_until_ms, m.labels, m.extension, m.alias, m.last_hidden
FROM json_each(:pairs) AS pair
CROSS JOIN memberships AS m
    ON m.account = pair.value ->> 0 AND m.conversation = pair.value ->> 1;

-- known_accounts --
-- Which of the given accounts there are, as JSON, with their faces.
SELECT a.account, a.name, a.avatar
FROM json_each(:accounts) AS wanted
CROSS JOIN accounts AS a ON a.account = wanted.value;

-- talks_of --
-- The P2P conversations of an account: those in which it stands first in the key, then second.
SELECT key
FROM heads
WHERE key >= 'p2p:' || :account || '|' AND key < 'p2p:' || :account || '}'
UNION
SELECT key
FROM heads
WHERE key < 'q' AND substr(key, instr(key, '|') + 1) = :account;

-- posted --
-- The message that a sender posted with this id (M2).
SELECT
    seq, ordinal, sender, client_id, time_ms, kind, text, attachment, mentions,
    counts, bumps, previews, state, recalled_by
FROM messages
WHERE client_id = :client_id AND sender = :sender AND key = :key;

-- verdicts --
-- What became of given commands, as JSON pairs of account and command id (C4).
SELECT v.account, v.command_id, v.at_ms, v.version, v.refusal
FROM json_each(:commands) AS wanted
CROSS JOIN verdicts AS v
    ON v.command_id = wanted.value ->> 1 AND v.account = wanted.value ->> 0;

-- position --
-- The ordinal at a message, and how many countable messages of one's own come after it (U2).
SELECT
    at.ordinal,
    (
        SELECT count(*)
        FROM messages AS own
        WHERE own.key = :key AND own.seq > :seq AND own.sender = :account AND own.counts
    ) + (
        SELECT count(*)
        FROM hidden AS x
        WHERE x.account = :account AND x.key = :key AND x.seq > :seq AND x.skipped
    )
FROM messages AS at
WHERE at.key = :key AND at.seq = :seq;

-- own_messages --
-- How many countable messages somebody has sent: what a position before the first one skips.
SELECT
    (SELECT count(*) FROM messages WHERE key = :key AND sender = :account AND counts)
    + (SELECT count(*) FROM hidden WHERE account = :account AND key = :key AND skipped);

-- seqs_at --
-- For each conversation of an account with messages after a version: the newest seq at it, or 0.
-- From the newest message backwards, so it costs what came since (D4, R5).
SELECT
    m.key,
    coalesce((
        SELECT old.seq
        FROM messages AS old
        WHERE old.key = m.key AND old.version <= :version
        ORDER BY old.seq DESC
        LIMIT 1
    ), 0)
FROM memberships AS m
CROSS JOIN heads AS h ON h.key = m.key
WHERE m.account = :account
    AND h.version > :version
    AND EXISTS (
        SELECT * FROM messages AS newest
        WHERE newest.key = h.key AND newest.seq = h.last_seq AND newest.version > :version
    );

-- add_message --
-- Append a message.
INSERT INTO messages (
    key, version, seq, ordinal, sender, client_id, time_ms, kind, text, attachment, mentions,
    counts, bumps, previews, state, recalled_by
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- message --
-- One message.
SELECT
    seq, ordinal, sender, client_id, time_ms, kind, text, attachment, mentions,
    counts, bumps, previews, state, recalled_by
FROM messages
WHERE key = :key AND seq = :seq;

-- older --
-- The newest message before a place that a row may show (P1, P2).
SELECT
    seq, ordinal, sender, client_id, time_ms, kind, text, attachment, mentions,
    counts, bumps, previews, state, recalled_by
FROM messages
WHERE key = :key AND seq < :seq AND previews AND state <> 'gone'
ORDER BY seq DESC
LIMIT 1;

-- amend_message --
-- Change what a message says (P2, P3).
UPDATE messages
SET text = ?, attachment = ?, mentions = ?, state = ?, recalled_by = ?, change = ?,
    changed_version = ?
WHERE key = ? AND seq = ?;

-- add_mention --
-- Somebody is mentioned (G3).
INSERT INTO mentions (key, target, seq, since, sender) VALUES (?, ?, ?, ?, ?);

-- end_mention --
-- Somebody is mentioned no longer.
UPDATE mentions SET until = ?
WHERE key = ? AND target = ? AND seq = ? AND until IS NULL AND since < ?;

-- hidden --
-- Whether an account deleted a message for itself.
SELECT seq FROM hidden WHERE account = :account AND key = :key AND seq = :seq;

-- add_hidden --
-- An account deletes a message for itself (P2).
INSERT INTO hidden (account, key, seq, version, skipped) VALUES (?, ?, ?, ?, ?);

-- put_head --
-- Make or replace a head.
INSERT INTO heads (
    key, version, last_seq, ordinal, time_ms, activity_ms, last_retraction,
    low_receipt, high_receipt, dismissed, name, owner, preview, faces, avatar,
    changes, last_mention
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    version = excluded.version,
    last_seq = excluded.last_seq,
    ordinal = excluded.ordinal,
    time_ms = excluded.time_ms,
    activity_ms = excluded.activity_ms,
    last_retraction = excluded.last_retraction,
    low_receipt = excluded.low_receipt,
    high_receipt = excluded.high_receipt,
    dismissed = excluded.dismissed,
    name = excluded.name,
    owner = excluded.owner,
    preview = excluded.preview,
    faces = excluded.faces,
    avatar = excluded.avatar,
    changes = excluded.changes,
    last_mention = excluded.last_mention;

-- put_membership --
-- Make or replace a membership; touches the index by key.
INSERT INTO memberships (
    account, conversation, key, version, joined_ms, joined_seq, joined_version,
    read_seq, read_ordinal, skipped_after_read, cleared_seq, deleted_seq, removed, parting,
    read_epoch, marked_unread, mute, draft_ms, draft_text,
    pin_rank, pinned_ms, pin_updated_ms, pin_ext,
    archived_seq, archived_ordinal, archived_own, archived_version,
    mute_until_ms, labels, extension, alias, last_hidden
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, conversation) DO UPDATE SET
    version = excluded.version,
    joined_ms = excluded.joined_ms,
    joined_seq = excluded.joined_seq,
    joined_version = excluded.joined_version,
    read_seq = excluded.read_seq,
    read_ordinal = excluded.read_ordinal,
    skipped_after_read = excluded.skipped_after_read,
    cleared_seq = excluded.cleared_seq,
    deleted_seq = excluded.deleted_seq,
    removed = excluded.removed,
    parting = excluded.parting,
    read_epoch = excluded.read_epoch,
    marked_unread = excluded.marked_unread,
    mute = excluded.mute,
    draft_ms = excluded.draft_ms,
    draft_text = excluded.draft_text,
    pin_rank = excluded.pin_rank,
    pinned_ms = excluded.pinned_ms,
    pin_updated_ms = excluded.pin_updated_ms,
    pin_ext = excluded.pin_ext,
    archived_seq = excluded.archived_seq,
    archived_ordinal = excluded.archived_ordinal,
    archived_own = excluded.archived_own,
    archived_version = excluded.archived_version,
    mute_until_ms = excluded.mute_until_ms,
    labels = excluded.labels,
    extension = excluded.extension,
    alias = excluded.alias,
    last_hidden = excluded.last_hidden;

-- move_membership --
-- Change where a member stands, not whether it is one; touches no index.
UPDATE memberships
SET
    version = ?, read_seq = ?, read_ordinal = ?, skipped_after_read = ?, cleared_seq = ?,
    deleted_seq = ?, read_epoch = ?, marked_unread = ?, last_hidden = ?
WHERE account = ? AND conversation = ?;

-- add_verdict --
-- Remember what became of a command.
INSERT INTO verdicts (at_ms, command_id, account, version, refusal) VALUES (?, ?, ?, ?, ?);

-- forget_verdicts --
-- Forget the oldest verdicts from before a time, not more than a number.
DELETE FROM verdicts
WHERE (at_ms, command_id, account) IN (
    SELECT at_ms, command_id, account
    FROM verdicts
    WHERE at_ms < :before_ms
    ORDER BY at_ms, command_id, account
    LIMIT :limit
);

-- set_version --
-- Number the commit.
UPDATE store SET version = ?;

-- create_account --
-- Add an account unless its id is taken.
INSERT INTO accounts (account, name, created_ms, avatar)
VALUES (:account, :name, :created_ms, :avatar)
ON CONFLICT (account) DO NOTHING;

-- put_face --
-- Change the face of an account.
UPDATE accounts SET name = ?, avatar = ?, version = ? WHERE account = ?;

-- add_token --
-- Store a token.
INSERT INTO tokens (token_id, account, digest, label, created_ms, revoked_ms)
VALUES (:token_id, :account, :digest, :label, :created_ms, :revoked_ms);

-- revoke_tokens --
-- Revoke one token, or all of an account where no id is given.
UPDATE tokens
SET revoked_ms = :at_ms
WHERE account = :account
    AND revoked_ms IS NULL
    AND (:token_id IS NULL OR token_id = :token_id)
RETURNING token_id, created_ms;

-- put_device --
-- Add a device, or note how a known one is now.
INSERT INTO devices (account, device_id, name, token_id, created_ms, seen_ms, revoked_ms)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, device_id) DO UPDATE SET
    name = excluded.name,
    token_id = excluded.token_id,
    seen_ms = excluded.seen_ms;

-- trim_devices --
-- Forget the devices of an account beyond a number: those seen longest ago, revoked ones last.
DELETE FROM devices
WHERE account = :account AND device_id IN (
    SELECT device_id
    FROM devices
    WHERE account = :account
    ORDER BY revoked_ms IS NULL, seen_ms DESC, device_id
    LIMIT -1 OFFSET :most
);

-- revoke_device --
-- Revoke a device that was not.
UPDATE devices
SET revoked_ms = :at_ms
WHERE account = :account AND device_id = :device_id AND revoked_ms IS NULL;
