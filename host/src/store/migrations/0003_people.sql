-- People sign in by passkeys; what signs their requests are keys of their devices. Nothing here is a secret.
CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- The id is derived from the credential's, which is base64url.
CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    name TEXT NOT NULL,
    relying_party TEXT NOT NULL,
    credential TEXT NOT NULL UNIQUE,
    algorithm TEXT NOT NULL,
    public_key TEXT NOT NULL,
    backup_eligible BIGINT NOT NULL,
    counter BIGINT NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT
);

CREATE INDEX passkeys_of_person ON passkeys (person, created, id);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    name TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_key TEXT NOT NULL UNIQUE,
    environment TEXT NOT NULL,
    passkey TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    last_used_from TEXT NOT NULL,
    revoked BIGINT
);

CREATE INDEX sessions_of_person ON sessions (person, created, id);

-- Who did what of a person's. Nothing changes or removes a row.
CREATE TABLE personal_events (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    happened BIGINT NOT NULL,
    request TEXT NOT NULL
);

CREATE INDEX events_of_person ON personal_events (person, happened, id);
