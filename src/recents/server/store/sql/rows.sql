-- create_inbox --
-- The rows of all inboxes: each membership with its head, and what the two make together.
-- The rules of core/entry.py in SQL, once; tests/contracts compares the two. It is a view of the
-- connection, not of the file, so that a changed rule needs no migration. The columns up to
-- older are read by place in sqlite_rows.py.
CREATE TEMP VIEW inbox AS
WITH
-- T2: who has left sees the head as it was then. The JSON leaves out what is 0.
seen AS (
    SELECT
        m.account, m.conversation, m.key,
        m.version, m.joined_ms, m.joined_seq, m.joined_version,
        m.read_seq, m.read_ordinal, m.skipped_after_read,
        m.cleared_seq, m.deleted_seq, m.removed, m.parting,
        m.read_epoch, m.marked_unread, m.mute, m.draft_ms, m.draft_text,
        m.pin_rank, m.pinned_ms, m.pin_updated_ms, m.pin_ext,
        m.archived_seq, m.archived_ordinal, m.archived_own, m.archived_version,
        m.mute_until_ms, m.labels, m.extension, m.alias, m.last_hidden,
        h.version AS head_version, h.last_seq, h.ordinal, h.time_ms, h.activity_ms,
        h.last_retraction, h.low_receipt, h.high_receipt, h.dismissed, h.name, h.owner, h.preview,
        h.faces, h.avatar, h.changes, h.last_mention,
        CASE WHEN m.parting IS NULL THEN h.version ELSE 0 END AS seen_version,
        CASE WHEN m.parting IS NULL THEN h.last_seq ELSE coalesce(m.parting ->> 'last_seq', 0) END
            AS seen_last_seq,
        CASE WHEN m.parting IS NULL THEN h.ordinal ELSE coalesce(m.parting ->> 'ordinal', 0) END
            AS seen_ordinal,
        CASE WHEN m.parting IS NULL THEN h.activity_ms ELSE coalesce(m.parting ->> 'activity_ms', 0) END
            AS seen_activity_ms,
        CASE WHEN m.parting IS NULL THEN h.last_retraction ELSE coalesce(m.parting ->> 'last_retraction', 0) END
            AS seen_last_retraction,
        CASE WHEN m.parting IS NULL THEN h.changes ELSE coalesce(m.parting ->> 'changes', 0) END
            AS seen_changes,
        CASE WHEN m.parting IS NULL THEN h.last_mention ELSE coalesce(m.parting ->> 'last_mention', 0) END
            AS seen_last_mention,
        CASE
            WHEN m.last_hidden = 0 THEN NULL
            WHEN m.parting IS NULL THEN h.preview ->> 'seq'
            ELSE m.parting ->> '$.preview.seq'
        END AS seen_preview_seq
    FROM memberships AS m
    CROSS JOIN heads AS h ON h.key = m.key
),
-- U2: others' recalled messages after read_seq; nearly always there are none to look for.
counted AS (
    SELECT
        *,
        CASE WHEN seen_last_retraction > read_seq THEN (
            SELECT count(*)
            FROM messages AS r
            WHERE r.key = seen.key
                AND r.seq > seen.read_seq
                AND r.seq <= seen.seen_last_retraction
                AND r.state IN ('recalled', 'gone')
                AND r.change <= seen.seen_changes
                AND r.counts
                AND r.sender <> seen.account
                AND NOT EXISTS (
                    SELECT * FROM hidden AS x
                    WHERE x.account = seen.account AND x.key = r.key AND x.seq = r.seq
                )
        ) ELSE 0 END AS retracted_after_read,
        -- G3: a message that mentions the account by name counts as that alone.
        CASE WHEN seen_last_mention > read_seq THEN (
            SELECT count(*)
            FROM mentions AS t
            WHERE t.key = seen.key
                AND t.target = seen.account
                AND t.seq > seen.read_seq
                AND t.seq <= seen.seen_last_seq
                AND t.sender <> seen.account
                AND NOT EXISTS (
                    SELECT * FROM hidden AS x
                    WHERE x.account = seen.account AND x.key = t.key AND x.seq = t.seq
                )
                AND t.since <= seen.seen_changes
                AND (t.until IS NULL OR t.until > seen.seen_changes)
        ) ELSE 0 END AS mentions_me,
        CASE WHEN seen_last_mention > read_seq THEN (
            SELECT count(*)
            FROM mentions AS t
            WHERE t.key = seen.key
                AND t.target = '@all'
                AND t.seq > seen.read_seq
                AND t.seq <= seen.seen_last_seq
                AND t.sender <> seen.account
                AND NOT EXISTS (
                    SELECT * FROM hidden AS x
                    WHERE x.account = seen.account AND x.key = t.key AND x.seq = t.seq
                )
                AND t.since <= seen.seen_changes
                AND (t.until IS NULL OR t.until > seen.seen_changes)
                AND NOT EXISTS (
                    SELECT *
                    FROM mentions AS me
                    WHERE me.key = t.key
                        AND me.target = seen.account
                        AND me.seq = t.seq
                        AND me.since <= seen.seen_changes
                        AND (me.until IS NULL OR me.until > seen.seen_changes)
                )
        ) ELSE 0 END AS mentions_all,
        CASE WHEN last_hidden >= seen_preview_seq THEN EXISTS (
            SELECT * FROM hidden AS x
            WHERE x.account = seen.account AND x.key = seen.key AND x.seq = seen_preview_seq
        ) ELSE 0 END AS preview_hidden
    FROM seen
)
SELECT
    account, conversation, key,
    version, joined_ms, joined_seq, joined_version,
    read_seq, read_ordinal, skipped_after_read,
    cleared_seq, deleted_seq, removed, parting,
    read_epoch, marked_unread, mute, draft_ms, draft_text,
    pin_rank, pinned_ms, pin_updated_ms, pin_ext,
    archived_seq, archived_ordinal, archived_own, archived_version,
    mute_until_ms, labels, extension, alias, last_hidden,
    head_version, last_seq, ordinal, time_ms, activity_ms,
    last_retraction, low_receipt, high_receipt, dismissed, name, owner, preview,
    faces, avatar, changes, last_mention,
    retracted_after_read, mentions_me, mentions_all, preview_hidden,
    -- P2: the next older message, where the newest one is hidden.
    CASE WHEN preview_hidden THEN (
        SELECT json_array(
            o.seq, o.sender, o.client_id, o.time_ms, o.kind, substr(o.text, 1, 400), o.state,
            o.recalled_by
        )
        FROM messages AS o
        WHERE o.key = counted.key
            AND o.seq < seen_preview_seq
            AND o.previews
            AND o.state <> 'gone'
            AND NOT EXISTS (
                SELECT * FROM hidden AS x
                WHERE x.account = counted.account AND x.key = o.key AND x.seq = o.seq
            )
        ORDER BY o.seq DESC
        LIMIT 1
    ) END AS older,
    max(version, seen_version) AS row_version,
    -- D2: deleted, until a message comes after that.
    seen_last_seq > deleted_seq AS visible,
    -- O2, G1; ascending places are the order of O1: the number is PINS of core/ordering.py.
    coalesce(
        pin_rank - 1152921504606846976,
        -max(seen_activity_ms, joined_ms, coalesce(draft_ms, 0))
    ) AS place,
    -- U2
    seen_ordinal - read_ordinal - skipped_after_read - retracted_after_read AS unread,
    -- G4: until somebody else writes; of a muted row that does not matter.
    archived_seq IS NOT NULL AND (
        mute IS NOT NULL OR seen_ordinal - archived_ordinal - archived_own <= 0
    ) AS archived,
    seen_last_seq, seen_changes
