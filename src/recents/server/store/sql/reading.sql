-- head --
-- One head.
SELECT
    version, last_seq, ordinal, time_ms, activity_ms, last_retraction,
    low_receipt, high_receipt, dismissed, name, owner, preview, faces, avatar,
    changes, last_mention
FROM heads
WHERE key = :key;

-- messages --
-- The newest messages between two places, newest first; those that are gone left out (P1).
SELECT
    seq, ordinal, sender, client_id, time_ms, kind, text, attachment, mentions,
    counts, bumps, previews, state, recalled_by
FROM messages
WHERE key = :key AND seq > :after_seq AND seq < :before_seq AND (:gone OR state <> 'gone')
    AND NOT EXISTS (
        SELECT * FROM hidden AS x
        WHERE x.account = :account AND x.key = messages.key AND x.seq = messages.seq
    )
ORDER BY seq DESC
LIMIT :limit;

-- mutes_ending --
-- Mutes that end up to a time, the earliest first (G2).
SELECT account, key, mute_until_ms, version
FROM memberships
WHERE mute_until_ms <= :upto_ms
ORDER BY mute_until_ms, account, key
LIMIT :limit;

-- next_mute_end --
-- When the next mute ends by itself, or NULL.
SELECT min(mute_until_ms) FROM memberships WHERE mute_until_ms IS NOT NULL;

-- amended_since --
-- The messages of an account's conversations that were recalled or edited after a version.
SELECT
    c.key,
    c.seq, c.ordinal, c.sender, c.client_id, c.time_ms, c.kind, c.text, c.attachment, c.mentions,
    c.counts, c.bumps, c.previews, c.state, c.recalled_by
FROM memberships AS m
CROSS JOIN heads AS h ON h.key = m.key
CROSS JOIN messages AS c ON c.key = m.key AND c.changed_version > max(:version, 0)
WHERE m.account = :account
    AND m.parting IS NULL
    AND h.version > :version
    AND h.changes > 0
    AND c.changed_version > 0
    AND c.seq > m.cleared_seq
    AND NOT EXISTS (
        SELECT * FROM hidden AS x
        WHERE x.account = m.account AND x.key = c.key AND x.seq = c.seq
    );

-- hidden_from --
-- The messages of a conversation that an account deleted for itself.
SELECT seq FROM hidden WHERE account = :account AND key = :key;

-- changed_after --
-- The messages of a conversation that were recalled or edited after so many changes of it.
SELECT seq FROM messages WHERE key = :key AND changed_version > 0 AND change > :changes;

-- hidden_since --
-- The messages that an account deleted for itself after a version.
SELECT
    c.key,
    c.seq, c.ordinal, c.sender, c.client_id, c.time_ms, c.kind, c.text, c.attachment, c.mentions,
    c.counts, c.bumps, c.previews, c.state, c.recalled_by
FROM hidden AS x
CROSS JOIN messages AS c ON c.key = x.key AND c.seq = x.seq
WHERE x.account = :account AND x.version > :version;

-- members --
-- Present members in byte order, after an account (T1, T2).
SELECT account, joined_ms
FROM memberships
WHERE key = :key AND account > :after AND parting IS NULL
ORDER BY account
LIMIT :limit;

-- count_members --
-- The number of present members.
SELECT count(*) FROM memberships WHERE key = :key AND parting IS NULL;

-- teams_of --
-- The teams an account is in. Above 'q' are team: and super_team:, below it is p2p:.
SELECT
    h.key,
    h.version, h.last_seq, h.ordinal, h.time_ms, h.activity_ms, h.last_retraction,
    h.low_receipt, h.high_receipt, h.dismissed, h.name, h.owner, h.preview,
    h.faces, h.avatar, h.changes, h.last_mention
FROM memberships AS m
CROSS JOIN heads AS h ON h.key = m.key
WHERE m.account = :account AND m.conversation > 'q' AND m.parting IS NULL AND NOT h.dismissed
ORDER BY m.conversation;

-- account --
-- One account.
SELECT account, name, created_ms, avatar, version FROM accounts WHERE account = :account;

-- accounts --
-- Accounts in byte order, after one.
SELECT account, name, created_ms, avatar, version
FROM accounts
WHERE account > :after
ORDER BY account
LIMIT :limit;

-- contacts --
-- Which of some accounts, as JSON, an account knows: itself, by a P2P row, or by a team that it is
-- in. Above 'q' are team: and super_team:, which all members call the same.
SELECT a.account, a.name, a.created_ms, a.avatar, a.version
FROM json_each(:wanted) AS wanted
CROSS JOIN accounts AS a ON a.account = wanted.value
WHERE a.account = :account
    OR EXISTS (
        SELECT * FROM memberships AS talk
        WHERE talk.account = :account AND talk.conversation = 'p2p:' || a.account
    )
    OR EXISTS (
        SELECT *
        FROM memberships AS mine
        CROSS JOIN memberships AS theirs
            ON theirs.account = a.account AND theirs.conversation = mine.conversation
        WHERE mine.account = :account AND mine.conversation > 'q' AND mine.parting IS NULL
    )
ORDER BY a.account;

-- device --
-- One device.
SELECT account, device_id, name, token_id, created_ms, seen_ms, revoked_ms
FROM devices
WHERE account = :account AND device_id = :device_id;

-- devices_of --
-- All devices of an account, the one seen last first.
SELECT account, device_id, name, token_id, created_ms, seen_ms, revoked_ms
FROM devices
WHERE account = :account
ORDER BY seen_ms DESC, device_id;

-- token --
-- The token with this digest.
SELECT token_id, account, digest, label, created_ms, revoked_ms
FROM tokens
WHERE digest = :digest;

-- tokens_of --
-- All tokens of an account, oldest first.
SELECT token_id, account, digest, label, created_ms, revoked_ms
FROM tokens
WHERE account = :account
ORDER BY created_ms, token_id;
