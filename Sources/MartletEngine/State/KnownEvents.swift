import MartletModel

/// What is kept of an open event beside its slot, where there is anything: a fold, as the slot is.
struct Standing: Equatable {
    var subject: SubjectNumber
    /// Under which it is found; 0: it need not be.
    var knownAs: UInt64 = 0
    /// Wall seconds at which its caps were taken; 0: none were.
    var reservedAt: UInt32 = 0
    var counters: [RecordBody.Counter] = []
}

extension Engine {
    /// From here on it is found under this hash; a newer one takes the place of an older.
    mutating func know(_ number: UInt32, as hash: UInt64, _ subject: SubjectNumber) {
        guard hash != 0 else { return }
        // The one that it was before is found no more, even when this one is over first.
        if let older = known[hash].flatMap({ slots.number(of: $0) }), older != number {
            standing[older]?.knownAs = 0
            if standing[older]?.counters.isEmpty ?? false { standing[older] = nil }
        }
        standing[number, default: Standing(subject: subject)].knownAs = hash
        known[hash] = slots.reference(number)
    }

    /// Takes from the caps of a customer who is told.
    mutating func reserve(_ number: UInt32, _ it: RecordBody.Decided, in segment: UInt32) {
        let capped = it.counters.filter { !$0.isLimit }
        guard !capped.isEmpty else { return }
        for counter in capped { caps.reserve(counter, for: it.subject, at: Int64(it.countedAt) * 1_000_000, in: segment) }
        standing[number, default: Standing(subject: it.subject)].subject = it.subject
        standing[number]?.reservedAt = it.countedAt
        standing[number]?.counters = capped
        slots.pointer(number).pointee.role.insert(.isReserved)
    }

    /// The moment at which something counts now, wall seconds. It stands in the record, since the latest before it may be trimmed.
    func countsAt(_ now: Instant) -> UInt32 { max(caps.latest, CapLedger.seconds(now.wall)) }

    /// Its event is over: it is found no more, and what nobody got counts for no cap.
    mutating func overNow(_ number: UInt32) {
        guard let it = standing.removeValue(forKey: number) else { return }
        if it.knownAs != 0, known[it.knownAs] == slots.reference(number) { known[it.knownAs] = nil }
        let slot = slots.pointer(number).pointee
        guard slot.answeredParts | slot.unknownParts == 0, !slot.flags.contains(.possibleDuplicate), !slot.role.contains(.anyLeft) else {
            return
        }
        for counter in it.counters { caps.release(counter, for: it.subject, at: it.reservedAt) }
    }

    /// The open event that another one supersedes or completes.
    func open(knownAs hash: UInt64) -> UInt32? { hash == 0 ? nil : known[hash].flatMap { slots.number(of: $0) } }

    // MARK: Counters over trims

    /// Moments of a counter that are said again in one turn, at the least; see `CapLedger.standing`.
    private static let countedInTurn = 4096

    /// The moments that a decision took stand in this segment.
    mutating func placed(_ it: RecordBody.Decided, at position: UInt64) {
        for counter in it.counters {
            caps.placed(counter, for: it.subject, at: it.countedAt, in: UInt32(truncatingIfNeeded: position >> 32))
        }
    }

    /// Says again what counts and stands in segments up to this one. Last of all there: a message that is open has been carried then, so its
    /// end, which may give its caps back, comes behind both.
    mutating func carryCounted(upTo segment: UInt32, _ turn: inout Turn) {
        guard livePerSegment.keys.allSatisfy({ $0 > segment }) else { return }
        var byCounter: [RecordBody.Counter: [RecordBody.Counted.Time]] = [:]
        for one in caps.standing(upTo: segment, limit: Engine.countedInTurn, &capsCursor) {
            byCounter[one.counter, default: []].append(.init(subject: one.subject, at: one.at))
        }
        for (counter, times) in byCounter.sorted(by: { ($0.key.isLimit ? 1 : 0, $0.key.key) < ($1.key.isLimit ? 1 : 0, $1.key.key) }) {
            count(times, of: counter, &turn)
        }
        var numbers: [RecordBody.Counter: [RecordBody.Counted.NumberTime]] = [:]
        for one in numberCaps.standing(upTo: segment, limit: Engine.countedInTurn, &numberCapsCursor) {
            numbers[one.counter, default: []].append(.init(number: one.number, at: one.at))
        }
        for (counter, times) in numbers.sorted(by: { $0.key.key < $1.key.key }) { count(times, of: counter, &turn) }
    }

    mutating func count(
        _ times: [RecordBody.Counted.Time], of counter: RecordBody.Counter, isNew: Bool = false, _ turn: inout Turn
    ) {
        for some in Engine.pieces(of: times) { say(.init(counter: counter, times: some, isNew: isNew), &turn) }
    }

    mutating func count(
        _ numbers: [RecordBody.Counted.NumberTime], of counter: RecordBody.Counter, isNew: Bool = false, _ turn: inout Turn
    ) {
        for some in Engine.pieces(of: numbers) { say(.init(counter: counter, numbers: some, isNew: isNew), &turn) }
    }

    /// As many as a record takes; those that are alike stand in one, since they are said again together.
    static func pieces<Time: Equatable>(of times: [Time]) -> [[Time]] {
        var pieces: [[Time]] = []
        var start = 0
        while start < times.count {
            var end = min(start + RecordBody.Counted.most, times.count)
            if end < times.count {
                var alike = end
                while alike > start, times[alike - 1] == times[end] { alike -= 1 }
                if alike > start { end = alike }
            }
            pieces.append(Array(times[start..<end]))
            start = end
        }
        return pieces
    }

    private mutating func say(_ counted: RecordBody.Counted, _ turn: inout Turn) {
        var header = RecordHeader(kind: .counted, partition: home, at: turn.now.wall)
        header.sequence = nextSequence(home)
        let record = Record(header: header, body: .counted(counted))
        apply(record, at: 0, turn.now)
        turn.records.append(Turn.Emitted(record: record, slot: nil, sealed: .none, after: .nothing))
    }

    /// The fold of it; live, once it has a place.
    mutating func counted(_ it: RecordBody.Counted, at position: UInt64) {
        guard position != 0 else { return }
        let segment = UInt32(truncatingIfNeeded: position >> 32)
        var copies = 0
        for (index, time) in it.times.enumerated() {
            copies = index > 0 && it.times[index - 1] == time ? copies + 1 : 1
            if it.isNew, !replaying {
                // It counts since it was accepted.
                caps.placed(it.counter, for: time.subject, at: time.at, in: segment)
            } else {
                caps.moved(it.counter, for: time.subject, at: time.at, to: segment, isNew: it.isNew, copies: copies)
            }
        }
        for (index, time) in it.numbers.enumerated() {
            copies = index > 0 && it.numbers[index - 1] == time ? copies + 1 : 1
            if it.isNew, !replaying {
                numberCaps.placed(it.counter, for: time.number, at: time.at, in: segment)
            } else {
                numberCaps.moved(it.counter, for: time.number, at: time.at, to: segment, isNew: it.isNew, copies: copies)
            }
        }
    }
}
