import CJournal
import Glibc

/// An entry of a sorted run: a key, and up to three words that its owner gives a meaning.
public struct RunEntry: Hashable, Sendable {
    public var key: UInt64
    public var first: UInt64
    public var second: UInt64
    public var third: UInt64

    public init(key: UInt64, first: UInt64, second: UInt64 = 0, third: UInt64 = 0) {
        self.key = key
        self.first = first
        self.second = second
        self.third = third
    }

    @inline(__always) static func isBefore(_ a: RunEntry, _ b: RunEntry) -> Bool { a.key != b.key ? a.key < b.key : a.first < b.first }
}

/// What the entries of a run mean to its owner, and how many of their words are kept.
public struct RunKind: Hashable, Sendable {
    public let mark: UInt32
    /// Words of an entry with its key: 2...4.
    public let words: Int

    public init(mark: UInt32, words: Int) {
        precondition((2...4).contains(words), "an entry has 2 to 4 words")
        self.mark = mark
        self.words = words
    }

    var entrySize: Int { words * 8 }
    var entriesInPage: Int { (SortedRun.pageSize - SortedRun.pageTail) / entrySize }
}

/// One immutable file of entries sorted by key and first word; keys may come more than once. `NNNNNNNNNN.run`, one for each finished
/// segment and kind of entry.
///
/// In memory is only where each page of 4 KiB begins. A look-up is one read of a page, about 3 us with opening and closing the file
/// when the system holds it in memory: no file stays open, however many runs there are. Not mapped, for the reason of `SegmentIndex`.
/// Every page has its own checksum, so rot after opening is found as well.
public final class SortedRun: Sendable {
    public let segment: UInt32
    public let count: Int
    /// The owner's word for the age of its newest entry.
    public let newest: UInt64
    public let kind: RunKind

    private let disk: Disk
    private let path: String
    private let fences: [Fence]

    private struct Fence {
        var key: UInt64
        var first: UInt64
    }

    static let magic: UInt64 = 0x4E55_5254_524F_534A  // "JSORTRUN"
    static let version: UInt16 = 1
    static let headerSize = 64
    static let pageSize = 4096
    /// Count of entries and checksum at a page's end.
    static let pageTail = 8
    /// Pages read or written at once while going through a whole run.
    private static let stretch = 64

    private init(_ disk: Disk, _ path: String, _ head: Head, _ kind: RunKind, _ fences: [Fence]) {
        self.disk = disk
        self.path = path
        self.kind = kind
        self.fences = fences
        segment = head.segment
        count = head.count
        newest = head.newest
    }

    private struct Head {
        var segment: UInt32
        var count: Int
        var newest: UInt64
    }

    // MARK: Look-up

    /// Entries of `key` whose first word is at most `through`, the highest first.
    public func entries(of key: UInt64, through: UInt64 = .max, limit: Int) throws(IndexError) -> [RunEntry] {
        guard lastPage(key, through) >= 0, limit > 0 else { return [] }
        return try reading { (file, page) throws(IndexError) in try find(key, through, limit, file, page) }
    }

    /// For each key its entry with the highest first word, or nil. The file is opened once.
    public func find(_ keys: [UInt64]) throws(IndexError) -> [RunEntry?] {
        guard keys.contains(where: { lastPage($0, .max) >= 0 }) else { return Array(repeating: nil, count: keys.count) }
        return try reading { (file, page) throws(IndexError) in
            var found: [RunEntry?] = []
            found.reserveCapacity(keys.count)
            for key in keys { found.append(try find(key, .max, 1, file, page).first) }
            return found
        }
    }

    private func reading<Found>(
        _ body: (Int32, UnsafeMutableRawBufferPointer) throws(IndexError) -> Found
    ) throws(IndexError) -> Found {
        let file = try SortedRun.opened(disk, path)
        defer { _ = disk.close(file) }
        let page = UnsafeMutableRawBufferPointer.allocate(byteCount: SortedRun.pageSize, alignment: 4096)
        defer { page.deallocate() }
        return try body(file, page)
    }

