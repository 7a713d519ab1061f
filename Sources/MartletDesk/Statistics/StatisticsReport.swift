import MartletModel
import MartletStore

/// An answer of statistics: its slices, and the sums over all of them.
public struct StatisticsReport: Sendable {
    /// Wall milliseconds of the first hour, and behind the last.
    public var from: Int64
    public var to: Int64
    public var rows: [Row] = []
    public var sums = Counts()
    private var places: [Labels: Int] = [:]
    private let bySlice: Bool

    /// What one slice has in common; nil where slices are not made by it.
    public struct Labels: Hashable, Sendable {
        public var source: String?
        public var messageClass: String?
        public var channel: String?
        public var group: String?
        /// `open`, or the end.
        public var state: String?
        public var reason: String?
        /// Wall milliseconds of its hour, or of its day.
        public var hour: Int64?
        public var day: Int64?
    }

    public struct Row: Sendable {
        public var labels: Labels
        public var counts: Counts
    }

    public struct Counts: Equatable, Sendable {
        /// Messages accepted, and their parts on the air.
        public var accepted: Int64 = 0
        public var parts: Int64 = 0
        /// Parts handed to a provider, and those of them flagged as possible duplicates.
        public var submits: Int64 = 0
        public var possibleDuplicates: Int64 = 0
        /// Receipts that came when the message had ended.
        public var lateReceipts: Int64 = 0
        public var delivered: Int64 = 0
        public var failed: Int64 = 0
        public var expired: Int64 = 0
        public var cancelled: Int64 = 0
        public var suppressed: Int64 = 0
        /// Messages from handsets, which are in no other count.
        public var received: Int64 = 0

        public init() {}

        public var ended: Int64 { delivered + failed + expired + cancelled + suppressed }
        public var open: Int64 { accepted - ended }
        /// Of what ended by being sent, or by failing to be: the share that was delivered; nil: nothing did.
        public var deliveryRate: Double? {
            let tried = delivered + failed + expired
            return tried > 0 ? Double(delivered) / Double(tried) : nil
        }

        mutating func add(_ row: Statistics.Sum) {
            switch MessageState(rawValue: row.state) {
            case .delivered: delivered += row.counts.messages
            case .failed: failed += row.counts.messages
            case .expired: expired += row.counts.messages
            case .cancelled: cancelled += row.counts.messages
            case .suppressed: suppressed += row.counts.messages
            case .received: received += row.counts.messages
            case nil, .queued, .submitted, .sent, .unknown, .planned:
                accepted += row.counts.messages
                parts += row.counts.parts
                submits += row.counts.submits
                possibleDuplicates += row.counts.duplicates
                lateReceipts += row.counts.late
            }
        }
    }

    init(from: Int64, to: Int64, by: Set<StatisticsWish.Dimension>) {
        self.from = from * TrafficFold.millisecondsOfHour
        self.to = to * TrafficFold.millisecondsOfHour
        bySlice = by.contains(.state) || by.contains(.reason)
    }

    /// Slices by state or reason hold a part of the messages each: an end, or what is open. Its messages then stand under `accepted` too, so
    /// that the slices add up to what was accepted.
    mutating func add(_ row: Statistics.Sum, _ by: Set<StatisticsWish.Dimension>, _ span: Int64, _ names: HistoryNames) {
        sums.add(row)
        var labels = Labels()
        if by.contains(.source) { labels.source = names.source(row.source) }
        if by.contains(.class) { labels.messageClass = MessageClass(rawValue: row.messageClass)?.word ?? "" }
        if by.contains(.channel) { labels.channel = ChannelKind.allCases.first { $0.rawValue == row.channel }?.word ?? "" }
        if by.contains(.operator) { labels.group = names.group(row.route) }
        let start = row.span * span * TrafficFold.millisecondsOfHour
        if by.contains(.hour) { labels.hour = start }
        if by.contains(.day) { labels.day = start - start % 86_400_000 }
        guard bySlice else { return change(labels) { $0.add(row) } }
        let state = MessageState(rawValue: row.state).flatMap { $0.isEnd ? $0 : nil }
        let isOut = state != nil && state != .received
        // What ended is taken out of what is open.
        if by.contains(.state) { labels.state = "open" }
        if by.contains(.reason) { labels.reason = "" }
        change(labels) { counts in
            if isOut { counts.accepted -= row.counts.messages } else if state == nil { counts.add(row) }
        }
        guard let state else { return }
        if by.contains(.state) { labels.state = state.word }
        if by.contains(.reason) { labels.reason = EndReason(rawValue: row.reason)?.word ?? "" }
        change(labels) { counts in
            counts.add(row)
            if isOut { counts.accepted += row.counts.messages }
        }
    }

    private mutating func change(_ labels: Labels, _ body: (inout Counts) -> Void) {
        if let place = places[labels] { return body(&rows[place].counts) }
        places[labels] = rows.count
        rows.append(Row(labels: labels, counts: Counts()))
        body(&rows[rows.count - 1].counts)
    }

    /// Without slices in which nothing is.
    func finished() -> StatisticsReport {
        var report = self
        report.rows.removeAll { $0.counts == Counts() }
        return report
    }
}
