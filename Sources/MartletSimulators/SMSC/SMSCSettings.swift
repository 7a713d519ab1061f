public import SMSText

/// One simulated operator as the settings file tells it.
public struct SMSCSettings: Sendable, Equatable {
    /// Stands in addresses of the admin API: 1 to 32 of a-z, 0-9, "-".
    public var name: String
    public var host: String
    /// 0: any free one.
    public var port: Int
    public var systemId: String
    /// nil: any password is taken.
    public var password: String?
    /// Most unanswered submits a bind may have; the next is answered ESME_RTHROTTLED. 0: no limit.
    public var window: Int
    public var seed: UInt64
    /// What its numbers of data_coding mean.
    public var alphabets: AlphabetProfile
    /// Most messages kept for the list.
    public var keep: Int
    /// Over how many messages duplicates are told; 0: not at all.
    public var duplicateWindow: Int
    public var behaviour: Behaviour

    public static let keepMaximum = 1_000_000
    public static let duplicateWindowMaximum = 10_000_000

    public init(
        name: String, host: String = "127.0.0.1", port: Int = 2776, systemId: String = "martlet", password: String? = nil,
        window: Int = 0, seed: UInt64 = 1, keep: Int = 100_000, duplicateWindow: Int = 500_000, alphabets: AlphabetProfile = .standard,
        behaviour: Behaviour = Behaviour()
    ) {
        self.name = name
        self.host = host
        self.port = port
        self.systemId = systemId
        self.password = password
        self.window = window
        self.seed = seed
        self.keep = min(max(keep, 0), Self.keepMaximum)
        self.duplicateWindow = min(max(duplicateWindow, 0), Self.duplicateWindowMaximum)
        self.alphabets = alphabets
        self.behaviour = behaviour
    }
}

/// Counts since the start or the last reset.
public struct SMSCStats: Sendable, Equatable {
    /// Binds live now.
    public var binds = 0
    /// Every submit_sm that came, whatever its answer.
    public var submits: UInt64 = 0
    /// Those the operator took on; `unique + duplicates` of them.
    public var accepted: UInt64 = 0
    public var duplicates: UInt64 = 0
    /// Answered ESME_RTHROTTLED: by share, by limit per second or by window.
    public var throttled: UInt64 = 0
    /// Answered with another refusal.
    public var refused: UInt64 = 0
    /// Taken and never answered.
    public var unanswered: UInt64 = 0
    /// Submits in the last 1000 ms.
    public var rate: UInt64 = 0
    /// Most submits in any 1000 ms.
    public var maxPerSecond: UInt64 = 0
    /// Submits without an answer on the fullest bind now; and ever.
    public var outstanding = 0
    public var maxOutstanding = 0
    /// Receipts written to a bind, and what became of them.
    public var receiptsSent: UInt64 = 0
    public var receiptsAnswered: UInt64 = 0
    public var receiptsRefused: UInt64 = 0
    /// Given back by a bind that closed before it answered them; they go out again.
    public var receiptsReturned: UInt64 = 0
    /// Waiting for a bind with room, or for their time.
    public var receiptsWaiting = 0
    /// Thrown away since too many waited.
    public var receiptsDropped: UInt64 = 0
    /// query_sm and cancel_sm that came.
    public var queries: UInt64 = 0
    public var cancels: UInt64 = 0
    /// Messages in the list.
    public var kept = 0

    public var unique: UInt64 { accepted - duplicates }

    var json: JSONText.Value {
        .map([
            ("binds", .integer(binds)), ("submits", .integer(Int(submits))), ("accepted", .integer(Int(accepted))),
            ("unique", .integer(Int(unique))), ("duplicates", .integer(Int(duplicates))), ("throttled", .integer(Int(throttled))),
            ("refused", .integer(Int(refused))), ("unanswered", .integer(Int(unanswered))), ("rate", .integer(Int(rate))),
            ("maxPerSecond", .integer(Int(maxPerSecond))), ("outstanding", .integer(outstanding)),
            ("maxOutstanding", .integer(maxOutstanding)), ("receiptsSent", .integer(Int(receiptsSent))),
            ("receiptsAnswered", .integer(Int(receiptsAnswered))), ("receiptsRefused", .integer(Int(receiptsRefused))),
            ("receiptsReturned", .integer(Int(receiptsReturned))), ("receiptsWaiting", .integer(receiptsWaiting)),
            ("receiptsDropped", .integer(Int(receiptsDropped))), ("kept", .integer(kept)),
            ("queries", .integer(Int(queries))), ("cancels", .integer(Int(cancels))),
        ])
    }
}
