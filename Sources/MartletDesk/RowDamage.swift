import MartletModel
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

    /// What is wrong with the row of one customer, or with the customer's key, named by the customer's number.
    static func naming<Value>(_ subject: SubjectNumber, _ read: () throws -> Value) throws -> Value {
        do {
            return try read()
        } catch  where isOne(error) {
            throw DeskFault.tampered(noun: noun, key: "\(subject)")
        }
    }

    /// The customer that `naming` named; nil: the fault is another.
    static func customer(_ error: any Error) -> SubjectNumber? {
        guard case DeskFault.tampered(noun, let key) = error else { return nil }
        return SubjectNumber(key)
    }

    private static let noun = "customer"
}

extension FieldFault {
    /// A line of a file that is refused because its customer is damaged.
    static func damaged(_ path: String, _ subject: SubjectNumber) -> FieldFault {
        FieldFault(
            path, "damaged", "the row or the key of customer \(subject) is damaged; restore it from a backup, then import the line again")
    }
}
