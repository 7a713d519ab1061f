/// The customer data of one message: what is sealed in its record, and what a hand-over needs. Little-endian:
/// version, number (8 bytes), then sender, reference (a length byte each) and text (two length bytes), all UTF-8.
/// Version 2, written only where it is needed, has the user data header (a length byte) behind the text.
public struct Payload: Equatable, Sendable {
    public var to: PhoneNumber
    public var from: String
    public var reference: String
    public var text: String
    /// The text is one part that its sender cut, and goes out behind this header as it is (3GPP TS 23.040, 9.2.3.24); empty otherwise.
    public var userDataHeader: [UInt8]

    public init(to: PhoneNumber, from: String, reference: String, text: String, userDataHeader: [UInt8] = []) {
        self.to = to
        self.from = from
        self.reference = reference
        self.text = text
        self.userDataHeader = userDataHeader
    }

    public static let version: UInt8 = 1
    public static let versionWithHeader: UInt8 = 2

    /// Appends the bytes of the message's payload.
    public static func append(_ submission: borrowing Submission, to out: inout [UInt8]) {
        out.append(submission.userDataHeader.isEmpty ? version : versionWithHeader)
        withUnsafeBytes(of: submission.to.digits.littleEndian) { out.append(contentsOf: $0) }
        for short in [submission.from, submission.reference] {
            let count = short.shortCount
            out.append(UInt8(count))
            out.append(contentsOf: short.utf8.prefix(count))
        }
        // A length that does not fit its field must not garble what follows; the limits of the doors are far below.
        let count = min(submission.text.utf8.count, Int(UInt16.max))
        out.append(UInt8(truncatingIfNeeded: count))
        out.append(UInt8(truncatingIfNeeded: count >> 8))
        out.append(contentsOf: submission.text.utf8.prefix(count))
        if !submission.userDataHeader.isEmpty {
            let count = min(submission.userDataHeader.count, 255)
            out.append(UInt8(count))
            out.append(contentsOf: submission.userDataHeader.prefix(count))
        }
    }

    public init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        var input = ByteReader(bytes)
        let version: UInt8 = try input.take()
        guard version == Payload.version || version == Payload.versionWithHeader else { throw .unknownVersion(version) }
        to = PhoneNumber(digits: try input.take())
        from = try input.text()
        reference = try input.text()
        let count: UInt16 = try input.take()
        text = try input.text(count: Int(count))
        userDataHeader = version == Payload.versionWithHeader ? try input.octets() : []
    }
}
