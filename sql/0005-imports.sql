-- Files that the desk imports, one after the other: what was handed in, by whom, and what became of it.
-- @oldest 1

-- The file lies sealed under the data directory (desk/imports) by the same id until it is read to its end. place: the row of `import` that says how
-- far it is read. state 1 waiting, 2 running, 3 done, 4 stopped, 5 cancelled. options: canonical JSON. source: who handed it in. fault: why
-- it stopped; nothing personal. mac is over all other columns.
CREATE TABLE import_job (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state SMALLINT NOT NULL,
    place TEXT NOT NULL,
    options TEXT NOT NULL,
    size BIGINT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT,
    fault TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    mac BYTEA NOT NULL
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
CREATE INDEX import_job_state ON import_job (state, id);
CREATE INDEX import_job_place ON import_job (place);
CREATE INDEX import_changed ON import (changed_at);
