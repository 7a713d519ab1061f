-- Numbers of the rulebook's events and event types, given once; and what customers connected, changed and disconnected when.
-- @oldest 9
--
-- A program that does not know these tables would leave rows of erased customers in them.

-- By what records and customers name an object of the rulebook: given by the desk, never another, never given again, whatever becomes of the
-- object. mac is over all other columns.
CREATE TABLE rulebook_number (
    kind TEXT NOT NULL,
    number BIGINT NOT NULL,
    key TEXT NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (kind, number)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
CREATE UNIQUE INDEX rulebook_number_key ON rulebook_number (kind, key);

-- Written once, in the transaction of the customer's row; erased with the customer. number rises for each customer. scope_kind 0: for all accounts
-- and cards, 1: for the account, 2: for the card with this keyed hash. act 1 connected, 2 changed, 3 disconnected. at: wall milliseconds. source: who
-- did it. way 1 admin API, 2 file, 3 the customer through the bank's app, 4 the customer's handset. terms: the package as the customer's record
-- has it from then on, of a disconnected one as it was last. mac is over all other columns.
CREATE TABLE customer_package (
    subject BIGINT NOT NULL,
    number BIGINT NOT NULL,
    package INTEGER NOT NULL,
    scope_kind SMALLINT NOT NULL,
    scope_hash BIGINT,
    act SMALLINT NOT NULL,
    at BIGINT NOT NULL,
    source TEXT NOT NULL,
    way SMALLINT NOT NULL,
    terms BYTEA NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (subject, number)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
