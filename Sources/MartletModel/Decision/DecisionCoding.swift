// Bytes of what a decision read, as its record will keep them: enough to make it again, bit for bit, under this rulebook or another.
// Fields as in a customer record; the moment is the record's own and given back by whoever reads it.

/// All that a decision reads beside the rulebook.
public struct DecisionFacts: Equatable, Sendable {
    public var event: DecisionEvent
    /// Nil: nobody is known by the reference that the event names.
    public var customer: Customer?
    public var circumstances: Circumstances

    public init(event: DecisionEvent, customer: Customer?, circumstances: Circumstances) {
        self.event = event
        self.customer = customer
        self.circumstances = circumstances
    }

    public static let version: UInt8 = 1

    private enum Bit {
        static let customer: UInt8 = 1
        static let deadline: UInt8 = 2
        static let amount: UInt8 = 4
        static let account: UInt8 = 8
        static let card: UInt8 = 16
        static let duplicate: UInt8 = 32
        static let superseded: UInt8 = 64
        static let noBudget: UInt8 = 128
    }

    /// Adds the bytes to `bytes`. On a fault `bytes` holds a part of them.
    public func write(to bytes: inout [UInt8]) throws(CustomerFault) {
        // Nearly every one fits: grown once rather than by halves.
        bytes.reserveCapacity(bytes.count + DecisionFacts.usualBytes)
        var out = FieldWriter(bytes)
        bytes = []
        defer { bytes = out.bytes }
        out.byte(DecisionFacts.version)
        var bits: UInt8 = 0
        if customer != nil { bits |= Bit.customer }
        if event.deadline != nil { bits |= Bit.deadline }
        if event.amount != nil { bits |= Bit.amount }
        if event.account != 0 { bits |= Bit.account }
        if event.card != 0 { bits |= Bit.card }
        if circumstances.isDuplicate { bits |= Bit.duplicate }
        if circumstances.isSuperseded { bits |= Bit.superseded }
        if !circumstances.hasBudget { bits |= Bit.noBudget }
        out.byte(bits)
        out.varint(event.event)
        out.signed(circumstances.now &- event.occurredAt)
        if let deadline = event.deadline { out.signed(deadline &- circumstances.now) }
        if let amount = event.amount {
            out.signed(amount.minor)
            out.varint(amount.currency)
        }
        if event.account != 0 { out.fixed(event.account) }
        if event.card != 0 { out.fixed(event.card) }
        switch circumstances.stage {
        case .fresh: out.byte(0)
        case .release: out.byte(1)
        case .step(let place): out.varint(UInt(place) + 2)
        }
        out.varint(circumstances.channels.rawValue)
        out.varint(circumstances.recent)
        out.varint(circumstances.usedCaps)
        guard let customer else { return }
        out.fixed(customer.subject)
        try out.inner { out throws(CustomerFault) in try customer.write(to: &out) }
        // Behind all else, where a reader that does not know them stops; of nobody nothing is made ready.
        for one in circumstances.exclusions { one.write(to: &out) }
    }

    private static let usualBytes = 256

    /// - Parameter now: wall microseconds of the decision, which the bytes do not repeat.
    public init(reading bytes: UnsafeRawBufferPointer, now: Int64) throws(CustomerFault) {
        var input = FieldReader(bytes)
        let version = try input.byte("version")
        guard version == DecisionFacts.version else { throw .unknownVersion(version) }
        let bits = try input.byte("flags")
        var event = DecisionEvent(event: try input.number("event"), occurredAt: now &- (try input.signed("occurred at")))
        if bits & Bit.deadline != 0 { event.deadline = now &+ (try input.signed("deadline")) }
        if bits & Bit.amount != 0 {
            let minor = try input.signed("amount")
            event.amount = Money(minor: minor, currency: try input.number("currency"))
        }
        if bits & Bit.account != 0 { event.account = try input.fixed("account") }
        if bits & Bit.card != 0 { event.card = try input.fixed("card") }
        var circumstances = Circumstances(
            now: now, isDuplicate: bits & Bit.duplicate != 0, isSuperseded: bits & Bit.superseded != 0, hasBudget: bits & Bit.noBudget == 0)
        switch try input.varint("stage") {
        case 0: circumstances.stage = .fresh
        case 1: circumstances.stage = .release
        case let place:
            guard let place = UInt8(exactly: place - 2) else { throw .badValue(field: "stage") }
            circumstances.stage = .step(place)
        }
        circumstances.channels = ChannelSet(rawValue: try input.number("channels"))
        circumstances.recent = try input.number("recent")
        circumstances.usedCaps = try input.number("caps")
        var customer: Customer?
        if bits & Bit.customer != 0 {
            let subject: SubjectNumber = try input.fixed("subject")
            customer = try Customer(subject: subject, reading: try input.inner("customer").rest)
            while !input.isAtEnd { circumstances.exclusions.append(try Exclusion(&input)) }
        }
        self.init(event: event, customer: customer, circumstances: circumstances)
    }
}

extension Exclusion {
    private static let anyStep: UInt8 = 255

    fileprivate func write(to out: inout FieldWriter) {
        out.byte(step ?? Exclusion.anyStep)
        out.byte(channel.rawValue)
        out.byte(contact)
        out.byte(why.rawValue)
    }

    fileprivate init(_ input: inout FieldReader) throws(CustomerFault) {
        let step = try input.byte("step left out")
        guard let channel = ChannelKind(rawValue: try input.byte("channel left out")) else { throw .badValue(field: "channel left out") }
        let contact = try input.byte("contact left out")
        guard let why = PlannedMessage.Skip(rawValue: try input.byte("why left out")) else { throw .badValue(field: "why left out") }
        self.init(step: step == Exclusion.anyStep ? nil : step, channel: channel, contact: contact, why: why)
    }
}
