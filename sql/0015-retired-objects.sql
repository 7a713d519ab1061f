-- Objects of the rulebook that are used no more.
-- @oldest 15
--
-- A program that does not know of them would publish them again, and write their rows with a tag that leaves this out.

-- Wall milliseconds. It is in the mac, behind all other columns, where it is there: rows that were never retired have the mac that they had.
ALTER TABLE rulebook_object ADD COLUMN retired_at BIGINT;
