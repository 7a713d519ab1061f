public import MartletModel
import MartletStore
public import SQL

/// Counts decisions about events from committed records, by what was decided and why, as `TrafficFold` counts messages: nothing is looked up, and each
/// record counts once. A decision counts in the hour in which it was made; an event that is held and then told counts as both.
public struct DecisionFold: HistoryFold {
    struct Key: Hashable, Sendable, Comparable {
        var hour: Int64
        var source: SourceNumber
        var messageClass: UInt8
        var event: UInt16
        var outcome: UInt8
        /// 0: none.
        var reason: UInt8

        private var order: (UInt64, UInt64) {
            let rest = UInt64(source) << 40 | UInt64(messageClass) << 32 | UInt64(event) << 16
            return (UInt64(bitPattern: hour), rest | UInt64(outcome) << 8 | UInt64(reason))
        }

        static func < (a: Key, b: Key) -> Bool { a.order < b.order }
    }

    /// What the next `write` adds.
    private(set) var changed: [Key: Int64] = [:]

    public init() {}

    public mutating func take(_ header: RecordHeader, _ body: RecordBody) {
        guard case .decided(let it) = body else { return }
        let key = Key(
            hour: header.at / 1000 / TrafficFold.millisecondsOfHour, source: header.source, messageClass: header.messageClass,
            event: it.event, outcome: it.outcome.rawValue, reason: it.reason?.rawValue ?? 0)
        changed[key, default: 0] += 1
    }

    /// May be called again after a transaction that was rolled back.
    public func write(_ session: SQLSession) throws {
        // In one order, so that two writers never wait for each other.
        for key in changed.keys.sorted() {
            try session.run(
                StatisticsStatements.addDecisions,
                [
                    .integer(key.hour), .number(key.source), .number(key.messageClass), .number(key.event), .number(key.outcome),
                    .number(key.reason), .integer(changed[key] ?? 0),
                ])
        }
    }
}
