-- What one device keeps of one account. Text compares byte by byte (BINARY, the default): the
-- order of O1 needs it. Values of the core are kept as JSON: only what is looked up by has columns.

-- One row: whose copy this is, and how far it goes. `totals` is JSON. `set_aside` is JSON too,
-- there until the application was told of the file in whose place this one came (C6).
CREATE TABLE copy (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    account TEXT NOT NULL,
    device_id TEXT NOT NULL,
    token TEXT,
    totals TEXT NOT NULL,
    clock_ahead_ms INTEGER NOT NULL,
    set_aside TEXT
) STRICT;

-- Commands on their way. Each says whose it is, so that it can be rescued where the table above
-- cannot be read, and is never sent by another account (C5, C6).
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    pending TEXT NOT NULL
) STRICT;

-- One row of the list each. `place` is `-place_ms`: ascending places are the order of O1.
CREATE TABLE inbox (
    conversation TEXT PRIMARY KEY,
    place INTEGER NOT NULL,
    entry TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX inbox_by_place ON inbox (place, conversation);

-- The newest messages of each conversation, side by side as they are read.
CREATE TABLE messages (
    conversation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
