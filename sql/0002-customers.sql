-- Customers: what a decision reads of them in clear, what is personal sealed under each customer's own key, keyed hashes to find them by.
-- @oldest 1
--
-- Who writes here takes the next number of customer_change first and holds it to the end of the transaction: so numbers become visible in
-- their order, and whoever asks for what came after a number misses nothing. Why it is cut so: docs/decisions/0013-customers.md.

-- The newest number of a change. One row.
CREATE TABLE customer_change (
    id SMALLINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
INSERT INTO customer_change (id, number) VALUES (1, 0);

-- reference: keyed hash of the bank's reference. addresses: number, kind and keyed hash of each contact point, 10 bytes each. clear: a customer
-- record v1, sealed: its details v1 (docs/reference/customer-files.md). Of an erased customer the row stays, with nothing in these four.
-- mac is over all other columns.
CREATE TABLE customer (
    subject BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    unit INTEGER NOT NULL,
    reference BIGINT,
    addresses BYTEA NOT NULL,
    clear BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    erased_at BIGINT,
    change BIGINT NOT NULL,
    mac BYTEA NOT NULL
) STRICT; -- @sqlite
); -- @postgres
CREATE UNIQUE INDEX customer_reference ON customer (reference);
CREATE UNIQUE INDEX customer_by_change ON customer (change);

-- Who is found by an address: kind 1 phone, 2 email, 3 device's token. Made from customer.addresses, which carry the tag.
CREATE TABLE customer_address (
    kind SMALLINT NOT NULL,
    hash BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    number SMALLINT NOT NULL,
    PRIMARY KEY (kind, hash, subject, number)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

-- What was learnt of an address, whoever has it: dead or alive, opted out or in. It outlives its customers, so that who comes with the address
-- later is not asked once more. mac is over all other columns.
CREATE TABLE address_fact (
    kind SMALLINT NOT NULL,
    hash BIGINT NOT NULL,
    life SMALLINT,
    life_at BIGINT,
    wish SMALLINT,
    wish_at BIGINT,
    mac BYTEA NOT NULL,
    PRIMARY KEY (kind, hash)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

-- Who said what when, by which way, with which proof. Written once; erasure takes the sealed proof out. number rises for each customer. channel 0:
-- all. at: when it was said, entered_at: when Martlet heard. source: who entered it. mac is over all other columns.
CREATE TABLE consent (
    subject BIGINT NOT NULL,
    number BIGINT NOT NULL,
    purpose INTEGER NOT NULL,
    channel SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    at BIGINT NOT NULL,
    entered_at BIGINT NOT NULL,
    way SMALLINT NOT NULL,
    source TEXT NOT NULL,
    text_version TEXT NOT NULL,
    sealed BYTEA,
    mac BYTEA NOT NULL,
    PRIMARY KEY (subject, number)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

-- What the bank had to do with a customer elsewhere: at a branch, by telephone, on a social page. Erased with the customer. mac as above.
CREATE TABLE contact (
    subject BIGINT NOT NULL,
    at BIGINT NOT NULL,
    number BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    unit INTEGER NOT NULL,
    entered_at BIGINT NOT NULL,
    source TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (subject, at, number)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres

-- How far the import of a file has come; written in the transaction of its rows. position (byte), line: where it goes on. errors_at: bytes of the file of
-- errors that belong to what was read.
CREATE TABLE import (
    id TEXT NOT NULL PRIMARY KEY,
    state SMALLINT NOT NULL,
    source TEXT NOT NULL,
    position BIGINT NOT NULL,
    line BIGINT NOT NULL,
    errors_at BIGINT NOT NULL,
    added BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    same BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
