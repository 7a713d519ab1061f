-- Attempts and receipts are shown to be as Martlet wrote them.
-- @oldest 9

-- mac is over all other columns; rows that were written before have none.
ALTER TABLE attempt ADD COLUMN mac BIGINT;
ALTER TABLE receipt ADD COLUMN mac BIGINT;
