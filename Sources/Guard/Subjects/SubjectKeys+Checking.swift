/// Result of a check of a whole store or backup.
public struct SubjectKeyReport: Sendable, Equatable {
    public var keys = 0
    public var erased = 0
    /// All findings, of which `findings` keeps the first.
    public var findingCount = 0
    public var findings: [SubjectKeyFinding] = []

    public static let maximumFindings = 1000

    /// One without a finding.
    public init(keys: Int = 0, erased: Int = 0) {
        self.keys = keys
        self.erased = erased
    }

    public var isSound: Bool { findingCount == 0 }

    mutating func add(_ finding: SubjectKeyFinding) {
        findingCount += 1
        if findings.count < SubjectKeyReport.maximumFindings { findings.append(finding) }
    }
}

/// Numbers as bits; an eighth of a byte each.
struct NumberSet {
    private var words: [UInt64] = []

    func contains(_ number: UInt32) -> Bool {
        let place = Int(number >> 6)
        return place < words.count && words[place] >> UInt64(number & 63) & 1 == 1
    }

    mutating func insert(_ number: UInt32) {
        let place = Int(number >> 6)
        if place >= words.count { words.append(contentsOf: repeatElement(0, count: place + 1 - words.count)) }
        words[place] |= 1 << UInt64(number & 63)
    }
}

extension SubjectKeys {
    /// Unwraps every key that was given out and holds the list of erasures against the slots. A store in use may be checked; what is made or erased meanwhile can
    /// show as a finding that a second check does not repeat. About a microsecond a key.
    /// - Parameter progress: files done, files in all.
    public func verify(progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }) throws(SubjectKeyFault) -> SubjectKeyReport {
        var report = SubjectKeyReport()
        guard let (head, _) = try SubjectHead.read(directory, masters) else {
            throw .incomplete(directory: directory, file: SubjectHead.name)
        }
        let end = isOwner ? next : bound(head)
        var listed = NumberSet()
        let extent = try SubjectErasures.read("\(directory)/\(SubjectErasures.name)") { entry, erasure in
            guard let number = erasure?.number, Int64(number) < Int64(SubjectKeys.maximumChunks) << 16 else {
                report.add(.damagedErasure(entry: entry))
                return
            }
            listed.insert(number)
        }
        if extent.isCutShort { report.add(.cutErasure(entry: extent.entries)) }
        for index in 0..<head.chunks {
            check(index, end, listed, &report)
            progress(Int(index) + 1, Int(head.chunks))
        }
        return report
    }

    /// What a reader can say of `next`: behind the last slot in use, and not below the floor.
    func bound(_ head: SubjectHead) -> UInt32 {
        guard head.chunks > 0 else { return max(1, head.floor) }
        let last = head.chunks - 1
        return max(head.floor, last << 16 + UInt32(chunk(last)?.used ?? SubjectChunk.slots))
    }

    private func check(_ index: UInt32, _ end: UInt32, _ listed: NumberSet, _ report: inout SubjectKeyReport) {
        guard let chunk = chunk(index) else {
            report.add(.missingChunk(path: SubjectChunk.path(directory, index)))
            return
        }
        if chunk.isShort { report.add(.shortChunk(path: chunk.path, bytes: chunk.length)) }
        if chunk.masterID == nil, !chunk.isShort { report.add(.damagedHeader(path: chunk.path)) }
        var emptyFrom: UInt32?
        let slots = min(SubjectChunk.slots, max(0, Int(end) - Int(index) << 16))
        for slot in 0..<slots {
            let number = index << 16 | UInt32(slot)
            let content = chunk.content(slot)
            if content != .empty, let from = emptyFrom {
                report.add(.emptySlots(from: from, through: number - 1))
                emptyFrom = nil
            }
            switch content {
            case .none: return
            case .empty:
                if listed.contains(number) { report.add(.unfinishedErasure(number)) }
                if number > 0, emptyFrom == nil { emptyFrom = number }
            case .erased:
                report.erased += 1
                if !listed.contains(number) { report.add(.unlistedErasure(number)) }
            case .something:
                if listed.contains(number) {
                    report.add(.unfinishedErasure(number))
                } else if chunk.unwrapped(slot, masters) != nil {
                    report.keys += 1
                } else {
                    report.add(.damagedKey(number))
                }
            }
        }
        if let emptyFrom { report.add(.emptySlots(from: emptyFrom, through: index << 16 + UInt32(slots) - 1)) }
    }
}
