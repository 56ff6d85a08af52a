-- Objects that become evidence: of buckets that send events, and those that clients put into our own bucket.
CREATE TABLE objects (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL DEFAULT 'default',
    -- 'event' or 'upload'.
    origin TEXT NOT NULL,
    -- Name of the source; empty for our own bucket.
    source TEXT NOT NULL,
    bucket TEXT NOT NULL,
    object_key TEXT NOT NULL,
    -- As the event has it, before it was decoded.
    raw_key TEXT NOT NULL,
    -- What tells the objects apart that a key has had: version id, else entity tag, else empty.
    version TEXT NOT NULL,
    version_id TEXT,
    etag TEXT,
    size_bytes BIGINT,
    -- Orders the events of one key.
    sequencer TEXT,
    kind TEXT,
    name TEXT,
    -- What has to come out.
    sha256 TEXT,
    -- An upload in parts, as the store calls it.
    upload_id TEXT,
    parts BIGINT,
    expires_at BIGINT,
    state TEXT NOT NULL,
    problem TEXT,
    blob_id TEXT,
    crash_id TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- When it was removed at its place, as an event said.
    removed_at BIGINT,
    UNIQUE (source, object_key, version)
);
CREATE INDEX objects_state ON objects (state, id);
CREATE INDEX objects_expires ON objects (expires_at);

-- The last that was heard of a key's removal; the event of what was removed may come after it.
CREATE TABLE removed_objects (
    source TEXT NOT NULL,
    object_key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    sequencer TEXT,
    removed_at BIGINT NOT NULL,
    PRIMARY KEY (source, object_key, version_id)
);
