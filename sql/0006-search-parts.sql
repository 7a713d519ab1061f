-- Search entries of a busy quarter of an hour lie in parts, so that what is written now stays together however much it is.
-- @oldest 6

-- Where the parts of a quarter begin that has more than one: ids from first_id on, up to the next part's. Those before part 1 are in part 0,
-- which has no row. A part's entries stand in `lookup` under its kind and 16 times its number. Rows are never changed: which part an id is
-- in was settled before its entries were written. Why: docs/decisions/0009-store.md.
CREATE TABLE lookup_part (
    slot INTEGER NOT NULL,
    part SMALLINT NOT NULL,
    first_id BYTEA NOT NULL,
    PRIMARY KEY (slot, part)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
