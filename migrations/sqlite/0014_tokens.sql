-- What lets clients in. The text of a token is nowhere; it is random, so that its SHA-256 is enough to know it again
-- and tells nothing of it.
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- SHA-256 of the text, in hexadecimal.
    digest TEXT NOT NULL UNIQUE,
    -- With spaces between them.
    scopes TEXT NOT NULL,
    -- The one project that it is for; NULL for all that there are.
    project TEXT,
    created_at BIGINT NOT NULL,
    -- To the hour.
    last_used_at BIGINT,
    expires_at BIGINT,
    revoked_at BIGINT
);
