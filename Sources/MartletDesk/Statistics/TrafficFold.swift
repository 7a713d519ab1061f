public import MartletModel
import MartletStore
public import SQL

/// Counts messages from committed records, and nothing but the record at hand: what an acceptance or an end adds stands in its header, so
/// nothing is looked up. What was taken since the last `clear` is added to the store by `write`, in the transaction that moves the
/// projector's cursor: so each record counts exactly once.
///
/// A copy forward (`carried`) counts nothing; what was accepted and what ended of it were counted where they happened. A contradiction that comes
/// late is counted apart and never changes an end.
public struct TrafficFold: HistoryFold {
    /// A row of the store. State 0 is what counts without an end.
    struct Key: Hashable, Sendable, Comparable {
        var hour: Int64
        var source: SourceNumber
        var messageClass: UInt8
        var channel: UInt8
        var route: GroupNumber
        var state: UInt8
        var reason: UInt8

        private var order: (UInt64, UInt64) {
            let rest = UInt64(source) << 40 | UInt64(messageClass) << 32 | UInt64(channel) << 24
            return (UInt64(bitPattern: hour), rest | UInt64(route) << 16 | UInt64(state) << 8 | UInt64(reason))
        }

        static func < (a: Key, b: Key) -> Bool { a.order < b.order }
    }

    struct Counts: Equatable, Sendable {
        var messages: Int64 = 0
        var parts: Int64 = 0
        var submits: Int64 = 0
        var duplicates: Int64 = 0
        var late: Int64 = 0
    }

    static let millisecondsOfHour: Int64 = 3_600_000

    /// What the next `write` adds.
    private(set) var changed: [Key: Counts] = [:]

    public init() {}

    public var isEmpty: Bool { changed.isEmpty }
    /// Rows that the next `write` touches.
    public var count: Int { changed.count }

    /// A committed record: its header, and its clear part.
    public mutating func take(_ header: RecordHeader, _ body: RecordBody) {
        switch body {
        case .accepted(let it):
            add(header) {
                $0.messages += 1
                $0.parts += Int64(it.parts(header))
            }
        case .answered(let it):
            guard it.outcome.wentOut else { break }
            add(header) {
                $0.submits += 1
                if header.flags.contains(.possibleDuplicate) { $0.duplicates += 1 }
            }
        case .receipt where header.flags.contains(.late): add(header) { $0.late += 1 }
        case .rerouted(let it):
            // Its source's sums stay; between the groups the acceptance moves, as its end will be counted at the new one.
            add(header) { $0.messages -= 1 }
            var moved = header
            moved.group = it.group
            add(moved) { $0.messages += 1 }
        case .inbound(let it):
            // A part of a message that is not whole yet counts with the whole.
            guard it.number == 0 else { return }
            add(header, state: .received) {
                $0.messages += 1
                $0.parts += Int64(it.total)
            }
            return
        case .decided(let it):
            add(header) {
                if it.stage == .fresh { $0.messages += 1 }
                $0.parts += Int64(it.partsOnAir)
            }
        case .carried, .mark, .ledger, .orphan, .preference, .told, .counted, .subscribed: return
        case .receipt, .ended, .resumed, .replaced, .asked: break
        }
        // Of a notification: what becomes of a further message of it is no end.
        guard header.id.ordinal == 0 else { return }
        // An acceptance that is an end at once says so by its state alone.
        guard header.flags.contains(.ends) || header.kind == .accepted || header.kind == .decided, let state = header.flags.state,
            state.isEnd
        else { return }
        add(header, state: state, reason: header.flags.reason ?? .none) { $0.messages += 1 }
    }

    /// Adds to the store what was taken. May be called again after a transaction that was rolled back.
    public func write(_ session: SQLSession) throws {
        // In one order, so that two writers never wait for each other.
        for key in changed.keys.sorted() {
            guard let counts = changed[key], counts != Counts() else { continue }
            try session.run(
                StatisticsStatements.add,
                [
                    .integer(key.hour), .number(key.source), .number(key.messageClass), .number(key.channel), .number(key.route),
                    .number(key.state), .number(key.reason), .integer(counts.messages), .integer(counts.parts), .integer(counts.submits),
                    .integer(counts.duplicates), .integer(counts.late),
                ])
        }
    }

    /// After the transaction of `write` is committed.
    public mutating func clear() { changed.removeAll(keepingCapacity: true) }

    private mutating func add(
        _ header: RecordHeader, state: MessageState? = nil, reason: EndReason = .none, _ change: (inout Counts) -> Void
    ) {
        // The channel as it is of messages that stand in records by themselves. A decision names its own, but neither answers nor ends do: counted by it
        // alone, what was accepted over a channel would never end there.
        let key = Key(
            hour: header.id.milliseconds / TrafficFold.millisecondsOfHour, source: header.source, messageClass: header.messageClass,
            channel: ChannelKind.sms.rawValue, route: header.group, state: state?.rawValue ?? 0, reason: reason.rawValue)
        change(&changed[key, default: Counts()])
    }
}

extension Outcome {
    /// Whether anything of the part was given to a provider.
    fileprivate var wentOut: Bool {
        switch self {
        case .accepted, .throttled, .deferred, .refused, .unknown: true
        case .notWritten, .unencodable: false
        }
    }
}
