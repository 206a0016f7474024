-- The words of the kept messages: see migration 2. As in copy.sql, one statement reads or writes many
-- rows, as one JSON array.

-- search --
-- The newest messages with these words, newest first.
SELECT '[' || coalesce(group_concat(found, ',' ORDER BY time_ms DESC, conversation, seq DESC), '')
    || ']'
FROM (
    SELECT
        '{"conversation":' || json_quote(kept.conversation) || ',"message":' || message || '}'
            AS found,
        kept.conversation,
        seq,
        message ->> 'time_ms' AS time_ms
    FROM words
    CROSS JOIN searched ON number = words.rowid >> 40
    CROSS JOIN messages AS kept
        ON kept.conversation = searched.conversation AND seq = words.rowid & (1 << 40) - 1
    WHERE words MATCH :words
    ORDER BY time_ms DESC, kept.conversation, seq DESC
    LIMIT :limit
);

-- search_one --
-- The newest messages of a conversation with these words, newest first.
SELECT '[' || coalesce(group_concat(found, ',' ORDER BY time_ms DESC, seq DESC), '') || ']'
FROM (
    SELECT
        '{"conversation":' || json_quote(kept.conversation) || ',"message":' || message || '}'
            AS found,
        seq,
        message ->> 'time_ms' AS time_ms
    FROM searched
    CROSS JOIN words ON words.rowid BETWEEN number << 40 AND (number + 1 << 40) - 1
    CROSS JOIN messages AS kept
        ON kept.conversation = searched.conversation AND seq = words.rowid & (1 << 40) - 1
    WHERE searched.conversation = :conversation AND words MATCH :words
    ORDER BY time_ms DESC, seq DESC
    LIMIT :limit
);

-- waiting --
-- About how many messages wait for their words.
SELECT
    coalesce((SELECT max(number) FROM unsearched), 0)
    - coalesce((SELECT min(number) FROM unsearched), 1) + 1;

-- unsearched --
-- Those that wait longest, each as [number, conversation, seq, text]; no text: it is gone.
SELECT json_group_array(json_array(number, conversation, seq, text))
FROM (
    SELECT number, waiting.conversation, waiting.seq, message ->> 'text' AS text
    FROM (SELECT * FROM unsearched ORDER BY number LIMIT :limit) AS waiting
    LEFT JOIN messages USING (conversation, seq)
    ORDER BY number
);

-- put_searched --
-- Gives numbers to conversations that have none.
INSERT OR IGNORE INTO searched (conversation) SELECT value FROM json_each(:conversations);

-- remove_words --
-- Takes away the words of messages, each as [conversation, seq].
DELETE FROM words WHERE rowid IN (
    SELECT number << 40 | value ->> 1
    FROM json_each(:places)
    CROSS JOIN searched ON searched.conversation = value ->> 0
);

-- put_words --
-- Puts the words of messages, each as [conversation, seq, words].
INSERT OR REPLACE INTO words (rowid, text)
SELECT number << 40 | value ->> 1, value ->> 2
FROM json_each(:words)
CROSS JOIN searched ON searched.conversation = value ->> 0;

-- searchable --
-- The messages up to this number wait no longer.
DELETE FROM unsearched WHERE number <= :number;

-- forget_words --
-- Forgets all words, where there are no messages left.
INSERT INTO words (words) VALUES ('delete-all');

-- forget_waiting --
-- No message waits for its words.
DELETE FROM unsearched;
