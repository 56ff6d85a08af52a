-- A crash whose executable is stripped goes on when a debug file or an unstripped twin arrives: one
-- with the same build ID, or with the same text.
ALTER TABLE crashes ADD COLUMN text_sha256 TEXT;
ALTER TABLE crashes ADD COLUMN missing_debug BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX crashes_text ON crashes (text_sha256);
CREATE INDEX binaries_text ON binaries (text_sha256);
