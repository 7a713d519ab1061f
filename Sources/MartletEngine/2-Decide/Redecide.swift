public import MartletModel

/// A decision as its record has it: what was decided, and all that it read.
public struct RecordedDecision: Equatable, Sendable {
    public var id: MessageID
    /// Wall microseconds of its record, which are those of the decision.
    public var at: Int64
    public var made: RecordBody.Decided
    public var facts: DecisionFacts
    /// What the event says, without what is secret.
    public var values: [EventPayload.NamedValue]
    /// By what its text was written; nil: none was.
    public var wording: EventPayload.Wording?
    /// Text and sender as they went out; empty: nothing was told.
    public var text: String
    public var sender: String

    public init(
        id: MessageID, at: Int64, made: RecordBody.Decided, facts: DecisionFacts, values: [EventPayload.NamedValue] = [],
        wording: EventPayload.Wording? = nil, text: String = "", sender: String = ""
    ) {
        self.id = id
        self.at = at
        self.made = made
        self.facts = facts
        self.values = values
        self.wording = wording
        self.text = text
        self.sender = sender
    }

    /// In which a decision made again is not what was recorded; empty: it is the same.
    public func differences(from it: Redecision) -> DecisionFields {
        var fields: DecisionFields = []
        if made.outcome != it.outcome { fields.insert(.outcome) }
        if made.reason != it.reason { fields.insert(.reason) }
        // Of a message that goes it is when its next step is due.
        if made.outcome == .held, it.outcome == .held, made.until != it.until { fields.insert(.until) }
        if made.package != it.package { fields.insert(.package) }
        // What is held names where it begins again; of that a decision says nothing.
        if made.outcome == .told || it.outcome == .told, made.step != it.step || made.channel != it.channel { fields.insert(.step) }
        if made.messages != it.messages { fields.insert(.messages) }
        if made.counters != it.counters { fields.insert(.counters) }
        return fields
    }
}

/// What is compared of two decisions.
public struct DecisionFields: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    public static let outcome = DecisionFields(rawValue: 1)
    public static let reason = DecisionFields(rawValue: 2)
    /// The end of a hold.
    public static let until = DecisionFields(rawValue: 4)
    public static let package = DecisionFields(rawValue: 8)
    /// Step and channel of the message that goes.
    public static let step = DecisionFields(rawValue: 16)
    public static let messages = DecisionFields(rawValue: 32)
    /// Caps and limits that it counts for.
    public static let counters = DecisionFields(rawValue: 64)
    /// Of the text, on the air.
    public static let parts = DecisionFields(rawValue: 128)
    /// The text itself, its sender, or by what it was written.
    public static let text = DecisionFields(rawValue: 256)

    private static let named: [(DecisionFields, String)] = [
        (.outcome, "outcome"), (.reason, "reason"), (.until, "until"), (.package, "package"), (.step, "step"), (.messages, "messages"),
        (.counters, "counters"), (.parts, "parts"),
        (.text, "text"),
    ]

    public var words: [String] { DecisionFields.named.filter { contains($0.0) }.map(\.1) }
}

/// A decision made again from recorded facts, in the terms of a record.
public struct Redecision: Equatable, Sendable {
    public var outcome: RecordBody.Decided.Outcome
    public var reason: SuppressionReason?
    /// That speaks against it, or holds it; nil: none does.
    public var rule: DecisionRule?
    /// Wall milliseconds; 0: it is not held.
    public var until: Int64
    public var package: UInt16
    public var step: UInt8?
    public var channel: ChannelKind?
    public var messages: [PlannedMessage]
    public var counters: [RecordBody.Counter]
}

extension DecisionBook {
    /// Decides once more, by the rules that decide live, from what the record says was read. Under the release that made it, it must come out the
    /// same.
    public func decide(again it: RecordedDecision) -> Redecision {
        decide(it.facts, stage: it.made.stage)
    }

    /// - Parameter stage: of the record, which knows reminders besides.
    func decide(_ facts: DecisionFacts, stage: RecordBody.Decided.Stage) -> Redecision {
        var decision = Decision()
        let isKnown = decider.decide(facts.event, facts.customer, facts.circumstances, into: &decision)
        // A release took the definition out.
        if !isKnown { decision.outcome = .suppress(.unpublished) }
        var made = Redecision(
            outcome: .suppressed, reason: decision.reason, rule: isKnown ? decision.said.last?.rule : .published, until: 0,
            package: decision.package, step: nil,
            channel: nil, messages: Array(decision.messages), counters: [])
        switch decision.outcome {
        case .tell:
            if let message = decision.messages.first(where: { $0.when == .now }) {
                made.outcome = .told
                made.rule = nil
                made.step = message.step
                made.channel = message.channel
            } else {
                // The rules let it go over nothing that could be tried.
                made.reason = .channelForbidden
                made.rule = .channels
            }
        case .hold(let until):
            made.outcome = .held
            made.until = DecisionBook.milliseconds(until)
        case .suppress:
            break
        }
        // What follows in a plan that has begun counts no second time.
        let isFirst = stage != .step
        made.counters = counters(decision, facts.event.event, isTold: made.outcome == .told && isFirst, isFresh: stage == .fresh)
        return made
    }

    /// The end of a hold as records have it, never before it is over.
    static func milliseconds(_ microseconds: Int64) -> Int64 { (microseconds + 999) / 1000 }

    /// What an event counts for: the caps of what is told, and its limit once, whatever is decided.
    func counters(
        _ decision: borrowing Decision, _ event: UInt16, isTold: Bool, isFresh: Bool
    ) -> [RecordBody.Counter] {
        guard let place = decider.place(of: event) else { return [] }
        var all: [RecordBody.Counter] = []
        var rest = isTold ? decision.caps : 0
        while rest != 0 {
            all.append(decider.counters[rest.trailingZeroBitCount])
            rest &= rest - 1
        }
        if isFresh, let limit = limit(of: event, place) { all.append(limit) }
        return all
    }

    /// Nil: any number of them may come.
    func limit(of event: UInt16, _ place: Int) -> RecordBody.Counter? {
        guard decider.events[place].most != .max else { return nil }
        return rules.events[place].limit.map { RecordBody.Counter($0, of: event) }
    }
}
