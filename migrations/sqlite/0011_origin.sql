-- When it happened was read from the evidence: what somebody says goes before.
ALTER TABLE crashes ADD COLUMN occurred_found BOOLEAN NOT NULL DEFAULT FALSE;
-- The version of the program as its reporter says; module_version is this where the evidence has none.
ALTER TABLE crashes ADD COLUMN reported_version TEXT;
