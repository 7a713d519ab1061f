import Glibc

/// Reads a journal from another process than its writer's, or beside it, in order and to its durable end: what a power cut may take back
/// is never seen. Goes from segment to segment, also through those that were trimmed while a second name in `spill` keeps them.
///
/// Nothing here waits: who wants more calls again after a while. Confined to one owner.
public final class Follower {
    /// What one call found.
    public struct Step: Sendable {
        /// Where to go on: give it as `from` next time.
        public var next: Position
        /// The journal's durable end as it was at the call; 0: nobody has published one yet.
        public var end: Position
        public var records = 0
        /// Stretches passed over, in order.
        public var missing: [Missing] = []
        /// Something before the end cannot be read and may yet be whole: call again after a while. Of a segment that is still written to
        /// it is believed only when something good stands behind it.
        public var isStalled = false

        public var isAtEnd: Bool { next >= end }
    }

    /// Records that were not handed on.
    public struct Missing: Hashable, Sendable {
        public enum Kind: String, Sendable {
            /// Segments that the journal gave up before they were read.
            case trimmed
            /// Bytes that fail their checksums or cannot be read.
            case damaged
            /// The journal was opened anew with an earlier end than was read: a disk that had said "synced" and lost it.
            case cutBack
        }

        public var kind: Kind
        public var from: Position
        public var to: Position
        /// nil: that cannot be known.
        public var lost: Int?
    }

    private struct Segment {
        var number: UInt32
        var file: Int32
        var status: FileStatus
        /// Where it ended, once it is finished; nil within a finished one: its successor does not know.
        var end: Int?
        var isFinished = false
    }

    private let disk: Disk
    private let names: Names
    private let spilled: Names
    private var image = Image()
    private var current: Segment?
    private var expected: UInt64?
    private var last: Position = 0
    /// The durable end, where it was seen before the reader's own place: an old one that a power cut left, or a journal that lost its end.
    private var before: Position?
    /// A place that could not be read, and how often.
    private var doubt: (place: Position, count: Int) = (0, 0)

    /// Calls that a place which cannot be read gets before it is damage: time for a writer to get around a failure.
    private static let patience = 16
    private static let largestBatch = 16 << 20

    public init(_ directory: String, disk: Disk = .system) {
        self.disk = disk
        names = Names(directory: directory)
        spilled = Names(directory: names.spill)
    }

    deinit { if let current { _ = disk.close(current.file) } }

    /// The durable end and the records before it, as the journal last published it; nil: never yet.
    public func end() throws(JournalFailure) -> PlaceFile.Place? { try PlaceFile(names.committed, disk: disk).read() }

    /// Hands on records from `from` (0: the oldest there is) on, in order; the bytes are valid during the call only. Ends after about so
    /// many bytes, at the end of a segment, or at the durable end.
    /// - Parameter from: where the last call ended, or the position of any record.
    /// - Throws: `JournalFailure`, or what `body` throws; then nothing was passed over, and the same call may be made again.
    public func read(
        from: Position, bytes: Int = 1 << 20, _ body: (_ position: Position, _ record: UnsafeRawBufferPointer) throws -> Void
    ) throws -> Step {
        guard let mark = try end() else { return Step(next: from, end: 0) }
        var step = Step(next: from, end: mark.position)
        guard from < mark.position else {
            comeBack(from, mark.position, &step)
            return step
        }
        before = nil
        if from != last {
            expected = nil
            doubt = (0, 0)
        }
        if let segment = try place(&step, mark.position) {
            try read(segment, bytes, mark.position, &step, body)
        }
        last = step.next
        return step
    }

    /// A journal that goes on before the reader's place was opened anew with less than was read: every opening begins a segment, which
    /// is read from its beginning then. A place that stays where it is says nothing: it may be of before a power cut.
    private func comeBack(_ from: Position, _ mark: Position, _ step: inout Step) {
        guard mark < from else { return before = nil }
        guard let seen = before, seen != mark else { return before = mark }
        before = nil
        let start = Position(mark.journalSegment, 0)
        step.missing.append(Missing(kind: .cutBack, from: start, to: from, lost: nil))
        expected = nil
        step.next = start
        last = start
    }

