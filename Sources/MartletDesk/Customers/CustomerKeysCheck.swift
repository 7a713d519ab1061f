public import Guard
public import MartletModel
import MartletStore
public import SQL

/// Whether the store of subjects' keys is that of the customers in the database: one that was lost and made anew, or is older, would give numbers out
/// a second time, and what it lacks cannot be opened.
public enum CustomerKeysCheck {
    /// The highest number of a customer, erased ones too; 0: there is none. A database without tables has no customers.
    /// - Throws: `SQLFault` when it cannot be asked.
    public static func highest(_ store: SQLStore) async throws -> SubjectNumber {
        do {
            return try await store.read { session in
                try session.row(CustomerStatements.highest).map { try $0.integer("subject", as: SubjectNumber.self) } ?? 0
            }
        } catch SQLFault.refused {
            return 0
        }
    }

    /// - Throws: `DeskFault.broken`, which names the way out.
    public static func run(_ store: SQLStore, _ subjects: SubjectKeys) async throws {
        let highest = try await highest(store)
        guard highest >= subjects.next else { return }
        throw DeskFault.broken(older(highest, next: subjects.next))
    }

    static func older(_ highest: SubjectNumber, next: UInt32) -> String {
        "the store has customers up to number \(highest), the keys of customers end before \(next): they are older than the store. "
            + "Stop the desk; then \(CustomerKeysCheck.remedy)"
    }

    /// What to do when keys are gone or older.
    public static let remedy =
        "bring the newest backup back with martlet keys restore and run martlet store reconcile; without any backup, martlet store reconcile "
        + "--give-up-lost makes new keys and gives up what the lost ones sealed"
}
