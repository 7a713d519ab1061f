import Journal

/// The layout of a base file, version 1; `docs/reference/customer-files.md` holds the same in tables. All integers are little-endian.
struct BaseHeader: Equatable {
    static let magic: UInt64 = 0x4553_4142_5453_5543  // "CUSTBASE"
    static let formatVersion: UInt16 = 1
    static let size = 256
    /// Bytes that one checksum covers; the last block of a section is shorter.
    static let block = 65_536
    /// Sections begin at multiples of it; what lies between is zero and belongs to the section before.
    static let alignment = 64
    /// Places in the heap are counted in so many bytes.
    static let unit = 2

    /// Of the file: rises with each one.
    var version: UInt64 = 0
    /// Changes of this node's overlay up to this number are in the file.
    var folded: UInt64 = 0
    /// Keyed hash of a constant: which key the hashes in the file were made with.
    var hashCheck: UInt64 = 0
    var customers: UInt64 = 0
    var addresses: UInt64 = 0
    /// Wall microseconds.
    var madeAt: Int64 = 0
    var fileSize: UInt64 = 0
    var referenceBits: UInt8 = 0
    var addressBits: UInt8 = 0
    var sections = [Range<Int>](repeating: 0..<0, count: Section.allCases.count)
    /// Of the table of checksums: with it, of all that the file holds.
    var total: UInt32 = 0

    enum Section: Int, CaseIterable {
        case heap, references, referenceBuckets, addresses, addressBuckets, checks

        var name: String {
            switch self {
            case .heap: "customers"
            case .references: "references"
            case .referenceBuckets: "buckets of references"
            case .addresses: "addresses"
            case .addressBuckets: "buckets of addresses"
            case .checks: "checksums"
            }
        }
    }

    subscript(section: Section) -> Range<Int> {
        get { sections[section.rawValue] }
        set { sections[section.rawValue] = newValue }
    }

    static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }
    static func blocks(_ bytes: Int) -> Int { (bytes + block - 1) / block }

    func write(to bytes: UnsafeMutableRawPointer) {
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: BaseHeader.size)
        bytes.put(BaseHeader.magic, 0)
        bytes.put(BaseHeader.formatVersion, 8)
        bytes.put(referenceBits, 10)
        bytes.put(addressBits, 11)
        bytes.put(version, 16)
        bytes.put(folded, 24)
        bytes.put(hashCheck, 32)
        bytes.put(customers, 40)
        bytes.put(addresses, 48)
        bytes.put(madeAt, 56)
        bytes.put(fileSize, 64)
        for (index, section) in sections.enumerated() {
            bytes.put(UInt64(section.lowerBound), 72 + index * 16)
            bytes.put(UInt64(section.count), 80 + index * 16)
        }
        bytes.put(total, 248)
        bytes.put(Checksum.of(UnsafeRawBufferPointer(start: bytes, count: BaseHeader.size - 4)), BaseHeader.size - 4)
    }

    init() {}

    /// - Throws: `.unfinished`, `.damaged`, `.newer`.
    init(reading bytes: UnsafeRawBufferPointer, fileSize: Int, path: String) throws(LocalFault) {
        guard bytes.count >= BaseHeader.size, let base = bytes.baseAddress else { throw .unfinished(path: path) }
        let head = UnsafeRawBufferPointer(rebasing: bytes[..<BaseHeader.size])
        if head.allSatisfy({ $0 == 0 }) { throw .unfinished(path: path) }
        let check = Checksum.of(UnsafeRawBufferPointer(rebasing: head.dropLast(4)))
        guard base.word(0) == BaseHeader.magic, base.word(BaseHeader.size - 4) == check else { throw .damaged(path: path, place: "header") }
        let format: UInt16 = base.word(8)
        // Magic, version and the header's checksum keep their places in every version.
        guard format <= BaseHeader.formatVersion else { throw .newer(path: path, version: format) }
        referenceBits = base.word(10)
        addressBits = base.word(11)
        version = base.word(16)
        folded = base.word(24)
        hashCheck = base.word(32)
        customers = base.word(40)
        addresses = base.word(48)
        madeAt = base.word(56)
        self.fileSize = base.word(64)
        total = base.word(248)
        guard self.fileSize == UInt64(fileSize) else {
            throw .damaged(path: path, place: "\(fileSize) bytes instead of \(self.fileSize)")
        }
        var end = BaseHeader.size
        for section in Section.allCases {
            let start: UInt64 = base.word(72 + section.rawValue * 16)
            let count: UInt64 = base.word(80 + section.rawValue * 16)
            guard start == UInt64(end), count <= UInt64(fileSize) - start else { throw .damaged(path: path, place: "header") }
            self[section] = Int(start)..<Int(start + count)
            end = Int(start + count)
        }
        guard end == fileSize, isConsistent else { throw .damaged(path: path, place: "header") }
    }

    /// Whether the sections have the sizes that the counts ask for.
    private var isConsistent: Bool {
        guard referenceBits <= HashIndex.bitsMaximum, addressBits <= HashIndex.bitsMaximum, customers <= UInt64(UInt32.max),
            addresses <= UInt64(UInt32.max)
        else { return false }
        let wanted: [(Section, Int)] = [
            (.references, Int(customers) * HashIndex.referenceStride), (.referenceBuckets, (1 << Int(referenceBits) + 1) * 4),
            (.addresses, Int(addresses) * HashIndex.addressStride), (.addressBuckets, (1 << Int(addressBits) + 1) * 4),
        ]
        let blocks = Section.allCases.filter { $0 != .checks }.reduce(0) { $0 + BaseHeader.blocks(self[$1].count) }
        return self[.checks].count == blocks * 4 && wanted.allSatisfy { self[$0].count == BaseHeader.aligned($1) }
    }
}