FROM counted;

-- mentions --
-- The messages behind the mentions of a row, oldest first (G3).
SELECT DISTINCT t.seq
FROM inbox
CROSS JOIN mentions AS t
    ON t.key = inbox.key
    AND t.target IN (inbox.account, '@all')
    AND t.seq > max(inbox.read_seq, :after_seq)
    AND t.seq <= inbox.seen_last_seq
    AND t.sender <> inbox.account
    AND NOT EXISTS (
        SELECT * FROM hidden AS x
        WHERE x.account = inbox.account AND x.key = t.key AND x.seq = t.seq
    )
    AND t.since <= inbox.seen_changes
    AND (t.until IS NULL OR t.until > inbox.seen_changes)
WHERE inbox.account = :account AND inbox.conversation = :conversation
ORDER BY t.seq
LIMIT :limit;

-- inbox_of --
-- All rows of an account, hidden ones included.
SELECT * FROM inbox WHERE account = :account;

-- look --
-- The rows of given pairs of account and conversation, as JSON.
SELECT inbox.*
FROM json_each(:pairs) AS pair
CROSS JOIN inbox ON inbox.account = pair.value ->> 0 AND inbox.conversation = pair.value ->> 1;

-- changed_since --
-- An account's rows that changed after a version, hidden ones included: one look-up per row.
SELECT * FROM inbox WHERE account = :account AND row_version > :version;

-- page --
-- The visible rows after a place (O1, O4, D2): the places of all are sorted, then the rows read.
WITH chosen AS MATERIALIZED (
    SELECT place, conversation
    FROM inbox
    WHERE account = :account
        AND visible
        AND archived = coalesce(:archived, archived)
        AND (place, conversation) > (:place, :conversation)
    ORDER BY place, conversation
    LIMIT :limit
)
SELECT inbox.*
FROM chosen
CROSS JOIN inbox ON inbox.account = :account AND inbox.conversation = chosen.conversation
ORDER BY chosen.place, chosen.conversation;

-- totals --
-- The sums over an account's visible rows (U2, U4, R4, G3, G4, C2).
SELECT
    coalesce(sum(unread), 0),
    count(*) FILTER (WHERE unread > 0),
    count(*),
    coalesce(sum(unread) FILTER (WHERE mute IS NOT NULL), 0),
    count(*) FILTER (WHERE marked_unread > 0),
    coalesce(sum(mentions_me + mentions_all), 0),
    coalesce(sum(mentions_me + mentions_all) FILTER (WHERE mute = 'mentions'), 0)
FROM inbox
WHERE account = :account AND visible AND NOT archived;
