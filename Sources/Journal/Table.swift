import Threads

/// The segments there are, oldest first. Shared by the writer (rolls, ends), trimming and the readers.
final class Table: Sendable {
    struct Entry {
        var info: SegmentInfo
        /// Rises when the segment's file is replaced after a failure, so that readers drop the old one.
        var generation = 0
    }

    private let entries: Monitor<[Entry]>

    init(_ segments: [SegmentInfo]) { entries = Monitor(segments.map { Entry(info: $0) }) }

    var infos: [SegmentInfo] { entries.locked { $0.map(\.info) } }

    func begin(_ info: SegmentInfo) {
        entries.locked { entries in
            if let last = entries.indices.last { entries[last].info.isCurrent = false }
            entries.append(Entry(info: info))
        }
    }

    func wrote(_ batch: Batch, at now: UInt64) {
        entries.locked { entries in
            guard let last = entries.indices.last else { return }
            entries[last].info.end = Int(batch.end.journalOffset)
            entries[last].info.records += batch.records
            entries[last].info.writtenAt = now
        }
    }

    func replaced() {
        entries.locked { entries in
            guard let last = entries.indices.last else { return }
            entries[last].generation += 1
        }
    }

    enum Finding {
        case there(Entry)
        case trimmed
        case none
    }

    func find(_ segment: UInt32) -> Finding {
        entries.locked { entries in
            guard let first = entries.first else { return .none }
            if segment < first.info.number { return .trimmed }
            var low = 0
            var high = entries.count
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].info.number < segment { low = middle + 1 } else { high = middle }
            }
            return low < entries.count && entries[low].info.number == segment ? .there(entries[low]) : .none
        }
    }

    /// The first segment with this number or a higher one.
    func first(from segment: UInt32) -> Entry? {
        entries.locked { entries in entries.first { $0.info.number >= segment } }
    }

    /// Takes out the segments before `segment`, never the last; returns their numbers, oldest first.
    func trim(before segment: UInt32) -> [UInt32] {
        entries.locked { entries in
            let keep = entries.indices.first { entries[$0].info.number >= segment || $0 == entries.count - 1 } ?? 0
            let gone = entries[..<keep].map(\.info.number)
            entries.removeFirst(keep)
            return gone
        }
    }
}
