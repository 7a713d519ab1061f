import Guard
import Journal
import MartletEngine
import MartletModel
import Synchronization

/// Which records accepted a message to a number, or under a source's reference: by keyed hash, as an array while a segment is
/// written, as a sorted run beside each finished one. Filled and asked on the queue of `Recent`, except for `trim`.
///
/// What is found is a proposal: the record says whose message it is, so hashes that meet by chance and messages of other sources
/// fall out when it is read.
final class SearchIndex: Sendable {
    /// One hash of one acceptance.
    struct Item: Sendable {
        var hash: UInt64
        var position: Position
        /// Of the acceptance, seconds since 1970.
        var seconds: UInt32
        /// It stands in a record after the acceptance: a copy forward, or what was decided when a hold ended.
        var isCarried = false

        init(_ hash: UInt64, _ id: MessageID, _ position: Position, isCarried: Bool = false) {
            self.hash = hash
            self.position = position
            seconds = UInt32(clamping: id.milliseconds / 1000)
            self.isCarried = isCarried
        }
    }

    /// A record under a hash, as a run keeps it: offset in its segment, whose lowest bit says that it was carried, and seconds.
    struct Entry: Sendable {
        var word: UInt64

        init(_ item: Item) { word = UInt64(item.position.journalOffset | (item.isCarried ? 1 : 0)) << 32 | UInt64(item.seconds) }
        init(word: UInt64) { self.word = word }

        var offset: UInt32 { UInt32(truncatingIfNeeded: word >> 32) & ~7 }
        var isCarried: Bool { word >> 32 & 1 == 1 }
        var seconds: Int64 { Int64(word & 0xFFFF_FFFF) }

        /// The highest word of all entries before this offset.
        static func before(_ offset: UInt32) -> UInt64 { offset == 0 ? 0 : UInt64(offset) << 32 - 1 }
    }

    static let kind = RunKind(mark: 2, words: 2)

    private struct State: ~Copyable {
        var open: [UInt32: [RunEntry]] = [:]
        var runs: [UInt32: SortedRun] = [:]
        var failures = 0
        var isReady = false
    }

    private let state = Mutex(State())
    private let journal: Journal
    private let reader: Reader
    private let keys: RecordKeys
    private let lookups: LookupHash

    init(_ journal: Journal, _ reader: Reader, _ keys: RecordKeys, _ lookups: LookupHash) {
        self.journal = journal
        self.reader = reader
        self.keys = keys
        self.lookups = lookups
    }

    /// False while the runs of a start are not all there.
    var isReady: Bool { state.withLock { $0.isReady } }
    var failures: Int { state.withLock { $0.failures } }

    // MARK: Look-up

    /// Segments that may have entries, newest first.
    var segments: [UInt32] {
        state.withLock { state in Set(state.open.keys).union(state.runs.keys).sorted(by: >) }
    }

    /// Entries of a hash in one segment up to this word, the highest first.
    /// - Throws: why the segment's run cannot be read; it is made anew at the next start.
    func entries(_ hash: UInt64, in segment: UInt32, through: UInt64, limit: Int) throws(IndexError) -> [Entry] {
        let (found, run) = state.withLock { state -> ([Entry]?, SortedRun?) in
            guard let open = state.open[segment] else { return (nil, state.runs[segment]) }
            var found: [Entry] = []
            for entry in open.reversed() where entry.key == hash && entry.first <= through {
                found.append(Entry(word: entry.first))
                if found.count == limit { break }
            }
            return (found, nil)
        }
        if let found { return found }
        return try run?.entries(of: hash, through: through, limit: limit).map { Entry(word: $0.first) } ?? []
    }

    // MARK: Following

    func take(_ items: [Item], _ carried: [Position]) {
        let opened = carried.flatMap { self.items(at: $0) }
        guard !items.isEmpty || !opened.isEmpty else { return }
        state.withLock { state in
            for item in items { state.open[item.position.journalSegment, default: []].append(RunEntry(item)) }
            for item in opened { state.open[item.position.journalSegment, default: []].append(RunEntry(item)) }
        }
    }

    /// Writes the run of every segment in memory that is finished.
    func write(before current: UInt32) {
        let finished = state.withLock { state in state.open.keys.filter { $0 < current }.sorted() }
        for segment in finished {
            guard let entries = state.withLock({ $0.open[segment] }) else { continue }
            do throws(IndexError) {
                try journal.writeRun(segment, SearchIndex.kind, entries)
                let run = try journal.run(segment, SearchIndex.kind)
                state.withLock { state in
                    state.runs[segment] = run
                    state.open[segment] = nil
                }
            } catch {
                state.withLock { $0.failures += 1 }
            }
        }
    }

    func trim(before segment: UInt32) {
        state.withLock { state in
            for old in state.open.keys where old < segment { state.open[old] = nil }
            for old in state.runs.keys where old < segment { state.runs[old] = nil }
        }
    }

    // MARK: Start

    /// - Returns: false when the segment's run is missing or damaged: then its records are to be given to `rebuilt`.
    func open(_ segment: UInt32) -> Bool {
        guard let run = try? journal.run(segment, SearchIndex.kind) else { return false }
        state.withLock { $0.runs[segment] = run }
        return true
    }

    func rebuilt(_ segment: UInt32, _ items: [Item]) {
        state.withLock { $0.open[segment] = items.map { RunEntry($0) } }
    }

    func ready() { state.withLock { $0.isReady = true } }

    // MARK: Records

    private func items(at position: Position) -> [Item] {
        // One that cannot be read cannot be told of either.
        guard let bytes = try? reader.read(at: position) else { return [] }
        return bytes.withUnsafeBytes { items(of: $0, at: position) }
    }

    /// Under which hashes a record is found, when it begins a message, carries one forward or is decided of an event. Opens its sealed part.
    func items(of bytes: UnsafeRawBufferPointer, at position: Position) -> [Item] {
        guard let header = try? RecordHeader(reading: bytes), [.accepted, .carried, .replaced, .decided].contains(header.kind),
            header.flags.state != .received, let record = try? Record(reading: bytes),
            let payload = SearchIndex.payload(header, bytes, keys)
        else { return [] }
        let isCarried = SearchIndex.isLater(record)
        var items: [Item] = []
        // Nothing of an event goes to a number until it is told.
        if payload.to.digits != 0 { items.append(Item(lookups.number(payload.to), header.id, position, isCarried: isCarried)) }
        if !payload.reference.isEmpty {
            items.append(Item(lookups.reference(payload.reference, of: header.source), header.id, position, isCarried: isCarried))
        }
        return items
    }

    /// Whether the notification was accepted by another record before.
    static func isLater(_ record: Record) -> Bool {
        switch record.body {
        case .accepted: false
        case .decided(let it): it.stage != .fresh
        default: true
        }
    }

    /// Nil where there is none, or its key is gone.
    static func payload(_ header: RecordHeader, _ bytes: UnsafeRawBufferPointer, _ keys: RecordKeys) -> Payload? {
        let sealed = UnsafeRawBufferPointer(rebasing: bytes[Record.sealedOffset(header)...])
        return try? StoredRecord.payload(sealed, of: header, keys)
    }
}

extension RunEntry {
    init(_ item: SearchIndex.Item) { self.init(key: item.hash, first: SearchIndex.Entry(item).word) }
}
