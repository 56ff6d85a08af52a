-- What a running job is doing: which step, since when, and how far it is where that can be counted.
ALTER TABLE jobs ADD COLUMN step TEXT;
ALTER TABLE jobs ADD COLUMN step_since BIGINT;
ALTER TABLE jobs ADD COLUMN done_bytes BIGINT;
ALTER TABLE jobs ADD COLUMN total_bytes BIGINT;
