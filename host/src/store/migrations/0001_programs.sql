-- Portable SQL: SQLite and PostgreSQL run the very same text. Ids, public keys and sets are text, times whole milliseconds since 1970.
CREATE TABLE organisations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_key TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    environment TEXT NOT NULL,
    networks TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    created BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    revoked BIGINT,
    replaced_by TEXT REFERENCES keys (id),
    last_used BIGINT,
    last_used_from TEXT
);

CREATE INDEX keys_of_organisation ON keys (organisation, created, id);

-- A code has 128 random bits, so its SHA-256 says nothing about it.
CREATE TABLE invitations (
    code_hash TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    scopes TEXT NOT NULL,
    environment TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used_by TEXT REFERENCES keys (id)
);

-- Who did what. Nothing changes or removes a row.
CREATE TABLE events (
    id TEXT NOT NULL PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisations (id),
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    happened BIGINT NOT NULL,
    request TEXT NOT NULL
);

CREATE INDEX events_of_organisation ON events (organisation, happened, id);

-- What a request with an Idempotency-Key was answered.
CREATE TABLE answers (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    answered BIGINT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
);

CREATE INDEX answers_by_time ON answers (answered);
