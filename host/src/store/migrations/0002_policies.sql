-- What an organisation forbids itself: each version whole, the latest in force.
CREATE TABLE policies (
    organisation TEXT NOT NULL REFERENCES organisations (id),
    version BIGINT NOT NULL,
    text TEXT NOT NULL,
    changed BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (organisation, version)
);
