-- Since when a job has had to wait for what is in the hands of others, and of which claim of it that was said.
ALTER TABLE jobs ADD COLUMN waits_since BIGINT;
ALTER TABLE jobs ADD COLUMN waits_claim BIGINT;
