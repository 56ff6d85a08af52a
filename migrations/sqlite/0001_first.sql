-- Times are microseconds since 1970, UTC. JSON is text. Identifiers of blobs are the SHA-256 of
-- their bytes in hexadecimal, all others UUIDs of version 7, which sort by time.
-- The file of the same name for the other database differs in column types alone.

CREATE TABLE blobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT,
    size_bytes BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);

CREATE TABLE binaries (
    id TEXT NOT NULL PRIMARY KEY REFERENCES blobs (id),
    identified BOOLEAN NOT NULL,
    go_version TEXT,
    module TEXT,
    module_version TEXT,
    vcs_revision TEXT,
    gnu_build_id TEXT,
    go_build_id TEXT,
    text_sha256 TEXT,
    dwarf TEXT,
    stripped BOOLEAN,
    problem TEXT,
    received_at BIGINT NOT NULL
);
CREATE INDEX binaries_gnu ON binaries (gnu_build_id);
CREATE INDEX binaries_go ON binaries (go_build_id);
CREATE INDEX binaries_received ON binaries (received_at, id);

CREATE TABLE crash_groups (
    id TEXT NOT NULL PRIMARY KEY,
    signature_version BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    family TEXT NOT NULL,
    title TEXT NOT NULL,
    class TEXT NOT NULL,
    state TEXT NOT NULL,
    owner TEXT,
    frames TEXT NOT NULL,
    explanation TEXT NOT NULL,
    -- Derived from crashes in the same transaction that changes those.
    crashes BIGINT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    UNIQUE (signature_version, fingerprint)
);
CREATE INDEX crash_groups_last_seen ON crash_groups (last_seen, id);
CREATE INDEX crash_groups_first_seen ON crash_groups (first_seen, id);
CREATE INDEX crash_groups_crashes ON crash_groups (crashes, id);

CREATE TABLE crashes (
    id TEXT NOT NULL PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    idempotency_key TEXT UNIQUE,
    status TEXT NOT NULL,
    group_id TEXT REFERENCES crash_groups (id),
    class TEXT,
    title TEXT,
    confidence TEXT,
    service TEXT,
    go_version TEXT,
    module TEXT,
    module_version TEXT,
    hostname TEXT,
    labels TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    occurred_at BIGINT,
    -- When it happened as far as is known: occurred_at, else received_at.
    seen_at BIGINT NOT NULL,
    started_at BIGINT,
    analysed_at BIGINT,
    attempts BIGINT NOT NULL,
    signature_version BIGINT,
    fingerprint TEXT,
    family TEXT,
    executable TEXT,
    gnu_build_id TEXT,
    go_build_id TEXT,
    missing_binary BOOLEAN NOT NULL,
    failure TEXT,
    diagnostics TEXT NOT NULL,
    -- Counts the reports that were stored; 0 while there is none.
    report_revision BIGINT NOT NULL
);
CREATE INDEX crashes_group ON crashes (group_id, seen_at);
CREATE INDEX crashes_facets ON crashes (group_id, service, go_version, module_version, hostname);
CREATE INDEX crashes_status ON crashes (status, id);
CREATE INDEX crashes_gnu ON crashes (gnu_build_id);
CREATE INDEX crashes_go ON crashes (go_build_id);

CREATE TABLE crash_evidence (
    crash_id TEXT NOT NULL REFERENCES crashes (id),
    blob_id TEXT NOT NULL REFERENCES blobs (id),
    kind TEXT NOT NULL,
    -- 'named' by whoever reported the crash, or 'matched' by build ID.
    origin TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (crash_id, blob_id, kind)
);
CREATE INDEX crash_evidence_blob ON crash_evidence (blob_id);

CREATE TABLE report_parts (
    crash_id TEXT NOT NULL REFERENCES crashes (id),
    part TEXT NOT NULL,
    seq BIGINT NOT NULL,
    -- zstd.
    body BLOB NOT NULL,
    PRIMARY KEY (crash_id, part, seq)
);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    -- How often it was asked for, and how much of that the claimed run answers.
    wanted BIGINT NOT NULL,
    claimed BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    run_after BIGINT NOT NULL,
    lease_token TEXT,
    lease_until BIGINT,
    worker TEXT,
    problem TEXT,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due ON jobs (state, run_after);

-- Rows whose update serialises transactions that have to see each other's work.
CREATE TABLE turnstiles (
    name TEXT NOT NULL PRIMARY KEY,
    passes BIGINT NOT NULL
);
INSERT INTO turnstiles (name, passes) VALUES ('binaries', 0);
