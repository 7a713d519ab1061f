import Glibc
import Threads

/// Reads committed records beside the writer. Safe to use from any thread, from several at once.
public final class Reader: Sendable {
    private let disk: Disk
    private let names: Names
    private let table: Table
    private let state: JournalState
    private let cache = Monitor<[OpenSegment]>([])

    /// Files kept open, the latest used.
    public static let filesMax = 16
    /// One read finds a record up to this size; a longer one takes two.
    private static let firstRead = 4096
    private static let window = 8 << 20

    init(disk: Disk, names: Names, table: Table, state: JournalState) {
        self.disk = disk
        self.names = names
        self.table = table
        self.state = state
    }

    /// An open file, closed when its last user lets go.
    private final class OpenSegment: Sendable {
        let segment: UInt32
        let generation: Int
        let file: Int32
        let disk: Disk

        init(_ segment: UInt32, _ generation: Int, _ file: Int32, _ disk: Disk) {
            self.segment = segment
            self.generation = generation
            self.file = file
            self.disk = disk
        }

        deinit { _ = disk.close(file) }
    }

    /// The record at `position`. One file read, about 1 us when the system holds it in memory.
    public func read(at position: Position) throws(ReadError) -> [UInt8] {
        let (segment, entry) = try segment(position)
        let start = Int(position.journalOffset)
        guard start >= Format.headerBlock + Format.batchHeader, start % 8 == 0, start + Format.frameHeader < entry.info.end else {
            throw .notFound
        }
        do throws(ReadError) {
            return try record(segment, start, entry.info.end)
        } catch {
            // Trimmed while we read: its file may hold zeros or another segment by now.
            if case .trimmed = table.find(position.journalSegment) { throw .trimmed }
            throw error
        }
    }

    /// Several records; each has its own answer, in the order asked.
    public func read(_ positions: [Position]) -> [Result<[UInt8], ReadError>] {
        positions.map { position in
            do throws(ReadError) { return .success(try read(at: position)) } catch { return .failure(error) }
        }
    }

    /// Hands on every committed record from `from` (0: the oldest there is) to before `upTo`, in order; the bytes are valid
    /// during the call only. What is damaged is left out. Returns where to go on: the position to give as `from` next time.
    /// - Throws: `ReadError`, or what `body` throws.
    @discardableResult
    public func scan(
        from: Position = 0, upTo: Position = .max, _ body: (_ position: Position, _ record: UnsafeRawBufferPointer) throws -> Void
    ) throws -> Position {
        let limit = min(upTo, state.committed)
        if from != 0, case .trimmed = table.find(from.journalSegment) { throw ReadError.trimmed }
        var at = from
        var image = Image()
        while at < limit, let entry = table.first(from: max(at.journalSegment, 1)) {
            let number = entry.info.number
            guard number <= limit.journalSegment else { break }
            let wanted = number == at.journalSegment ? Int(at.journalOffset) : 0
            let end = number == limit.journalSegment ? Int(limit.journalOffset) : entry.info.end
            // A limit inside a batch: read to the batch's end, hand on what lies before the limit.
            try scanSegment(number, from: wanted, to: min(max(end, Format.headerBlock), entry.info.end), entry.info.end, &image, body)
            if number == limit.journalSegment { return limit }
            at = Position(number + 1, 0)
        }
        return max(from, limit)
    }

