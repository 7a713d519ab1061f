/// Where a request belongs in the tracing of its sender: the `traceparent` of W3C Trace Context, level 1. Martlet keeps the one that a
/// message came with and gives it back as it was.
public struct TraceContext: Equatable, Hashable, Sendable {
    /// First and second half of trace-id; not both 0.
    public var high: UInt64
    public var low: UInt64
    /// parent-id; not 0.
    public var parent: UInt64
    /// trace-flags; bit 0: sampled.
    public var flags: UInt8

    public init(high: UInt64, low: UInt64, parent: UInt64, flags: UInt8) {
        self.high = high
        self.low = low
        self.parent = parent
        self.flags = flags
    }

    /// Bytes of its binary form.
    public static let byteCount = 25

    /// Trace-id as two integers, parent-id, all little-endian, flags.
    var octets: [UInt8] {
        [high, low, parent].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } } + [flags]
    }

    /// Nil for another length: of a later version, which this one passes over.
    init?(octets: [UInt8]) {
        guard octets.count == TraceContext.byteCount else { return nil }
        func word(_ place: Int) -> UInt64 { octets[place..<place + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(0), low: word(8), parent: word(16), flags: octets[24])
    }

    /// Nil when it is not valid: then it counts as absent (section 3.2.2.5). Of a later version, the part that version 00 has is read
    /// (section 3.2.4), and it is given back as version 00.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(TraceContext.textMaximum + 1))
        guard bytes.count >= 55, bytes.count <= TraceContext.textMaximum, bytes[2] == TraceContext.dash, bytes[35] == TraceContext.dash,
            bytes[52] == TraceContext.dash, let version = TraceContext.number(bytes[0..<2]), version != 0xFF,
            let high = TraceContext.number(bytes[3..<19]), let low = TraceContext.number(bytes[19..<35]),
            let parent = TraceContext.number(bytes[36..<52]), let flags = TraceContext.number(bytes[53..<55]),
            high | low != 0, parent != 0, bytes.count == 55 || version > 0 && bytes[55] == TraceContext.dash
        else { return nil }
        self.init(high: high, low: low, parent: parent, flags: UInt8(flags))
    }

    /// `00-TRACE-PARENT-FLAGS` in lower-case hexadecimal digits.
    public var text: String {
        "00-\(TraceContext.hex(high, 16))\(TraceContext.hex(low, 16))-\(TraceContext.hex(parent, 16))-\(TraceContext.hex(UInt64(flags), 2))"
    }

    /// Far longer than any version has it; what is beyond is not looked at.
    private static let textMaximum = 256
    private static let dash = UInt8(ascii: "-")

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
            default: return nil
            }
        }
        return value
    }

    private static func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }
}
