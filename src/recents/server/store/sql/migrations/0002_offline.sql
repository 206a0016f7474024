-- What devices that work without a connection need: marks that an older read does not undo (R3,
-- R4), drafts (G6), mutes (G2), what became of each command (C4), and the devices themselves.

-- `read_epoch` and `marked_unread` are numbers of commits, 0 where there was none. A draft is
-- there when `draft_ms` is. `draft_text` stands last: a long one fills pages of its own, which
-- nobody who sums or sorts rows has to read.
ALTER TABLE memberships ADD COLUMN read_epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN marked_unread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN mute TEXT;
ALTER TABLE memberships ADD COLUMN draft_ms INTEGER;
ALTER TABLE memberships ADD COLUMN draft_text TEXT;

-- One row per command that was carried out or refused, messages left aside (C4). Ordered by time:
-- new rows fill the last pages, and the old ones that are forgotten empty the first.
-- `version` is that of the row which the command is about; `refusal` is code, text and details as
-- JSON, NULL where the command was carried out.
CREATE TABLE verdicts (
    at_ms INTEGER NOT NULL,
    command_id TEXT NOT NULL,
    account TEXT NOT NULL,
    version INTEGER NOT NULL,
    refusal TEXT,
    PRIMARY KEY (at_ms, command_id, account)
) STRICT, WITHOUT ROWID;

-- C4: a command has one verdict, and is found by its id when it is asked again. The id stands
-- first for the reason of `messages_by_client_id`: our SDK begins its ids with the time, so a
-- batch touches a few pages at the end of this index, not one per command.
CREATE UNIQUE INDEX verdicts_by_command ON verdicts (command_id, account);

-- One row per device that has greeted, an account's devices side by side: there are few of each,
-- so they are sorted and trimmed without an index of their own.
CREATE TABLE devices (
    account TEXT NOT NULL,
    device_id TEXT NOT NULL,
    name TEXT NOT NULL,
    token_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    revoked_ms INTEGER,
    PRIMARY KEY (account, device_id)
) STRICT, WITHOUT ROWID;
