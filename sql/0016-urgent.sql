-- Changes of customers that do not wait for the node's next base file.
-- @oldest 11

-- Which customers were changed by anything but a file: a line a change, in the order of customer_change, kept until the node has all changes up to
-- it. However many customers a file writes meanwhile, these are found at once. Why: docs/decisions/0013-customers.md.
CREATE TABLE customer_urgent (
    change BIGINT NOT NULL PRIMARY KEY,
    subject BIGINT NOT NULL
) STRICT; -- @sqlite
); -- @postgres
