import SQL

/// What is wrong with one row and says nothing of the others.
enum RowDamage {
    /// Whether the fault is of a row that was read, rather than of the database, the caller or the program.
    static func isOne(_ error: any Error) -> Bool {
        switch error {
        case DeskFault.tampered, DeskFault.broken, SQLFault.row: true
        default: false
        }
    }

    /// Nil where the row is not as it was written; whatever else goes wrong is thrown.
    static func sound<Row>(_ read: () throws -> Row) throws -> Row? {
        do {
            return try read()
        } catch  where isOne(error) {
            return nil
        }
    }
}
