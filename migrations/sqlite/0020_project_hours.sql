-- Bytes that were sent to a project, by hour since 1970, where its day is limited. Written every few seconds, not
-- with every request.
CREATE TABLE project_hours (
    project TEXT NOT NULL,
    hour BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (project, hour)
);
