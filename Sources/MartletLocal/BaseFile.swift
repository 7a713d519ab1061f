import Glibc
public import Journal
import MartletModel

/// All customers as they were when the desk wrote the file: mapped, never changed. It stays mapped until the last one who found
/// something in it lets go.
///
/// `@unchecked Sendable`: the mapping is read-only for its whole life, and the file is never written again once it has its name.
public final class BaseFile: @unchecked Sendable {
    let header: BaseHeader
    public let path: String
    private let mapping: UnsafeRawBufferPointer
    private let heap: UnsafeRawBufferPointer
    private let references: HashIndex
    private let addresses: HashIndex

    public var version: UInt64 { header.version }
    public var customers: Int { Int(header.customers) }
    public var bytes: Int { mapping.count }

    /// A customer of the file. Its bytes are good for as long as the file is held.
    struct Entry {
        var subject: SubjectNumber
        var clear: UnsafeRawBufferPointer
        var sealed: UnsafeRawBufferPointer
    }

    /// Maps the file and reads it through once: header, then each block against its checksum. Slow: not on the loop.
    /// - Parameter hashCheck: of the hash key in use; the file must have been made with the same.
    /// - Throws: `.disk`, `.unfinished`, `.damaged`, `.newer`, `.foreign`; each names the file.
    public init(_ path: String, hashCheck: UInt64, disk: Disk = .system) throws(LocalFault) {
        let mapping = try BaseFile.map(path, disk)
        do throws(LocalFault) {
            let header = try BaseHeader(reading: mapping, fileSize: mapping.count, path: path)
            try BaseFile.verify(mapping, header, path)
            guard header.hashCheck == hashCheck else { throw .foreign(path: path) }
            self.header = header
        } catch {
            munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count)
            throw error
        }
        self.path = path
        self.mapping = mapping
        let header = header
        func part(_ section: BaseHeader.Section) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: mapping[header[section]]) }
        func start(_ section: BaseHeader.Section) -> UnsafeRawPointer {
            guard let start = part(section).baseAddress else { preconditionFailure("a mapped section has an address") }
            return start
        }
        heap = part(.heap)
        references = HashIndex(
            entries: start(.references), buckets: start(.referenceBuckets), count: Int(header.customers), bits: header.referenceBits,
            stride: HashIndex.referenceStride)
        addresses = HashIndex(
            entries: start(.addresses), buckets: start(.addressBuckets), count: Int(header.addresses), bits: header.addressBits,
            stride: HashIndex.addressStride)
        // From here on places are asked for in no order: reading ahead would only push others out of memory.
        madvise(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count, MADV_RANDOM)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count) }

    private static func map(_ path: String, _ disk: Disk) throws(LocalFault) -> UnsafeRawBufferPointer {
        let file = try LocalFile(disk, path, O_RDONLY)
        let size = try file.size()
        guard size >= BaseHeader.size else { throw .unfinished(path: path) }
        guard let start = mmap(nil, size, PROT_READ, MAP_SHARED, file.number, 0), start != MAP_FAILED else {
            throw .disk(path: path, step: "map", code: errno)
        }
        madvise(start, size, MADV_SEQUENTIAL)
        return UnsafeRawBufferPointer(start: start, count: size)
    }

    private static func verify(_ mapping: UnsafeRawBufferPointer, _ header: BaseHeader, _ path: String) throws(LocalFault) {
        let checks = UnsafeRawBufferPointer(rebasing: mapping[header[.checks]])
        guard Checksum.of(checks) == header.total, let table = checks.baseAddress else {
            throw .damaged(path: path, place: BaseHeader.Section.checks.name)
        }
        var number = 0
        for section in BaseHeader.Section.allCases where section != .checks {
            let range = header[section]
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(start + BaseHeader.block, range.upperBound)
                let block = UnsafeRawBufferPointer(rebasing: mapping[start..<end])
                guard Checksum.of(block, seed: Checksum.seed(UInt64(start))) == table.word(number * 4) else {
                    throw .damaged(path: path, place: "\(section.name), bytes \(start) to \(end)")
                }
                number += 1
                start = end
            }
        }
    }

    // MARK: Look-up

    /// The customer whose reference has this keyed hash.
    @inline(__always)
    func find(reference hash: UInt64) -> Entry? {
        let found = references.find(hash)
        guard let first = found.first else { return nil }
        return entry(at: references.place(at: first))
    }

    /// Customers with an address of this keyed hash, and the number of the contact point, until `each` answers false.
    func find(address hash: UInt64, _ each: (Entry, _ number: UInt8) -> Bool) {
        for index in addresses.find(hash) {
            guard let entry = entry(at: addresses.place(at: index)) else { continue }
            guard each(entry, addresses.number(at: index)) else { return }
        }
    }

    /// Nil when no customer can stand there.
    @inline(__always)
    private func entry(at place: Int) -> Entry? {
        guard place + 6 <= heap.count, let start = heap.baseAddress else { return nil }
        var at = place + 4
        guard let clear = length(&at), let sealed = length(&at), at + clear + sealed <= heap.count else { return nil }
        return Entry(
            subject: start.word(place), clear: UnsafeRawBufferPointer(start: start + at, count: clear),
            sealed: UnsafeRawBufferPointer(start: start + at + clear, count: sealed))
    }

    /// A length of at most three bytes, seven bits each.
    @inline(__always)
    private func length(_ at: inout Int) -> Int? {
        var value = 0
        var shift = 0
        while shift <= 14, at < heap.count {
            let next = heap[at]
            at += 1
            value |= Int(next & 127) << shift
            if next < 128 { return value }
            shift += 7
        }
        return nil
    }
}
