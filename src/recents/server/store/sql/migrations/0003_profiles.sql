-- Faces of accounts in the rows of their contacts: names that there are already, and avatars;
-- avatars of teams; own names for rows.

-- `version` is the commit that last changed the face, 0 while it is as the account was made.
ALTER TABLE accounts ADD COLUMN avatar TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

-- `faces` is JSON, the faces of the two accounts of a P2P conversation in byte order; NULL for a
-- team, and where neither of the two has one.
ALTER TABLE heads ADD COLUMN faces TEXT;

-- That of a team; NULL where it has none.
ALTER TABLE heads ADD COLUMN avatar TEXT;

-- What an account calls a row; NULL where it has no name of its own for it. It stands behind the
-- draft, so it is far from what is summed and sorted.
ALTER TABLE memberships ADD COLUMN alias TEXT;

-- Finds the P2P conversations of which an account is the second one; the primary key finds those
-- of which it is the first. A key never changes, so that only beginning a conversation costs.
CREATE INDEX heads_by_second ON heads (substr(key, instr(key, '|') + 1)) WHERE key < 'q';

-- The rows of who talks with somebody that has a name change, so they get a commit: devices that
-- have seen all commits so far would never hear of them otherwise.
UPDATE store SET version = version + 1 WHERE EXISTS (SELECT * FROM accounts WHERE name <> '');

UPDATE heads
SET
    version = (SELECT version FROM store),
    faces = json_array(json_object('name', named.low), json_object('name', named.high))
FROM (
    SELECT
        talk.key,
        coalesce(low.name, '') AS low,
        coalesce(high.name, '') AS high
    FROM heads AS talk
    LEFT JOIN accounts AS low ON low.account = substr(talk.key, 5, instr(talk.key, '|') - 5)
    LEFT JOIN accounts AS high ON high.account = substr(talk.key, instr(talk.key, '|') + 1)
    WHERE talk.key < 'q'
) AS named
WHERE named.key = heads.key AND (named.low <> '' OR named.high <> '');
