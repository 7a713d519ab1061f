public import SQL

/// Counts of messages by hour of acceptance and what they have in common.
public enum StatisticsStatements {
    /// ?1 hour, ?2 source, ?3 class, ?4 channel, ?5 connection group, ?6 state, ?7 reason; added: ?8 messages, ?9 parts, ?10 submits,
    /// ?11 duplicates, ?12 late.
    public static let add = StatementID("traffic.add")
    /// ?1 first hour, ?2 hour behind the last, ?3 hours of one slice (1, 24, or more than there are for all in one); 1 where a slice is made by it
    /// and 0 where not: ?4 source, ?5 class, ?6 channel, ?7 connection group, ?8 reason; what is wanted of each, -1 for all: ?9 source, ?10 class,
    /// ?11 channel, ?12 connection group; ?13 how many rows. By state always: ends are told apart from what is open.
    public static let sums = StatementID("traffic.sums")
    /// ?1 hour before which, ?2 hour from which, ?3 class. Forgets them.
    public static let forget = StatementID("traffic.forget")
    /// The oldest hour there is.
    public static let oldest = StatementID("traffic.oldest")
    /// ?1 hour, ?2 source, ?3 class, ?4 event, ?5 outcome, ?6 reason; added: ?7 decisions.
    public static let addDecisions = StatementID("decisions.add")
    /// ?1 first hour, ?2 hour behind the last, ?3 hours of one slice; 1 where a slice is made by it and 0 where not: ?4 source, ?5 class, ?6 event; what
    /// is wanted of each, -1 for all: ?7 source, ?8 event; ?9 how many rows. By outcome and reason always.
    public static let decisions = StatementID("decisions.sums")
    /// ?1 hour before which, ?2 hour from which, ?3 class. Forgets them.
    public static let forgetDecisions = StatementID("decisions.forget")
    public static let oldestDecision = StatementID("decisions.oldest")

    static let all = [
        Statement(
            add,
            """
            INSERT INTO traffic (hour, source, class, channel, route, state, reason, messages, parts, submits, duplicates, late)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            ON CONFLICT (hour, source, class, channel, route, state, reason) DO UPDATE
            SET messages = traffic.messages + excluded.messages, parts = traffic.parts + excluded.parts,
                submits = traffic.submits + excluded.submits, duplicates = traffic.duplicates + excluded.duplicates,
                late = traffic.late + excluded.late
            """),
        Statement(
            sums,
            """
            SELECT hour / CAST(?3 AS INTEGER) AS span, source * CAST(?4 AS INTEGER) AS source, class * CAST(?5 AS INTEGER) AS class,
                channel * CAST(?6 AS INTEGER) AS channel, route * CAST(?7 AS INTEGER) AS route, state AS state,
                reason * CAST(?8 AS INTEGER) AS reason,
                CAST(SUM(messages) AS BIGINT) AS messages, CAST(SUM(parts) AS BIGINT) AS parts, CAST(SUM(submits) AS BIGINT) AS submits,
                CAST(SUM(duplicates) AS BIGINT) AS duplicates, CAST(SUM(late) AS BIGINT) AS late
            FROM traffic
            WHERE hour >= ?1 AND hour < ?2
                AND (CAST(?9 AS INTEGER) < 0 OR source = CAST(?9 AS INTEGER))
                AND (CAST(?10 AS INTEGER) < 0 OR class = CAST(?10 AS INTEGER))
                AND (CAST(?11 AS INTEGER) < 0 OR channel = CAST(?11 AS INTEGER))
                AND (CAST(?12 AS INTEGER) < 0 OR route = CAST(?12 AS INTEGER))
            GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7 LIMIT ?13
            """),
        Statement(forget, "DELETE FROM traffic WHERE hour < ?1 AND hour >= ?2 AND class = ?3"),
        Statement(oldest, "SELECT CAST(MIN(hour) AS INTEGER) AS hour FROM traffic"),
        Statement(
            addDecisions,
            """
            INSERT INTO decision_count (hour, source, class, event, outcome, reason, decisions) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (hour, source, class, event, outcome, reason) DO UPDATE
            SET decisions = decision_count.decisions + excluded.decisions
            """),
        Statement(
            decisions,
            """
            SELECT hour / CAST(?3 AS INTEGER) AS span, source * CAST(?4 AS INTEGER) AS source, class * CAST(?5 AS INTEGER) AS class,
                event * CAST(?6 AS INTEGER) AS event, outcome AS outcome, reason AS reason, CAST(SUM(decisions) AS BIGINT) AS decisions
            FROM decision_count
            WHERE hour >= ?1 AND hour < ?2
                AND (CAST(?7 AS INTEGER) < 0 OR source = CAST(?7 AS INTEGER))
                AND (CAST(?8 AS INTEGER) < 0 OR event = CAST(?8 AS INTEGER))
            GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6 LIMIT ?9
            """),
        Statement(forgetDecisions, "DELETE FROM decision_count WHERE hour < ?1 AND hour >= ?2 AND class = ?3"),
        Statement(oldestDecision, "SELECT CAST(MIN(hour) AS INTEGER) AS hour FROM decision_count"),
    ]
}