    /// The last page that may hold an entry at most (key, first); -1: none.
    private func lastPage(_ key: UInt64, _ first: UInt64) -> Int {
        var low = 0
        var high = fences.count
        while low < high {
            let middle = (low + high) / 2
            let fence = fences[middle]
            if fence.key < key || (fence.key == key && fence.first <= first) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    private func find(
        _ key: UInt64, _ through: UInt64, _ limit: Int, _ file: Int32, _ page: UnsafeMutableRawBufferPointer
    ) throws(IndexError) -> [RunEntry] {
        var found: [RunEntry] = []
        var number = lastPage(key, through)
        while number >= 0 {
            guard try SortedRun.read(disk, file, page, SortedRun.pageSize * (number + 1)) == page.count else { throw .damaged }
            guard let inPage = SortedRun.entries(in: page, segment, number, kind) else { throw .damaged }
            for index in stride(from: inPage - 1, through: 0, by: -1) {
                let entry = SortedRun.entry(index, in: page, kind)
                if entry.key < key { return found }
                guard entry.key == key, entry.first <= through else { continue }
                found.append(entry)
                if found.count == limit { return found }
            }
            number -= 1
        }
        return found
    }

    // MARK: Bytes

    /// How many entries the page holds; nil when it is not that page as it was written.
    private static func entries(in page: UnsafeMutableRawBufferPointer, _ segment: UInt32, _ number: Int, _ kind: RunKind) -> Int? {
        guard let base = page.baseAddress else { return nil }
        let bytes = UnsafeRawPointer(base)
        let count = Int(bytes.u32(pageSize - 8))
        guard bytes.u32(pageSize - 4) == check(bytes, segment, number), (1...kind.entriesInPage).contains(count) else { return nil }
        return count
    }

    private static func check(_ page: UnsafeRawPointer, _ segment: UInt32, _ number: Int) -> UInt32 {
        Format.crc(Format.seed(Position(segment, number)), page, pageSize - 4)
    }

    @inline(__always)
    private static func entry(_ index: Int, in page: UnsafeMutableRawBufferPointer, _ kind: RunKind) -> RunEntry {
        let bytes = UnsafeRawBufferPointer(page)
        @inline(__always) func word(_ place: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * kind.entrySize + place * 8, as: UInt64.self))
        }
        return RunEntry(key: word(0), first: word(1), second: kind.words > 2 ? word(2) : 0, third: kind.words > 3 ? word(3) : 0)
    }

    private static func read(_ disk: Disk, _ file: Int32, _ into: UnsafeMutableRawBufferPointer, _ at: Int) throws(IndexError) -> Int {
        do throws(JournalFailure) { return try disk.readAll(file, into, at: at) } catch { throw .failure(error) }
    }

    private static func opened(_ disk: Disk, _ path: String) throws(IndexError) -> Int32 {
        do throws(JournalFailure) { return try disk.opened(path, O_RDONLY) } catch {
            throw error.errno == ENOENT ? .missing : .failure(error)
        }
    }

    // MARK: Opening

    static func open(
        _ disk: Disk, _ path: String, segment: UInt32, journal: JournalID, kind: RunKind, each: (RunEntry) -> Void
    ) throws(IndexError) -> SortedRun {
        let file = try opened(disk, path)
        defer { _ = disk.close(file) }
        let head = try head(disk, file, segment, journal, kind)
        let fences = try walk(disk, file, head, kind, each)
        return SortedRun(disk, path, head, kind, fences)
    }

