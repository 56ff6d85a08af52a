-- Jobs of a lower number are done first: what a person waits for, what has just arrived, what is about history.
ALTER TABLE jobs ADD COLUMN priority BIGINT NOT NULL DEFAULT 100;
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (state, priority, run_after, id);

-- Where crashes were before a split of their signatures moved them, unless that was where the signature says.
CREATE TABLE split_crashes (
    group_id TEXT NOT NULL REFERENCES crash_groups (id),
    -- The split's entry in the history of that group.
    seq BIGINT NOT NULL,
    crash_id TEXT NOT NULL REFERENCES crashes (id),
    home_group_id TEXT NOT NULL REFERENCES crash_groups (id),
    rule_id TEXT,
    PRIMARY KEY (group_id, seq, crash_id)
);

-- Crashes that have arrived since the group was muted. Merges do not change it, as they do the count of the group.
ALTER TABLE crash_groups ADD COLUMN mute_crashes BIGINT NOT NULL DEFAULT 0;
UPDATE crash_groups SET mute_crashes = MAX(crashes - CAST(json_extract(mute, '$.crashes_at_start') AS BIGINT), 0)
    WHERE mute IS NOT NULL;

-- So that the halves of a crash are found among all crashes of its bug by their time.
ALTER TABLE join_keys ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
UPDATE join_keys SET seen_at = (SELECT c.seen_at FROM crashes c WHERE c.id = crash_id);
DROP INDEX join_keys_fault;
CREATE INDEX join_keys_fault ON join_keys (fault, side, seen_at);

-- JSON: what the two crashes were before they were joined. Null for those of before this was kept.
ALTER TABLE crash_joins ADD COLUMN before TEXT;
-- Crashes that a person has parted; the first is the older one.
CREATE TABLE parted_crashes (
    one_id TEXT NOT NULL REFERENCES crashes (id),
    other_id TEXT NOT NULL REFERENCES crashes (id),
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (one_id, other_id)
);
