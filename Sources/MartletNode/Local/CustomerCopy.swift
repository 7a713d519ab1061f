import Dispatch
import FoundationEssentials
import Glibc
import Guard
import Journal
import Logging
public import MartletLocal
import MartletModel
import Synchronization

/// The node's own copy of the customers and their keys: opened at the start or when they come to be, watched each second, changed by the desk
/// and by what customers say to the node. What cannot be used is an alarm and no stop: then messages are sealed with keys of class and day,
/// as for numbers that nobody has.
///
/// Everything that waits for a disk happens on two threads of its own: one appends, one opens, checks and swaps base files, which for millions
/// of customers takes a second.
public final class CustomerCopy: Sendable {
    /// What a customer said to the node.
    struct Fact: Sendable {
        /// Of what; the newest of each holds.
        enum What: Hashable, Sendable {
            /// By the hash under which customers are found.
            case address(UInt64)
            case package(SubjectNumber, UInt16)
        }

        var what: What
        var change: CustomerChange
    }

    private struct State: Sendable {
        var customers: LocalCustomers?
        /// Facts that the overlay does not have yet. They are in the log, so that a restart brings them again.
        var pending: [Fact] = []
        var dropped = 0
        var isDraining = false
        var isWatching = false
        /// Files of subjects' keys that are mapped.
        var mapped = 0
        /// Newest base file that was refused; looked at once only.
        var refused: UInt64?
        /// Why something is not as it should be, by what it is of; told when it changes.
        var alarms: [Part: String] = [:]
    }

    enum Part: String, Sendable, CaseIterable {
        case base, overlay, keys, facts
    }

    /// Facts kept for an overlay that takes none just now.
    static let pendingMaximum = 100_000
    private static let batch = 4096

    private let directory: String
    private let keyDirectory: String
    private let master: MasterKey
    private let keys: RecordKeys
    private let limits: LocalCustomers.Limits
    private let disk: Disk
    private let logger: Logger
    private let state = Mutex(State())
    private let appending = DispatchQueue(label: "martlet.customers")
    private let loading = DispatchQueue(label: "martlet.customers.base")

    init(
        directory: String, keyDirectory: String, master: MasterKey, keys: RecordKeys, limits: LocalCustomers.Limits, disk: Disk,
        logger: Logger
    ) {
        self.directory = directory
        self.keyDirectory = keyDirectory
        self.master = master
        self.keys = keys
        self.limits = limits
        self.disk = disk
        self.logger = logger
    }

    public var customers: LocalCustomers? { state.withLock { $0.customers } }

    /// Whether nothing of a copy that is there can be used: who is not found then need not be unknown.
    var isUnusable: Bool {
        let (customers, hasAlarm) = state.withLock { ($0.customers, $0.alarms[$0.customers == nil ? .overlay : .base] != nil) }
        return hasAlarm && (customers?.figures.version ?? 0) == 0
    }

    public var figures: LocalCustomers.Figures { customers?.figures ?? LocalCustomers.Figures() }

    /// Facts that wait for the overlay, and those for which there was no room until the next start.
    public var waitingFacts: (waiting: Int, dropped: Int) { state.withLock { ($0.pending.count, $0.dropped) } }

    /// What is not as it should be, for people; empty when all is well.
    public var alarms: [String] {
        state.withLock { state in Part.allCases.compactMap { part in state.alarms[part].map { "\(part.rawValue): \($0)" } } }
    }

    // MARK: Opening and watching

    /// Opens what is there. Slow (it reads a base file through); not on the loop.
    func open() {
        openKeys()
        openCustomers()
    }

    /// Opens what came to be since, and takes a newer base file into use. Called each second on the loop; the work is done elsewhere.
    func watch() {
        let isFirst = state.withLock { state in
            defer { state.isWatching = true }
            return !state.isWatching
        }
        guard isFirst else { return }
        loading.async {
            self.openKeys()
            self.openCustomers()
            self.reload()
            self.state.withLock { $0.isWatching = false }
            self.drainSoon()
        }
    }

    private func openKeys() {
        if keys.subjects == nil {
            do throws(SubjectKeyFault) {
                keys.take(try SubjectKeys(directory: keyDirectory, master: master, access: .reader))
                tell(.keys, nil)
            } catch {
                // Without customers there are none.
                if case .missing = error { return }
                return tell(.keys, error.description)
            }
        }
        guard let subjects = keys.subjects else { return }
        let mapped = subjects.readAhead(after: state.withLock { $0.mapped })
        state.withLock { $0.mapped = mapped }
    }

