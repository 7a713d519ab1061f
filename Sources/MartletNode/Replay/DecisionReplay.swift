public import MartletEngine
import MartletModel

/// Decides again what a journal says was decided, each from what its record says was read: under the release that made it, where it must come
/// out the same, or under another, to see what that would change.
public struct DecisionReplay: Sendable {
    /// Another rulebook, and how its texts are counted.
    public struct Other: Sendable {
        public var book: DecisionBook
        public var count: @Sendable (String) -> Engine.TextCount?
        /// Parts that are sent of one text.
        public var limit: Int

        public init(book: DecisionBook, count: @escaping @Sendable (String) -> Engine.TextCount?, limit: Int) {
            self.book = book
            self.count = count
            self.limit = limit
        }
    }

    /// Of the moment of the decision, wall microseconds; `until` is the first that is not wanted.
    public var from: Int64
    public var until: Int64
    public var other: Other?
    private let books: @Sendable (UInt32) async -> DecisionBook?

    /// - Parameter books: a release by its number; asked once for each. Nil: it is not kept.
    public init(
        from: Int64 = .min, until: Int64 = .max, other: Other? = nil, books: @escaping @Sendable (UInt32) async -> DecisionBook?
    ) {
        self.from = from
        self.until = until
        self.other = other
        self.books = books
    }

    /// Goes through the whole journal once.
    /// - Parameters:
    ///   - progress: told after each megabyte or so of the journal.
    ///   - changed: told each decision that the other rulebook would make otherwise, as it is found; none of them is kept.
    /// - Throws: what hinders reading the journal, and what `changed` throws.
    public func run(
        _ log: RecordedDecisions, progress: (ReplayReport) -> Void = { _ in }, changed: (ReplayChanges.Changed) throws -> Void = { _ in }
    ) async throws -> ReplayReport {
        var report = ReplayReport(other: other?.book.release)
        var known: [UInt32: DecisionBook?] = [:]
        while let batch = try log.next() {
            for item in batch.items {
                switch item {
                case .damaged(let damage): report.damaged(damage)
                case .closed(let id, let at): if wants(at) { report.closed(id) }
                case .decision(let it):
                    guard wants(it.at) else { continue }
                    let release = it.made.release
                    let book: DecisionBook?
                    if let found = known[release] {
                        book = found
                    } else {
                        book = await books(release)
                        known[release] = .some(book)
                    }
                    try take(it, book, changed, &report)
                }
            }
            report.records += batch.records
            progress(report)
        }
        report.isTrimmed = log.isTrimmed
        report.oldest = log.oldest
        report.newest = log.newest
        return report
    }

    private func wants(_ at: Int64) -> Bool { at >= from && at < until }

    private func take(
        _ it: RecordedDecision, _ book: DecisionBook?, _ changed: (ReplayChanges.Changed) throws -> Void, _ report: inout ReplayReport
    ) rethrows {
        guard let book else { return report.withoutRelease(it) }
        guard let other else { return report.compared(it, book.decide(again: it), text: book.write(again: it)) }
        let instead = other.book.decide(instead: it, of: book, count: other.count, limit: other.limit)
        report.compared(it, instead)
        if let one = ReplayChanges.Changed(it, instead) { try changed(one) }
    }
}
