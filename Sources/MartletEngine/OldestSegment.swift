/// What becomes of the oldest segment of the log. Pure, so that the seeded worlds choose by the lines that a node chooses by.
public enum OldestSegment: Equatable, Sendable {
    /// It is needed, or in nobody's way.
    case stays
    /// What must outlive it is appended again first.
    case isCarried
    /// Nothing of it is needed any more, or there is no room for it.
    case goes(Reason)

    public enum Reason: Sendable {
        /// It was kept long enough, and the history has it.
        case time
        /// The log is over its cap: ended messages go before their time.
        case cap
        /// The log is over its cap: records go that the history may lack.
        case capBeforeHistory
    }

    public struct Facts: Sendable {
        /// The log is larger than it may be.
        public var isOverCap: Bool
        /// Its newest record is older than records are kept.
        public var isPastTime: Bool
        /// What of it must outlive it, `Engine.live(in:)`.
        public var live: Int
        /// Segments of the log.
        public var segments: Int
        /// The history has not read it to its end.
        public var isLacked: Bool

        public init(isOverCap: Bool, isPastTime: Bool, live: Int, segments: Int, isLacked: Bool) {
            self.isOverCap = isOverCap
            self.isPastTime = isPastTime
            self.live = live
            self.segments = segments
            self.isLacked = isLacked
        }

        /// A few open messages would hold a segment of mostly ended ones: they go forward early, so that a trim later costs nothing.
        fileprivate var isMostlyDead: Bool { segments > 8 && live > 0 && live < 1000 }
    }

    public static func choose(_ facts: Facts) -> OldestSegment {
        guard facts.isOverCap || facts.isPastTime || facts.isMostlyDead else { return .stays }
        if facts.live > 0 { return .isCarried }
        if !facts.isLacked { return .goes(facts.isPastTime ? .time : .cap) }
        return facts.isOverCap ? .goes(.capBeforeHistory) : .stays
    }
}

/// What of the log the history still lacks, as the desk said last.
public struct HistoryNeed: Sendable {
    private enum Said {
        /// Not asked yet.
        case unknown
        /// There is no desk on this data.
        case nothing
        /// All from this segment on.
        case from(UInt32)
    }

    private var said = Said.unknown

    public init() {}

    /// - Parameter first: the first segment that it lacks; 0: all of them; nil: there is no desk on this data.
    public mutating func take(first: UInt32?) { said = first.map { .from($0) } ?? .nothing }

    public func lacks(_ segment: UInt32) -> Bool {
        switch said {
        case .unknown: true
        case .nothing: false
        case .from(let first): segment >= first
        }
    }
}
