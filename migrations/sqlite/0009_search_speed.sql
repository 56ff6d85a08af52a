-- Crashes of the last hours are found without reading all of them.
CREATE INDEX crashes_seen ON crashes (seen_at, id);
