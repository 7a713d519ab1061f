public import MartletModel

/// What customers have had of each cap: the times of the last `most` notifications, which is all that the question "one more?" needs. A fold of
/// the records: reserved when a decision to tell is made, given back when nothing of it was sent.
///
/// Its moments never go back: while a clock that jumped shows less than was seen before, the latest moment counts. Else what is given back could
/// make room where an older one, no longer kept, stood.
public struct CapLedger: Sendable {
    private var tables: ContiguousArray<Table>
    /// Entries of all caps together.
    private let maximum: Int
    /// Wall seconds.
    private var latest: Int64 = 0

    /// One cap.
    fileprivate struct Table {
        var classes: ClassSet
        let most: Int
        let within: Int64
        /// Place of the subject's ring.
        var places: [SubjectNumber: Int32] = [:]
        /// Wall seconds plus one, `most` a subject; 0: never. The oldest is the one that the next takes the place of.
        var times: ContiguousArray<UInt32> = []
        var free: ContiguousArray<Int32> = []
    }

    /// - Parameter maximum: rings kept at once. When that many customers had something within a cap's time, the next is told nothing of the capped
    ///   classes until one of them is free again: never more than the cap, rather less.
    public init(_ caps: some Sequence<FrequencyCap>, maximum: Int = 4_000_000) {
        tables = ContiguousArray(caps.map { Table(classes: $0.classes, most: max(1, $0.most), within: max(1, $0.within)) })
        self.maximum = maximum
    }

    /// Rings in use.
    public var count: Int { tables.reduce(0) { $0 + $1.places.count } }

    /// Bit n: the subject has had as many as the cap of place n allows.
    public func used(by subject: SubjectNumber, caps: UInt32, at wall: Int64) -> UInt32 {
        let now = max(latest, floorSeconds(wall))
        var used: UInt32 = 0
        var rest = caps
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            rest &= rest - 1
            guard place < tables.count else { continue }
            if !hasRoom(tables[place], subject, now) { used |= 1 << UInt32(place) }
        }
        return used
    }

    private func hasRoom(_ table: borrowing Table, _ subject: SubjectNumber, _ now: Int64) -> Bool {
        guard let ring = table.places[subject] else { return !table.free.isEmpty || count < maximum }
        var oldest = UInt32.max
        for place in Int(ring) * table.most..<(Int(ring) + 1) * table.most { oldest = min(oldest, table.times[place]) }
        return oldest == 0 || now - Int64(oldest - 1) >= table.within
    }

    /// Counts one; call it for a decision to tell, with the same moment.
    /// - Returns: the moment it counts at, wall seconds.
    @discardableResult
    public mutating func reserve(_ subject: SubjectNumber, caps: UInt32, at wall: Int64) -> Int64 {
        latest = max(latest, floorSeconds(wall))
        let now = UInt32(clamping: latest + 1)
        var rest = caps
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            rest &= rest - 1
            guard place < tables.count else { continue }
            tables[place].reserve(subject, now)
        }
        return latest
    }

    /// Takes back what was reserved with this moment: nothing was sent. Where it counted at another, since the clock had jumped, the oldest goes, which
    /// makes room no sooner than it should.
    public mutating func release(_ subject: SubjectNumber, caps: UInt32, at wall: Int64) {
        let then = UInt32(clamping: floorSeconds(wall) + 1)
        var rest = caps
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            rest &= rest - 1
            guard place < tables.count else { continue }
            tables[place].release(subject, then)
        }
    }

    /// Lets go of rings in which nothing counts any more; a share of them at a time is for the caller, by calling it seldom.
    public mutating func sweep(at wall: Int64) {
        latest = max(latest, floorSeconds(wall))
        for place in tables.indices { tables[place].sweep(latest) }
    }
}

extension CapLedger.Table {
    mutating func reserve(_ subject: SubjectNumber, _ now: UInt32) {
        let ring: Int
        if let known = places[subject] {
            ring = Int(known)
        } else if let again = free.popLast() {
            ring = Int(again)
            places[subject] = again
        } else {
            ring = times.count / most
            times.append(contentsOf: repeatElement(0, count: most))
            places[subject] = Int32(clamping: ring)
        }
        var oldest = ring * most
        for place in ring * most..<(ring + 1) * most where times[place] < times[oldest] { oldest = place }
        times[oldest] = now
    }

    mutating func release(_ subject: SubjectNumber, _ then: UInt32) {
        guard let ring = places[subject] else { return }
        let range = Int(ring) * most..<(Int(ring) + 1) * most
        let oldest = range.filter { times[$0] != 0 }.min { times[$0] < times[$1] }
        if let place = range.first(where: { times[$0] == then }) ?? oldest { times[place] = 0 }
    }

    mutating func sweep(_ now: Int64) {
        for (subject, ring) in places {
            let range = Int(ring) * most..<(Int(ring) + 1) * most
            guard range.allSatisfy({ times[$0] == 0 || now - Int64(times[$0] - 1) >= within }) else { continue }
            for place in range { times[place] = 0 }
            places[subject] = nil
            free.append(ring)
        }
    }
}
