/// What a source looks for among its own messages. At least one of reference and number is given.
public struct MessageSearch: Equatable, Sendable {
    public var reference: String?
    public var to: PhoneNumber?
    /// Accepted at this wall microsecond or later.
    public var from: Int64
    /// Accepted before this wall microsecond.
    public var until: Int64
    /// Messages of one page at most, 1...`limitMaximum`.
    public var limit: Int
    /// Where the page before ended; nil: from the newest.
    public var cursor: SearchCursor?

    public static let limitMaximum = 100

    public init(
        reference: String? = nil, to: PhoneNumber? = nil, from: Int64 = .min, until: Int64 = .max, limit: Int = 20,
        cursor: SearchCursor? = nil
    ) {
        self.reference = reference
        self.to = to
        self.from = from
        self.until = until
        self.limit = limit
        self.cursor = cursor
    }
}

/// A place among the records of the log; what follows it is older.
public struct SearchCursor: Equatable, Sendable {
    /// Raw journal position of the last record that was looked at.
    public var position: UInt64
    /// Acceptances come first, then messages whose acceptance was trimmed while they stayed open.
    public var isCarried: Bool

    public init(position: UInt64, isCarried: Bool) {
        self.position = position
        self.isCarried = isCarried
    }
}

/// One page of a search, recent first.
public struct SearchPage: Sendable {
    public var stories: [Story]
    /// Where to go on; nil: that was all. A page may be short, or empty, and yet not the last.
    public var next: SearchCursor?

    public init(stories: [Story], next: SearchCursor?) {
        self.stories = stories
        self.next = next
    }
}

public enum SearchFault: Error, Equatable, Sendable {
    /// Too many searches are waiting, or the index is being made after a start: try later.
    case busy
    /// The log could not be read.
    case unreadable(String)
}

/// The newest message to a number, whoever sent it.
public struct LatestMessage: Equatable, Sendable {
    public var id: MessageID
    public var source: SourceNumber
    /// Wall microseconds of its acceptance.
    public var at: Int64

    public init(id: MessageID, source: SourceNumber, at: Int64) {
        self.id = id
        self.source = source
        self.at = at
    }
}
