/// Tells which texts came before: 64-bit hashes of (destination, text octets with their UDH) of the last `window` messages, in a
/// table of fixed size. Two different messages share a hash once in about 10^19 pairs; a hash is forgotten early only when 16
/// neighbours in the table are all younger, which a table at most a quarter full makes all but impossible.
struct SeenSet {
    /// 0: switched off, nothing counts as seen.
    let window: Int
    private var hashes: [UInt64]
    private var ordinals: [UInt64]
    private let mask: Int

    private static let probes = 16

    init(window: Int) {
        self.window = window
        var size = 32
        while window > 0, size < window * 4 { size *= 2 }
        hashes = window == 0 ? [] : Array(repeating: 0, count: size)
        ordinals = window == 0 ? [] : Array(repeating: 0, count: size)
        mask = size - 1
    }

    /// Notes message `ordinal` (from 1, rising); true when its hash was noted within the window before.
    mutating func isRepeat(_ hash: UInt64, ordinal: UInt64) -> Bool {
        if window == 0 { return false }
        var victim = 0
        var victimOrdinal = UInt64.max
        var index = Int(truncatingIfNeeded: hash) & mask
        for _ in 0..<Self.probes {
            let there = ordinals[index]
            if there == 0 {
                victim = index
                break
            }
            if hashes[index] == hash {
                ordinals[index] = ordinal
                return ordinal &- there <= UInt64(window)
            }
            if there < victimOrdinal {
                victim = index
                victimOrdinal = there
            }
            index = (index &+ 1) & mask
        }
        hashes[victim] = hash
        ordinals[victim] = ordinal
        return false
    }

    mutating func removeAll() {
        self = SeenSet(window: window)
    }

    /// Hash of one message: words of eight octets, each folded in by a full-width multiplication.
    @inline(__always)
    static func hash(_ destination: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer) -> UInt64 {
        let first = fold(destination, into: 0x51_7c_c1_b7_27_22_0a_95)
        return fold(text, into: first ^ 0x9e37_79b9_7f4a_7c15)
    }

    @inline(__always)
    private static func fold(_ bytes: UnsafeRawBufferPointer, into seed: UInt64) -> UInt64 {
        var state = seed ^ (UInt64(bytes.count) &* 0xa076_1d64_78bd_642f)
        var at = 0
        while at &+ 8 <= bytes.count {
            state = mixed(state ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at &+= 8
        }
        var tail: UInt64 = 0
        while at < bytes.count {
            tail = tail << 8 | UInt64(bytes[at])
            at &+= 1
        }
        return mixed(state ^ tail ^ 0xe703_7ed1_a0b4_28db)
    }

    @inline(__always)
    private static func mixed(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0x8ebc_6af0_9c88_c6e3).multipliedFullWidth(by: 0x5899_65cc_7537_4cc3)
        return product.high ^ product.low
    }
}