    // MARK: Where to read

    /// The open segment that `step.next` lies in, moved on from one that is read to its end; nil: there is none yet.
    private func place(_ step: inout Step, _ mark: Position) throws -> Segment? {
        while true {
            let number = step.next.journalSegment
            guard number <= mark.journalSegment else { return nil }
            guard var segment = number == 0 ? nil : try opened(number) else {
                guard try skip(to: number, &step, mark) else { return nil }
                continue
            }
            if !segment.isFinished, number < mark.journalSegment {
                segment.end = try successor(of: number, mark)?.end
                segment.isFinished = true
                current = segment
            }
            let end = segment.isFinished ? segment.end ?? segment.status.size : Int(mark.journalOffset)
            let offset = Int(step.next.journalOffset)
            if offset > end, segment.end != nil || !segment.isFinished {
                step.missing.append(Missing(kind: .cutBack, from: Position(number, end), to: step.next, lost: nil))
                expected = nil
                step.next = Position(number, end)
            }
            if max(offset, Format.headerBlock) < end { return segment }
            guard segment.isFinished, let next = try successor(of: number, mark) else { return nil }
            if let previous = next.header?.previousSegment, previous > number {
                gone(step.next, next.number, next.header, &step)
            }
            step.next = Position(next.number, 0)
        }
    }

    /// The segment is not there: on to the oldest behind it.
    private func skip(to number: UInt32, _ step: inout Step, _ mark: Position) throws -> Bool {
        guard let next = try successor(of: number, mark) else { return false }
        // Before the oldest segment nothing was ever promised to a reader that begins.
        if number != 0 { gone(step.next, next.number, next.header, &step) }
        step.next = Position(next.number, 0)
        return true
    }

    private func gone(_ from: Position, _ segment: UInt32, _ header: SegmentHeader?, _ step: inout Step) {
        let lost = header.flatMap { header in expected.map { Int(clamping: header.firstOrdinal &- min($0, header.firstOrdinal)) } }
        step.missing.append(Missing(kind: .trimmed, from: from, to: Position(segment, 0), lost: lost))
        expected = nil
    }

    private struct Successor {
        var number: UInt32
        var header: SegmentHeader?
        /// Where the segment before it ended, if that is the one asked about.
        var end: Int?
    }

    /// The next segment that holds anything.
    private func successor(of number: UInt32, _ mark: Position) throws -> Successor? {
        var numbers = Set(Names.survey(try disk.listed(names.directory)).segments)
        if let kept = try? disk.listed(spilled.directory) { numbers.formUnion(Names.survey(kept).segments) }
        for next in numbers.sorted() where next > number && next <= mark.journalSegment {
            guard let file = try existing(next) else { continue }
            defer { _ = disk.close(file) }
            let reading = withUnsafeTemporaryAllocation(byteCount: Format.segmentHeader, alignment: 8) { bytes in
                guard let got = try? disk.readAll(file, bytes, at: 0) else { return SegmentHeader.Reading.damaged }
                return SegmentHeader.read(UnsafeRawBufferPointer(rebasing: bytes[..<got]), expecting: next)
            }
            switch reading {
            case .blank: continue
            case .newer(let version): throw JournalError.newerFormat(segment: next, version: version)
            case .damaged: return Successor(number: next)
            case .valid(let header):
                let end = header.previousSegment == number && header.previousEnd != 0 ? Int(header.previousEnd) : nil
                return Successor(number: next, header: header, end: end)
            }
        }
        return nil
    }

    private func existing(_ number: UInt32) throws(JournalFailure) -> Int32? {
        for place in [names, spilled] {
            do throws(JournalFailure) {
                return try disk.opened(place.segment(number), O_RDONLY)
            } catch {
                if error.errno != ENOENT { throw error }
            }
        }
        return nil
    }

