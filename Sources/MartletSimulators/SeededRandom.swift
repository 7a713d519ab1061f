/// Random numbers that depend on nothing but a seed and the ordinal of what they are for (SplitMix64), so that submit number 17
/// meets the same fate in each run whatever happened to the sixteen before it.
public struct SeededRandom: RandomNumberGenerator, Sendable, Equatable {
    private var state: UInt64

    public init(seed: UInt64, ordinal: UInt64 = 0) {
        state = Self.mixed(seed &+ 0x9e37_79b9_7f4a_7c15) ^ Self.mixed(ordinal &+ 0x2545_f491_4f6c_dd1d)
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mixed(state)
    }

    /// Uniform in 0..<100, with 24 bits of fraction.
    @inlinable
    public mutating func percent() -> Double {
        Double(next() >> 40) * (100.0 / 16_777_216.0)
    }

    /// Uniform in 0...bound; 0 when the bound is 0.
    public mutating func upTo(_ bound: UInt32) -> UInt32 {
        if bound == 0 { return 0 }
        return UInt32(truncatingIfNeeded: (next() >> 32) &* (UInt64(bound) &+ 1) >> 32)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
