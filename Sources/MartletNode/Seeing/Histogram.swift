/// Counts durations in buckets that grow by a fifth, 10 us to 100 s, so that a quantile read from it is right to a tenth.
/// Confined to the loop that counts; copied for those who read.
struct Histogram: Sendable {
    /// Upper bounds in microseconds.
    static let bounds: [Int64] = {
        var bounds: [Int64] = []
        var bound = 10.0
        while bound < 100_000_000 {
            let next = Int64(bound.rounded())
            if bounds.last != next { bounds.append(next) }
            bound *= 1.2
        }
        return bounds
    }()

    /// The bucket of each power of two's beginning, so that a look-up is a few comparisons.
    private static let starts: [Int] = (0..<64).map { power in
        let value = power >= 62 ? Int64.max : Int64(1) << Int64(power)
        return bounds.firstIndex { $0 >= value } ?? bounds.count
    }

    private(set) var buckets = [Int](repeating: 0, count: Histogram.bounds.count + 1)
    private(set) var count = 0
    private(set) var sum: Int64 = 0

    mutating func observe(_ microseconds: Int64) {
        let value = max(0, microseconds)
        var bucket = value == 0 ? 0 : Histogram.starts[63 - value.leadingZeroBitCount]
        while bucket < Histogram.bounds.count, Histogram.bounds[bucket] < value { bucket += 1 }
        buckets[bucket] += 1
        count += 1
        sum &+= value
    }

    /// Microseconds below which this share of the observations lies; the bucket's upper bound.
    func quantile(_ share: Double) -> Int64 {
        guard count > 0 else { return 0 }
        var left = Int((Double(count) * share).rounded(.up))
        for (bucket, hits) in buckets.enumerated() {
            left -= hits
            if left <= 0 { return bucket < Histogram.bounds.count ? Histogram.bounds[bucket] : Histogram.bounds[bucket - 1] }
        }
        return 0
    }
}
