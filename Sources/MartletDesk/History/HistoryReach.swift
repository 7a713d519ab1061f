import Journal
import MartletModel
import SQL

/// Up to which moment the history has all that the node recorded.
public struct HistoryReach: Sendable {
    private let desk: Desk
    private let journal: String

    /// Segments that one look goes through for the next record.
    private static let steps = 64

    /// - Parameter journal: directory of the node's log.
    public init(_ desk: Desk, journal: String) {
        self.desk = desk
        self.journal = journal
    }

    /// Wall milliseconds: of the oldest record that the history lacks, or now when it lacks none. A record that is carried on counts by when it
    /// was made, so the moment may be early, never late.
    /// - Returns: nil: the history is of another log, or the log cannot be read there just now.
    public func moment() async throws -> Int64? {
        let now = desk.nowMilliseconds
        let place = try await desk.store.read { try HistoryWriter.place($0) }
        let follower = Follower(journal)
        guard let end = try follower.end() else { return now }
        guard end.journal == place.journal else { return nil }
        var position = place.position
        for _ in 0..<HistoryReach.steps {
            guard position < end.position else { return now }
            var oldest: Int64?
            let step = try follower.read(from: position) { _, bytes in
                let at = try RecordHeader(reading: bytes).at / 1000
                oldest = min(oldest ?? at, at)
            }
            if let oldest { return min(now, oldest) }
            guard !step.isStalled, step.next > position else { return nil }
            position = step.next
        }
        return nil
    }
}
