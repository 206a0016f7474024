-- One statement reads or writes many rows, as one JSON array: the driver lets go of the
-- interpreter at every row of a result, and beside a busy application gets it back 5 ms later.

-- begin --
-- The one row of a new file.
INSERT INTO copy (id, account, device_id, token, totals, clock_ahead_ms, set_aside)
VALUES (1, :account, :device_id, NULL, :totals, 0, :set_aside);

-- owner --
-- Whose copy a file is.
SELECT account FROM copy WHERE id = 1;

-- copy --
-- How far the copy goes.
SELECT device_id, token, totals, clock_ahead_ms, set_aside FROM copy WHERE id = 1;

-- outbox --
-- All commands on their way, in order.
SELECT '[' || coalesce(group_concat(pending, ',' ORDER BY number), '') || ']' FROM outbox;

-- rows_after --
-- Rows in the order of O1, after a place (O4).
SELECT '[' || coalesce(group_concat(entry, ',' ORDER BY place, conversation), '') || ']'
FROM (
    SELECT place, conversation, entry
    FROM inbox
    WHERE (place, conversation) > (:place, :conversation)
    ORDER BY place, conversation
    LIMIT :limit
);

-- messages --
-- The newest messages before a place, oldest first.
SELECT '[' || coalesce(group_concat(message, ',' ORDER BY seq), '') || ']'
FROM (
    SELECT seq, message
    FROM messages
    WHERE conversation = :conversation AND seq < :before_seq
    ORDER BY seq DESC
    LIMIT :limit
);

-- put_copy --
-- How far the copy goes; NULL leaves a value as it was. With a token the list is there again: the
-- client was opened, and told of the file that was set aside.
UPDATE copy SET
    token = coalesce(:token, token),
    set_aside = CASE WHEN :token IS NULL THEN set_aside END,
    totals = coalesce(:totals, totals),
    clock_ahead_ms = coalesce(:clock_ahead_ms, clock_ahead_ms)
WHERE id = 1;

-- remove_all_rows --
-- Begins the list anew.
DELETE FROM inbox;

-- remove_rows --
-- Takes away the rows of these conversations.
DELETE FROM inbox WHERE conversation IN (SELECT value FROM json_each(:conversations));

-- put_rows --
-- Puts rows, each as [conversation, place, entry].
INSERT INTO inbox (conversation, place, entry)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:rows) WHERE true
ON CONFLICT (conversation) DO UPDATE SET place = excluded.place, entry = excluded.entry;

-- forget_messages --
-- Forgets all messages.
DELETE FROM messages;

-- put_messages --
-- Puts messages, each as [conversation, seq, message].
INSERT INTO messages (conversation, seq, message)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:messages) WHERE true
ON CONFLICT (conversation, seq) DO UPDATE SET message = excluded.message;

-- amend_messages --
-- Puts messages in the place of kept ones, each as [conversation, seq, message].
UPDATE messages SET message = wanted.value ->> 2
FROM json_each(:messages) AS wanted
WHERE messages.conversation = wanted.value ->> 0 AND messages.seq = wanted.value ->> 1;

-- prune_messages --
-- Forgets all but the newest messages of these conversations.
DELETE FROM messages
WHERE (conversation, seq) IN (
    SELECT old.conversation, old.seq
    FROM json_each(:conversations) AS wanted
    CROSS JOIN messages AS old ON old.conversation = wanted.value AND old.seq <= (
        SELECT kept.seq
        FROM messages AS kept
        WHERE kept.conversation = wanted.value
        ORDER BY kept.seq DESC
        LIMIT 1 OFFSET :kept
    )
);

-- clear_messages --
-- Forgets messages up to a place, each as [conversation, cleared_seq] (D3, D5).
DELETE FROM messages
WHERE (conversation, seq) IN (
    SELECT old.conversation, old.seq
    FROM json_each(:cleared) AS wanted
    CROSS JOIN messages AS old
        ON old.conversation = wanted.value ->> 0 AND old.seq <= wanted.value ->> 1
);

-- put_commands --
-- Puts commands, each as [number, pending].
INSERT INTO outbox (number, account, pending)
SELECT value ->> 0, :account, value ->> 1 FROM json_each(:commands) WHERE true
ON CONFLICT (number) DO UPDATE SET pending = excluded.pending;

-- settle_commands --
-- Takes out the commands with these numbers.
DELETE FROM outbox WHERE number IN (SELECT value FROM json_each(:numbers));
