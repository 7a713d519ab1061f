/// The customer data of one message: what is sealed in its record, and what a hand-over needs. Little-endian:
/// version, number (8 bytes), then sender, reference (a length byte each) and text (two length bytes), all UTF-8.
/// Version 2 has the user data header (a length byte) behind the text. Version 3 has fields there, to the end: a byte that says which, a
/// length byte, so many bytes. Version 4 is an event's: 3 with two length bytes a field, and the fields that `EventPayload` reads. Each
/// version is written only where it is needed.
public struct Payload: Equatable, Sendable {
    public var to: PhoneNumber
    public var from: String
    public var reference: String
    public var text: String
    /// The text is one part that its sender cut, and goes out behind this header as it is (3GPP TS 23.040, 9.2.3.24); empty otherwise.
    public var userDataHeader: [UInt8]
    /// The octets behind that header as its sender wrote them, and their alphabet; empty: the text says it all.
    public var partOctets: [UInt8]
    public var partAlphabet: UInt8
    public var wishes: MessageWishes
    /// How its operator's rules planned the text, a code of `SMSText`; 0: as everybody does.
    public var textShape: UInt32
    /// Given back where the source asks or hears of the message. Who tells an end (`Notice.payload`) has it for the `traceparent` of a
    /// callback.
    public var trace: TraceContext?
    /// Of a message from a handset: the one that it is a reply to; `none`: of no other.
    public var inReplyTo: MessageID
    /// Number of the event's definition that it tells of; 0: it is a ready text.
    public var event: UInt16

    public init(
        to: PhoneNumber, from: String, reference: String, text: String, userDataHeader: [UInt8] = [], partOctets: [UInt8] = [],
        partAlphabet: UInt8 = 0, wishes: MessageWishes = [], textShape: UInt32 = 0, trace: TraceContext? = nil,
        inReplyTo: MessageID = .none, event: UInt16 = 0
    ) {
        self.to = to
        self.from = from
        self.reference = reference
        self.text = text
        self.userDataHeader = userDataHeader
        self.partOctets = partOctets
        self.partAlphabet = partAlphabet
        self.wishes = wishes
        self.textShape = textShape
        self.trace = trace
        self.inReplyTo = inReplyTo
        self.event = event
    }

    /// As they stand in the bytes.
    public func append(to out: inout [UInt8]) {
        Payload.append(
            to: to, from: from, reference: reference, text: text,
            Extras(userDataHeader, partOctets, partAlphabet, wishes, textShape, trace, inReplyTo, event),
            out: &out)
    }

    /// Parts on the air that a text shape stands for: its highest byte. Nil for 0, where they are the submits.
    public static func parts(ofShape textShape: UInt32) -> UInt8? { textShape == 0 ? nil : UInt8(textShape >> 24) }

    public static let version: UInt8 = 1
    public static let versionWithHeader: UInt8 = 2
    public static let versionWithFields: UInt8 = 3
    public static let versionOfEvent: UInt8 = 4

    /// Fields of version 3. Raw values are in records; a reader passes over one that it does not know.
    private enum Field: UInt8 {
        case userDataHeader = 1
        case textShape = 2
        case wishes = 3
        /// The alphabet (1 byte), then the octets.
        case part = 4
        /// Trace id (two words, the higher first), parent, flags.
        case trace = 5
        /// Two words, the higher first.
        case inReplyTo = 6
        /// Two bytes. Of what memory keeps of an event for its hand-over; a record has the event itself.
        case event = 10
    }

    /// From this one on fields are `EventPayload`'s.
    static let firstOfEvent: UInt8 = 7

    /// Appends the bytes of the message's payload.
    public static func append(_ submission: borrowing Submission, textShape: UInt32 = 0, to out: inout [UInt8]) {
        append(
            to: submission.to, from: submission.from, reference: submission.reference, text: submission.text,
            Extras(
                submission.userDataHeader, submission.partOctets, submission.partAlphabet, submission.wishes, textShape, submission.trace),
            out: &out)
    }

    /// What most messages have none of.
    private struct Extras {
        let userDataHeader: [UInt8]
        let partOctets: [UInt8]
        let partAlphabet: UInt8
        let wishes: MessageWishes
        let textShape: UInt32
        let trace: TraceContext?
        let inReplyTo: MessageID
        let event: UInt16

