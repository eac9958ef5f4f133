-- A code has 128 random bits, so its SHA-256 says nothing about it.
CREATE TABLE recovery_codes (
    code_hash TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    created BIGINT NOT NULL,
    used_by TEXT
);

CREATE INDEX recovery_codes_of_person ON recovery_codes (person);

-- What was begun and waits, by the device that will finish it.
CREATE TABLE recoveries (
    device TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    name TEXT NOT NULL,
    begun BIGINT NOT NULL,
    due BIGINT NOT NULL,
    begun_from TEXT NOT NULL
);

CREATE INDEX recoveries_of_person ON recoveries (person, begun, device);
