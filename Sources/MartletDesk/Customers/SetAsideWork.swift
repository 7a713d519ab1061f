public import Logging
public import MartletModel
import Synchronization

/// Looks again and again at customers who are set aside, and says who is, why, and when no more. What else was met that is damaged is told here too.
public final class SetAsideWork: Sendable {
    public static let waiting = Metric(
        "martlet_customers_set_aside", .gauge,
        doc: "Customers whose row is damaged: the node knows nothing of them, and what they say waits until the row is restored.")

    public static let metrics = [waiting, DamageNotes.metric]

    private struct State {
        var count = 0
        var damaged: UInt64 = 0
        /// Why they are still set aside, by customer.
        var told: [SubjectNumber: String] = [:]
        /// Where the next look goes on.
        var after: SubjectNumber = 0
    }

    private let state = Mutex(State())
    private let logger: Logger
    /// Customers of one look; the next goes on behind them.
    static let page = 100
    /// Customers of whom it is remembered what was told; further ones are counted.
    static let most = 1000

    public init(logger: Logger) { self.logger = logger }

    public var samples: [(metric: Metric, value: Double)] {
        let (count, damaged) = state.withLock { ($0.count, $0.damaged) }
        return Array(zip(SetAsideWork.metrics, [Double(count), Double(damaged)]))
    }

    /// Until the task is cancelled. A store that is away is waited for.
    public func run(_ customers: Customers, pause: Duration = .seconds(10)) async throws {
        while true {
            try await look(customers)
            try await Task.sleep(for: pause)
        }
    }

    /// One look.
    func look(_ customers: Customers) async throws(DeskFault) {
        for note in customers.desk.damage.take() {
            logger.error(
                "a row of the store is not as Martlet wrote it; martlet store check --rows names all of them",
                metadata: ["row": "\(note.row)", "instead": "\(note.instead)"])
        }
        let after = state.withLock { $0.after }
        let page = try await customers.setAside(after: after, limit: SetAsideWork.page)
        for subject in page {
            do throws(DeskFault) {
                try await customers.takeIn(subject)
                state.withLock { $0.told[subject] = nil }
                logger.notice("a customer is no longer set aside", metadata: ["customer": "\(subject)"])
            } catch {
                if case .store = error { throw error }
                tell(subject, "\(error)")
            }
        }
        let count = try await customers.setAsideCount()
        let damaged = customers.desk.damage.count
        state.withLock { state in
            (state.count, state.damaged) = (count, damaged)
            state.after = page.count == SetAsideWork.page ? page[page.count - 1] : 0
        }
    }

    private func tell(_ subject: SubjectNumber, _ reason: String) {
        let isNew = state.withLock { state in
            guard state.told[subject] != reason, state.told.count < SetAsideWork.most else { return false }
            state.told[subject] = reason
            return true
        }
        guard isNew else { return }
        logger.error(
            "a customer is set aside: nothing is sent for an event of theirs, and what they say waits until the row is restored",
            metadata: ["customer": "\(subject)", "reason": "\(reason)"])
    }
}
