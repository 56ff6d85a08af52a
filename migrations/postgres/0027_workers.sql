-- Processes that work, each with when it said so last. They go when they end, and an hour after they were killed.
CREATE TABLE workers (
    name TEXT NOT NULL PRIMARY KEY,
    tasks BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
