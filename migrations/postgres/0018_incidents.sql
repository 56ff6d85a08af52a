-- What an alert manager told of, and the crashes that happened meanwhile.
CREATE TABLE incidents (
    id TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL DEFAULT 'default',
    -- The labels that its alerts are grouped by, as JSON in the order of their names; else the group's key.
    identity TEXT NOT NULL,
    state TEXT NOT NULL,
    title TEXT NOT NULL,
    receiver TEXT NOT NULL,
    -- Labels and annotations that all alerts have, as JSON.
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    external_url TEXT,
    starts_at BIGINT NOT NULL,
    -- When all its alerts were over.
    ends_at BIGINT,
    -- When it was heard of last.
    updated_at BIGINT NOT NULL
);
CREATE INDEX incidents_identity ON incidents (project, identity, starts_at);
CREATE INDEX incidents_state ON incidents (state, id);
CREATE INDEX incidents_starts ON incidents (starts_at);

CREATE TABLE incident_alerts (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    fingerprint TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT,
    state TEXT NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    generator_url TEXT,
    PRIMARY KEY (incident_id, fingerprint, starts_at)
);
CREATE INDEX incident_alerts_fingerprint ON incident_alerts (fingerprint, starts_at);

-- What a crash has to have to be linked: 'service' or 'host'; and what it must not have otherwise: 'scope'.
CREATE TABLE incident_keys (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    kind TEXT NOT NULL,
    -- The label of the alert.
    label TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (incident_id, kind, label, value)
);
CREATE INDEX incident_keys_value ON incident_keys (kind, value);

CREATE TABLE incident_crashes (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    crash_id TEXT NOT NULL REFERENCES crashes (id),
    -- Why, for people.
    reason TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (incident_id, crash_id)
);
CREATE INDEX incident_crashes_crash ON incident_crashes (crash_id);
