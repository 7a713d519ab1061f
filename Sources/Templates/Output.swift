/// The caller's buffer while a template is rendered into it. When it is full, what comes is dropped and `overflowed` says so: the
/// renderer looks once at each slot and gives up.
struct Output {
    let base: UnsafeMutablePointer<UInt8>
    let capacity: Int
    private(set) var count = 0
    private(set) var overflowed = false

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>, spare: UnsafeMutablePointer<UInt8>) {
        // An empty buffer may have no address; nothing is ever written through this one, whose capacity is nought.
        base = buffer.baseAddress ?? spare
        capacity = buffer.count
    }

    mutating func write(_ byte: UInt8) {
        guard count < capacity else { return overflowed = true }
        base[count] = byte
        count += 1
    }

    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let from = bytes.baseAddress else { return }
        write(from, bytes.count)
    }

    mutating func write(_ from: UnsafePointer<UInt8>, _ length: Int) {
        guard length <= capacity - count else { return overflowed = true }
        (base + count).update(from: from, count: length)
        count += length
    }

    mutating func write(_ text: StaticString) {
        // Every text of the tables is kept as UTF-8 by the compiler.
        write(text.utf8Start, text.utf8CodeUnitCount)
    }

    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { write($0) }
    }

    mutating func fail() { overflowed = true }

    /// Counts bytes that were written behind the end.
    mutating func grow(by bytes: Int) { count += bytes }

    /// Takes back everything from `place`.
    mutating func cut(to place: Int) { count = min(count, place) }

    /// Puts `bytes` in place of what lies in `range`, moving what is behind it. At most eight bytes, so that no memory is asked for.
    mutating func replace(_ range: Range<Int>, with bytes: Letters) {
        let growth = bytes.count - range.count
        guard count + growth <= capacity else { return overflowed = true }
        if growth != 0 {
            // The regions overlap; `update` allows that.
            (base + range.upperBound + growth).update(from: base + range.upperBound, count: count - range.upperBound)
            count += growth
        }
        for index in 0..<bytes.count { base[range.lowerBound + index] = bytes[index] }
    }
}

/// Up to eight bytes held in a register: the UTF-8 of one letter in another case (six bytes in all of Unicode), one escape, one mask.
struct Letters {
    private var bytes: UInt64 = 0
    private(set) var count = 0

    init() {}

    init(literal text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { append(text.utf8Start[index]) }
    }

    init(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// A ninth byte is dropped: nothing that is kept here has one.
    mutating func append(_ byte: UInt8) {
        guard count < 8 else { return }
        bytes |= UInt64(byte) << UInt64(count * 8)
        count += 1
    }

    subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: bytes >> UInt64(index * 8)) }
}