    private func openCustomers() {
        guard customers == nil else { return }
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            return tell(.overlay, "\(directory) cannot be made: \(String(cString: strerror(errno)))")
        }
        do throws(LocalFault) {
            let newest = try LocalCustomers.versions(in: directory, disk: disk).first
            let (customers, opening) = try LocalCustomers.open(
                directory, hashCheck: keys.days.localHashCheck, limits: limits, disk: disk)
            state.withLock { state in
                state.customers = customers
                if newest != customers.figures.version { state.refused = newest }
            }
            tell(.overlay, nil)
            report(opening)
            guard customers.figures.version > 0 else { return }
            logger.notice(
                "customers opened",
                metadata: [
                    "customers": "\(customers.figures.customers)", "base": "\(customers.figures.version)", "changes": "\(opening.changes)",
                ])
        } catch {
            tell(.overlay, error.description)
        }
    }

    private func report(_ opening: LocalCustomers.Opening) {
        if let refused = opening.refused.first { tell(.base, refused.description) }
        if opening.damagedStretches > 0 || opening.unreadable > 0 {
            logger.error(
                "changes of customers are damaged; the file is kept aside",
                metadata: ["stretches": "\(opening.damagedStretches)", "unreadable": "\(opening.unreadable)"])
        }
    }

    private func reload() {
        guard let customers else { return }
        do throws(LocalFault) {
            let newest = try LocalCustomers.versions(in: directory, disk: disk).first
            // A file that was refused is not read through again each second.
            guard let newest, newest != state.withLock({ $0.refused }) else { return }
            do throws(LocalFault) {
                guard try customers.reload() else { return }
            } catch {
                state.withLock { $0.refused = newest }
                throw error
            }
        } catch {
            return tell(.base, error.description)
        }
        tell(.base, nil)
        let figures = customers.figures
        logger.notice(
            "customers: a newer base file is in use", metadata: ["customers": "\(figures.customers)", "base": "\(figures.version)"])
    }

    /// Says so once.
    private func tell(_ part: Part, _ reason: String?) {
        let before = state.withLock { state in
            let before = state.alarms[part]
            state.alarms[part] = reason
            return before
        }
        guard before != reason else { return }
        if let reason {
            logger.error("customers: not all of the local copy can be used", metadata: ["part": "\(part.rawValue)", "reason": "\(reason)"])
        } else {
            logger.notice("customers: in use again", metadata: ["part": "\(part.rawValue)"])
        }
    }

    // MARK: Changes of the desk

    /// Makes changes durable and visible; `then` gets the number of the newest, on another thread.
    /// - Parameter batch: `ChangeBatch` in base64.
    public func apply(base64 batch: String, then: @escaping @Sendable (Result<UInt64, any Error>) -> Void) {
        appending.async {
            guard let customers = self.customers else {
                return then(.failure(Unusable(reason: self.alarms.first ?? "the local copy of customers is not open")))
            }
            then(
                Result {
                    guard let bytes = Data(base64Encoded: batch) else { throw Unusable(reason: "changes: not base64") }
                    return try customers.append(ChangeBatch.changes(Array(bytes)))
                })
        }
    }

    struct Unusable: Error, CustomStringConvertible {
        var reason: String
        var description: String { reason }
    }

    // MARK: Facts born on the node

    /// Takes what customers said, when it is durable in the log; on the loop. Look-ups see it after the overlay's next sync.
    func learn(_ facts: [Fact]) {
        let dropped = state.withLock { state in
            let room = max(0, CustomerCopy.pendingMaximum - state.pending.count)
            state.pending += facts.prefix(room)
            state.dropped += max(0, facts.count - room)
            return state.dropped
        }
        if dropped > 0 { tell(.facts, "the overlay takes none; more wait than there is room for, which the next start brings again") }
        drainSoon()
    }

    private func drainSoon() {
        let isFirst = state.withLock { state in
            guard !state.isDraining, !state.pending.isEmpty, state.customers != nil else { return false }
            state.isDraining = true
            return true
        }
        if isFirst { appending.async { self.drain() } }
    }

    private func drain() {
        while let customers {
            let facts = state.withLock { state in
                // Under the lock that `learn` takes, so that nothing is left behind.
                if state.pending.isEmpty { state.isDraining = false }
                return Array(state.pending.prefix(CustomerCopy.batch))
            }
            guard !facts.isEmpty else { return tell(.facts, nil) }
            do throws(LocalFault) {
                // What a restart brought again is known.
                try customers.append(facts.map(\.change).filter { !$0.isKnown(to: customers) })
                state.withLock { $0.pending.removeFirst(facts.count) }
            } catch {
                // Tried again by the next watch.
                state.withLock { $0.isDraining = false }
                return tell(.facts, error.description)
            }
        }
    }
}

extension CustomerChange {
    fileprivate func isKnown(to customers: LocalCustomers) -> Bool {
        switch self {
        case .address(let hash, let fact):
            let before = customers.state(address: hash)
            var after = before
            after.learn(fact)
            return after == before
        case .package(let subject, let word): return customers.knows(word, of: subject)
        case .written, .erased, .consent, .preferences, .device: return false
        }
    }
}
