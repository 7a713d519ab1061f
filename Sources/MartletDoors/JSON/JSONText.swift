/// A string or key of a body that has been checked: a view of its octets between the quotes. Valid only while the body is.
///
/// Keys are compared with what they mean, not how they were written: `switch key { case "to": ... }`.
public struct JSONText {
    /// As written: valid UTF-8, escapes well-formed and still there.
    public let raw: UnsafeRawBufferPointer
    /// Where `raw` starts in the body.
    public let offset: Int
    /// Whether there is any escape in `raw`; if not, `raw` is the text.
    public let hasEscapes: Bool

    /// - Parameter range: inside `body`, which is not empty then.
    @inline(__always)
    init(_ body: UnsafeRawBufferPointer, _ range: Range<Int>, hasEscapes: Bool) {
        raw = UnsafeRawBufferPointer(start: body.baseAddress.unsafelyUnwrapped + range.lowerBound, count: range.count)
        offset = range.lowerBound
        self.hasEscapes = hasEscapes
    }

    /// The text, escapes taken off.
    public var string: String {
        if !hasEscapes { return String(decoding: raw, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: raw.count) { unescape(into: UnsafeMutableRawBufferPointer($0)) }
    }

    /// Its UTF-8, escapes taken off.
    public var octets: [UInt8] {
        if !hasEscapes { return [UInt8](raw) }
        return [UInt8](unsafeUninitializedCapacity: raw.count) { $1 = unescape(into: UnsafeMutableRawBufferPointer($0)) }
    }

    @inline(__always)
    public static func ~= (pattern: StaticString, text: JSONText) -> Bool { text == pattern }

    @inline(__always)
    public static func == (text: JSONText, other: StaticString) -> Bool {
        precondition(other.hasPointerRepresentation, "a key is compared with a string literal")
        // Most keys that are compared differ in length already.
        guard text.hasEscapes || text.raw.count == other.utf8CodeUnitCount else { return false }
        return text.equals(UnsafeRawBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount))
    }

    /// Whether the two texts are the same octets once escapes are taken off.
    public static func == (text: JSONText, other: JSONText) -> Bool {
        if !other.hasEscapes { return text.equals(other.raw) }
        return other.octets.withUnsafeBytes { text.equals($0) }
    }

    /// Whether it means this text, which is known only at run time.
    @inline(__always)
    public func means(_ text: String) -> Bool {
        guard hasEscapes || raw.count == text.utf8.count else { return false }
        var text = text
        return text.withUTF8 { equals(UnsafeRawBufferPointer($0)) }
    }

    private func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        if hasEscapes { return octets.withUnsafeBytes { Self.same($0, other) } }
        return Self.same(raw, other)
    }

    @inline(__always)
    private static func same(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        let count = one.count
        guard count == other.count else { return false }
        var at = 0
        while at + 8 <= count {
            if word(one, at) != word(other, at) { return false }
            at &+= 8
        }
        if at == count { return true }
        // The rest: the last eight once more, or of a short text two halves that overlap.
        if count >= 8 { return word(one, count - 8) == word(other, count - 8) }
        return short(one) == short(other)
    }

    @inline(__always)
    private static func word(_ octets: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
        octets.loadUnaligned(fromByteOffset: at, as: UInt64.self)
    }

    /// Up to seven octets as one number; equal numbers mean equal octets among texts of one length.
    @inline(__always)
    private static func short(_ octets: UnsafeRawBufferPointer) -> UInt64 {
        let count = octets.count
        if count >= 4 {
            let first = octets.loadUnaligned(as: UInt32.self)
            return UInt64(first) << 32 | UInt64(octets.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        }
        if count == 0 { return 0 }
        return UInt64(octets[0]) << 16 | UInt64(octets[count >> 1]) << 8 | UInt64(octets[count - 1])
    }

    /// For telling keys apart quickly: equal texts have equal marks.
    @inline(__always)
    var mark: UInt32 {
        if hasEscapes { return octets.withUnsafeBytes { Self.mark($0) } }
        return Self.mark(raw)
    }

    /// Of the first and last eight octets and the length: enough for the keys of one object, and of bounded cost for long ones.
    @inline(__always)
    private static func mark(_ octets: UnsafeRawBufferPointer) -> UInt32 {
        let count = octets.count
        let ends = count >= 8 ? word(octets, 0) &+ word(octets, count - 8) &* 31 : short(octets)
        return UInt32(truncatingIfNeeded: ((ends ^ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }

    /// Writes the text; returns its octets. No escape is shorter than what it stands for: six octets give at most three,
    /// twelve (a pair) give four. Escapes have been checked when this view was made.
    private func unescape(into out: UnsafeMutableRawBufferPointer) -> Int {
        var end = 0
        func put(_ octet: UInt32) {
            out[end] = UInt8(truncatingIfNeeded: octet)
            end += 1
        }
        var at = 0
        while at < raw.count {
            let octet = raw[at]
            if octet != 0x5C {
                put(UInt32(octet))
                at += 1
                continue
            }
            switch raw[at + 1] {
            case 0x62: put(0x08)
            case 0x66: put(0x0C)
            case 0x6E: put(0x0A)
            case 0x72: put(0x0D)
            case 0x74: put(0x09)
            case 0x75:
                var scalar = hex(at + 2)
                at += 4
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x1_0000 + (scalar & 0x3FF) << 10 + hex(at + 4) & 0x3FF
                    at += 6
                }
                if scalar < 0x80 {
                    put(scalar)
                } else if scalar < 0x800 {
                    put(0xC0 | scalar >> 6)
                    put(0x80 | scalar & 0x3F)
                } else {
                    if scalar < 0x1_0000 {
                        put(0xE0 | scalar >> 12)
                    } else {
                        put(0xF0 | scalar >> 18)
                        put(0x80 | scalar >> 12 & 0x3F)
                    }
                    put(0x80 | scalar >> 6 & 0x3F)
                    put(0x80 | scalar & 0x3F)
                }
            case let itself: put(UInt32(itself))
            }
            at += 2
        }
        return end
    }

    private func hex(_ at: Int) -> UInt32 {
        var value = UInt32(0)
        for digit in raw[at..<at + 4] { value = value << 4 | UInt32(JSONReader.hexDigit(digit)) }
        return value
    }
}
