-- What waits for the row of a customer that is damaged.
-- @oldest 11

-- Customers whose row is not as Martlet wrote it: the node's copy is without them, and what they said waits here until the row is whole again. Number 0 of
-- a customer stands for the row itself and has no word; each other number is a word on a package, in the order in which they were said. What was learnt of
-- addresses is not here: address_fact has it. said_at: wall microseconds; message: that said so; noticed_at: wall milliseconds. mac is over all other
-- columns. Why: docs/decisions/0013-customers.md.
CREATE TABLE set_aside (
    subject BIGINT NOT NULL,
    number BIGINT NOT NULL,
    package INTEGER,
    wanted SMALLINT,
    said_at BIGINT,
    message BYTEA,
    noticed_at BIGINT NOT NULL,
    mac BYTEA NOT NULL,
    PRIMARY KEY (subject, number)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
