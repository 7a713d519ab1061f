/// Where a `JSONWriter` puts its octets.
public protocol JSONSink {
    mutating func put(_ octet: UInt8)
    mutating func put(_ octets: UnsafeRawBufferPointer)
}

extension Array<UInt8>: JSONSink {
    @inlinable
    public mutating func put(_ octet: UInt8) { append(octet) }
    @inlinable
    public mutating func put(_ octets: UnsafeRawBufferPointer) { append(contentsOf: octets) }
}

/// Writes JSON piece by piece into a sink: commas, quotes and escapes are its work, the order of the pieces the caller's.
/// ```swift
/// var writer = JSONWriter(into: [UInt8]())
/// writer.object { writer in
///     writer.member("id", id)
///     writer.member("parts", 1)
/// }
/// ```
/// Objects and arrays can be nested 63 deep. Strings go out as UTF-8; only what RFC 8259 (7) demands is escaped.
public struct JSONWriter<Sink: JSONSink> {
    public var sink: Sink
    /// Bit n: something stands already on level n, so a comma comes first.
    private var started: UInt64 = 0
    private var level: UInt64 = 0
    private var isAfterKey = false

    public init(into sink: Sink) { self.sink = sink }

    // MARK: - Structure

    public mutating func object(_ members: (inout JSONWriter) -> Void) {
        open(0x7B)
        members(&self)
        close(0x7D)
    }

    public mutating func array(_ elements: (inout JSONWriter) -> Void) {
        open(0x5B)
        elements(&self)
        close(0x5D)
    }

    /// Key of the member whose value is written next.
    public mutating func key(_ key: StaticString) {
        separate()
        key.withUTF8Buffer { quoted(UnsafeRawBufferPointer($0)) }
        sink.put(0x3A)
        isAfterKey = true
    }

    /// A key that is known only at run time.
    public mutating func key(text: String) {
        string(text)
        sink.put(0x3A)
        isAfterKey = true
    }

    /// Ends a line of NDJSON; the next value stands alone again.
    public mutating func endLine() {
        precondition(level == 0 && !isAfterKey, "a line ends inside a value")
        started = 0
        sink.put(0x0A)
    }

    // MARK: - Values

    public mutating func string(_ text: String) {
        var text = text
        separate()
        text.withUTF8 { quoted(UnsafeRawBufferPointer($0)) }
    }

    /// - Parameter utf8: must be valid UTF-8; it is not checked again.
    public mutating func string(utf8: UnsafeRawBufferPointer) {
        separate()
        quoted(utf8)
    }

    public mutating func integer(_ value: some FixedWidthInteger) {
        separate()
        if value < 0 { sink.put(0x2D) }
        withUnsafeTemporaryAllocation(byteCount: 40, alignment: 1) { room in
            // Of the type's own magnitude, so that the least negative number has one. 40 digits hold 128 bits.
            var magnitude = value.magnitude
            var at = room.count
            repeat {
                at -= 1
                let (rest, digit) = magnitude.quotientAndRemainder(dividingBy: 10)
                room[at] = 0x30 + UInt8(truncatingIfNeeded: digit)
                magnitude = rest
            } while magnitude > 0
            sink.put(UnsafeRawBufferPointer(rebasing: room[at...]))
        }
    }

    public mutating func boolean(_ value: Bool) { literal(value ? "true" : "false") }
    public mutating func null() { literal("null") }

    /// One value that is JSON already.
    public mutating func raw(_ json: UnsafeRawBufferPointer) {
        separate()
        sink.put(json)
    }

    // MARK: - Members

    public mutating func member(_ key: StaticString, _ value: String) {
        self.key(key)
        string(value)
    }

    public mutating func member(_ key: StaticString, _ value: some FixedWidthInteger) {
        self.key(key)
        integer(value)
    }

    public mutating func member(_ key: StaticString, _ value: Bool) {
        self.key(key)
        boolean(value)
    }

    public mutating func member(_ key: StaticString, object members: (inout JSONWriter) -> Void) {
        self.key(key)
        object(members)
    }

    public mutating func member(_ key: StaticString, array elements: (inout JSONWriter) -> Void) {
        self.key(key)
        array(elements)
    }

    // MARK: - Leaves

    private mutating func open(_ octet: UInt8) {
        separate()
        precondition(level < 63, "JSON nested deeper than 63")
        level += 1
        started &= ~(1 << level)
        sink.put(octet)
    }

    private mutating func close(_ octet: UInt8) {
        precondition(!isAfterKey, "a key without a value")
        level -= 1
        sink.put(octet)
    }

    @inline(__always)
    private mutating func separate() {
        if isAfterKey {
            isAfterKey = false
        } else if started & 1 << level != 0 {
            sink.put(0x2C)
        } else {
            started |= 1 << level
        }
    }

    private mutating func literal(_ word: StaticString) {
        separate()
        word.withUTF8Buffer { sink.put(UnsafeRawBufferPointer($0)) }
    }

    private mutating func quoted(_ utf8: UnsafeRawBufferPointer) {
        sink.put(0x22)
        var clean = 0
        for at in 0..<utf8.count {
            let octet = utf8[at]
            guard octet < 0x20 || octet == 0x22 || octet == 0x5C else { continue }
            if at > clean { sink.put(UnsafeRawBufferPointer(rebasing: utf8[clean..<at])) }
            clean = at + 1
            escape(octet)
        }
        if utf8.count > clean { sink.put(UnsafeRawBufferPointer(rebasing: utf8[clean...])) }
        sink.put(0x22)
    }

    private mutating func escape(_ octet: UInt8) {
        sink.put(0x5C)
        switch octet {
        case 0x08: sink.put(0x62)
        case 0x09: sink.put(0x74)
        case 0x0A: sink.put(0x6E)
        case 0x0C: sink.put(0x66)
        case 0x0D: sink.put(0x72)
        case 0x22, 0x5C: sink.put(octet)
        default:
            for digit in [0x75, 0x30, 0x30, 0x30 + octet >> 4, octet & 0x0F + (octet & 0x0F > 9 ? 0x57 : 0x30)] as [UInt8] {
                sink.put(digit)
            }
        }
    }
}
