/// Counts of durations in nanoseconds, in buckets 1/128 apart: a quantile is at most 0.8 % too high, whatever its size.
public struct Histogram: Sendable {
    private var buckets: [UInt64]
    public private(set) var count: UInt64 = 0
    public private(set) var largest: UInt64 = 0

    public init() {
        buckets = [UInt64](repeating: 0, count: Histogram.index(of: .max) + 1)
    }

    /// Values below 128 have a bucket each; above, the seven bits after the leading one choose it.
    private static func index(of value: UInt64) -> Int {
        guard value >= 128 else { return Int(value) }
        let shift = 56 - value.leadingZeroBitCount
        return shift << 7 + Int(value >> UInt64(shift))
    }

    /// The largest value that falls into this bucket.
    private static func ceiling(of index: Int) -> UInt64 {
        guard index >= 256 else { return UInt64(index) }
        let shift = UInt64(index >> 7 - 1)
        return (UInt64(index & 127) + 129) << shift &- 1
    }

    public mutating func record(_ nanoseconds: UInt64) {
        buckets[Histogram.index(of: nanoseconds)] += 1
        count += 1
        largest = max(largest, nanoseconds)
    }

    /// Nanoseconds that the share `quantile` (0...1) of all values does not exceed; 0 when nothing was recorded.
    public func value(at quantile: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let wanted = max(1, UInt64((Double(count) * quantile).rounded(.up)))
        var seen: UInt64 = 0
        for (index, held) in buckets.enumerated() {
            seen += held
            if seen >= wanted { return min(Histogram.ceiling(of: index), largest) }
        }
        return largest
    }
}
