/// The customer data of one message: what is sealed in its record, and what a hand-over needs. Little-endian:
/// version, number (8 bytes), then sender, reference (a length byte each) and text (two length bytes), all UTF-8.
/// Version 2, written only where it is needed, has the user data header (a length byte) behind the text. Version 3, written only for a
/// message with a trace context, has a count there and so many fields: a tag, a length byte, the content. Tags that are not known are
/// passed over.
public struct Payload: Equatable, Sendable {
    public var to: PhoneNumber
    public var from: String
    public var reference: String
    public var text: String
    /// The text is one part that its sender cut, and goes out behind this header as it is (3GPP TS 23.040, 9.2.3.24); empty otherwise.
    public var userDataHeader: [UInt8]
    /// Given back where the source asks or hears of the message. Who tells an end (`Notice.payload`) has it for the `traceparent` of a
    /// callback.
    public var trace: TraceContext?

    public init(
        to: PhoneNumber, from: String, reference: String, text: String, userDataHeader: [UInt8] = [], trace: TraceContext? = nil
    ) {
        self.to = to
        self.from = from
        self.reference = reference
        self.text = text
        self.userDataHeader = userDataHeader
        self.trace = trace
    }

    public static let version: UInt8 = 1
    public static let versionWithHeader: UInt8 = 2
    public static let versionWithFields: UInt8 = 3

    /// Tags of version 3; on disk, so never change one.
    private static let headerTag: UInt8 = 1
    private static let traceTag: UInt8 = 2

    /// Appends the bytes of the message's payload.
    public static func append(_ submission: borrowing Submission, to out: inout [UInt8]) {
        let hasHeader = !submission.userDataHeader.isEmpty
        out.append(submission.trace != nil ? versionWithFields : hasHeader ? versionWithHeader : version)
        withUnsafeBytes(of: submission.to.digits.littleEndian) { out.append(contentsOf: $0) }
        for short in [submission.from, submission.reference] {
            out.append(UInt8(short.shortCount))
            out.append(contentsOf: short.utf8.prefix(255))
        }
        // A length that does not fit its field must not garble what follows; the limits of the doors are far below.
        let count = min(submission.text.utf8.count, Int(UInt16.max))
        out.append(UInt8(truncatingIfNeeded: count))
        out.append(UInt8(truncatingIfNeeded: count >> 8))
        out.append(contentsOf: submission.text.utf8.prefix(count))
        if let trace = submission.trace {
            out.append(hasHeader ? 2 : 1)
            out.append(traceTag)
            append(trace, to: &out)
        }
        guard hasHeader else { return }
        if submission.trace != nil { out.append(headerTag) }
        let length = min(submission.userDataHeader.count, 255)
        out.append(UInt8(length))
        out.append(contentsOf: submission.userDataHeader.prefix(length))
    }

    private static func append(_ trace: TraceContext, to out: inout [UInt8]) {
        out.append(UInt8(TraceContext.byteCount))
        for word in [trace.high, trace.low, trace.parent] {
            withUnsafeBytes(of: word.littleEndian) { out.append(contentsOf: $0) }
        }
        out.append(trace.flags)
    }

    public init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        var input = ByteReader(bytes)
        let version: UInt8 = try input.take()
        guard (Payload.version...Payload.versionWithFields).contains(version) else { throw .unknownVersion(version) }
        to = PhoneNumber(digits: try input.take())
        from = try input.text()
        reference = try input.text()
        let count: UInt16 = try input.take()
        text = try input.text(count: Int(count))
        userDataHeader = version == Payload.versionWithHeader ? try input.octets() : []
        guard version == Payload.versionWithFields else { return }
        let fields: UInt8 = try input.take()
        for _ in 0..<fields {
            let tag: UInt8 = try input.take()
            let count = Int(try input.take() as UInt8)
            switch tag {
            case Payload.headerTag: userDataHeader = try input.octets(count: count)
            case Payload.traceTag where count == TraceContext.byteCount:
                trace = TraceContext(high: try input.take(), low: try input.take(), parent: try input.take(), flags: try input.take())
            default: _ = try input.octets(count: count)
            }
        }
    }
}
