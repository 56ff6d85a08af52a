-- A group is no longer one signature: groups are merged, split, and made by rules.
ALTER TABLE crash_groups DROP CONSTRAINT crash_groups_signature_version_fingerprint_key;
ALTER TABLE crash_groups ADD COLUMN notes TEXT;
-- How it came to be: 'signature', 'split' or 'rule'.
ALTER TABLE crash_groups ADD COLUMN origin TEXT NOT NULL DEFAULT 'signature';
-- The group that has its crashes now.
ALTER TABLE crash_groups ADD COLUMN merged_into TEXT REFERENCES crash_groups (id);
ALTER TABLE crash_groups ADD COLUMN state_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE crash_groups ADD COLUMN state_reason TEXT;
-- JSON: what it was resolved in.
ALTER TABLE crash_groups ADD COLUMN resolved TEXT;
-- JSON: what ends its being muted, and by when at the latest.
ALTER TABLE crash_groups ADD COLUMN mute TEXT;
ALTER TABLE crash_groups ADD COLUMN mute_until BIGINT;
ALTER TABLE crash_groups ADD COLUMN keep_cores BIGINT;
-- Where its crashes went with a new version of the signature; empty when to several groups.
ALTER TABLE crash_groups ADD COLUMN moved_to TEXT;
UPDATE crash_groups SET state_since = first_seen;
UPDATE crash_groups SET resolved = '{"in":{},"at":' || CAST(last_seen AS TEXT) || '}' WHERE state = 'resolved';
CREATE INDEX crash_groups_family ON crash_groups (family);
CREATE INDEX crash_groups_merged ON crash_groups (merged_into);
CREATE INDEX crash_groups_mute_until ON crash_groups (mute_until);

-- Signatures, and which group each stands for. A group that was merged, split or made by a rule has
-- several, or one that another group has too.
CREATE TABLE signatures (
    version BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    family TEXT NOT NULL,
    title TEXT NOT NULL,
    class TEXT NOT NULL,
    frames TEXT NOT NULL,
    explanation TEXT NOT NULL,
    -- Null as long as every crash with it was claimed by a rule.
    group_id TEXT REFERENCES crash_groups (id),
    -- A person said so.
    pinned BOOLEAN NOT NULL,
    PRIMARY KEY (version, fingerprint)
);
CREATE INDEX signatures_group ON signatures (group_id);
INSERT INTO signatures (version, fingerprint, family, title, class, frames, explanation, group_id, pinned)
    SELECT signature_version, fingerprint, family, title, class, frames, explanation, id, FALSE FROM crash_groups;

-- Where a crash belongs before merges are followed, and why.
ALTER TABLE crashes ADD COLUMN home_group_id TEXT REFERENCES crash_groups (id);
ALTER TABLE crashes ADD COLUMN pinned_group_id TEXT REFERENCES crash_groups (id);
ALTER TABLE crashes ADD COLUMN rule_id TEXT;
ALTER TABLE crashes ADD COLUMN mute_rule_id TEXT;
ALTER TABLE crashes ADD COLUMN vcs_revision TEXT;
-- What tells its build from others: a key of `builds`.
ALTER TABLE crashes ADD COLUMN build TEXT;
ALTER TABLE crashes ADD COLUMN pid BIGINT;
-- The crash that has its evidence now: two pieces of evidence turned out to be of one crash.
ALTER TABLE crashes ADD COLUMN joined_into TEXT REFERENCES crashes (id);
UPDATE crashes SET home_group_id = group_id, build = COALESCE(gnu_build_id, go_build_id, text_sha256);
CREATE INDEX crashes_home ON crashes (home_group_id);
CREATE INDEX crashes_pinned ON crashes (pinned_group_id);
CREATE INDEX crashes_signature ON crashes (signature_version, fingerprint);

-- Builds in the order in which they were seen first: in a crash, or as an uploaded executable.
CREATE TABLE builds (
    id TEXT NOT NULL PRIMARY KEY,
    module TEXT,
    module_version TEXT,
    vcs_revision TEXT,
    first_seen BIGINT NOT NULL
);
CREATE INDEX builds_revision ON builds (vcs_revision);
INSERT INTO builds (id, module, module_version, first_seen)
    SELECT build, MAX(module), MAX(module_version), MIN(seen_at) FROM crashes WHERE build IS NOT NULL GROUP BY build;

-- Counts of a group's crashes by what they have in common, kept with every change, so that neither
-- storing a crash nor showing a group counts all of them.
CREATE TABLE group_facets (
    group_id TEXT NOT NULL REFERENCES crash_groups (id),
    facet TEXT NOT NULL,
    value TEXT NOT NULL,
    crashes BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    PRIMARY KEY (group_id, facet, value)
);
CREATE INDEX group_facets_value ON group_facets (facet, value);
CREATE TABLE group_hours (
    group_id TEXT NOT NULL REFERENCES crash_groups (id),
    -- Hours since 1970.
    hour BIGINT NOT NULL,
    crashes BIGINT NOT NULL,
    PRIMARY KEY (group_id, hour)
);
INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen)
    SELECT group_id, 'service', service, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes
    WHERE group_id IS NOT NULL AND service IS NOT NULL GROUP BY group_id, service;
INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen)
    SELECT group_id, 'go-version', go_version, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes
    WHERE group_id IS NOT NULL AND go_version IS NOT NULL GROUP BY group_id, go_version;
INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen)
    SELECT group_id, 'version', module_version, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes
    WHERE group_id IS NOT NULL AND module_version IS NOT NULL GROUP BY group_id, module_version;
INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen)
    SELECT group_id, 'host', hostname, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes
    WHERE group_id IS NOT NULL AND hostname IS NOT NULL GROUP BY group_id, hostname;
INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen)
    SELECT group_id, 'build', build, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes
    WHERE group_id IS NOT NULL AND build IS NOT NULL GROUP BY group_id, build;
INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen)
    SELECT group_id, 'class', class, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes
    WHERE group_id IS NOT NULL AND class IS NOT NULL GROUP BY group_id, class;
INSERT INTO group_facets (group_id, facet, value, crashes, first_seen, last_seen)
    SELECT group_id, 'signature', CAST(signature_version AS TEXT) || ':' || fingerprint, COUNT(*), MIN(seen_at), MAX(seen_at) FROM crashes
    WHERE group_id IS NOT NULL AND fingerprint IS NOT NULL GROUP BY group_id, CAST(signature_version AS TEXT) || ':' || fingerprint;
INSERT INTO group_hours (group_id, hour, crashes)
    SELECT group_id, seen_at / 3600000000, COUNT(*) FROM crashes WHERE group_id IS NOT NULL
    GROUP BY group_id, seen_at / 3600000000;

-- Who changed what about a group, numbered from 1 in each.
CREATE TABLE group_history (
    group_id TEXT NOT NULL REFERENCES crash_groups (id),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    -- What it changed, from and to.
    changed_from TEXT NOT NULL,
    changed_to TEXT NOT NULL,
    reason TEXT,
    -- The entry that took it back.
    undone_by BIGINT,
    PRIMARY KEY (group_id, seq)
);

-- What somebody may want to be told of, in the order in which it was committed.
CREATE TABLE events (
    seq BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES crash_groups (id),
    crash_id TEXT,
    at BIGINT NOT NULL,
    reason TEXT
);
CREATE INDEX events_group ON events (group_id, seq);
INSERT INTO turnstiles (name, passes) VALUES ('events', 0);
