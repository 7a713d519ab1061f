/// What is sealed of an event, in a payload of version 4: the message as others have it, then what happened, what the decision read, and by
/// which template the text was written. Read back only for a later decision and for people; a hand-over needs the message alone.
public struct EventPayload: Equatable, Sendable {
    /// With number 0 and no text where nothing goes; then its sender is the one that a template without one is sent under.
    public var message: Payload
    public var happened: Happened
    /// Bytes of `DecisionFacts`; empty: none are kept.
    public var facts: [UInt8]
    /// Nil: nothing was written.
    public var wording: Wording?
    /// Nil: nothing follows it.
    public var plan: Plan?

    /// The event as its source told it. Parameters by name: places change from release to release.
    public struct Happened: Equatable, Sendable {
        /// Number of the definition.
        public var event: UInt16
        /// Wall microseconds.
        public var occurredAt: Int64
        /// Wall microseconds until which its source wants it told; nil: as its definition says.
        public var deadline: Int64?
        /// Keyed hash of the bank's reference of the customer, by which the customer is looked up anew.
        public var customer: UInt64
        /// Keyed hashes; 0: it says of none.
        public var account: UInt64
        public var card: UInt64
        public var values: [NamedValue]

        public init(
            event: UInt16, occurredAt: Int64, deadline: Int64? = nil, customer: UInt64, account: UInt64 = 0, card: UInt64 = 0,
            values: [NamedValue] = []
        ) {
            self.event = event
            self.occurredAt = occurredAt
            self.deadline = deadline
            self.customer = customer
            self.account = account
            self.card = card
            self.values = values
        }

        /// Bytes of it at most; a door refuses what has more.
        public static let maximumBytes = 4096
    }

    public struct NamedValue: Equatable, Sendable {
        public var name: String
        public var value: ParameterValue
        public init(_ name: String, _ value: ParameterValue) {
            self.name = name
            self.value = value
        }
    }

    /// By what the text was written.
    public struct Wording: Equatable, Sendable {
        public var channel: ChannelKind
        /// Key of the template.
        public var template: String
        public var version: UInt32
        /// 0: nothing of it was overridden.
        public var override: UInt32
        /// As `CustomerLocale` writes it.
        public var locale: String

        public init(channel: ChannelKind, template: String, version: UInt32, override: UInt32 = 0, locale: String) {
            self.channel = channel
            self.template = template
            self.version = version
            self.override = override
            self.locale = locale
        }
    }

    public init(message: Payload, happened: Happened, facts: [UInt8] = [], wording: Wording? = nil, plan: Plan? = nil) {
        self.message = message
        self.message.event = happened.event
        self.happened = happened
        self.facts = facts
        self.wording = wording
        self.plan = plan
    }

    /// Fields of version 4 behind those of version 3. Raw values are in records.
    private enum Field: UInt8 {
        case happened = 7
        case facts = 8
        case wording = 9
        case plan = 10
    }

    /// - Returns: the bytes that what happened takes of it; what does not fit is cut off, so whoever writes it looks at that.
    @discardableResult
    public func append(to out: inout [UInt8]) -> Int {
        message.appendOfEvent(to: &out)
        let bytes = Payload.appendLong(Field.happened.rawValue, to: &out) { happened.write(to: &$0) }
        if !facts.isEmpty { Payload.appendLong(Field.facts.rawValue, facts, to: &out) }
        if let wording { Payload.appendLong(Field.wording.rawValue, to: &out) { wording.write(to: &$0) } }
        if let plan { Payload.appendLong(Field.plan.rawValue, to: &out) { plan.write(to: &$0) } }
        return bytes
    }

    /// - Throws: `RecordFault`; of a payload that is no event's, too.
    public init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        var happened: Happened?
        var facts: [UInt8] = []
        var wording: Wording?
        var plan: Plan?
        let message = try Payload(reading: bytes) { field, bytes throws(RecordFault) in
            switch Field(rawValue: field) {
            case .happened: happened = try Happened(reading: bytes)
            case .facts: facts = Array(bytes)
            case .wording: wording = try Wording(reading: bytes)
            case .plan: plan = try Plan(reading: bytes)
            case nil: break
            }
        }
        guard let happened else { throw .badValue(field: "event") }
        self.init(message: message, happened: happened, facts: facts, wording: wording, plan: plan)
    }
}

extension EventPayload.Happened {
    private enum Bit {
        static let deadline: UInt8 = 1
        static let account: UInt8 = 2
        static let card: UInt8 = 4
    }

    /// Definition, moment, customer, bits, what they announce, then the values to the end: name, type, value.
    public var bytes: [UInt8] {
        var out = FieldWriter([])
        write(to: &out)
        return out.bytes
    }

