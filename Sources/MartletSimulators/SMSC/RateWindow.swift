/// Counts events in the last 1000 whole milliseconds and remembers the most there ever were. A window never spans more than one
/// second, so `most` never says more than really happened within some second; it can miss what a window shifted by less than a
/// millisecond would hold.
struct RateWindow {
    private var buckets = [UInt32](repeating: 0, count: 1000)
    /// Millisecond of the newest bucket; buckets before `now - 999` are clear.
    private var newest: Int64 = 0
    private(set) var sum: UInt64 = 0
    private(set) var most: UInt64 = 0

    init() {}

    /// - Parameter millisecond: of a clock that does not go back; one that does counts as standing still.
    @inline(__always)
    mutating func add(_ count: UInt32 = 1, at millisecond: Int64) {
        if millisecond > newest { advance(to: millisecond) }
        buckets[Int(newest % 1000)] &+= count
        sum &+= UInt64(count)
        if sum > most { most = sum }
    }

    /// Events in the 1000 ms up to and with `millisecond`.
    mutating func count(at millisecond: Int64) -> UInt64 {
        if millisecond > newest { advance(to: millisecond) }
        return sum
    }

    private mutating func advance(to millisecond: Int64) {
        if millisecond - newest >= 1000 {
            if sum > 0 {
                for index in 0..<1000 { buckets[index] = 0 }
                sum = 0
            }
        } else {
            var next = newest + 1
            while next <= millisecond {
                let index = Int(next % 1000)
                sum &-= UInt64(buckets[index])
                buckets[index] = 0
                next += 1
            }
        }
        newest = millisecond
    }
}