    private func scanSegment(
        _ number: UInt32, from wanted: Int, to end: Int, _ segmentEnd: Int, _ image: inout Image,
        _ body: (Position, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let segment = try segment(Position(number, 0)).0
        var at = isBatch(segment, wanted) ? wanted : Format.headerBlock
        var window = Self.window
        while at < end {
            let upTo = min(at + window, segmentEnd)
            image.load(disk, segment.file, at..<upTo)
            let walk = Walk(image: image.bytes, base: at, segment: number, end: upTo == segmentEnd ? .known(upTo) : .part)
            var report = Report()
            let outcome = try walk.run(from: at, into: &report) { position, record in
                let offset = Int(position.journalOffset)
                if offset >= wanted, offset < end { try body(position, record) }
            }
            if report.damageCount > 0, case .trimmed = table.find(number) { throw ReadError.trimmed }
            // Damage at the front of a window is judged with the whole rest of the segment in view.
            window = outcome.end == at ? segmentEnd - at : Self.window
            at = outcome.end
        }
    }

    private func isBatch(_ segment: OpenSegment, _ offset: Int) -> Bool {
        guard offset >= Format.headerBlock, offset % 8 == 0 else { return false }
        return withUnsafeTemporaryAllocation(byteCount: Format.batchHeader, alignment: 8) { bytes in
            guard let got = try? disk.readAll(segment.file, bytes, at: offset), got == bytes.count, let base = bytes.baseAddress else {
                return false
            }
            return BatchHeader.read(base, at: Position(segment.segment, offset)) != nil
        }
    }

    private func record(_ segment: OpenSegment, _ start: Int, _ end: Int) throws(ReadError) -> [UInt8] {
        let size = min(Self.firstRead, end - start)
        var failure: ReadError?
        let found = withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { bytes -> [UInt8]? in
            do throws(ReadError) { return try record(segment, start, end, bytes) } catch {
                failure = error
                return nil
            }
        }
        guard let found else { throw failure ?? .damaged }
        return found
    }

    private func record(
        _ segment: OpenSegment, _ start: Int, _ end: Int, _ bytes: UnsafeMutableRawBufferPointer
    ) throws(ReadError) -> [UInt8] {
        guard try read(segment, bytes, start) == bytes.count, let base = bytes.baseAddress else { throw .damaged }
        let frame = UnsafeRawPointer(base)
        let length = Int(frame.u32(0))
        let expected = frame.u32(4)
        guard length > 0, start + Format.frameHeader + length <= end else { throw .damaged }
        let seed = Format.crc(Format.seed(Position(segment.segment, start)), frame, 4)
        let record: [UInt8]
        if Format.frameHeader + length <= bytes.count {
            record = [UInt8](UnsafeRawBufferPointer(start: frame + Format.frameHeader, count: length))
        } else {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 8)
            defer { memory.deallocate() }
            guard try read(segment, memory, start + Format.frameHeader) == length else { throw .damaged }
            record = [UInt8](memory)
        }
        let crc = record.withUnsafeBytes { bytes in bytes.baseAddress.map { Format.crc(seed, $0, length) } }
        guard crc == expected else { throw .damaged }
        return record
    }

    private func read(_ segment: OpenSegment, _ into: UnsafeMutableRawBufferPointer, _ at: Int) throws(ReadError) -> Int {
        do throws(JournalFailure) { return try disk.readAll(segment.file, into, at: at) } catch { throw .failure(error) }
    }

    private func segment(_ position: Position) throws(ReadError) -> (OpenSegment, Table.Entry) {
        let number = position.journalSegment
        let entry: Table.Entry
        switch table.find(number) {
        case .there(let found): entry = found
        case .trimmed: throw .trimmed
        case .none: throw .notFound
        }
        let held = cache.locked { held -> OpenSegment? in
            guard let index = held.lastIndex(where: { $0.segment == number && $0.generation == entry.generation }) else { return nil }
            if index != held.count - 1 { held.append(held.remove(at: index)) }
            return held.last
        }
        if let held { return (held, entry) }
        do throws(JournalFailure) {
            let file = try disk.opened(names.segment(number), O_RDONLY)
            let fresh = OpenSegment(number, entry.generation, file, disk)
            // What falls out is let go of outside the lock: closing may take time.
            let fallen = cache.locked { held -> OpenSegment? in
                held.append(fresh)
                return held.count > Self.filesMax ? held.removeFirst() : nil
            }
            _ = fallen
            return (fresh, entry)
        } catch {
            if case .trimmed = table.find(number) { throw .trimmed }
            throw .failure(error)
        }
    }
}
