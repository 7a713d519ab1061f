-- What happened to a message in between: its provider was asked, an operator moved it, a restart or its provider's profile planned it anew, its
-- text was replaced. Few messages have any.
-- @oldest 1

-- record is the log's own, header and clear part (docs/reference/record-format.md); what was sealed of it is not here.
CREATE TABLE step (
    id BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    record BYTEA NOT NULL,
    PRIMARY KEY (id, sequence)
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres
