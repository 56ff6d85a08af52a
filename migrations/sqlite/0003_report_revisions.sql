-- The report before the newest is kept, so that whoever is in the middle of reading one goes on when the
-- crash has been analysed again.
CREATE TABLE report_parts_of_revisions (
    crash_id TEXT NOT NULL REFERENCES crashes (id),
    -- As crashes.report_revision counts them.
    revision BIGINT NOT NULL,
    part TEXT NOT NULL,
    seq BIGINT NOT NULL,
    -- zstd.
    body BLOB NOT NULL,
    PRIMARY KEY (crash_id, revision, part, seq)
);
INSERT INTO report_parts_of_revisions (crash_id, revision, part, seq, body)
    SELECT p.crash_id, c.report_revision, p.part, p.seq, p.body FROM report_parts p JOIN crashes c ON c.id = p.crash_id;
DROP TABLE report_parts;
ALTER TABLE report_parts_of_revisions RENAME TO report_parts;
