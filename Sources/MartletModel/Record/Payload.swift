/// The customer data of one message: what is sealed in its record, and what a hand-over needs. Little-endian:
/// version (1), number (8 bytes), then sender, reference (a length byte each) and text (two length bytes), all UTF-8.
public struct Payload: Equatable, Sendable {
    public var to: PhoneNumber
    public var from: String
    public var reference: String
    public var text: String

    public init(to: PhoneNumber, from: String, reference: String, text: String) {
        self.to = to
        self.from = from
        self.reference = reference
        self.text = text
    }

    public static let version: UInt8 = 1

    /// Appends the bytes of the message's payload.
    public static func append(_ submission: borrowing Submission, to out: inout [UInt8]) {
        out.append(version)
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
    }

    public init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        var input = ByteReader(bytes)
        let version: UInt8 = try input.take()
        guard version == Payload.version else { throw .unknownVersion(version) }
        to = PhoneNumber(digits: try input.take())
        from = try input.text()
        reference = try input.text()
        let count: UInt16 = try input.take()
        text = try input.text(count: Int(count))
    }
}