        init(
            _ userDataHeader: [UInt8], _ partOctets: [UInt8], _ partAlphabet: UInt8, _ wishes: MessageWishes, _ textShape: UInt32,
            _ trace: TraceContext?, _ inReplyTo: MessageID = .none, _ event: UInt16 = 0
        ) {
            self.userDataHeader = userDataHeader
            self.partOctets = partOctets
            self.partAlphabet = partAlphabet
            self.wishes = wishes
            self.textShape = textShape
            self.trace = trace
            self.inReplyTo = inReplyTo
            self.event = event
        }

        var version: UInt8 {
            if trace != nil || textShape != 0 || !wishes.isEmpty || !partOctets.isEmpty || inReplyTo != .none || event != 0 {
                return Payload.versionWithFields
            }
            return userDataHeader.isEmpty ? Payload.version : Payload.versionWithHeader
        }
    }

    private static func append(
        to: PhoneNumber, from: String, reference: String, text: String, _ extras: Extras, out: inout [UInt8]
    ) {
        let version = extras.version
        appendHead(version, to: to, from: from, reference: reference, text: text, out: &out)
        if version == versionWithHeader { appendShort(extras.userDataHeader, to: &out) }
        if version == versionWithFields { appendFields(extras, to: &out) }
    }

    /// What all versions begin with.
    private static func appendHead(
        _ version: UInt8, to: PhoneNumber, from: String, reference: String, text: String, out: inout [UInt8]
    ) {
        out.append(version)
        withUnsafeBytes(of: to.digits.littleEndian) { out.append(contentsOf: $0) }
        for short in [from, reference] {
            let count = short.shortCount
            out.append(UInt8(count))
            out.append(contentsOf: short.utf8.prefix(count))
        }
        // A length that does not fit its field must not garble what follows; the limits of the doors are far below.
        let count = min(text.utf8.count, Int(UInt16.max))
        out.append(UInt8(truncatingIfNeeded: count))
        out.append(UInt8(truncatingIfNeeded: count >> 8))
        out.append(contentsOf: text.utf8.prefix(count))
    }

    /// As version 4; the event's own fields go behind.
    func appendOfEvent(to out: inout [UInt8]) {
        Payload.appendHead(Payload.versionOfEvent, to: to, from: from, reference: reference, text: text, out: &out)
        let extras = Extras(userDataHeader, partOctets, partAlphabet, wishes, textShape, trace, inReplyTo)
        Payload.appendFields(extras, isLong: true, to: &out)
    }

    private static func appendFields(_ extras: Extras, isLong: Bool = false, to out: inout [UInt8]) {
        func append(_ field: Field, _ bytes: [UInt8]) {
            if isLong { return appendLong(field.rawValue, bytes, to: &out) }
            out.append(field.rawValue)
            appendShort(bytes, to: &out)
        }
        if !extras.userDataHeader.isEmpty { append(.userDataHeader, extras.userDataHeader) }
        if extras.textShape != 0 { append(.textShape, (0..<4).map { UInt8(truncatingIfNeeded: extras.textShape >> (8 * $0)) }) }
        if !extras.wishes.isEmpty { append(.wishes, [extras.wishes.rawValue]) }
        if !extras.partOctets.isEmpty { append(.part, [extras.partAlphabet] + extras.partOctets) }
        if let trace = extras.trace { append(.trace, trace.octets) }
        if extras.inReplyTo != .none { append(.inReplyTo, extras.inReplyTo.octets) }
        if extras.event != 0 { append(.event, [UInt8(truncatingIfNeeded: extras.event), UInt8(truncatingIfNeeded: extras.event >> 8)]) }
    }

    private static func appendShort(_ bytes: [UInt8], to out: inout [UInt8]) {
        let count = min(bytes.count, 255)
        out.append(UInt8(count))
        out.append(contentsOf: bytes.prefix(count))
    }

    /// A field of version 4. One that does not fit its length must not garble what follows; whoever writes it keeps far below.
    static func appendLong(_ field: UInt8, _ bytes: [UInt8], to out: inout [UInt8]) {
        let count = min(bytes.count, Int(UInt16.max))
        out.append(field)
        out.append(UInt8(truncatingIfNeeded: count))
        out.append(UInt8(truncatingIfNeeded: count >> 8))
        out.append(contentsOf: bytes.prefix(count))
    }

