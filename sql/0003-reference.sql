-- Reference data: units of the bank, sources as the desk knows them, what the bank defined; and the rulebook with all its versions.
-- @oldest 1
--
-- Numbers are given once and never again. unit NULL is the whole bank; owner is who made it. version counts the changes of a row. mac is
-- over all other columns. Times are milliseconds since 1970, UTC.

CREATE TABLE unit (
    number BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    parent BIGINT,
    zone TEXT NOT NULL,
    locale TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
CREATE UNIQUE INDEX unit_code ON unit (code);

-- What people say of a sender system. Its name, keys and limits are the node's, in the file of sources under the data directory, by the
-- same number; pending is what the desk still has to write there.
CREATE TABLE source (
    number BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    unit BIGINT,
    owner TEXT NOT NULL,
    pending TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

-- Apps, packages, purposes, segments, tiers, attributes of customers, kinds of contact. Below 16 are those that every installation has.
-- details: canonical JSON, by kind.
CREATE TABLE definition (
    kind TEXT NOT NULL,
    number BIGINT NOT NULL,
    version BIGINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    unit BIGINT,
    owner TEXT NOT NULL,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    retired_at BIGINT,
    mac BYTEA NOT NULL,
    PRIMARY KEY (kind, number)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
CREATE UNIQUE INDEX definition_code ON definition (kind, code);

-- An object of the rulebook; newest is the number of its newest version.
CREATE TABLE rulebook_object (
    number BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    unit BIGINT,
    owner TEXT NOT NULL,
    newest BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
CREATE UNIQUE INDEX rulebook_object_key ON rulebook_object (kind, key);

-- Never changed. Whether a version is a draft, published or retired follows from the releases it is in. content is canonical JSON, hash its
-- SHA-256, which stands for it in the mac.
CREATE TABLE rulebook_version (
    object BIGINT NOT NULL,
    number BIGINT NOT NULL,
    author TEXT NOT NULL,
    at BIGINT NOT NULL,
    note TEXT NOT NULL,
    content TEXT NOT NULL,
    hash BYTEA NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (object, number)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

-- Never changed. hash is that of the file which the node gets, over its number, its time and every object with its content: no entry can
-- be added, taken out or exchanged unseen. restores: the release it rolled back to.
CREATE TABLE rulebook_release (
    number BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    restores BIGINT,
    hash BYTEA NOT NULL,
    mac BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

CREATE TABLE rulebook_entry (
    release BIGINT NOT NULL,
    object BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (release, object)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
CREATE INDEX rulebook_entry_object ON rulebook_entry (object, version);
