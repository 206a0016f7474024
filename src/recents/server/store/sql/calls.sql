-- begin_answer --
-- Note that a call was begun, unless it was and is not too old.
INSERT INTO idempotency_keys (caller, key, digest, at_ms, status, body)
VALUES (:caller, :key, :digest, :at_ms, 0, x'')
ON CONFLICT (caller, key) DO UPDATE SET
    digest = excluded.digest,
    at_ms = excluded.at_ms,
    status = 0,
    body = x''
WHERE at_ms < :after_ms;

-- kept_answer --
-- What is known of a call.
SELECT caller, key, digest, at_ms, status, body
FROM idempotency_keys
WHERE caller = :caller AND key = :key;

-- keep_answer --
-- Note how a call ended.
UPDATE idempotency_keys
SET status = :status, body = :body
WHERE caller = :caller AND key = :key AND digest = :digest;

-- forget_answers --
-- Forget the oldest keys: those from before a time, and those beyond a number.
DELETE FROM idempotency_keys
WHERE (caller, key) IN (
    SELECT caller, key
    FROM idempotency_keys
    WHERE at_ms < :before_ms
        OR at_ms <= (SELECT at_ms FROM idempotency_keys ORDER BY at_ms DESC LIMIT 1 OFFSET :most)
    ORDER BY at_ms
    LIMIT :limit
);

-- add_webhook --
-- Store a webhook.
INSERT INTO webhooks (
    webhook_id, url, events, secret, created_ms, position, failing_since_ms, disabled_ms, failure
)
VALUES (
    :webhook_id, :url, :events, :secret, :created_ms, :position, :failing_since_ms, :disabled_ms,
    :failure
);

-- webhooks --
-- All webhooks, oldest first.
SELECT
    webhook_id, url, events, secret, created_ms, position, failing_since_ms, disabled_ms, failure
FROM webhooks
ORDER BY created_ms, webhook_id;

-- note_webhook --
-- Note how far a webhook is, and how it goes.
UPDATE webhooks
SET
    position = :position,
    failing_since_ms = :failing_since_ms,
    disabled_ms = :disabled_ms,
    failure = :failure
WHERE webhook_id = :webhook_id;

-- remove_webhook --
-- Forget a webhook.
DELETE FROM webhooks WHERE webhook_id = :webhook_id;

-- messages_behind --
-- Messages of all conversations in the order of their commits, behind a position.
SELECT
    id, key,
    seq, ordinal, sender, client_id, time_ms, kind, text, attachment, mentions,
    counts, bumps, previews, state, recalled_by
FROM messages
WHERE id > :position
ORDER BY id
LIMIT :limit;

-- newest_position --
-- The position of the newest message.
SELECT coalesce(max(id), 0) FROM messages;
