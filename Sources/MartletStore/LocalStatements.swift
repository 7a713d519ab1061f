public import SQL

/// How far the node's local copy of customers has come.
public enum LocalStatements {
    /// ?1 follower, ?2 newest change that the node has, ?3 number that its overlay gave to it, ?4 wall milliseconds. The change never goes back;
    /// the overlay's number does, when the node lost its copy and was given another.
    public static let move = StatementID("local.move")

    static let all = [
        Statement(
            move,
            """
            INSERT INTO cursor (follower, partition, sequence, position, updated_at) VALUES (?1, 0, ?2, ?3, ?4)
            ON CONFLICT (follower, partition) DO UPDATE
            SET sequence = excluded.sequence, position = excluded.position, updated_at = excluded.updated_at
            WHERE excluded.sequence >= cursor.sequence
            """)
    ]
}
