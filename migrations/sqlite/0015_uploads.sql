-- Uploads that come in several requests (tus). What is received is durable when it is counted here.
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    -- `Upload-Metadata` as it was sent.
    metadata TEXT NOT NULL,
    -- Unknown until the client says so.
    size_bytes BIGINT,
    received_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- A day after the last byte; microseconds since 1970, as all times.
    expires_at BIGINT NOT NULL,
    -- The request that is writing, and until when it is believed to be alive.
    holder TEXT,
    held_until BIGINT,
    -- What it became.
    blob_id TEXT,
    crash_id TEXT
);
CREATE INDEX uploads_expires_at ON uploads (expires_at);

CREATE TABLE upload_pieces (
    upload_id TEXT NOT NULL,
    start_bytes BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- In the spool of the blob store.
    name TEXT NOT NULL,
    PRIMARY KEY (upload_id, start_bytes)
);
CREATE INDEX upload_pieces_name ON upload_pieces (name);
