-- Erasures of customers whose messages are still to be forgotten, or could come again out of the log.
-- @oldest 1

-- By which addresses a customer who was erased is taken out of the history. A row stays open (done_at NULL) until all that the log held at the time of the
-- wish is in the history and has been forgotten there, and goes when the log holds nothing from before the wish. hash is the keyed hash of the
-- address, shared says that another customer had it too. Times are milliseconds since 1970, UTC.
CREATE TABLE erasure (
    subject BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    hash BIGINT NOT NULL,
    shared SMALLINT NOT NULL,
    wished_at BIGINT NOT NULL,
    done_at BIGINT,
    PRIMARY KEY (subject, kind, hash)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
CREATE INDEX erasure_open ON erasure (done_at, subject, kind, hash);
