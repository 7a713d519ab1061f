-- Counts of messages by the hour of their acceptance (UTC): filled additively from the log in the transaction of the history's rows, so
-- that nothing is looked up and each record counts once. What each column counts: docs/reference/statistics.md.
-- @oldest 1

-- hour counts since 1970. state 0: what counts without an end (accepted messages and all that happens to them); else the end, with its
-- reason. route is the connection group. An hour's counts change for as long as messages of it end.
CREATE TABLE traffic (
    hour INTEGER NOT NULL,
    source INTEGER NOT NULL,
    class SMALLINT NOT NULL,
    channel SMALLINT NOT NULL,
    route SMALLINT NOT NULL,
    state SMALLINT NOT NULL,
    reason SMALLINT NOT NULL,
    messages BIGINT NOT NULL,
    parts BIGINT NOT NULL,
    submits BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (hour, source, class, channel, route, state, reason)
) STRICT, WITHOUT ROWID; -- @sqlite
); -- @postgres
