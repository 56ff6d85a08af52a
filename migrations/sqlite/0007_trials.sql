-- What the signature of a crash would be as this program computes it, while that is only tried.
CREATE TABLE signature_trials (
    crash_id TEXT NOT NULL PRIMARY KEY REFERENCES crashes (id),
    -- Null for what would not be grouped.
    version BIGINT,
    fingerprint TEXT,
    title TEXT
);
