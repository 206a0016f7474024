-- What else an account keeps with a row: pins (G1), the archive (G4), when a mute
-- ends (G2), labels (G5), extensions (G7).

-- A row is pinned when `pin_rank` is there.
ALTER TABLE memberships ADD COLUMN pin_rank INTEGER;
ALTER TABLE memberships ADD COLUMN pinned_ms INTEGER;
ALTER TABLE memberships ADD COLUMN pin_updated_ms INTEGER;
ALTER TABLE memberships ADD COLUMN pin_ext TEXT;

-- A row was archived when `archived_seq` is there.
ALTER TABLE memberships ADD COLUMN archived_seq INTEGER;
ALTER TABLE memberships ADD COLUMN archived_ordinal INTEGER;
ALTER TABLE memberships ADD COLUMN archived_own INTEGER;
ALTER TABLE memberships ADD COLUMN archived_version INTEGER;

-- When a mute ends by itself (G2); the index is as long as there are such mutes.
ALTER TABLE memberships ADD COLUMN mute_until_ms INTEGER;
CREATE INDEX memberships_by_mute_end ON memberships (mute_until_ms)
WHERE mute_until_ms IS NOT NULL;

-- JSON, NULL where there is none.
ALTER TABLE memberships ADD COLUMN labels TEXT;
ALTER TABLE memberships ADD COLUMN extension TEXT NOT NULL DEFAULT '';

-- `draft_text` goes to the end again: a long one fills pages of its own, which nobody who sums or
-- sorts rows has to read.
ALTER TABLE memberships ADD COLUMN kept_draft TEXT;
UPDATE memberships SET kept_draft = draft_text WHERE draft_text IS NOT NULL;
ALTER TABLE memberships DROP COLUMN draft_text;
ALTER TABLE memberships RENAME COLUMN kept_draft TO draft_text;
