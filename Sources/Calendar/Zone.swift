/// What clocks on the wall show: seconds since 1970-01-01T00:00 of that clock, as if there were neither zones nor their changes.
public struct LocalTime: Hashable, Comparable, Sendable {
    public let seconds: Int64

    @inlinable public init(seconds: Int64) { self.seconds = seconds }

    public init(_ day: CivilDay, secondOfDay: Int = 0) { self.init(seconds: Int64(day.number) * 86_400 + Int64(secondOfDay)) }

    /// Of times between the years -5,800,000 and 5,800,000; beyond, the last day there is.
    public var day: CivilDay { CivilDay(Int32(clamping: LocalTime.floored(seconds, 86_400))) }
    public var secondOfDay: Int { Int(seconds - LocalTime.floored(seconds, 86_400) * 86_400) }
    /// Minutes since 1970, rounded down.
    @inlinable var minute: Int64 { LocalTime.floored(seconds, 60) }

    @inlinable static func floored(_ value: Int64, _ by: Int64) -> Int64 {
        let quotient = value / by
        return value % by < 0 ? quotient - 1 : quotient
    }

    public static func < (one: LocalTime, other: LocalTime) -> Bool { one.seconds < other.seconds }
}

/// A time zone: which offset clocks had, have and by today's rules will have. Seconds are those since 1970-01-01T00:00:00Z (Unix time).
public struct Zone: Sendable {
    /// The offset holds from `at` on; east of Greenwich is positive.
    struct Transition: Equatable, Sendable {
        var at: Int64
        var offset: Int32
    }

    /// What a local time means.
    public enum Resolution: Equatable, Sendable {
        case one(Int64)
        /// Clocks passed over it; `after` is the moment they did, when a time that was meant there has certainly come.
        case gap(after: Int64)
        /// Clocks showed it twice.
        case overlap(earlier: Int64, later: Int64)
    }

    /// Offset before the first transition.
    private let first: Int32
    /// Rising.
    private let transitions: ContiguousArray<Transition>
    /// From the last transition on; nil: its offset holds for ever.
    private let rule: ZoneRule?

    /// No offset, ever.
    public static let utc = Zone(first: 0, transitions: [], rule: nil)

    init(first: Int32, transitions: ContiguousArray<Transition>, rule: ZoneRule?) {
        self.first = first
        self.transitions = transitions
        self.rule = rule
    }

    /// Seconds that clocks are ahead of UTC.
    public func offset(at seconds: Int64) -> Int32 { span(at: seconds).offset }

    public func local(at seconds: Int64) -> LocalTime { LocalTime(seconds: seconds &+ Int64(offset(at: seconds))) }

    /// The first moment after `seconds` from which another offset may hold; nil: this one holds for ever. May name a moment at which nothing changes.
    public func nextChange(after seconds: Int64) -> Int64? { span(at: seconds).until }

    /// The moments at which clocks showed `local`.
    public func moments(of local: LocalTime) -> Resolution {
        // No offset is more than 26 hours off, so spans around the moment as UTC would have it are all there are to look at.
        var at = local.seconds - 26 * 3600
        let end = local.seconds + 26 * 3600
        var found: Int64?
        var passed: Int64?
        while at <= end {
            let span = span(at: at)
            let moment = local.seconds - Int64(span.offset)
            let isIn = moment >= at && moment < span.until ?? .max
            if isIn {
                if let found { return .overlap(earlier: found, later: moment) }
                found = moment
            } else if moment < at, found == nil, passed == nil {
                passed = at
            }
            guard let next = span.until else { break }
            at = next
        }
        if let found { return .one(found) }
        return .gap(after: passed ?? local.seconds)
    }

    private func span(at seconds: Int64) -> (offset: Int32, until: Int64?) {
        guard let last = transitions.last else { return rule?.span(at: seconds) ?? (first, nil) }
        if seconds >= last.at { return rule?.span(at: seconds) ?? (last.offset, nil) }
        // The first transition behind `seconds`.
        var (low, high) = (0, transitions.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at > seconds { high = middle } else { low = middle + 1 }
        }
        return (low == 0 ? first : transitions[low - 1].offset, transitions[low].at)
    }
}
