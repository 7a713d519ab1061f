import Journal
import MartletEngine
import MartletModel

/// What idempotency keys need of the disk: runs opened at the start, written, asked and made anew. Nothing here is for a loop.
struct KeyWork: Sendable {
    let journal: Journal
    let reader: Reader
    let place: RunDirectory

    /// Reads what the runs and the replayed records say into a fresh memory. Of each run all keys are read, once.
    /// - Parameters:
    ///   - replayed: keys of the records whose segments have no run, in the order of the journal.
    /// - Returns: what could not be read; its keys are forgotten.
    func open(
        _ memory: KeyMemory, segments: [UInt32], replayed: [(position: Position, hash: UInt64, key: KeyMemory.Remembered)], now: Instant
    )
        -> [String]
    {
        let oldest = memory.oldest(now)
        let present = Set(journal.segments.map(\.number))
        var faults: [String] = []
        var again: [(position: Position, hash: UInt64, key: KeyMemory.Remembered)] = replayed
        for segment in segments.sorted() {
            do throws(IndexError) {
                let run = try journal.run(segment, KeyMemory.kind, in: place) { memory.take($0, segment: segment) }
                // One that is too old goes with the first round of `expire`.
                memory.add(run)
            } catch {
                if present.contains(segment), let found = try? scan(segment) {
                    again += found
                } else {
                    faults.append("keys of segment \(segment): \(error)")
                }
            }
        }
        again.sort { $0.position < $1.position }
        for item in again where item.key.id.milliseconds >= oldest { memory.remember(item.hash, item.key, at: item.position) }
        return faults
    }

    /// The keys that the records of a segment speak of.
    func scan(_ segment: UInt32) throws -> [(position: Position, hash: UInt64, key: KeyMemory.Remembered)] {
        var found: [(position: Position, hash: UInt64, key: KeyMemory.Remembered)] = []
        let from = Position(journalSegment: segment, offset: 0)
        let upTo = segment == .max ? Position.max : Position(journalSegment: segment + 1, offset: 0)
        try reader.scan(from: from, upTo: upTo) { position, bytes in
            // Most records have no key; what stands behind their headers need not be read for that.
            guard let header = try? RecordHeader(reading: bytes),
                header.kind == .decided || (header.kind == .accepted && header.keyHash != 0),
                let record = try? Record(reading: bytes)
            else { return }
            KeyMemory.Remembered.each(of: record) { found.append((position, $0, $1)) }
        }
        return found
    }

    /// Writes and opens the run of a finished segment; nil when none of its keys is as new as this.
    func settle(_ keys: KeyMemory.Keys, since oldest: Int64) throws(IndexError) -> SortedRun? {
        try write(keys.segment, keys.entries(since: oldest))
    }

    /// Makes a damaged run anew from the records of its segment.
    /// - Throws: `ReadError.trimmed` when they are gone.
    func mend(_ segment: UInt32, since oldest: Int64) throws -> SortedRun? {
        var keys = KeyMemory.Keys(segment: segment)
        for item in try scan(segment) { keys.set(item.hash, item.key) }
        return try settle(keys, since: oldest)
    }

    private func write(_ segment: UInt32, _ entries: [RunEntry]) throws(IndexError) -> SortedRun? {
        let newest = entries.lazy.map { KeyMemory.Remembered($0).id.milliseconds }.max()
        guard let newest else { return nil }
        try journal.writeRun(segment, KeyMemory.kind, in: place, newest: UInt64(clamping: newest), entries)
        return try journal.run(segment, KeyMemory.kind, in: place)
    }

    /// What was found of keys that the filter could not deny.
    struct Answers: Sendable {
        /// One for each question.
        var found: [Answer] = []
        /// Segments of the runs that could not be read.
        var unread: Set<UInt32> = []
    }

    enum Answer: Sendable {
        case entry(RunEntry)
        case none
        /// A run that may have it could not be read.
        case unread
    }

    /// Asks each run once for all that may be in it, from the newest to the oldest.
    func ask(_ questions: [(hash: UInt64, runs: [SortedRun])]) -> Answers {
        var answers = Answers()
        answers.found = Array(repeating: .none, count: questions.count)
        var byRun: [UInt32: (run: SortedRun, places: [Int])] = [:]
        for (place, question) in questions.enumerated() {
            for run in question.runs { byRun[run.segment, default: (run, [])].places.append(place) }
        }
        for segment in byRun.keys.sorted(by: >) {
            guard let (run, all) = byRun[segment] else { continue }
            let places = all.filter { if case .entry = answers.found[$0] { false } else { true } }
            do throws(IndexError) {
                let entries = try run.find(places.map { questions[$0].hash })
                for (place, entry) in zip(places, entries) { if let entry { answers.found[place] = .entry(entry) } }
            } catch {
                // Removed meanwhile: all of it is too old.
                if error == .missing { continue }
                answers.unread.insert(segment)
                for place in places { answers.found[place] = .unread }
            }
        }
        return answers
    }
}
