import Glibc
public import Guard
import MartletLocal
public import MartletModel
import MartletStore
public import SQL

/// Whether the store of subjects' keys is that of the customers in the database: one that was lost and made anew, or is older, would give numbers out
/// a second time, and what it lacks cannot be opened.
public enum CustomerKeysCheck {
    /// The highest number of a customer, erased ones too; 0: there is none. A database that was not migrated yet has no customers.
    /// - Throws: `SQLFault` when it cannot be asked, or does not answer: that says nothing of customers.
    public static func highest(_ store: SQLStore) async throws -> SubjectNumber {
        do {
            return try await store.read { session in
                try session.row(CustomerStatements.highest).map { try $0.integer("subject", as: SubjectNumber.self) } ?? 0
            }
        } catch let fault as SQLFault where fault.isMissingTable {
            return 0
        }
    }

    /// Whether keys of customers may be made where there are none: only if neither the store nor the copy that the node was given ever had a
    /// customer. New keys beside old customers would hide that theirs are lost.
    /// - Parameter local: the node's directory of local copies, which need not be there. It is asked first: it is there while the database is away.
    /// - Throws: `SQLFault` when the database does not say; then nobody knows.
    public static func mayBegin(_ store: SQLStore, local: String) async throws -> Bool {
        do throws(LocalFault) {
            guard try LocalCustomers.versions(in: local).isEmpty else { return false }
        } catch {
            // A directory that was never made holds no copy.
            guard case .disk(_, _, ENOENT) = error else { throw error }
        }
        return try await highest(store) == 0
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
