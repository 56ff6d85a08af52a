-- What crashes can be searched by. A value is stored once; a crash has numbers of values. So patterns are tried
-- on each value once, however many crashes have it, and the values that there are can be offered to people.
CREATE TABLE facts (
    id INTEGER NOT NULL PRIMARY KEY,
    -- As in the table of fields of the query language; 'label.env' for a label.
    name TEXT NOT NULL,
    -- Empty for a number.
    value TEXT NOT NULL,
    -- The value in lower case.
    folded TEXT NOT NULL,
    -- For versions: a text whose order is that of the versions.
    ordinal TEXT,
    UNIQUE (name, value)
);
CREATE INDEX facts_folded ON facts (name, folded);
CREATE INDEX facts_ordinal ON facts (name, ordinal);

CREATE TABLE crash_facts (
    crash_id TEXT NOT NULL REFERENCES crashes (id) ON DELETE CASCADE,
    fact_id BIGINT NOT NULL REFERENCES facts (id),
    -- Goroutines of that value, or the number; 1 for everything else.
    amount BIGINT NOT NULL,
    PRIMARY KEY (crash_id, fact_id)
) WITHOUT ROWID;
CREATE INDEX crash_facts_fact ON crash_facts (fact_id, crash_id, amount);

-- Which version of the program took the facts; 0 for crashes from before there were any.
ALTER TABLE crashes ADD COLUMN facts_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX crashes_facts_version ON crashes (facts_version, id);
-- What searches look at in every crash, without the wide rows around it.
CREATE INDEX crashes_narrow ON crashes (id, group_id, status, seen_at, received_at);

CREATE TABLE saved_queries (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    query TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
