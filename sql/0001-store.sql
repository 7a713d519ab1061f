-- The bank's memory: the store's own tables, and the history that is projected from the log.
-- @oldest 1
--
-- Ids are 16 bytes in UUIDv7 form: their first 48 bits are milliseconds, so the order of ids is the order of time, the key of every
-- history table is its time index too, and PostgreSQL's months are ranges of ids (partitions are made by code ahead of time).
-- Times are milliseconds since 1970, UTC. sealed is ciphertext as it stands in the log, with the id of its key. Why it is cut so:
-- docs/decisions/0009-store.md.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

-- Who may administer: people and programs, by the hash of their key. rights: words with blanks between. unit: NULL is the whole bank.
-- mac is over all other columns.
CREATE TABLE principal (
    id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    rights TEXT NOT NULL,
    unit BIGINT,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    mac BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
CREATE UNIQUE INDEX principal_name ON principal (name);
CREATE UNIQUE INDEX principal_key ON principal (key_hash);

-- What was done, by whom, each entry holding the hash of the one before (docs/reference/audit-format.md). at is microseconds. sealed holds
-- salt and bytes of the details, commitment what the entry says of them.
CREATE TABLE audit (
    sequence BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    act TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    commitment BYTEA,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    key_id BIGINT NOT NULL,
    sealed BYTEA
) STRICT; -- @sqlite
); -- @postgres
CREATE INDEX audit_principal ON audit (principal, sequence);
CREATE INDEX audit_object ON audit (object, sequence);

-- One row: who writes an entry locks it first.
CREATE TABLE audit_lock (
    id SMALLINT NOT NULL PRIMARY KEY,
    taken BIGINT NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
INSERT INTO audit_lock (id, taken) VALUES (1, 0);

-- How far a follower has come in each partition of the log; written in the transaction of the rows.
CREATE TABLE cursor (
    follower TEXT NOT NULL,
    partition SMALLINT NOT NULL,
    sequence BIGINT NOT NULL,
    position BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (follower, partition)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

-- An obligation as it was accepted. Never changed.
CREATE TABLE notification (
    id BYTEA NOT NULL PRIMARY KEY,
    source INTEGER NOT NULL,
    class SMALLINT NOT NULL,
    received_at BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    event BYTEA,
    key_id BIGINT NOT NULL,
    sealed BYTEA
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres

-- One rendering on one channel. Changed only where its source replaced the text.
CREATE TABLE message (
    id BYTEA NOT NULL PRIMARY KEY,
    channel SMALLINT NOT NULL,
    parts SMALLINT NOT NULL,
    key_id BIGINT NOT NULL,
    sealed BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres

-- What a search goes through: the ids with a value of one kind (customer, phone, email, reference, source: numbers of SearchKind), by
-- quarter of an hour. hash is the value's keyed hash of 8 bytes, or the number of a source or customer. The quarter stands first so that what is
-- written now lies together: an index by hash alone is written all over, a page for a row.
CREATE TABLE lookup (
    slot INTEGER NOT NULL,
    kind SMALLINT NOT NULL,
    hash BIGINT NOT NULL,
    id BYTEA NOT NULL,
    PRIMARY KEY (slot, kind, hash, id)
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (slot); -- @postgres

-- Where a notification (ordinal 0 of its id) or a message stands: the one row that changes, and so small and without an index
-- beside its key. mac is over all other columns under the store's key.
CREATE TABLE state (
    id BYTEA NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    reason SMALLINT NOT NULL,
    flags INTEGER NOT NULL,
    route SMALLINT NOT NULL,
    attempts SMALLINT NOT NULL,
    changed_at BIGINT NOT NULL,
    ended_at BIGINT,
    told SMALLINT,
    told_at BIGINT,
    mac BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres

-- Ends other than delivered, which are few: what a search by state and reason goes through.
CREATE TABLE undelivered (
    id BYTEA NOT NULL,
    state SMALLINT NOT NULL,
    reason SMALLINT NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (state, id)
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres

-- One hand-over of one part to a provider, and its answer.
CREATE TABLE attempt (
    id BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    attempt SMALLINT NOT NULL,
    part SMALLINT NOT NULL,
    outcome SMALLINT NOT NULL,
    status BIGINT NOT NULL,
    handed_at BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    connection TEXT NOT NULL,
    provider_id TEXT,
    PRIMARY KEY (id, sequence)
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres

-- What a provider reported later of one part.
CREATE TABLE receipt (
    id BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    part SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    error INTEGER NOT NULL,
    heard_at BIGINT NOT NULL,
    provider_id TEXT NOT NULL,
    PRIMARY KEY (id, sequence)
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres

-- A message from a customer.
CREATE TABLE inbound (
    id BYTEA NOT NULL PRIMARY KEY,
    source INTEGER NOT NULL,
    route SMALLINT NOT NULL,
    received_at BIGINT NOT NULL,
    parts SMALLINT NOT NULL,
    missing SMALLINT NOT NULL,
    in_reply_to BYTEA,
    key_id BIGINT NOT NULL,
    sealed BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres
