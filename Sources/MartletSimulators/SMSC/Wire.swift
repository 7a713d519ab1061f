import NIOCore
import SMPP

/// command_status values the simulator gives by itself.
enum Status {
    static let throttled: UInt32 = CommandStatus.throttled.rawValue
}

/// Digits as ASCII.
enum Digits {
    @inline(__always)
    static func hex(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble
    }

    @inline(__always)
    static func upperHex(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 0x30 &+ nibble : 0x37 &+ nibble
    }

    /// Octets `decimal` writes.
    static func decimalCount(_ value: UInt64) -> Int {
        var rest = value
        var count = 1
        while rest >= 10 {
            rest /= 10
            count &+= 1
        }
        return count
    }

    static func hexCount(_ value: UInt64) -> Int {
        max(1, (67 - value.leadingZeroBitCount) / 4)
    }
}

/// A message id as an operator gives it: a number, written in one of several forms.
struct MessageNumber: Equatable, Sendable {
    var value: UInt64

    /// Octets of the longest form: the padded one, which is longer than any number.
    static let octetsMaximum = 20

    func text(_ form: Behaviour.AnswerIdForm) -> String {
        switch form {
        case .decimal: String(value)
        case .hex: String(value, radix: 16)
        case .paddedUpper:
            String(repeating: "0", count: MessageNumber.octetsMaximum - Digits.hexCount(value)) + String(value, radix: 16, uppercase: true)
        }
    }

    /// The number an ESME names, in whichever of our forms; nil when it is none of them.
    static func candidates(_ octets: [UInt8]) -> [UInt64] {
        guard let text = String(validating: octets, as: UTF8.self), !text.isEmpty, text.utf8.count <= octetsMaximum else { return [] }
        var found: [UInt64] = []
        if let decimal = UInt64(text) { found.append(decimal) }
        if let hex = UInt64(text, radix: 16) { found.append(hex) }
        return found
    }
}

/// Writes octets into memory that the caller has proved large enough; keeps count, and never passes the end it was given.
struct RawWriter {
    let bytes: UnsafeMutableRawBufferPointer
    private(set) var at = 0

    @inline(__always)
    init(_ bytes: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
    }

    @inline(__always)
    mutating func octet(_ value: UInt8) {
        precondition(at < bytes.count, "a PDU of ours is longer than the room kept for it")
        bytes[at] = value
        at &+= 1
    }

    @inline(__always)
    mutating func four(_ value: UInt32) {
        precondition(at &+ 4 <= bytes.count, "a PDU of ours is longer than the room kept for it")
        bytes.storeBytes(of: value.bigEndian, toByteOffset: at, as: UInt32.self)
        at &+= 4
    }

    @inline(__always)
    mutating func copy(_ source: UnsafeRawBufferPointer) {
        precondition(at &+ source.count <= bytes.count, "a PDU of ours is longer than the room kept for it")
        if let from = source.baseAddress, let to = bytes.baseAddress {
            (to + at).copyMemory(from: from, byteCount: source.count)
            at &+= source.count
        }
    }

    @inline(__always)
    mutating func text(_ text: StaticString) {
        copy(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func decimal(_ value: UInt64, padded width: Int = 0) {
        let count = max(Digits.decimalCount(value), width)
        precondition(at &+ count <= bytes.count, "a PDU of ours is longer than the room kept for it")
        var rest = value
        var place = at &+ count
        while place > at {
            place &-= 1
            bytes[place] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        at &+= count
    }

    mutating func hex(_ value: UInt64, upper: Bool = false, padded width: Int = 0) {
        let count = max(Digits.hexCount(value), width)
        for index in 0..<count {
            let shift = 4 &* (count &- 1 &- index)
            let nibble = shift >= 64 ? 0 : UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
            octet(upper ? Digits.upperHex(nibble) : Digits.hex(nibble))
        }
    }

    mutating func messageNumber(_ number: UInt64, _ form: Behaviour.AnswerIdForm) {
        switch form {
        case .decimal: decimal(number)
        case .hex: hex(number)
        case .paddedUpper: hex(number, upper: true, padded: MessageNumber.octetsMaximum)
        }
    }

    mutating func messageNumber(_ number: UInt64, _ form: Behaviour.ReceiptIdForm, answered: Behaviour.AnswerIdForm) {
        switch form {
        case .asIs: messageNumber(number, answered)
        case .hex: hex(number)
        case .upper: hex(number, upper: true)
        case .decimal: decimal(number)
        case .padded:
            switch answered {
            case .decimal: decimal(number, padded: MessageNumber.octetsMaximum)
            case .hex: hex(number, padded: MessageNumber.octetsMaximum)
            case .paddedUpper: hex(number, upper: true, padded: MessageNumber.octetsMaximum)
            }
        }
    }

    /// Fills in command_length at the front.
    @inline(__always)
    mutating func finish() -> Int {
        bytes.storeBytes(of: UInt32(truncatingIfNeeded: at).bigEndian, as: UInt32.self)
        return at
    }

    /// The 16 octets of a header; `finish` sets the length.
    @inline(__always)
    mutating func header(_ command: Command, status: UInt32, sequence: UInt32) {
        four(0)
        four(command.rawValue)
        four(status)
        four(sequence)
    }
}

extension ByteBuffer {
    /// Appends one PDU written by `body`, of at most `room` octets.
    @inline(__always)
    mutating func appendPDU(room: Int, _ body: (inout RawWriter) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: room) { bytes in
            var writer = RawWriter(bytes)
            body(&writer)
            return writer.finish()
        }
    }

    /// An answer without a body.
    mutating func appendBare(_ command: Command, status: UInt32 = 0, sequence: UInt32) {
        appendPDU(room: Header.octets) { $0.header(command, status: status, sequence: sequence) }
    }

    /// submit_sm_resp. A refusal has no body (SMPP 3.4, 4.4.2).
    mutating func appendSubmitAnswer(status: UInt32, sequence: UInt32, number: UInt64, form: Behaviour.AnswerIdForm) {
        appendPDU(room: Header.octets + MessageNumber.octetsMaximum + 1) { writer in
            writer.header(.submitResponse, status: status, sequence: sequence)
            if status == 0 {
                writer.messageNumber(number, form)
                writer.octet(0)
            }
        }
    }
}
