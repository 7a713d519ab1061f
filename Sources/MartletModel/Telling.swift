// Telling back: a source hears of the ends of its messages. Owed from the end on, kept until it was heard, in the order of the ends.

/// The end of one message, for the source that asked to hear of it.
public struct Notice: Sendable {
    public var slot: SlotReference
    public var id: MessageID
    public var messageClass: MessageClass
    public var state: MessageState
    public var reason: EndReason
    /// The provider's error code in the receipt, as number; 0 when none.
    public var error: UInt16
    public var parts: UInt8
    /// Wall milliseconds of the end.
    public var endedAt: Int64
    public var possibleDuplicate: Bool
    /// How often it was put off before, since the start or since it was asked for.
    public var tries: UInt8
    /// As they were accepted.
    public var payload: Payload
    /// Of an event: its key; empty when the rulebook in use has it no more. Nil: it is a ready text.
    public var event: String?

    public init(
        slot: SlotReference, id: MessageID, messageClass: MessageClass, state: MessageState, reason: EndReason, error: UInt16,
        parts: UInt8, endedAt: Int64, possibleDuplicate: Bool = false, tries: UInt8 = 0, payload: Payload, event: String? = nil
    ) {
        self.slot = slot
        self.id = id
        self.messageClass = messageClass
        self.state = state
        self.reason = reason
        self.error = error
        self.parts = parts
        self.endedAt = endedAt
        self.possibleDuplicate = possibleDuplicate
        self.tries = tries
        self.payload = payload
        self.event = event
    }

    /// Of an event, as it was decided last: nobody was told, or somebody was, or it was held to its end. Nil: it is a ready text.
    public var outcome: RecordBody.Decided.Outcome? {
        guard event != nil else { return nil }
        // Only what was told has a number.
        return state == .suppressed ? .suppressed : payload.to.digits == 0 ? .held : .told
    }

    /// Milliseconds after an end for which its source may be away: then it is owed no more.
    public static let owedMilliseconds: Int64 = 72 * 3_600_000
}

/// What became of a notice.
public enum NoticeOutcome: Equatable, Sendable {
    /// The source took it.
    case heard
    /// It did not, or its answer stayed out: told again, before those that had no turn.
    case notHeard
    /// It refused it for good: told no more.
    case refused
    /// It did not, and is told again when this time is over; the others have their turn meanwhile.
    case later(milliseconds: Int64)
    /// It did not, and is told no more by itself: kept until its source asks, or for as long as notices are kept.
    case parked
}

/// How telling ended. Raw values are in records.
public enum ToldOutcome: UInt8, CaseIterable, Sendable {
    case heard = 1
    /// The source refused it for good.
    case refused = 2
    /// The source was away for longer than notices are kept.
    case givenUp = 3

    public var word: String {
        switch self {
        case .heard: "heard"
        case .refused: "refused"
        case .givenUp: "given_up"
        }
    }
}

/// Where one source hears: the binds of its account, its endpoint. Made by a door, fed by the node, confined to the node's loop.
public protocol Teller: AnyObject {
    var source: SourceNumber { get }
    /// Name for the story: of the account or endpoint.
    var name: String { get }
    /// Notices that may be given now; 0 while nobody listens.
    var room: Int { get }
    /// At most `room` of them, in order. Every one is answered by `TellerOwner.told`.
    func tell(_ batch: [Notice])
    /// The source asked to be told again: whatever made the teller pause is no reason any more.
    func askedAgain()
}

extension Teller {
    public func askedAgain() {}
}

/// What a teller calls back; the node is one.
public protocol TellerOwner: AnyObject {
    func add(_ teller: any Teller)
    func remove(_ teller: any Teller)
    func told(_ batch: [(slot: SlotReference, outcome: NoticeOutcome)], by teller: any Teller)
    /// The teller has room again.
    func roomChanged(_ teller: any Teller)
}
