-- The words of the kept messages, for searching. They come folded and parted by blanks, so the
-- tokenizer has nothing else to see. A message's document has the number of its conversation, times
-- 2^40, plus its seq: those of a conversation stand side by side, in order.
CREATE TABLE searched (number INTEGER PRIMARY KEY, conversation TEXT NOT NULL UNIQUE) STRICT;

CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'ascii'
);

-- Messages that changed, came or went, and whose words are not in step with them yet.
CREATE TABLE unsearched (
    number INTEGER PRIMARY KEY, conversation TEXT NOT NULL, seq INTEGER NOT NULL
) STRICT;

CREATE TRIGGER message_came AFTER INSERT ON messages BEGIN
    INSERT INTO unsearched (conversation, seq) VALUES (new.conversation, new.seq);
END;

CREATE TRIGGER message_changed AFTER UPDATE ON messages WHEN old.message != new.message BEGIN
    INSERT INTO unsearched (conversation, seq) VALUES (new.conversation, new.seq);
END;

CREATE TRIGGER message_went AFTER DELETE ON messages BEGIN
    INSERT INTO unsearched (conversation, seq) VALUES (old.conversation, old.seq);
END;

INSERT INTO unsearched (conversation, seq) SELECT conversation, seq FROM messages;