    /// The same, written where it is to stand.
    /// - Returns: its bytes before those that do not fit were cut off.
    @discardableResult
    static func appendLong(_ field: UInt8, to out: inout [UInt8], _ write: (inout FieldWriter) -> Void) -> Int {
        var fields = FieldWriter(out)
        out = []
        defer { out = fields.bytes }
        fields.byte(field)
        let start = fields.bytes.count
        fields.fixed(UInt16(0))
        write(&fields)
        let count = fields.bytes.count - start - 2
        if count > Int(UInt16.max) { fields.bytes.removeLast(count - Int(UInt16.max)) }
        let written = min(count, Int(UInt16.max))
        fields.bytes[start] = UInt8(truncatingIfNeeded: written)
        fields.bytes[start + 1] = UInt8(truncatingIfNeeded: written >> 8)
        return count
    }

    /// The number alone of a payload's bytes; nil when they are too few.
    public static func number(in bytes: UnsafeRawBufferPointer) -> PhoneNumber? {
        guard bytes.count >= 9 else { return nil }
        return PhoneNumber(digits: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt64.self)))
    }

    /// What only an event has is passed over.
    public init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        try self.init(reading: bytes) { (_, _) throws(RecordFault) in }
    }

    /// - Parameter ofEvent: gets each field that only an event has, with its bytes in place.
    init(
        reading bytes: UnsafeRawBufferPointer, ofEvent: (UInt8, UnsafeRawBufferPointer) throws(RecordFault) -> Void
    ) throws(RecordFault) {
        var input = ByteReader(bytes)
        let version: UInt8 = try input.take()
        guard (Payload.version...Payload.versionOfEvent).contains(version) else { throw .unknownVersion(version) }
        to = PhoneNumber(digits: try input.take())
        from = try input.text()
        reference = try input.text()
        let count: UInt16 = try input.take()
        text = try input.text(count: Int(count))
        userDataHeader = version == Payload.versionWithHeader ? try input.octets() : []
        partOctets = []
        partAlphabet = 0
        wishes = []
        textShape = 0
        trace = nil
        inReplyTo = .none
        event = 0
        if version == Payload.versionWithFields {
            while !input.isAtEnd { try take(field: input.take(), input.octets()) }
        }
        guard version == Payload.versionOfEvent else { return }
        while !input.isAtEnd {
            let field: UInt8 = try input.take()
            let count: UInt16 = try input.take()
            let octets = try input.raw(count: Int(count))
            if field < Payload.firstOfEvent {
                try take(field: field, Array(octets))
                continue
            }
            // The event begins with the number of its definition.
            if field == Payload.firstOfEvent, octets.count >= 2 { event = UInt16(octets[0]) | UInt16(octets[1]) << 8 }
            try ofEvent(field, octets)
        }
    }

    private mutating func take(field: UInt8, _ octets: [UInt8]) throws(RecordFault) {
        switch Field(rawValue: field) {
        case .userDataHeader: userDataHeader = octets
        case .textShape:
            guard octets.count == 4 else { throw .badValue(field: "text shape") }
            textShape = octets.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        case .wishes:
            guard octets.count == 1 else { throw .badValue(field: "wishes") }
            wishes = MessageWishes(rawValue: octets[0])
        case .part:
            guard octets.count > 1 else { throw .badValue(field: "part") }
            partAlphabet = octets[0]
            partOctets = Array(octets[1...])
        case .trace: trace = TraceContext(octets: octets)
        case .inReplyTo:
            guard let id = MessageID(octets: octets) else { throw .badValue(field: "in reply to") }
            inReplyTo = id
        case .event:
            guard octets.count == 2 else { throw .badValue(field: "event") }
            event = UInt16(octets[0]) | UInt16(octets[1]) << 8
        case nil: break
        }
    }
}

extension MessageID {
    /// 16 bytes: two words, the higher first.
    fileprivate var octets: [UInt8] { [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } } }

    fileprivate init?(octets: [UInt8]) {
        guard octets.count == 16 else { return nil }
        func word(_ place: Int) -> UInt64 { octets[place..<place + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(0), low: word(8))
    }
}
