-- What was decided of events: a row for each decision, to be asked by event and time.
-- @oldest 11
--
-- A program that does not know this table would leave rows in it of what it forgets.

-- id: of the message that it is about, as in step, which holds the whole record. event, package: their numbers in the rulebook. outcome, reason, step: numbers of
-- docs/reference/record-format.md; step counts from 0. at: wall milliseconds. mac is over all other columns.
CREATE TABLE decision (
    id BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    event INTEGER NOT NULL,
    outcome SMALLINT NOT NULL,
    reason SMALLINT,
    package INTEGER,
    release BIGINT NOT NULL,
    step SMALLINT,
    at BIGINT NOT NULL,
    mac BIGINT,
    PRIMARY KEY (id, sequence)
) STRICT, WITHOUT ROWID; -- @sqlite
) PARTITION BY RANGE (id); -- @postgres
CREATE INDEX decision_event ON decision (event, at);

-- Decisions by the hour in which they were made (UTC), filled additively as traffic is. reason 0: none.
CREATE TABLE decision_count (
    hour INTEGER NOT NULL,
    source INTEGER NOT NULL,
    class SMALLINT NOT NULL,
    event INTEGER NOT NULL,
    outcome SMALLINT NOT NULL,
    reason SMALLINT NOT NULL,
    decisions BIGINT NOT NULL,
    PRIMARY KEY (hour, source, class, event, outcome, reason)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
