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
        for counter in it.counters { caps.placed(counter, for: it.subject, in: UInt32(truncatingIfNeeded: position >> 32)) }
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
    }

    mutating func count(
        _ times: [RecordBody.Counted.Time], of counter: RecordBody.Counter, isNew: Bool = false, _ turn: inout Turn
    ) {
        for start in stride(from: 0, to: times.count, by: RecordBody.Counted.most) {
            let some = Array(times[start..<min(start + RecordBody.Counted.most, times.count)])
            var header = RecordHeader(kind: .counted, partition: home, at: turn.now.wall)
            header.sequence = nextSequence(home)
            let record = Record(header: header, body: .counted(.init(counter: counter, times: some, isNew: isNew)))
            apply(record, at: 0, turn.now)
            turn.records.append(Turn.Emitted(record: record, slot: nil, sealed: .none, after: .nothing))
        }
    }

    /// The fold of it; live, once it has a place.
    mutating func counted(_ it: RecordBody.Counted, at position: UInt64) {
        guard position != 0 else { return }
        let segment = UInt32(truncatingIfNeeded: position >> 32)
        for time in it.times {
            if it.isNew, !replaying {
                // It counts since it was accepted.
                caps.placed(it.counter, for: time.subject, in: segment)
            } else {
                caps.moved(it.counter, for: time.subject, at: time.at, to: segment, isNew: it.isNew)
            }
        }
    }
}