    func write(to out: inout FieldWriter) {
        out.fixed(event)
        out.fixed(occurredAt)
        out.fixed(customer)
        out.byte((deadline == nil ? 0 : Bit.deadline) | (account == 0 ? 0 : Bit.account) | (card == 0 ? 0 : Bit.card))
        if let deadline { out.fixed(deadline) }
        if account != 0 { out.fixed(account) }
        if card != 0 { out.fixed(card) }
        for one in values {
            out.text(one.name)
            one.value.write(&out)
        }
    }

    init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        do throws(CustomerFault) {
            var input = FieldReader(bytes)
            self.init(
                event: try input.fixed("event"), occurredAt: try input.fixed("occurred at"), customer: try input.fixed("customer"))
            let bits = try input.byte("event's bits")
            if bits & Bit.deadline != 0 { deadline = try input.fixed("deadline") }
            if bits & Bit.account != 0 { account = try input.fixed("account") }
            if bits & Bit.card != 0 { card = try input.fixed("card") }
            while !input.isAtEnd {
                let name = try input.inner("name").asText("name")
                values.append(EventPayload.NamedValue(name, try ParameterValue(&input)))
            }
        } catch {
            throw RecordFault(error)
        }
    }
}

extension EventSubmission {
    /// What is hashed of an event to know it again: a definition's number, the customer, and the values of some parameters by their names.
    public func identity(of event: UInt16, customer: UInt64, by places: [Int]) -> [UInt8] {
        var out = FieldWriter([])
        out.bytes.reserveCapacity(160)
        EventPayload.Happened(event: event, occurredAt: 0, customer: customer).write(to: &out)
        for place in places where values.indices.contains(place) && definition.parameters.indices.contains(place) {
            guard let value = values[place] else { continue }
            out.text(definition.parameters[place].name)
            value.write(&out)
        }
        return out.bytes
    }
}

extension EventPayload.Wording {
    func write(to out: inout FieldWriter) {
        out.byte(channel.rawValue)
        out.text(template)
        out.fixed(version)
        out.fixed(override)
        out.text(locale)
    }

    init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        do throws(CustomerFault) {
            var input = FieldReader(bytes)
            guard let channel = ChannelKind(rawValue: try input.byte("channel")) else { throw .badValue(field: "channel") }
            self.init(
                channel: channel, template: try input.inner("template").asText("template"), version: try input.fixed("version"),
                override: try input.fixed("override"), locale: try input.inner("locale").asText("locale"))
        } catch {
            throw RecordFault(error)
        }
    }
}

extension ParameterValue {
    /// Its type, then the value: a text with its length, numbers in as few bytes as they need.
    func write(_ out: inout FieldWriter) {
        out.byte(type.rawValue)
        switch self {
        case .text(let text): out.text(text)
        case .integer(let number): out.signed(number)
        case .decimal(let decimal):
            out.signed(decimal.unscaled)
            out.byte(decimal.scale)
        case .money(let money):
            out.signed(money.minor)
            out.varint(money.currency)
        case .date(let days): out.signed(Int64(days))
        case .time(let seconds): out.signed(Int64(seconds))
        case .instant(let at, let offset):
            out.signed(at)
            out.signed(Int64(offset))
        case .boolean(let flag): out.byte(flag ? 1 : 0)
        }
    }

    init(_ input: inout FieldReader) throws(CustomerFault) {
        guard let type = ParameterType(rawValue: try input.byte("type of a value")) else { throw .badValue(field: "type of a value") }
        switch type {
        case .text: self = .text(try input.inner("text").asText("text"))
        case .integer: self = .integer(try input.signed("integer"))
        case .decimal: self = .decimal(ExactDecimal(unscaled: try input.signed("decimal"), scale: try input.byte("scale")))
        case .money: self = .money(Money(minor: try input.signed("amount"), currency: try input.number("currency")))
        case .date: self = .date(try input.small("date"))
        case .time: self = .time(try input.small("time"))
        case .instant: self = .instant(try input.signed("moment"), offset: try input.small("offset"))
        case .boolean: self = .boolean(try input.byte("truth") != 0)
        }
    }
}

extension FieldReader {
    fileprivate mutating func small(_ field: StaticString) throws(CustomerFault) -> Int32 {
        guard let value = Int32(exactly: try signed(field)) else { throw .badValue(field: "\(field)") }
        return value
    }
}

extension FieldWriter {
    /// A length, then the text, whatever its length.
    fileprivate mutating func text(_ text: String) {
        varint(UInt(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }
}

extension RecordFault {
    init(_ fault: CustomerFault) {
        switch fault {
        case .truncated: self = .truncated
        case .badValue(let field), .tooMany(let field, _), .tooLong(let field, _): self = .badValue(field: field)
        case .outOfOrder: self = .badValue(field: "section")
        case .unknownVersion(let version): self = .unknownVersion(version)
        }
    }
}