    private static func head(
        _ disk: Disk, _ file: Int32, _ segment: UInt32, _ journal: JournalID, _ kind: RunKind
    ) throws(IndexError) -> Head {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: headerSize, alignment: 8)
        defer { memory.deallocate() }
        guard try read(disk, file, memory, 0) == headerSize, let base = memory.baseAddress else { throw .damaged }
        let bytes = UnsafeRawPointer(base)
        guard bytes.u64(0) == magic, bytes.u32(60) == Format.crc(0, bytes, 60), bytes.u16(8) == version,
            Int(bytes.u16(10)) == kind.words, bytes.u32(12) == segment, bytes.u64(16) == journal.high, bytes.u64(24) == journal.low,
            bytes.u32(48) == kind.mark, let count = Int(exactly: bytes.u64(32)), count < 1 << 40
        else { throw .damaged }
        return Head(segment: segment, count: count, newest: bytes.u64(40))
    }

    /// Reads all pages once: each must pass, the entries must be in order and as many as the header says.
    private static func walk(
        _ disk: Disk, _ file: Int32, _ head: Head, _ kind: RunKind, _ each: (RunEntry) -> Void
    ) throws(IndexError) -> [Fence] {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize * stretch, alignment: 4096)
        defer { memory.deallocate() }
        let pages = (head.count + kind.entriesInPage - 1) / kind.entriesInPage
        var fences: [Fence] = []
        var last: RunEntry?
        var seen = 0
        var number = 0
        while number < pages {
            let count = min(stretch, pages - number)
            let part = UnsafeMutableRawBufferPointer(rebasing: memory[..<(count * pageSize)])
            guard try read(disk, file, part, pageSize * (number + 1)) == part.count else { throw .damaged }
            for offset in 0..<count {
                let page = UnsafeMutableRawBufferPointer(rebasing: part[(offset * pageSize)..<((offset + 1) * pageSize)])
                guard let inPage = entries(in: page, head.segment, number + offset, kind) else { throw .damaged }
                for index in 0..<inPage {
                    let entry = entry(index, in: page, kind)
                    if let last, RunEntry.isBefore(entry, last) { throw .damaged }
                    if index == 0 { fences.append(Fence(key: entry.key, first: entry.first)) }
                    last = entry
                    each(entry)
                }
                seen += inPage
            }
            number += count
        }
        guard seen == head.count else { throw .damaged }
        return fences
    }

    // MARK: Writing

    /// Writes beside, syncs, takes the name: a crash leaves the old run or the new one.
    static func write(
        _ disk: Disk, _ names: Names, segment: UInt32, journal: JournalID, kind: RunKind, newest: UInt64, _ entries: [RunEntry]
    ) throws(IndexError) {
        let sorted = entries.sorted(by: RunEntry.isBefore)
        do throws(JournalFailure) {
            try store(disk, names, segment, journal, kind, newest, sorted)
        } catch {
            _ = disk.unlink("\(names.run(segment)).tmp")
            throw .failure(error)
        }
    }

    private static func store(
        _ disk: Disk, _ names: Names, _ segment: UInt32, _ journal: JournalID, _ kind: RunKind, _ newest: UInt64, _ entries: [RunEntry]
    ) throws(JournalFailure) {
        let path = names.run(segment)
        let file = try disk.opened("\(path).tmp", O_WRONLY | O_CREAT | O_TRUNC)
        do throws(JournalFailure) {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize * stretch, alignment: 4096)
            defer { memory.deallocate() }
            let head = UnsafeMutableRawBufferPointer(rebasing: memory[..<pageSize])
            fill(head, segment, journal, kind, newest, entries.count)
            try disk.writeAll(file, UnsafeRawBufferPointer(head), at: 0)
            var number = 0
            var done = 0
            while done < entries.count {
                var pages = 0
                while pages < stretch, done < entries.count {
                    let page = UnsafeMutableRawBufferPointer(rebasing: memory[(pages * pageSize)..<((pages + 1) * pageSize)])
                    done += fill(page, segment, number + pages, kind, entries[done...])
                    pages += 1
                }
                let part = UnsafeRawBufferPointer(rebasing: memory[..<(pages * pageSize)])
                try disk.writeAll(file, part, at: pageSize * (number + 1))
                number += pages
            }
            try disk.synced(file)
        } catch {
            _ = disk.close(file)
            throw error
        }
        _ = disk.close(file)
        try disk.renamed("\(path).tmp", path)
        try disk.directorySynced(names.directory)
    }

    private static func fill(
        _ head: UnsafeMutableRawBufferPointer, _ segment: UInt32, _ journal: JournalID, _ kind: RunKind, _ newest: UInt64, _ count: Int
    ) {
        head.initializeMemory(as: UInt8.self, repeating: 0)
        guard let base = head.baseAddress else { return }
        base.put(magic, 0)
        base.put(version, 8)
        base.put(UInt16(kind.words), 10)
        base.put(segment, 12)
        base.put(journal.high, 16)
        base.put(journal.low, 24)
        base.put(UInt64(count), 32)
        base.put(newest, 40)
        base.put(kind.mark, 48)
        base.put(Format.crc(0, base, 60), 60)
    }

    /// - Returns: how many of the entries the page took.
    private static func fill(
        _ page: UnsafeMutableRawBufferPointer, _ segment: UInt32, _ number: Int, _ kind: RunKind, _ entries: ArraySlice<RunEntry>
    ) -> Int {
        page.initializeMemory(as: UInt8.self, repeating: 0)
        guard let base = page.baseAddress else { return 0 }
        let count = min(entries.count, kind.entriesInPage)
        var at = 0
        for entry in entries.prefix(count) {
            base.put(entry.key, at)
            base.put(entry.first, at + 8)
            if kind.words > 2 { base.put(entry.second, at + 16) }
            if kind.words > 3 { base.put(entry.third, at + 24) }
            at += kind.entrySize
        }
        base.put(UInt32(count), pageSize - 8)
        base.put(check(base, segment, number), pageSize - 4)
        return count
    }
}
