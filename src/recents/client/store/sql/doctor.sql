-- What looks through a whole copy.

-- doctor_rows --
-- All rows.
SELECT conversation, place, entry FROM inbox ORDER BY conversation;

-- doctor_messages --
-- All messages, with how far their conversation was cleared; those of one side by side.
SELECT
    m.conversation, m.seq, m.message,
    CASE WHEN json_valid(i.entry) THEN coalesce(i.entry ->> 'cleared_seq', 0) ELSE 0 END
FROM messages AS m
LEFT JOIN inbox AS i ON i.conversation = m.conversation
ORDER BY m.conversation, m.seq;

-- doctor_outbox --
-- All commands on their way.
SELECT number, account, pending FROM outbox ORDER BY number;
