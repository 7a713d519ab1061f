-- Texts of the rulebook that somebody else than their author has to agree to.
-- @oldest 11

-- A row a version that was submitted. submitted_at and approved_at: wall milliseconds. approved_by: NULL until somebody agreed, never the author of the
-- version. mac is over all other columns.
CREATE TABLE rulebook_approval (
    object BIGINT NOT NULL,
    version BIGINT NOT NULL,
    submitted_by TEXT NOT NULL,
    submitted_at BIGINT NOT NULL,
    approved_by TEXT,
    approved_at BIGINT,
    mac BYTEA NOT NULL,
    PRIMARY KEY (object, version)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
