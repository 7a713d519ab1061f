public import MartletModel

/// A sender system as the node has it: what counts on the sending path.
public struct KnownSource: Equatable, Sendable {
    public var number: SourceNumber
    public var name: String
    public var scopes: [String]
    /// Sender ids and classes it may use; empty: any.
    public var senders: [String]
    public var classes: [String]
    /// Of its messages that name none.
    public var sender: String?
    public var messageClass: String
    public var limits: SourceLimits
    public var keys: Int

    public init(
        number: SourceNumber, name: String, scopes: [String], senders: [String], classes: [String], sender: String?, messageClass: String,
        limits: SourceLimits, keys: Int
    ) {
        self.number = number
        self.name = name
        self.scopes = scopes
        self.senders = senders
        self.classes = classes
        self.sender = sender
        self.messageClass = messageClass
        self.limits = limits
        self.keys = keys
    }
}

/// The node's file of sources, as the desk reaches it. That file is the one truth of names, keys, defaults and limits, so that the node
/// needs nobody to know who may send, and `martlet source` and the desk cannot contradict each other: both change the file under its lock
/// and tell the node. The desk's rows hold what only people need.
public struct SourceCatalogue: Sendable {
    /// All of them, by number.
    public var read: @Sendable () throws -> [KnownSource]
    /// Writes what is to be changed into the file, durable, and tells the node. The same once more changes nothing.
    public var change: @Sendable (SourceNumber, SourceChange) throws -> Void

    public init(
        read: @escaping @Sendable () throws -> [KnownSource], change: @escaping @Sendable (SourceNumber, SourceChange) throws -> Void
    ) {
        self.read = read
        self.change = change
    }
}

/// What the desk wants changed in the node's file; nil: as it is.
public struct SourceChange: Equatable, Sendable, Codable {
    /// Parts a second, parts at once, parts a day; 0: no limit.
    public var rate: Int?
    public var burst: Int?
    public var dailyQuota: Int?
    /// Sender id and class of its messages that name none; an empty sender: none.
    public var sender: String?
    public var messageClass: String?

    public init(rate: Int? = nil, burst: Int? = nil, dailyQuota: Int? = nil, sender: String? = nil, messageClass: String? = nil) {
        self.rate = rate
        self.burst = burst
        self.dailyQuota = dailyQuota
        self.sender = sender
        self.messageClass = messageClass
    }

    var isNothing: Bool { self == SourceChange() }

    func check() throws(DeskFault) {
        var checks = FieldChecks()
        for (path, value, range) in [
            ("rate", rate, SourceLimits.rateRange), ("burst", burst, SourceLimits.rateRange),
            ("dailyQuota", dailyQuota, SourceLimits.quotaRange),
        ] {
            if let value, !range.contains(value) {
                checks.add(path, "range", "\(range.lowerBound) to \(range.upperBound) parts; 0 is no limit")
            }
        }
        if let sender, !sender.isEmpty, !MessageShape.isSender(sender) {
            checks.add("sender", "malformed", "1 to 15 digits, or 1 to 11 printable characters of the GSM default alphabet with a letter")
        }
        if let messageClass, MessageClass(word: messageClass) == nil {
            checks.add("messageClass", "unknown", "one of \(MessageClass.allCases.map(\.word).joined(separator: ", "))")
        }
        try checks.finish()
    }

    /// With what is wanted later laid over it.
    func followed(by later: SourceChange) -> SourceChange {
        SourceChange(
            rate: later.rate ?? rate, burst: later.burst ?? burst, dailyQuota: later.dailyQuota ?? dailyQuota,
            sender: later.sender ?? sender, messageClass: later.messageClass ?? messageClass)
    }
}

extension SourceChange {
    var document: JSONValue {
        var fields: [String: JSONValue] = [:]
        for (name, value) in [("rate", rate), ("burst", burst), ("dailyQuota", dailyQuota)] {
            if let value { fields[name] = .integer(Int64(value)) }
        }
        for (name, value) in [("sender", sender), ("messageClass", messageClass)] { if let value { fields[name] = .text(value) } }
        return .object(fields)
    }

    init(_ document: JSONValue) {
        func number(_ name: String) -> Int? { if case .integer(let value)? = document[name] { Int(value) } else { nil } }
        func text(_ name: String) -> String? { if case .text(let value)? = document[name] { value } else { nil } }
        self.init(
            rate: number("rate"), burst: number("burst"), dailyQuota: number("dailyQuota"), sender: text("sender"),
            messageClass: text("messageClass"))
    }
}
