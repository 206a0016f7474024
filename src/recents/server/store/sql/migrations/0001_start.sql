-- What a node keeps. Text compares byte by byte (BINARY, the default): the order of O1 needs it.
-- No foreign keys: what belongs together is written together, in one transaction.

-- One row: which line of versions this is, and the number of its newest commit. The number has
-- its own row because no other table is written by every commit; updating it costs one page.
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;

INSERT INTO store (id, epoch, version) VALUES (1, lower(hex(randomblob(8))), 0);

-- One row per message, appended in the order of the commits: new rows fill the same few pages
-- whatever their conversation. `version` is the commit that brought the message (D4, R5), it
-- stays at a recall or an edit. `attachment` and `mentions` are JSON, NULL where there is nothing.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    sender TEXT NOT NULL,
    client_id TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    attachment TEXT,
    mentions TEXT,
    counts INTEGER NOT NULL,
    bumps INTEGER NOT NULL,
    previews INTEGER NOT NULL,
    state TEXT NOT NULL,
    recalled_by TEXT
) STRICT;

-- M1; and history, which is read by it.
CREATE UNIQUE INDEX messages_by_seq ON messages (key, seq);

-- M2. The client's id stands first: clients that begin their ids with the time, as our SDK does,
-- add at the end of this index, so a batch touches a few of its pages; any other order of the
-- columns, or a digest, touches one page per message and halves the throughput.
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_id, sender, key);

-- One row per conversation. `preview` is JSON; `low_receipt` and `high_receipt` are the receipts
-- of the two accounts of a P2P conversation in byte order (R6).
CREATE TABLE heads (
    key TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    activity_ms INTEGER NOT NULL,
    last_retraction INTEGER NOT NULL,
    low_receipt INTEGER NOT NULL,
    high_receipt INTEGER NOT NULL,
    dismissed INTEGER NOT NULL,
    name TEXT,
    owner TEXT,
    preview TEXT
) STRICT, WITHOUT ROWID;

-- One row per account and conversation, an account's rows side by side. `conversation` is the
-- name that the account gives it, so that rows come in the order of O1 where times are equal.
-- `parting` is a head as JSON, NULL for who is still in (T2).
CREATE TABLE memberships (
    account TEXT NOT NULL,
    conversation TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    joined_ms INTEGER NOT NULL,
    joined_seq INTEGER NOT NULL,
    joined_version INTEGER NOT NULL,
    read_seq INTEGER NOT NULL,
    read_ordinal INTEGER NOT NULL,
    skipped_after_read INTEGER NOT NULL,
    cleared_seq INTEGER NOT NULL,
    deleted_seq INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    parting TEXT,
    PRIMARY KEY (account, conversation)
) STRICT, WITHOUT ROWID;

-- Lists and counts present members without touching the table. It changes when somebody comes or
-- goes, never when somebody reads or sends.
CREATE INDEX memberships_by_key ON memberships (key, account, joined_ms) WHERE parting IS NULL;

CREATE TABLE accounts (
    account TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `digest` is the SHA-256 of the secret, which is stored nowhere.
CREATE TABLE tokens (
    digest BLOB PRIMARY KEY,
    token_id TEXT NOT NULL,
    account TEXT NOT NULL,
    label TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_by_account ON tokens (account, created_ms, token_id);
