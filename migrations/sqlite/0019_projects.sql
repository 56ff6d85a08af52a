-- What belongs together, and is counted and limited together. What was there before projects belongs to `default`, and
-- so does what a process of the version before writes while it still runs: each column has that default.
CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL for what the server is told to take from anybody.
    requests_per_minute BIGINT,
    upload_bytes_per_day BIGINT,
    -- From when on nothing new is taken in.
    archived_at BIGINT
);
INSERT INTO projects (id, name, created_at)
    VALUES ('default', 'Default', CAST(strftime('%s', 'now') AS BIGINT) * 1000000);

ALTER TABLE crashes ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
CREATE INDEX crashes_project ON crashes (project, id);
ALTER TABLE crash_groups ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
-- Lists and counts of one project, without the wide rows.
CREATE INDEX crash_groups_project ON crash_groups (project, last_seen, id, crashes, state, class, owner, family)
    WHERE crashes > 0;
ALTER TABLE uploads ADD COLUMN project TEXT NOT NULL DEFAULT 'default';

-- The bytes of evidence are stored once. Who may name, see or fetch them is whoever has sent them, too. A blob without a
-- row here is of `default`.
CREATE TABLE blob_projects (
    blob_id TEXT NOT NULL REFERENCES blobs (id),
    project TEXT NOT NULL,
    -- File name and time as this project gave them first.
    name TEXT,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (blob_id, project)
);

-- Projects take turns: the one whose last job was claimed longest ago comes first.
ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
-- When a job was last claimed, in turns of all jobs.
ALTER TABLE jobs ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
CREATE INDEX jobs_turn ON jobs (project, turn);
-- In the place of jobs_due: each project has its own first job.
DROP INDEX jobs_due;
CREATE INDEX jobs_due_in ON jobs (state, project, priority, run_after, id);
