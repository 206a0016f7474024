-- head --
-- One head.
SELECT
    version, last_seq, ordinal, time_ms, activity_ms, last_retraction,
    low_receipt, high_receipt, dismissed, name, owner, preview, faces, avatar
FROM heads
WHERE key = :key;

-- messages --
-- The newest messages between two places, newest first.
SELECT
    seq, ordinal, sender, client_id, time_ms, kind, text, attachment, mentions,
    counts, bumps, previews, state, recalled_by
FROM messages
WHERE key = :key AND seq > :after_seq AND seq < :before_seq
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
    h.faces, h.avatar
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