    private func opened(_ number: UInt32) throws(JournalFailure) -> Segment? {
        if let current, current.number == number { return current }
        close()
        guard let file = try existing(number) else { return nil }
        do throws(JournalFailure) {
            let segment = Segment(number: number, file: file, status: try disk.statusOf(file))
            current = segment
            return segment
        } catch {
            _ = disk.close(file)
            throw error
        }
    }

    private func close() {
        if let current { _ = disk.close(current.file) }
        current = nil
    }

    // MARK: Reading

    private func read(
        _ segment: Segment, _ bytes: Int, _ mark: Position, _ step: inout Step, _ body: (Position, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let wanted = Int(step.next.journalOffset)
        let limit = segment.isFinished ? segment.end ?? segment.status.size : Int(mark.journalOffset)
        let start = isBatch(segment, wanted) ? wanted : wanted <= Format.headerBlock ? Format.headerBlock : nil
        // In the middle of a batch: the walk begins where batches do.
        let from = start ?? Format.headerBlock
        var window = start == nil ? limit - from : bytes
        while true {
            let upTo = min(from + window, limit)
            image.load(disk, segment.file, from..<upTo)
            var report = Report()
            report.expected = expected
            let walk = Walk(image: image.bytes, base: from, segment: segment.number, end: .part)
            let outcome = try walk.run(from: from, into: &report) { position, record in
                guard Int(position.journalOffset) >= wanted else { return }
                step.records += 1
                try body(position, record)
            }
            note(report, &step)
            if outcome.end > max(from, wanted) || outcome.end == limit {
                step.next = Position(segment.number, outcome.end)
                doubt = (0, 0)
                return
            }
            guard upTo < limit, window < Follower.largestBatch else { break }
            window = Follower.largestBatch
        }
        try doubtful(segment, max(from, wanted), limit, &step, body)
    }

    /// Nothing more can be read at `from`, though the journal was durable there.
    private func doubtful(
        _ segment: Segment, _ from: Int, _ limit: Int, _ step: inout Step, _ body: (Position, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let place = Position(segment.number, from)
        doubt = (place, doubt.place == place ? doubt.count + 1 : 1)
        step.isStalled = true
        // The writer may have made the segment anew in another file, or given it up.
        close()
        guard doubt.count >= Follower.patience, let again = try opened(segment.number), again.status.inode == segment.status.inode else {
            return
        }
        let here = from
        image.load(disk, again.file, here..<limit)
        let isKnown = !segment.isFinished || segment.end != nil
        let walk = Walk(image: image.bytes, base: here, segment: segment.number, end: isKnown ? .known(limit) : .open)
        if !segment.isFinished, walk.nextHeader(from: here + 8) == nil { return }
        var report = Report()
        report.expected = expected
        let outcome = try walk.run(from: here, into: &report) { position, record in
            step.records += 1
            try body(position, record)
        }
        // The end of a last stretch is told by the ordinals of what follows.
        note(report, &step)
        step.isStalled = false
        step.next = Position(segment.number, segment.isFinished ? limit : outcome.end)
        doubt = (0, 0)
    }

    private func note(_ report: Report, _ step: inout Step) {
        expected = report.expected
        for damage in report.damage where damage.kind != .behindEnd {
            let from = Position(damage.segment, damage.offset)
            step.missing.append(
                Missing(kind: .damaged, from: from, to: from + UInt64(damage.length), lost: damage.lost))
        }
    }

    private func isBatch(_ segment: Segment, _ offset: Int) -> Bool {
        guard offset >= Format.headerBlock, offset % 8 == 0 else { return false }
        return withUnsafeTemporaryAllocation(byteCount: Format.batchHeader, alignment: 8) { bytes in
            guard let got = try? disk.readAll(segment.file, bytes, at: offset), got == bytes.count, let base = bytes.baseAddress else {
                return false
            }
            return BatchHeader.read(base, at: Position(segment.number, offset)) != nil
        }
    }
}
