public import MartletModel

/// What statistics are asked for.
public struct StatisticsWish: Sendable {
    /// What slices are made by.
    public enum Dimension: String, CaseIterable, Sendable {
        case source, `class`, channel, `operator`, state, reason, hour, day
    }

    public var by: Set<Dimension>
    /// Wall milliseconds: messages accepted from the hour of this moment...
    public var from: Int64
    /// ...to before this one; an hour that it lies within counts whole.
    public var to: Int64
    /// Names as the answer gives them; nil: all.
    public var source: String?
    public var messageClass: MessageClass?
    public var channel: ChannelKind?
    /// Name of the connection group.
    public var group: String?

    /// Hours of one question at most: two years and a leap day.
    public static let mostHours: Int64 = 731 * 24
    /// Rows of one answer at most.
    public static let mostRows = 10_000

    public init(
        by: Set<Dimension> = [], from: Int64, to: Int64, source: String? = nil, messageClass: MessageClass? = nil,
        channel: ChannelKind? = nil, group: String? = nil
    ) {
        self.by = by
        self.from = from
        self.to = to
        self.source = source
        self.messageClass = messageClass
        self.channel = channel
        self.group = group
    }

    static let names = ["by", "from", "to", "source", "class", "channel", "operator"]

    /// Reads a request's parameters. Without times: the last 24 hours.
    /// - Parameter now: wall milliseconds.
    /// - Throws: `.invalid` with every field that does not hold.
    public init(query: [String: String], now: Int64) throws(DeskFault) {
        var faults: [FieldFault] = []
        for name in query.keys.sorted() where !StatisticsWish.names.contains(name) {
            faults.append(FieldFault(name, "unknown", "is none of \(StatisticsWish.names.joined(separator: ", "))"))
        }
        func time(_ name: String, _ usual: Int64) -> Int64 {
            guard let text = query[name] else { return usual }
            if let at = moment(text.utf8) { return at / 1000 }
            faults.append(FieldFault(name, "time", "must be a time of RFC 3339, such as 2026-11-22T18:04:09Z"))
            return usual
        }
        to = time("to", now)
        from = time("from", to - 86_400_000)
        by = []
        for word in (query["by"] ?? "").split(separator: ",", omittingEmptySubsequences: true) {
            if let one = Dimension(rawValue: String(word)) {
                by.insert(one)
            } else {
                let words = Dimension.allCases.map(\.rawValue).joined(separator: ", ")
                faults.append(FieldFault("by", "unknown", "must be some of \(words), with commas between"))
            }
        }
        if let word = query["class"] {
            messageClass = MessageClass(word: word)
            if messageClass == nil { faults.append(FieldFault("class", "unknown", "there is no such class")) }
        }
        if let word = query["channel"] {
            channel = ChannelKind.allCases.first { $0.word == word }
            if channel == nil { faults.append(FieldFault("channel", "unknown", "there is no such channel")) }
        }
        source = query["source"]
        group = query["operator"]
        if let fault = rangeFault { faults.append(fault) }
        if !faults.isEmpty { throw .invalid(faults) }
    }

    var firstHour: Int64 { from / TrafficFold.millisecondsOfHour }
    /// The hour behind the last.
    var endHour: Int64 { (to + TrafficFold.millisecondsOfHour - 1) / TrafficFold.millisecondsOfHour }

    /// What is wrong with the times; nil: nothing.
    var rangeFault: FieldFault? {
        if from < 0 || from >= to { return FieldFault("from", "range", "must be before `to`") }
        guard endHour - firstHour > StatisticsWish.mostHours else { return nil }
        return FieldFault("from", "range", "at most \(StatisticsWish.mostHours / 24) days before `to`")
    }
}
