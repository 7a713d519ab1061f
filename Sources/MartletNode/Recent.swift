import Dispatch
import Journal
import MartletEngine
import MartletModel
import Synchronization

/// Where the newest record of each message is, and which answer brought each provider id: in memory for segments still being
/// written, in one index file for each finished segment. A follower: it takes what is durable, on its own queue, never on the loop.
public final class Recent: Sendable {
    /// A message id, or the keyed hash of a provider's id, and the position of a record that has it.
    struct Item: Sendable {
        var key: IndexKey
        var position: Position
    }

    /// Upper half of the keys of provider ids; ids carry version 7 in theirs, so they never meet.
    private static let providerMark: UInt64 = 0x5052_4F56_4944_0000

    private struct State: ~Copyable {
        /// Newest position of each key, by segment that has no index file yet.
        var open: [UInt32: [IndexKey: Position]] = [:]
        var files: [UInt32: SegmentIndex] = [:]
        var failures = 0
    }

    private let state = Mutex(State())
    private let journal: Journal
    private let reader: Reader
    private let providers: ProviderKeys
    let search: SearchIndex
    private let queue = DispatchQueue(label: "martlet.recent")

    /// Opens the index of every segment there is; those that are missing or damaged are made again in the background, and a look-up
    /// waits for that.
    init(_ journal: Journal, _ reader: Reader, _ providers: ProviderKeys, _ search: SearchIndex) {
        self.journal = journal
        self.reader = reader
        self.providers = providers
        self.search = search
        queue.async { self.openAll() }
    }

    /// Under which keys a record is found.
    static func items(of record: Record, at position: Position, _ providers: ProviderKeys) -> (own: Item?, provider: Item?) {
        let id = record.header.id
        let own = id.high == 0 ? nil : Item(key: IndexKey(high: id.high, low: id.low), position: position)
        guard case .answered(let it) = record.body, case .accepted(let providerID) = it.outcome, !providerID.isEmpty else {
            return (own, nil)
        }
        let key = IndexKey(high: providerMark, low: providers.key(record.header.group, providerID))
        return (own, Item(key: key, position: position))
    }

    /// Takes the items of a durable batch. Returns at once.
    func add(_ items: [Item], _ found: [SearchIndex.Item], _ carried: [Position]) {
        guard !items.isEmpty else { return }
        queue.async {
            self.search.take(found, carried)
            self.take(items)
        }
    }

    /// Returns when all that was added before is there to be found. Not for a loop.
    func catchUp() { queue.sync {} }

    /// Position of the key's newest record, looking from the newest segment to the oldest. Not for a loop.
    func find(_ key: IndexKey) -> Position? {
        queue.sync {}
        // Memory holds the newest segments, files all older ones. Files are read outside the lock, which the loop takes too.
        let (open, files) = state.withLock { state -> (Position?, [SegmentIndex]) in
            let open = state.open.compactMap { $0.value[key] }.max()
            return (open, state.files.sorted { $0.key > $1.key }.map(\.value))
        }
        if let open { return open }
        for file in files {
            // An index that rotted after it was opened answers as if the key were not there; it is made again at the next start.
            if let found = try? file.position(of: key) { return found }
        }
        return nil
    }

    func find(_ id: MessageID) -> Position? { find(IndexKey(high: id.high, low: id.low)) }
    func find(provider key: UInt64) -> Position? { find(IndexKey(high: Recent.providerMark, low: key)) }

    /// Segments before this one are to be trimmed.
    func trim(before segment: UInt32) {
        state.withLock { state in
            for old in state.open.keys where old < segment { state.open[old] = nil }
            for old in state.files.keys where old < segment { state.files[old] = nil }
        }
        search.trim(before: segment)
    }

    /// Index files that could not be written; their segments stay in memory and are tried again with the next one.
    var failures: Int { state.withLock { $0.failures } + search.failures }

    private func openAll() {
        let finished = journal.segments.filter { !$0.isCurrent }.map(\.number)
        for segment in finished {
            if let file = try? journal.index(segment) {
                state.withLock { $0.files[segment] = file }
            } else {
                rebuild(segment)
            }
        }
        openSearch(finished.sorted(by: >)[...])
    }

    /// The runs of the search, the newest first; one by one, so that what asks for an id does not wait for all of them.
    private func openSearch(_ segments: ArraySlice<UInt32>) {
        guard let segment = segments.first else { return search.ready() }
        if !search.open(segment) {
            do {
                var items: [SearchIndex.Item] = []
                try scan(segment) { items += self.search.items(of: $1, at: $0) }
                search.rebuilt(segment, items)
                search.write(before: segment == .max ? .max : segment + 1)
            } catch {
                state.withLock { $0.failures += 1 }
            }
        }
        queue.async { self.openSearch(segments.dropFirst()) }
    }

    private func scan(_ segment: UInt32, _ body: (Position, UnsafeRawBufferPointer) -> Void) throws {
        let from = Position(journalSegment: segment, offset: 0)
        let upTo = segment == .max ? Position.max : Position(journalSegment: segment + 1, offset: 0)
        try reader.scan(from: from, upTo: upTo) { body($0, $1) }
    }

    private func rebuild(_ segment: UInt32) {
        var entries: [IndexKey: Position] = [:]
        do {
            try scan(segment) { position, bytes in
                guard let record = try? Record(reading: bytes) else { return }
                let items = Recent.items(of: record, at: position, providers)
                if let own = items.own { entries[own.key] = position }
                if let provider = items.provider { entries[provider.key] = position }
            }
            state.withLock { $0.open[segment] = entries }
            write(before: segment == .max ? .max : segment + 1)
        } catch {
            // Trimmed meanwhile, or unreadable: nothing of it can be told then.
            state.withLock { $0.failures += 1 }
        }
    }

    private func take(_ items: [Item]) {
        let begun = state.withLock { state -> UInt32? in
            var begun: UInt32?
            for item in items {
                let segment = item.position.journalSegment
                if state.open[segment] == nil { begun = segment }
                state.open[segment, default: [:]][item.key] = item.position
            }
            return begun
        }
        if let begun {
            write(before: begun)
            search.write(before: begun)
        }
    }

    /// Writes the index of every segment in memory that is finished.
    private func write(before current: UInt32) {
        let finished = state.withLock { state in state.open.keys.filter { $0 < current }.sorted() }
        for segment in finished {
            guard let entries = state.withLock({ $0.open[segment] }) else { continue }
            do {
                try journal.writeIndex(segment, entries.map { (key: $0.key, position: $0.value) })
                let file = try journal.index(segment)
                state.withLock { state in
                    state.files[segment] = file
                    state.open[segment] = nil
                }
            } catch {
                state.withLock { $0.failures += 1 }
            }
        }
    }
}
