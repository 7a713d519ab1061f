-- What was accepted and received is shown to be as Martlet wrote it.
-- @oldest 14
--
-- A program that does not know these tags would write rows without them, which are damage from here on.

-- mac is over all other columns but event and sealed of notification, which stay empty. Rows that were written before have none; up to which
-- message that may be stands in meta. message, inbound: 16 bytes, the first 8 of the row as it is, the others of the row as it is
-- once key_id is 0 and sealed is empty, so that whoever forgets a text need not know the row.
ALTER TABLE notification ADD COLUMN mac BIGINT;
ALTER TABLE message ADD COLUMN mac BYTEA;
ALTER TABLE inbound ADD COLUMN mac BYTEA;
