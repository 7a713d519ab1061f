import Guard
import Journal
import MartletEngine
import MartletModel

/// Goes through the index from the newest segment to the oldest and reads the records it proposes, for one page. First come
/// acceptances, in the order they were given; then messages whose acceptance was trimmed while they stayed open. What one walk may read
/// is bounded: where it ends before the page is full, the cursor says where to go on. Not for a loop.
struct SearchWalk {
    struct Hit: Sendable {
        var id: MessageID
        var source: SourceNumber
        /// Wall microseconds of the acceptance.
        var at: Int64
    }

    struct Page: Sendable {
        var hits: [Hit] = []
        var next: SearchCursor?
    }

    /// Entries of the index, and records of the log, that one walk looks at.
    static let entryMaximum = 20_000
    static let recordMaximum = 1000
    private static let stretch = 256
    /// Records of one message that are gone through for its newest copy.
    private static let chainMaximum = 256
    /// Microseconds by which a segment's times may differ from those of its records: the disk may have been slow.
    private static let slack: Int64 = 120_000_000

    let search: MessageSearch
    /// Nil: of any source.
    let source: SourceNumber?
    let hash: UInt64
    let journal: Journal
    let reader: Reader
    let keys: RecordKeys
    let recent: Recent
    var entriesLeft = SearchWalk.entryMaximum
    var recordsLeft = SearchWalk.recordMaximum

    private enum Phase {
        case accepted
        case carried
    }

    mutating func run() throws(SearchFault) -> Page {
        var page = Page()
        let start = search.cursor
        if !(start?.isCarried ?? false) {
            try walk(.accepted, before: start?.position ?? .max, &page)
            if page.next != nil { return page }
            try walk(.carried, before: .max, &page)
        } else {
            try walk(.carried, before: start?.position ?? .max, &page)
        }
        return page
    }

    private mutating func walk(_ phase: Phase, before bound: Position, _ page: inout Page) throws(SearchFault) {
        let infos = journal.segments
        let oldest = infos.first?.number ?? 0
        for segment in recent.search.segments where segment <= bound.journalSegment {
            if phase == .accepted, let info = infos.first(where: { $0.number == segment }), isOutside(info) { continue }
            var through = segment == bound.journalSegment ? SearchIndex.Entry.before(bound.journalOffset) : UInt64.max
            while true {
                let wanted = min(SearchWalk.stretch, entriesLeft)
                let entries = try entries(in: segment, through: through, limit: wanted)
                for entry in entries {
                    entriesLeft -= 1
                    let position = Position(journalSegment: segment, offset: entry.offset)
                    if entry.isCarried == (phase == .carried), isInside(entry.seconds) {
                        recordsLeft -= 1
                        if let hit = try examine(position, phase, oldest) { page.hits.append(hit) }
                    }
                    if page.hits.count == search.limit || entriesLeft == 0 || recordsLeft <= 0 {
                        page.next = SearchCursor(position: position, isCarried: phase == .carried)
                        return
                    }
                }
                guard entries.count == wanted, let last = entries.last else { break }
                through = SearchIndex.Entry.before(last.offset)
            }
        }
    }

    private func entries(in segment: UInt32, through: UInt64, limit: Int) throws(SearchFault) -> [SearchIndex.Entry] {
        do throws(IndexError) { return try recent.search.entries(hash, in: segment, through: through, limit: limit) } catch {
            // Its file went with its segment.
            if error == .missing { return [] }
            throw .unreadable("search index of segment \(segment): \(error)")
        }
    }

    // MARK: Time

    private func isOutside(_ info: SegmentInfo) -> Bool {
        let began = Int64(clamping: info.createdAt / 1000)
        let ended = Int64(clamping: info.writtenAt / 1000)
        if info.createdAt != 0, search.until != .max, began - SearchWalk.slack >= search.until { return true }
        return info.writtenAt != 0 && search.from != .min && ended + SearchWalk.slack < search.from
    }

    private func isInside(_ seconds: Int64) -> Bool {
        let began = seconds * 1_000_000
        return began < search.until && (search.from == .min || began > search.from - 1_000_000)
    }

    // MARK: Records

    private mutating func examine(_ position: Position, _ phase: Phase, _ oldest: UInt32) throws(SearchFault) -> Hit? {
        guard let bytes = try read(position), let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) else { return nil }
        let header = record.header
        // A further message of a notification is found by its first.
        guard source == nil || header.source == source, header.id.ordinal == 0 else { return nil }
        var at = header.at
        switch (record.body, phase) {
        case (.accepted, .accepted): break
        case (.decided(let it), .accepted) where it.stage == .fresh: break
        case (.decided(let it), .carried) where it.stage != .fresh:
            // By its reference it was found when it was accepted.
            guard try isNewestCopy(position, header.id) else { return nil }
            at = header.id.milliseconds * 1000
        case (.carried(let it), .carried), (.replaced(let it), .carried):
            // With its acceptance still there it was found already, unless that holds the end's time of one that ended.
            guard it.state != .received, it.state.isEnd || it.order.journalSegment < oldest else { return nil }
            guard try isNewestCopy(position, header.id) else { return nil }
            at = header.id.milliseconds * 1000
        default: return nil
        }
        guard at >= search.from, at < search.until else { return nil }
        guard let payload = bytes.withUnsafeBytes({ SearchIndex.payload(header, $0, keys) }),
            search.to == nil || payload.to == search.to, search.reference == nil || payload.reference == search.reference
        else { return nil }
        return Hit(id: header.id.notification, source: header.source, at: at)
    }

    /// Nil where there is nothing (any more), or nothing whole.
    private func read(_ position: Position) throws(SearchFault) -> [UInt8]? {
        do throws(ReadError) { return try reader.read(at: position) } catch {
            switch error {
            case .trimmed, .notFound, .damaged: return nil
            case .failure(let failure): throw .unreadable(failure.description)
            }
        }
    }

    /// A message may have been copied forward several times; its newest copy stands for all, if its acceptance is gone. Of an event that was held
    /// the decision to tell comes before all copies: its acceptance has no number.
    private mutating func isNewestCopy(_ position: Position, _ id: MessageID) throws(SearchFault) -> Bool {
        var at = recent.find(id) ?? position
        var newest: Position?
        var told: Position?
        for _ in 0..<SearchWalk.chainMaximum where at != 0 {
            recordsLeft -= 1
            guard let bytes = try read(at), let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) else { break }
            switch record.body {
            case .accepted: return false
            case .decided(let it) where it.stage == .fresh:
                // Held or not told, it is found there by its reference alone.
                if search.to == nil || it.outcome == .told { return false }
            case .decided(let it): if it.outcome == .told { told = at }
            case .carried, .replaced: if newest == nil { newest = at }
            default: break
            }
            at = record.header.previous
        }
        if let told { return told == position }
        return newest == nil || newest == position
    }
}
