-- What is deleted by policy stays as a row that says so.
ALTER TABLE blobs ADD COLUMN deleted_at BIGINT;
-- Its bytes are gone from the disk.
ALTER TABLE blobs ADD COLUMN freed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX blobs_deleted ON blobs (deleted_at);
ALTER TABLE crash_evidence ADD COLUMN deleted_at BIGINT;
ALTER TABLE crash_evidence ADD COLUMN deleted_reason TEXT;
-- There is a core of it that could be deleted; so those of a group are found without looking at the rest.
ALTER TABLE crashes ADD COLUMN has_core BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE crashes ADD COLUMN core_deleted_at BIGINT;
UPDATE crashes SET has_core = TRUE
    WHERE id IN (SELECT crash_id FROM crash_evidence WHERE kind = 'core');
CREATE INDEX crashes_cores ON crashes (group_id, has_core, seen_at);

-- What a crash with a core alone, or with text alone, shares with its other half.
CREATE TABLE join_keys (
    crash_id TEXT NOT NULL PRIMARY KEY REFERENCES crashes (id),
    -- 'core' or 'text'.
    side TEXT NOT NULL,
    -- Digest of the goroutine at fault: its number and its functions and lines.
    fault TEXT NOT NULL,
    -- JSON: of each goroutine its number and a digest of its functions and lines.
    goroutines TEXT NOT NULL
);
CREATE INDEX join_keys_fault ON join_keys (fault, side);
CREATE TABLE crash_joins (
    joined_id TEXT NOT NULL PRIMARY KEY REFERENCES crashes (id),
    crash_id TEXT NOT NULL REFERENCES crashes (id),
    at BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX crash_joins_crash ON crash_joins (crash_id);

-- Rules: predicates that put crashes into one group, or mute the groups that have only such crashes.
CREATE TABLE rules (
    id TEXT NOT NULL PRIMARY KEY,
    -- 'merge' or 'mute'.
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    predicate TEXT NOT NULL,
    -- The group of what a merge rule claims.
    group_id TEXT REFERENCES crash_groups (id),
    -- JSON: what ends the mutes of a mute rule.
    mute TEXT,
    enabled BOOLEAN NOT NULL,
    deleted BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE TABLE rule_history (
    rule_id TEXT NOT NULL REFERENCES rules (id),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    changed_from TEXT NOT NULL,
    changed_to TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (rule_id, seq)
);
-- How far the newest grouping of all history has come; one row.
CREATE TABLE regrouping (
    id BIGINT NOT NULL PRIMARY KEY,
    -- The last crash that was looked at; empty at the beginning.
    reached TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    reason TEXT NOT NULL
);
INSERT INTO turnstiles (name, passes) VALUES ('rules', 0);
